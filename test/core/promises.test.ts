/** What no sequence of traffic, edits, people's own changes, failures and restarts may bring about. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CaseAlert } from '../../src/core/alert.ts';
import { firstAccepted } from '../../src/core/court.ts';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import { planJson } from '../../src/core/plan-json.ts';
import type { Decision, PlannedChange } from '../../src/core/plan.ts';
import type { Amount, Story } from './story.ts';
import { day, file, hour, id, key, minute, monday, policyOf, story, noBooks } from './story.ts';

const limits = { perRun: 2, perDay: 3, percent: 50 };
const top = `protect: [{ name: "Prod*" }]
limits: { delete: { per_run: 2, per_day: 3, percent: 50 }, rename: { per_run: 2, per_day: 6 } }`;

const monthly = (cost: number, notice: string) =>
  policyOf(
    'monthly',
    `spend: { cost: ${String(cost)}, per: month }`,
    '{ at: 50%, alert: owner }',
    '{ at: 80%, alert: ops, rename: "OVER {{ name }}" }',
    `{ at: 100%, alert: [owner, pager], delete: { notice: ${notice} } }`,
  );
const daily = policyOf(
  'daily',
  'spend: { tokens: 15, per: day }',
  '{ at: 100%, alert: ops, rename: "BUSY {{ name }}" }',
);
const team = policyOf(
  'team',
  'select: { metadata: { team: "*" } }\n  spend: { requests: 40, per: week, across: metadata.team }',
  '{ at: 70%, alert: ops, repeat: 6h }',
  '{ at: 100%, alert: [ops, owner], pick: highest, delete: { notice: 2h } }',
);
const old = policyOf(
  'old',
  'select: { name: "User *" }\n  expiry: { max_age: 3d }',
  '{ alert: owner, delete: { notice: 1h } }',
);

const files = [
  file([monthly(20, '24h'), daily, team, old].join('\n'), top),
  file([monthly(20, '0s'), old].join('\n'), top),
  file([monthly(60, '1h'), daily, team].join('\n'), top),
  file([daily, team].join('\n'), top),
  file([monthly(20, '24h'), daily, team, old].join('\n'), `${top}\nmode: alert`),
  file([monthly(20, '24h'), daily, team, old].join('\n'), top.replace('Prod*', '*')),
  file(
    [monthly(20, '1h'), team].join('\n'),
    `${top}\nsilences:\n  - { select: { name: "User *" }, until: 2026-11-25T00:00:00Z }`,
  ),
];

const names = ['User 1', 'User 2', 'User 3', 'Prod 1', 'Root', 'Late'];
const keys = names.map((name, index) =>
  key(name, {
    createdAt: monday - index * minute,
    metadata: index % 2 === 0 ? { team: 'ml' } : {},
    isAdmin: name === 'Root',
  }),
);

type Act =
  | {
      readonly kind: 'pass';
      readonly after: number;
      readonly spent: readonly number[];
      readonly doubt: number;
    }
  | { readonly kind: 'edit'; readonly file: number }
  | { readonly kind: 'rename'; readonly key: number; readonly to: string }
  | { readonly kind: 'remove'; readonly key: number };

interface Turn {
  readonly act: Act;
  /** What becomes of the pass's notices and changes. */
  readonly accepted: boolean;
  readonly outcome: 'done' | 'failed' | 'nothing';
}

const passes = fc.record({
  kind: fc.constant('pass' as const),
  after: fc.oneof(fc.integer({ min: 1, max: 3 * hour }), fc.constantFrom(minute, hour, day)),
  spent: fc.array(fc.constantFrom(0, 0, 0, 1, 5, 12), { minLength: names.length, maxLength: names.length }),
  doubt: fc.constantFrom(-1, -1, -1, -1, 0, 1, 2),
});
const turns: fc.Arbitrary<Turn[]> = fc.array(
  fc.record({
    act: fc.oneof(
      { weight: 24, arbitrary: passes },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('edit' as const), file: fc.nat(files.length - 1) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('rename' as const),
          key: fc.nat(names.length - 1),
          to: fc.constantFrom('Mine', 'User 9', 'Prod 9'),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('remove' as const), key: fc.nat(names.length - 1) }),
      },
    ),
    accepted: fc.boolean(),
    outcome: fc.constantFrom('done', 'done', 'failed', 'nothing'),
  }),
  { minLength: 5, maxLength: 40, size: 'max' },
);

