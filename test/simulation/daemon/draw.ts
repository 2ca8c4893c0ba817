/** From a seed, a plan: who is in the account, what people want of it, and what goes wrong. */
import { createRandom } from '../../../src/sandbox/random.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import type { Variants } from '../../../src/sandbox/variants.ts';
import { drawKeys } from './draw-keys.ts';
import { drawPeople } from './draw-people.ts';
import { drawFile, earnest } from './draw-policies.ts';
import { drawTrouble } from './draw-trouble.ts';
import type { Act, Deed, Plan } from './plan.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';

/** As many passes, about, a seed may take: most of its time goes into them. */
const passesAtMost = 24;

export function drawPlan(seed: number): Plan {
  const random = createRandom(`daemon ${String(seed)}`);
  const fork = (label: string): Random => random.fork(label);
  const days = fork('days').pick([0.5, 1.5, 1.5, 3, 6, 14, 30]);
  const intervalMs = Math.max(3 * minuteMs, Math.round(((days + 0.5) * dayMs) / passesAtMost));
  const keys = drawKeys(fork('keys'), days);
  const file = earnest(fork('earnest'), drawFile(fork('file'), days));
  const acts = drawActs(fork('acts'), { days, intervalMs, keys, file });
  return { seed, days, intervalMs, variants: drawVariants(fork('variants')), keys, file, acts };
}

function drawVariants(random: Random): Partial<Variants> {
  const some = <T>(usual: T, ...others: readonly T[]): T =>
    random.chance(0.6) ? usual : random.pick(others);
  return {
    renameHistory: some('follows', 'splits', 'stays'),
    sharedNames: some('merged', 'last-wins'),
    deletedInAggregate: some('listed', 'gone'),
    deleteMissing: some<404 | 200>(404, 200),
    noUsageRows: some('absent', 'zeros'),
    freshness: random.chance(0.8) ? 'immediate' : { lateMs: random.integer(1, 100) * 1000 },
    listOrder: some('created', 'shuffled'),
    errorBody: some('message', 'error'),
    extras: random.chance(0.3),
    absent: some('omitted', 'null'),
    timeOffset: some('Z', '+02:00'),
    dateSkewMs: some(0, random.integer(-60, 60) * 1000),
    rateLimit: random.chance(0.9)
      ? 'none'
      : { perMinute: random.pick([6, 20]), retryAfter: random.pick(['seconds', 'date', 'none']) },
  };
}

/**
 * Most of what happens does so around a few instants, at which keys pass their thresholds: where nothing goes on,
 * nothing can go wrong.
 */
function drawActs(
  random: Random,
  { days, intervalMs, keys, file }: Pick<Plan, 'days' | 'intervalMs' | 'keys' | 'file'>,
): Act[] {
  const acts: Act[] = [];
  const total = days * dayMs;
  const hot = Array.from({ length: random.integer(1, 3) }, () => Math.round(random.next() * 0.8 * total));
  const spread = Math.min(total / 4, random.pick([hourMs, 6 * hourMs, 30 * hourMs]));
  const when = (chance: Random): number =>
    chance.chance(0.07)
      ? 0
      : chance.chance(0.7)
        ? chance.pick(hot) + Math.round(chance.next() * spread)
        : Math.round(chance.next() * total);
  const adding =
    (chance: Random) =>
    (deed: Deed, at = when(chance)): void =>
      void acts.push({ ...deed, atMs: Math.min(at, total) });
  drawPeople(random.fork('people'), adding, { hot, days, keys, file, when });
  const replicas = random.fork('replicas');
  if (replicas.chance(0.12)) adding(replicas)({ kind: 'replica', forMs: replicas.integer(1, 30) * hourMs });
  const mute = random.fork('mute');
  if (mute.chance(0.15)) adding(mute)({ kind: 'ambush', by: 'mute' });
  const moment = random.fork('moment');
  if (moment.chance(0.15)) adding(moment)({ kind: 'ambush', by: 'rename and back' });
  const unread = random.fork('unread');
  if (unread.chance(0.1)) adding(unread)({ kind: 'ambush', by: 'unread' });
  const reborn = random.fork('reborn');
  if (reborn.chance(0.1)) adding(reborn)({ kind: 'ambush', by: 'reborn' });
  const deaf = random.fork('deaf');
  const deleting = file.policies.flatMap(({ steps }) =>
    steps.filter((step) => step.deleteNoticeMs !== undefined),
  );
  const forMs = Math.min(3 * dayMs, total);
  // Nobody takes notices of one deletion, while others take what else is told.
  if (deleting.length > 0 && deaf.chance(0.15))
    for (const channel of deaf.pick(deleting).alert)
      adding(deaf)({ kind: 'receiver', channel, trouble: deaf.pick(['dead', 'refuses']), forMs }, 0);
  const trouble = random.fork('trouble');
  const times = trouble.chance(0.2) ? 0 : trouble.integer(1, 7);
  for (let i = 0; i < times; i += 1) drawTrouble(trouble, adding(trouble), intervalMs);
  if (trouble.chance(0.12)) {
    const field = trouble.pick(['cost', 'total_requests', 'requests']);
    const fault = { kind: 'missing-field', field } as const;
    const at = trouble.chance(0.5) ? 0 : when(trouble);
    adding(trouble)({ kind: 'fault', endpoint: 'any', chance: 1, forMs: 3 * intervalMs, fault }, at);
  }
  return acts.sort((a, b) => a.atMs - b.atMs);
}
