/** An account in which something is always about to happen: spending, renames, notices, deletions, restores. */
import type { Clock } from '../../src/ports.ts';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import type { Random } from '../../src/sandbox/random.ts';
import type { World } from '../../src/sandbox/world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const noticeMs = 2 * hourMs;
export const deletionsPerDay = 12;
export const renamesPerDay = 150;
export const marker = 'OVER ';

export const policyText = `version: 1
mode: enforce
smtp: { url: "\${SMTP_URL}", from: "Keywarden <keywarden@example.com>" }
channels:
  ops: { slack: { webhook_url: "\${SLACK_WEBHOOK_URL}" } }
  owner: { email: { to: "{{ metadata.email }}" } }
  pager: { webhook: { url: "\${PAGER_URL}", secret: "\${PAGER_SECRET}", allow_private: true } }
protect:
  - { name: "Production *" }
  - { metadata: { critical: "true" } }
limits:
  delete: { per_run: 3, per_day: ${String(deletionsPerDay)}, percent: 100 }
  rename: { per_run: 50, per_day: ${String(renamesPerDay)} }
policies:
  - name: day
    select: { not: { name: "Burst *" } }
    spend: { cost: 10.00, per: day }
    steps:
      - { at: 50%, alert: pager }
      - { at: 100%, alert: [owner, pager], rename: "${marker}{{ name }}" }
      - { at: 120%, alert: [owner, ops, pager], delete: { notice: 2h } }
  - name: hour
    select: { name: "Burst *" }
    spend: { cost: 1.00, per: hour }
    steps:
      - { at: 100%, alert: pager, rename: "${marker}{{ name }}" }
`;

export const isProtected = ({ names, metadata }: WorldKey): boolean =>
  metadata?.['critical'] === 'true' || (names[0]?.name.startsWith('Production ') ?? false);

/** Of its first name: the keys of the rule by the hour. */
export const isBurst = ({ names }: WorldKey): boolean => names[0]?.name.startsWith('Burst ') ?? false;

/** The length of the period in which a finding may change a key once. */
export const periodOf = (key: WorldKey): number => (isBurst(key) ? hourMs : dayMs);

export interface Account {
  /** A little of everything, by chance. */
  readonly stir: () => void;
}

/** Chances are those of one call of `stir`. */
export function createAccount(world: World, clock: Pick<Clock, 'now'>, random: Random): Account {
  let made = 0;
  const add = (role: string, metadata: Record<string, string> = {}): void => {
    made += 1;
    const email = `owner${String(made)}@example.com`;
    world.addKey({ name: `${role} ${String(made)}`, metadata: { email, ...metadata } });
  };
  const spend = (key: WorldKey | undefined, dollars: number): void => {
    const counters = { costMicroUsd: Math.round(dollars * 1e6), tokens: 1000, requests: 1 };
    if (key !== undefined) world.spend(key.secret, counters, 'gpt-oss-120b');
  };
  const oneOf = (wanted: (key: WorldKey) => boolean): WorldKey | undefined => {
    const found = world.keys().filter(wanted);
    return found.length === 0 ? undefined : random.pick(found);
  };
  const plain = (key: WorldKey): boolean => !isProtected(key) && !isBurst(key);
  const marked = (key: WorldKey): boolean => plain(key) && key.name.startsWith(marker);
  for (let i = 0; i < 3; i += 1) add('Production');
  for (let i = 0; i < 3; i += 1) add('Internal', { critical: 'true' });
  for (let i = 0; i < 6; i += 1) add('Burst');

  function stir(): void {
    world.advanceTo(clock.now());
    if (world.keys().length < 36) add('User');
    if (random.chance(0.05)) spend(oneOf(plain), 5 + random.next());
    if (random.chance(0.03)) spend(oneOf(plain), 10.5 + random.next());
    if (random.chance(0.02)) spend(oneOf(plain), 12 + 10 * random.next());
    if (random.chance(0.02)) spend(oneOf(isProtected), 30);
    if (random.chance(0.05)) spend(oneOf(isBurst), 1 + random.next());
    const [renamed, gone] = [oneOf(marked), oneOf(plain)];
    if (random.chance(0.005) && renamed !== undefined)
      world.renameByPerson(renamed.secret, `mine-${String(made++)}`);
    if (random.chance(0.002) && gone !== undefined) world.deleteByPerson(gone.secret);
  }

  stir();
  while (world.keys().length < 36) stir();
  return { stir };
}