function begin(): Story {
  return story(files[0] ?? [monthly(20, '24h')].join(''), ...keys);
}

/** Null: no pass. */
function play(
  one: Story,
  { act }: Turn,
  usage: Map<string, number>,
  listed?: Parameters<Story['pass']>[0],
): Decision | null {
  const name = (index: number): string => names[index] ?? '';
  switch (act.kind) {
    case 'edit':
      one.policy = files[act.file] ?? one.policy;
      return null;
    case 'rename':
      if (one.account.has(name(act.key))) one.rename(name(act.key), act.to);
      return null;
    case 'remove':
      one.remove(name(act.key));
      return null;
    case 'pass': {
      act.spent.forEach((amount, index) => usage.set(name(index), (usage.get(name(index)) ?? 0) + amount));
      const known = [...usage].map(([of, amount], index): [string, Amount] => [
        of,
        index === act.doubt ? [0, null] : amount,
      ]);
      return one.pass({ after: act.after, usage: Object.fromEntries(known), ...listed });
    }
    default:
      return act satisfies never;
  }
}

function follow(one: Story, decision: Decision, { accepted, outcome }: Turn): CaseAlert[] {
  if (accepted) one.accept(decision);
  return outcome === 'nothing' ? [] : one.carryOut(decision, outcome);
}

interface Watch {
  /** Notices by alert id, as they were sent. */
  readonly notices: Map<string, { readonly at: EpochMs; readonly noticeMs: number; readonly keyId: KeyId }>;
  readonly said: Set<string>;
  /** Names that Keywarden gave, by key. */
  readonly given: Map<KeyId, Set<string>>;
  /** Deletions that a person stopped: finding and key. */
  readonly vetoed: Set<string>;
  /** Names as they were after the last pass. */
  readonly names: Map<KeyId, string>;
}

function watchPass(one: Story, decision: Decision, watch: Watch): void {
  const { now, changes } = decision;
  const deletions = changes.filter(({ kind }) => kind === 'delete');
  expect(new Set(changes.map(({ keyId }) => keyId)).size).toBe(changes.length);
  for (const change of changes) watchChange(one, change);
  for (const change of deletions) watchDeletion(one, change, now, watch);
  watchLimits(one, decision);
  for (const change of changes) {
    const given = watch.given.get(change.keyId) ?? new Set();
    // A restore replaces only what Keywarden wrote, and nothing that a person did.
    if (change.kind === 'restore') expect(given).toContain(change.from);
    if (change.to !== null) watch.given.set(change.keyId, given.add(change.to));
  }
  for (const { id: alertId, event, findingId, at } of decision.alerts) {
    // Every alert has an id of its own, and a step of a finding is announced once.
    expect(watch.said).not.toContain(alertId);
    watch.said.add(alertId);
    if (event.kind !== 'notice') continue;
    const deletion = one.findings
      .get(findingId)
      ?.deletions.find(({ noticeAlertId }) => noticeAlertId === alertId);
    expect(deletion).toBeDefined();
    if (deletion) watch.notices.set(alertId, { at, noticeMs: deletion.noticeMs, keyId: deletion.keyId });
  }
  for (const { id: findingId, closedAt } of one.findings.values()) {
    if (closedAt !== null)
      for (const veto of watch.vetoed) if (veto.startsWith(`${findingId} `)) watch.vetoed.delete(veto);
  }
}

/** Names that people changed since the last pass: what is pending for such a key is stopped. */
function watchPeople(one: Story, { names: before, vetoed }: Watch): void {
  for (const { id: keyId, name } of one.account.values()) {
    if ((before.get(keyId) ?? name) === name) continue;
    for (const { id: findingId, deletions } of one.findings.values())
      if (deletions.some((pending) => pending.keyId === keyId)) vetoed.add(`${findingId} ${keyId}`);
  }
}

/** Protected wins, identity holds. */
function watchChange(one: Story, change: PlannedChange): void {
  const listed = [...one.account.values()].find((key_) => key_.id === change.keyId);
  expect(listed).toMatchObject({ createdAt: change.keyCreatedAt, name: change.from, isAdmin: false });
  expect(one.policy.mode).toBe('enforce');
  const record = one.records.get(change.keyId);
  const covered = [record?.originalName, change.from].some(
    (name) => name !== undefined && /^Prod/.test(name),
  );
  expect(covered).toBe(false);
}

