/** Which level reaches its next threshold first. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { farFromAll, nearestApproach } from '../../src/core/approach.ts';
import type { Bounds, KeyEvidence, Marks, Pace } from '../../src/core/evidence.ts';
import type { Bench } from '../../src/core/judgement.ts';
import type { Key, KeyId } from '../../src/core/key.ts';
import type { Approach } from '../../src/core/plan.ts';
import type { KeyRecord } from '../../src/core/state.ts';
import { recordOf } from '../ledger/building.ts';
import { file, key, minute, monday, policy, policyOf } from './story.ts';

interface Used {
  readonly key: Key;
  /** In dollars; null: no upper end is known. */
  readonly level: number | null;
  readonly likely?: number;
  /** In dollars a minute. */
  readonly pace?: number;
}

const dollars = (amount: number) => ({
  costMicroUsd: amount * 1e6,
  tokens: Math.floor(amount * 10),
  requests: Math.floor(amount),
});
const perMs = (amount: number): Pace => ({
  costMicroUsd: (amount * 1e6) / minute,
  tokens: (amount * 10) / minute,
  requests: amount / minute,
});

function evidence({ level, likely }: Used): KeyEvidence {
  const high = level === null ? null : dollars(level);
  const lifetime: Bounds = {
    low: high ?? dollars(0),
    high,
    ...(likely !== undefined && { likely: dollars(likely) }),
  };
  return {
    lifetime,
    ...{ because: null, credited: true, checked: true, windows: new Map(), individual: new Set() },
    ...{ models: { lifetime: null, windows: new Map() }, unchangedSince: null },
    quiet: { of: null, epoch: '', record: null, until: 0 },
  };
}

interface More {
  readonly account?: { readonly level: number; readonly pace: number };
  readonly marks?: ReadonlyMap<number, Marks>;
  readonly gone?: readonly KeyRecord[];
}

function benchOf(used: readonly Used[], { account, marks = new Map(), gone = [] }: More = {}): Bench {
  const records = used.map((one) => recordOf(one.key));
  const known = used.map(evidence);
  const places = new Map(used.map((one, place) => [one.key.id, place]));
  const paces = new Map<KeyId | 'account', Pace>(
    used.flatMap((one) => (one.pace === undefined ? [] : [[one.key.id, perMs(one.pace)] as const])),
  );
  if (account !== undefined) paces.set('account', perMs(account.pace));
  const total = account === undefined ? null : dollars(account.level);
  return {
    now: monday,
    live: records,
    known,
    record: (of) => records[places.get(of) ?? -1],
    gone,
    lastCounters: new Map(),
    evidence: {
      ...{ at: monday, doneAt: monday, marks, unread: [], readAt: new Map(), unanswered: new Set(), paces },
      keys: { get: (of) => known[places.get(of) ?? -1] },
      account: { lifetime: total && { low: total, high: total }, windows: new Map(), because: null },
    },
    epoch: '',
    open: new Map(),
    idleBefore: { judgedBy: new Set(), massSince: null },
  };
}

/** `A in 5 min` */
function words(approach: Approach | null): string | null {
  if (approach === null) return null;
  const { subject, inMs } = approach;
  return `${subject.kind === 'key' ? subject.name : subject.group} in ${String(Math.round(inMs / 6000) / 10)} min`;
}

const monthly = file(
  policy('spend: { cost: 20, per: month }', '{ at: 50%, alert: ops }', '{ at: 100%, alert: ops }'),
).policies;
const near = (used: readonly Used[], more?: More, policies = monthly) =>
  words(nearestApproach(policies, benchOf(used, more)));

