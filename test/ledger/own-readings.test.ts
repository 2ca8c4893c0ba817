/** Which keys are read by themselves, beyond what the policies ask: at period boundaries, and to check rows. */
import { describe, expect, test } from 'vitest';
import type { Question } from '../../src/core/evidence.ts';
import type { Bench } from '../../src/core/judgement.ts';
import type { EpochMs } from '../../src/core/key.ts';
import type { KeyRecord } from '../../src/core/state.ts';
import { boundaryQuestions, countRowless, isNearBoundary } from '../../src/ledger/boundaries.ts';
import { crossCheck, firstChecks } from '../../src/ledger/cross-checks.ts';
import { day, file, hour, key, minute, monday, policy, policyOf } from '../core/story.ts';
import { counters, recordOf } from './building.ts';

const pace = { intervalMs: 5 * minute, minIntervalMs: 5000, usageLagMs: 2 * minute, maxCallsPerMinute: 60 };
const midnight = Date.parse('2026-11-24T00:00:00Z');
const daily = file(policy('spend: { cost: 5, per: day }', '{ at: 100%, alert: ops }')).policies;

function checkedAt(name: string, at: EpochMs | null, more: Partial<KeyRecord> = {}): KeyRecord {
  const check = at === null ? null : { at, counters: counters(1) };
  return recordOf(key(name, { createdAt: monday - 100 * day }), { check, ...more });
}

/** Only what these questions look at. */
function benchOf(now: EpochMs, unread: readonly KeyRecord[], unanswered: readonly string[] = []): Bench {
  const evidence = { unread, unanswered: new Set(unanswered), keys: new Map() };
  return { now, evidence } as unknown as Bench;
}

const asked = (questions: readonly { readonly kind: string }[], records: readonly KeyRecord[]) =>
  questions.map((one) => records.find(({ id }) => 'id' in one && one.id === id)?.facts.name);

describe('a key that no row is credited to', () => {
  test('is read in time, once more just before a period’s start, and after it, whenever passes are made', () => {
    for (const step of [1000, 5000, 7000]) {
      let record = checkedAt('A', monday);
      const reads: EpochMs[] = [];
      for (let now = midnight - 5 * minute; now < midnight + 2 * hour; now += step) {
        if (boundaryQuestions(daily, benchOf(now, [record]), pace, 1).length === 0) continue;
        reads.push(now);
        record = checkedAt('A', now);
      }
      expect(reads).toHaveLength(3);
      const [early = 0, eve = 0, settled = 0] = reads;
      expect(early).toBeGreaterThanOrEqual(midnight - 2.5 * minute);
      expect(early).toBeLessThan(midnight - 2.5 * minute + step);
      expect(eve).toBeGreaterThanOrEqual(midnight - minute);
      expect(eve).toBeLessThan(midnight);
      expect(settled).toBeGreaterThanOrEqual(midnight + pace.usageLagMs);
      expect(settled).toBeLessThan(midnight + pace.usageLagMs + step);
    }
  });

  test.each([
    ['in the middle of a period', midnight - hour, {}, 0],
    ['just before its end', midnight - 10_000, {}, 1],
    ['at its start, while usage is still being reported', midnight, {}, 0],
    ['also one that was never read', midnight - 10_000, { check: null }, 1],
    ['once it is reported', midnight + 2 * minute, {}, 1],
    ['within ten minutes', midnight + 12 * minute - 1, {}, 1],
    ['not later', midnight + 12 * minute, {}, 0],
    ['not when that is long ago', midnight + 2 * minute + hour, {}, 0],
    ['not an admin key', midnight - 1, { facts: key('A', { isAdmin: true }) }, 0],
  ] as const)('%s', (_what, now, more, many) => {
    const bench = benchOf(now, [checkedAt('A', monday, more)]);
    expect(boundaryQuestions(daily, bench, pace, 1)).toHaveLength(many);
  });

  test('is asked about by itself, now or never', () => {
    const record = checkedAt('A', monday);
    expect(boundaryQuestions(daily, benchOf(midnight - 1, [record]), pace, 1)).toEqual([
      {
        ...{ kind: 'key', id: record.id, window: null, excess: Infinity, nowOrNever: true },
        why: 'p: one period ends and the next begins',
      },
    ]);
  });

  test('is not asked about again in a pass that could not tell', () => {
    const record = checkedAt('A', monday);
    const bench = benchOf(midnight - 1, [record], [`key ${record.id} lifetime`]);
    expect(boundaryQuestions(daily, bench, pace, 1)).toEqual([]);
  });

  test.each([
    ['it was read in', ['lifetime'], 0],
    ['only its last day was read in', ['24h'], 1],
  ])('is asked about only if it must be, in a pass that %s', (_what, individual, many) => {
    const record = checkedAt('A', monday);
    const keys = new Map([[record.id, { individual: new Set(individual) }]]);
    const bench = { now: midnight - 1, evidence: { unread: [record], unanswered: new Set(), keys } };
    expect(boundaryQuestions(daily, bench as unknown as Bench, pace, 1)).toHaveLength(many);
  });

  test.each([
    ['a pass earlier, and again in the last minute', 48, [2.5 * minute, minute]],
    ['earlier where a minute has not the calls for all', 49, [3.75 * minute, minute]],
    ['as much earlier as that takes', 200, [7.5 * minute, minute]],
  ])('is read %s', (_what, many, readBefore) => {
    let record = checkedAt('A', monday);
    const reads: number[] = [];
    for (let now = midnight - hour; now < midnight; now += 1000) {
      // Also when those that were read meanwhile are no longer unread.
      if (boundaryQuestions(daily, benchOf(now, [record]), pace, many).length === 0) continue;
      reads.push(midnight - now);
      record = checkedAt('A', now);
    }
    expect(reads).toEqual(readBefore);
  });

  test.each([
    ['shares its name', { credited: false }, {}, 1],
    ['has a row that was not proved', { credited: true }, { agreed: false }, 1],
    ['has a proved row', { credited: true }, { agreed: true }, 0],
    ['has a row that was proved and is no longer its own', { credited: false }, { agreed: true }, 1],
    ['was never read', { credited: true }, null, 1],
    ['is new', undefined, { agreed: true }, 1],
  ])('is one that %s', (_what, known, agreed, rowless) => {
    const check = agreed && { at: monday, counters: counters(1), ...agreed };
    const record = checkedAt('A', monday, { check });
    const bench = { live: [record], known: [known] } as unknown as Bench;
    expect(countRowless(bench)).toBe(rowless);
  });

  test('is read only by policies of calendar periods that select it', () => {
    const others = file(
      [
        policyOf('rolling', 'spend: { cost: 5, per: 24h }', '{ at: 100%, alert: ops }'),
        policyOf('ever', 'spend: { cost: 5, per: lifetime }', '{ at: 100%, alert: ops }'),
        policyOf(
          'other',
          'select: { name: "B*" }\n  spend: { cost: 5, per: day }',
          '{ at: 100%, alert: ops }',
        ),
        policyOf('expiry', 'expiry: {}', '{ alert: ops }'),
      ].join('\n'),
    ).policies;
    expect(boundaryQuestions(others, benchOf(midnight - 1, [checkedAt('A', monday)]), pace, 1)).toEqual([]);
    expect(boundaryQuestions(others, benchOf(midnight - 1, [checkedAt('B', monday)]), pace, 1)).toHaveLength(
      1,
    );
  });
});