/** Notice first, and a person's hand wins. */
function watchDeletion(one: Story, change: PlannedChange, now: EpochMs, { notices, vetoed }: Watch): void {
  const finding = one.findings.get(change.findingId);
  const pending = finding?.deletions.find(({ keyId }) => keyId === change.keyId);
  const notice = notices.get(pending?.noticeAlertId ?? '');
  const policyOfIt = one.policy.policies.find(({ name }) => name === change.policy);
  const channels = policyOfIt?.steps[change.step ?? -1]?.alert ?? [];
  const acceptedAt = firstAccepted(one.acceptances, pending?.noticeAlertId ?? '', channels);
  expect(notice?.keyId).toBe(change.keyId);
  expect(acceptedAt).not.toBeNull();
  expect(now - (acceptedAt ?? NaN)).toBeGreaterThanOrEqual(notice?.noticeMs ?? NaN);
  expect(now).toBeGreaterThan(notice?.at ?? NaN);
  expect(vetoed).not.toContain(`${change.findingId} ${change.keyId}`);
}

/** Limits hold over sliding windows; over a limit nothing of that kind is done. */
function watchLimits(one: Story, decision: Decision): void {
  const due = decision.changes.filter(({ kind }) => kind === 'delete').length;
  const today = [...one.changes.values()].filter(
    ({ kind, outcome, intentAt }) => kind === 'delete' && outcome === 'done' && intentAt > decision.now - day,
  ).length;
  if (decision.held.some(({ kind, because }) => kind === 'delete' && because === 'limit'))
    expect(due).toBe(0);
  if (due === 0) return;
  const ordinary = [...one.account.values()].filter(({ isAdmin }) => !isAdmin).length;
  expect(due).toBeLessThanOrEqual(limits.perRun);
  expect(today + due).toBeLessThanOrEqual(limits.perDay);
  expect(today + due).toBeLessThanOrEqual(Math.max(1, ((ordinary + today) * limits.percent) / 100));
}

test('protected keys stay, limits hold, notices come first, a person’s hand wins, and nothing is said twice', () => {
  let deletions = 0;
  fc.assert(
    fc.property(turns, (script) => {
      const one = begin();
      const usage = new Map<string, number>();
      const watch: Watch = {
        notices: new Map(),
        said: new Set(),
        given: new Map(),
        vetoed: new Set(),
        names: new Map(),
      };
      for (const turn of script) {
        if (turn.act.kind === 'pass') watchPeople(one, watch);
        const decision = play(one, turn, usage);
        if (decision === null) continue;
        watchPass(one, decision, watch);
        deletions += decision.changes.filter(({ kind }) => kind === 'delete').length;
        for (const { id: alertId } of follow(one, decision, turn)) {
          expect(watch.said).not.toContain(alertId);
          watch.said.add(alertId);
        }
        for (const { id: keyId, name } of one.account.values()) watch.names.set(keyId, name);
      }
    }),
    { numRuns: 600 },
  );
  // The scripts are no good unless they come to it.
  expect(deletions).toBeGreaterThan(50);
});

function plan(decision: Decision): string {
  return JSON.stringify(
    planJson({ decision, policyHash: '', keys: 0, calls: [], contradictions: [], account: noBooks }),
  );
}

test('the same account gives the same plan, byte for byte, in any order of the list and after any restart', () => {
  fc.assert(
    fc.property(turns, fc.integer(), (script, seed) => {
      const [one, other] = [begin(), begin()];
      const [usage, same] = [new Map<string, number>(), new Map<string, number>()];
      for (const [index, turn] of script.entries()) {
        const decision = play(one, turn, usage);
        other.restart();
        const again = play(other, turn, same, {
          listed: (listed) =>
            [...listed].sort((a, b) =>
              id(a.id + String(seed + index)) < id(b.id + String(seed + index)) ? -1 : 1,
            ),
        });
        if (decision === null || again === null) continue;
        expect(plan(again)).toBe(plan(decision));
        expect(JSON.stringify(again)).toBe(JSON.stringify(decision));
        follow(one, decision, turn);
        follow(other, again, turn);
      }
    }),
    { numRuns: 100 },
  );
});