describe('the nearest', () => {
  const [a, b] = [key('A'), key('B')];

  test.each<[string, readonly Used[], string | null]>([
    ['nothing, where nothing moves', [{ key: a, level: 9 }], null],
    ['the next step', [{ key: a, level: 9, pace: 0.5 }], 'A in 2 min'],
    ['the step after one that is reached', [{ key: a, level: 10, pace: 1 }], 'A in 10 min'],
    ['nothing above the last', [{ key: a, level: 20, pace: 1 }], null],
    [
      'of several the first in time, not in level',
      [
        { key: a, level: 9.5, pace: 0.1 },
        { key: b, level: 2, pace: 4 },
      ],
      'B in 2 min',
    ],
    [
      'of several equally near the one whose id is lower',
      [
        { key: b, level: 9, pace: 1 },
        { key: a, level: 9, pace: 1 },
      ],
      `${a.id < b.id ? 'A' : 'B'} in 1 min`,
    ],
    ['what a row not yet checked says', [{ key: a, level: null, likely: 9, pace: 1 }], 'A in 1 min'],
    ['nothing where the level is not known', [{ key: a, level: null, pace: 1 }], null],
    ['nothing that is an admin key', [{ key: { ...a, isAdmin: true }, level: 9, pace: 1 }], null],
    ['nothing, where no threshold is within ten minutes', [{ key: a, level: 1, pace: 0.8 }], null],
    ['what is within ten minutes', [{ key: a, level: 1, pace: 0.91 }], 'A in 9.9 min'],
  ])('is %s', (_what, used, expected) => {
    expect(near(used)).toBe(expected);
  });

  test('is the same of many that are equally near, in whatever order they come', () => {
    const many = ['C', 'A', 'B', 'D'].map((name) => ({ key: key(name), level: 9, pace: 1 }));
    const lowest = many.map((one) => one.key).sort((x, y) => (x.id < y.id ? -1 : 1))[0]?.name ?? '';
    for (const used of [many, many.toReversed()]) expect(near(used)).toBe(`${lowest} in 1 min`);
  });

  test('is nothing of what is not measured, or does not move in what is', () => {
    const used = [{ key: { ...a, expiresAt: monday }, level: 9, pace: 0 }];
    expect(near(used)).toBeNull();
    const whole = policy('spend: { cost: 20, per: month, across: selected }', '{ at: 50%, alert: ops }');
    expect(near(used, {}, file(whole).policies)).toBeNull();
    const deadline = file(policy('expiry: {}', '{ alert: ops }')).policies;
    expect(near([{ key: a, level: 9, pace: 1 }], {}, deadline)).toBeNull();
    const beside = [...deadline, ...monthly];
    expect(near([{ key: a, level: 9, pace: 1 }], {}, beside)).toBe('A in 1 min');
  });

  test('is nothing where the limit is nothing: that is reached already', () => {
    const none = policy('spend: { tokens: max_tokens, per: lifetime }', '{ at: 100%, alert: ops }');
    expect(near([{ key: { ...a, maxTokens: 0 }, level: 9, pace: 1 }], {}, file(none).policies)).toBeNull();
  });

  test('is measured by what was used in the period', () => {
    const start = Date.parse('2026-11-01T00:00:00Z');
    const old = key('A', { createdAt: start - 1 });
    const marks = new Map([[start, new Map([[old.id, { before: dollars(100), after: dollars(100) }]])]]);
    expect(near([{ key: old, level: 109, pace: 1 }], { marks })).toBe('A in 1 min');
  });

  test('is only what the policy selects', () => {
    const policies = file(
      policyOf('b', 'select: { name: "B*" }\n  spend: { cost: 20, per: month }', '{ at: 100%, alert: ops }'),
    ).policies;
    expect(
      near(
        [
          { key: a, level: 19, pace: 1 },
          { key: b, level: 15, pace: 1 },
        ],
        {},
        policies,
      ),
    ).toBe('B in 5 min');
  });

  test('is a key’s own cap, where that is the limit', () => {
    const { policies } = file(
      policy('spend: { tokens: max_tokens, per: lifetime }', '{ at: 100%, alert: ops }'),
    );
    const capped = { ...a, maxTokens: 100 };
    expect(
      near(
        [
          { key: capped, level: 9, pace: 0.5 },
          { key: b, level: 9, pace: 9 },
        ],
        {},
        policies,
      ),
    ).toBe('A in 2 min');
  });

  test('counts a group by all its keys, and the account by its total', () => {
    const across = (whom: string) =>
      file(policy(`spend: { cost: 20, per: month, across: ${whom} }`, '{ at: 100%, alert: ops }')).policies;
    const team = (one: Key): Key => ({ ...one, metadata: { team: 'ml' } });
    const used = [
      { key: team(a), level: 8, pace: 1 },
      { key: team(b), level: 8, pace: 1 },
    ];
    expect(near(used, {}, across('metadata.team'))).toBe('metadata.team=ml in 2 min');
    expect(near(used, {}, across('selected'))).toBe('selected in 2 min');
    expect(near(used, { account: { level: 18, pace: 0.5 } }, across('account'))).toBe('account in 4 min');
    expect(near(used, {}, across('account'))).toBeNull();
  });

  test('is told with how much of its limit it uses', () => {
    const approach = nearestApproach(monthly, benchOf([{ key: a, level: 9, pace: 0.5 }]));
    expect(approach?.policy).toBe('p');
    expect((approach?.sharePerMs ?? 0) * minute).toBeCloseTo(0.5 / 20, 12);
  });

  test('does not wait for a forecast, which is no threshold of the level', () => {
    const { policies } = file(
      policy(
        'spend: { cost: 20, per: month }',
        '{ at: 60%, basis: forecast, alert: ops }',
        '{ at: 100%, alert: ops }',
      ),
    );
    expect(near([{ key: a, level: 11, pace: 1 }], {}, policies)).toBe('A in 9 min');
  });
});