test('calls are wanted about the beginning of a period of any policy', () => {
  const rolling = file(policy('spend: { cost: 5, per: 24h }', '{ at: 100%, alert: ops }')).policies;
  const near = (now: EpochMs) => isNearBoundary([...rolling, ...daily], now, pace);
  expect([near(midnight - hour), near(midnight - 1), near(midnight + 2 * minute)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(isNearBoundary(rolling, midnight - 1, pace)).toBe(false);
});

describe('rows that were never proved', () => {
  const live = [
    checkedAt('late', monday - hour),
    checkedAt('never', null),
    checkedAt('early', monday - 2 * hour),
    checkedAt('proved', monday - day, { check: { at: monday - day, counters: counters(1), agreed: true } }),
    checkedAt('just now', monday - 10 * minute + 1),
    checkedAt('renamed', null, { nameChanged: true }),
    checkedAt('in conflict', null, { conflict: 'its own counters fell' }),
    recordOf(key('admin', { isAdmin: true })),
  ];

  test('are checked before all others, those never read first, then those read longest ago', () => {
    expect(asked(firstChecks(live, new Map(), monday, 9), live)).toEqual(['never', 'early', 'late']);
    expect(asked(firstChecks(live, new Map(), monday + 1, 9), live)).toEqual([
      'never',
      'early',
      'late',
      'just now',
    ]);
  });

  test('are read for a reason that the plan tells', () => {
    const why = (questions: readonly Question[]) => questions.map((one) => one.why);
    expect(why(firstChecks(live, new Map(), monday, 1))).toEqual([
      'its row has not been checked against its own reading yet',
    ]);
    expect(why(crossCheck(live))).toEqual(['every second pass one row is checked again']);
  });

  test('are checked a few at a time', () => {
    expect(asked(firstChecks(live, new Map(), monday, 2), live)).toEqual(['never', 'early']);
    expect(firstChecks(live, new Map(), monday, 0)).toEqual([]);
    expect(firstChecks(live, new Map(), monday, -1)).toEqual([]);
  });

  test('or proved are checked in turn, the one that was read longest ago', () => {
    expect(asked(crossCheck(live), live)).toEqual(['never']);
    const [one, other] = [checkedAt('one', monday), checkedAt('other', monday)];
    expect(asked(crossCheck([one, other]), [one, other])).toEqual(['one']);
    expect(asked(crossCheck(live.filter(({ check }) => check !== null)), live)).toEqual(['proved']);
    expect(
      crossCheck(
        live.filter(({ nameChanged, conflict, facts }) => nameChanged || conflict !== null || facts.isAdmin),
      ),
    ).toEqual([]);
  });
});