const anyone = fc.array(
  fc.record({
    level: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 25 })),
    pace: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 8 })),
  }),
  { minLength: 1, maxLength: 6 },
);

test('it is the same in whatever order keys are listed, and the least of all by a plain count', () => {
  fc.assert(
    fc.property(anyone, fc.array(fc.nat(99), { minLength: 6, maxLength: 6 }), (some, shuffle) => {
      const used = some.map(({ level, pace }, index): Used => {
        return { key: key(`K${String(index)}`), level, ...(pace !== undefined && { pace }) };
      });
      const shuffled = used
        .map((one, index) => [shuffle[index] ?? 0, one] as const)
        .sort(([x], [y]) => x - y)
        .map(([, one]) => one);
      const found = nearestApproach(monthly, benchOf(used));
      expect(nearestApproach(monthly, benchOf(shuffled))).toEqual(found);
      const minutes = used.flatMap(({ level, pace = 0 }) => {
        const next = level === null || pace === 0 ? undefined : [10, 20].find((at) => at > level);
        return next === undefined || level === null ? [] : [(next - level) / pace];
      });
      const least = Math.min(...minutes);
      if (least < 9.99) expect((found?.inMs ?? Infinity) / minute).toBeCloseTo(least, 6);
      else if (found !== null) expect(found.inMs / minute).toBeCloseTo(least, 6);
    }),
    { numRuns: 500 },
  );
});

describe('a pace that does not matter', () => {
  const isFar = (level: number, pace: number, ...policies: readonly string[]) =>
    farFromAll(file(policies.join('\n')).policies)(dollars(level), perMs(pace));
  const twenty = policy('spend: { cost: 20, per: month }', '{ at: 50%, alert: ops }');

  test('is one that reaches no threshold within ten minutes, whatever counts of what was used', () => {
    expect(isFar(4, 0.5, twenty)).toBe(true);
    expect(isFar(5, 0.5, twenty)).toBe(false);
    expect(isFar(9, 0.01, twenty)).toBe(true);
  });

  test('is none at all, however much was used', () => {
    expect(isFar(25, 0, twenty)).toBe(true);
  });

  test('is far from every policy’s thresholds', () => {
    const three = policyOf('p2', 'spend: { cost: 3, per: day }', '{ at: 100%, alert: ops }');
    expect(isFar(4, 0.5, twenty, three)).toBe(false);
    expect(isFar(1, 0.1, twenty, three)).toBe(true);
  });

  test('matters where a policy is about several keys together', () => {
    const together = policyOf(
      'p2',
      'spend: { cost: 900, per: month, across: selected }',
      '{ at: 50%, alert: ops }',
    );
    expect(isFar(1, 0.001, twenty, together)).toBe(false);
  });

  test('matters nowhere without a policy that measures', () => {
    expect(isFar(100, 9, policy('expiry: {}', '{ alert: ops }'))).toBe(true);
  });
});
