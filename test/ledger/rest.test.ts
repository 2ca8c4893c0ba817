/**
 * What the account's total leaves over bounds keys that are not read: under any history of usage, renames,
 * deletions, late reports, readings that fail, listings that lack a key once, and restarts.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Counters, Key, KeyId } from '../../src/core/key.ts';
import type { KeyRecord, SampleRun } from '../../src/core/state.ts';
import { attribute } from '../../src/ledger/attribution.ts';
import type { Readings, Trail } from '../../src/ledger/attribution.ts';
import { register } from '../../src/ledger/registry.ts';
import { createRest } from '../../src/ledger/rest.ts';
import { extend, keepRuns, sample } from '../../src/ledger/samples.ts';
import { rowsByName } from '../../src/core/rows.ts';
import type { AggregateRow } from '../../src/ports.ts';
import { id, key, minute, monday } from '../core/story.ts';
import { counters, reading, recordOf, runOf } from './building.ts';

const lagMs = 2 * minute;
const which = fc.nat(4);
/** Where the usage of a key that was renamed is counted; and whether the total forgets keys that are gone. */
type Rows = 'follow' | 'split' | 'stay';

const deeds = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('use' as const),
        which,
        amount: fc.integer({ min: 1, max: 9 }),
        lag: fc.constantFrom(0, 0, minute, lagMs),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('rename' as const), which, to: fc.constantFrom('X', 'Y') }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('create' as const, 'delete' as const, 'hide' as const),
        which,
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        read: fc.subarray([0, 1, 2, 3, 4]),
        blind: fc.nat(7).map((one) => one === 0),
        restart: fc.nat(11).map((one) => one === 0),
      }),
    },
  ),
  { minLength: 6, maxLength: 50, size: 'max' },
);

interface Use {
  readonly reportedAt: number;
  readonly under: string;
  readonly amount: number;
}

interface Real {
  readonly id: KeyId;
  readonly first: string;
  name: string;
  /** As last listed; null: never. */
  listed: string | null;
  deleted: boolean;
  hidden: boolean;
  readonly uses: Use[];
}

function made(name: string): Real {
  return { id: id(name), first: name, name, listed: null, deleted: false, hidden: false, uses: [] };
}

function usedBy({ uses }: Real, at: number): number {
  return uses.filter(({ reportedAt }) => reportedAt <= at).reduce((sum, { amount }) => sum + amount, 0);
}

function rowsOf(keys: readonly Real[], at: number, kind: Rows): Map<string, AggregateRow> {
  const sums = new Map<string, number>();
  for (const one of keys)
    for (const { reportedAt, under, amount } of one.uses) {
      const name = { follow: one.name, split: under, stay: one.first }[kind];
      if (reportedAt <= at) sums.set(name, (sums.get(name) ?? 0) + amount);
    }
  return new Map([...sums].map(([name, sum]) => [name, { ...counters(sum), models: new Map() }]));
}

/** What the program knows from pass to pass. */
interface Known {
  records: ReadonlyMap<KeyId, KeyRecord>;
  runs: Map<KeyId | 'account', SampleRun>;
  readonly disk: Map<KeyId | 'account', SampleRun>;
  trail: Trail | null;
}

function pass(
  keys: readonly Real[],
  known: Known,
  at: number,
  read: readonly number[],
  blind: boolean,
  kind: Rows,
  forgets: boolean,
) {
  const listed = keys.filter(({ deleted, hidden }) => !deleted && !hidden);
  const listing = {
    at,
    serverAt: null,
    keys: listed.map((one): Key => key(one.name, { id: one.id })),
    secrets: new Map(),
  };
  const { records } = register(known.records, listing, [], () => null);
  const counted = forgets ? keys.filter(({ deleted }) => !deleted) : keys;
  const total = counted.reduce((sum, one) => sum + usedBy(one, at), 0);
  const own = read.flatMap((index) => {
    const one = keys[index];
    if (one === undefined || !listed.includes(one)) return [];
    return [[one.id, new Map([['lifetime' as const, reading(usedBy(one, at), at)]])] as const];
  });
  const readings: Readings = {
    lifetime: blind ? null : { at, total: counters(total), rows: rowsByName(rowsOf(counted, at, kind)) },
    distrust: blind ? 'it could not be read' : null,
    windows: new Map(),
    own: new Map(own),
    unanswered: new Set(),
  };
  const leaving = [...records.values()].filter(
    ({ goneAt, unseenAt }) => goneAt !== null && (unseenAt ?? 0) < goneAt + lagMs,
  );
  const live = listing.keys.flatMap((one) => records.get(one.id) ?? []);
  const { runs, trail } = known;
  const found = attribute({
    ...{ at, doneAt: at, live, leaving, readings, runs, marks: new Map(), alone: new Set<KeyId>(), trail },
  });
  const created = (of: KeyId | 'account'): number => (of === 'account' ? 0 : key('').createdAt);
  const taken = sample(runs, found.counters, created, { sentAt: at, doneAt: () => at }, []);
  const extending = extend(found.trail.lineup, at, []);
  for (const run of [...taken.write, ...extending.write])
    if (run.firstAt >= (known.disk.get(run.key)?.firstAt ?? 0)) known.disk.set(run.key, { ...run });
  keepRuns(runs, found.trail.lineup, taken.runs);
  extending.apply();
  known.trail = found.trail;
  known.records = new Map([...records, ...found.changed.map((one) => [one.id, one] as const)]);
  for (const one of keys) {
    one.listed = listed.includes(one) ? one.name : null;
    one.hidden = false;
  }
  return found;
}

test.each([
  ['holds keys that are gone', false],
  ['forgets keys that are gone', true],
])('no bound is below the truth where the total %s', (_what, forgets) => {
  const told = { bounds: 0, unseen: 0 };
  fc.assert(
    fc.property(deeds, fc.constantFrom<Rows>('follow', 'split', 'stay'), (script, kind) => {
      const keys = ['A', 'B', 'C'].map(made);
      const known: Known = { records: new Map(), runs: new Map(), disk: new Map(), trail: null };
      let at = monday;
      for (const deed of script) {
        at += minute;
        const one = deed.kind === 'pass' || deed.kind === 'create' ? undefined : keys[deed.which];
        if (deed.kind === 'create' && keys.length < 5) keys.push(made(`N${String(keys.length)}`));
        if (deed.kind === 'pass') {
          if (deed.restart) {
            known.trail = null;
            known.runs = new Map([...known.disk].map(([of, run]) => [of, { ...run }]));
          }
          const { evidence } = pass(keys, known, at, deed.read, deed.blind, kind, forgets);
          for (const real of keys) {
            const { low, high } = evidence.keys.get(real.id)?.lifetime ?? {};
            if (low === undefined) continue;
            expect(low.requests).toBeLessThanOrEqual(usedBy(real, at));
            if (high === null || high === undefined) continue;
            if (high !== low) told.bounds += 1;
            expect(high.requests).toBeGreaterThanOrEqual(usedBy(real, at));
          }
          if (!forgets) told.unseen += checkGone(keys, known);
        }
        if (one === undefined || one.deleted) continue;
        if (deed.kind === 'use')
          one.uses.push({ reportedAt: at + deed.lag, under: one.name, amount: deed.amount });
        // What no listing saw cannot be known of.
        if (one.listed !== one.name) continue;
        if (deed.kind === 'rename') one.name = deed.to;
        if (deed.kind === 'delete') one.deleted = true;
        if (deed.kind === 'hide') one.hidden = true;
      }
    }),
    { numRuns: 5000 },
  );
  expect(told.bounds).toBeGreaterThan(0);
  if (!forgets) expect(told.unseen).toBeGreaterThan(0);
});

/** How many of the keys that are gone have a bound of what they used unseen; none is below the truth. */
function checkGone(keys: readonly Real[], { records, runs }: Known): number {
  let told = 0;
  for (const real of keys) {
    const { goneAt, unseen, unseenAt = 0 } = records.get(real.id) ?? {};
    if (!real.deleted || !unseen || typeof goneAt !== 'number' || unseenAt < goneAt + lagMs) continue;
    told += 1;
    const seen = runs.get(real.id)?.counters.requests ?? 0;
    expect(unseen.requests).toBeGreaterThanOrEqual(usedBy(real, Infinity) - seen);
  }
  return told;
}

describe('one pass', () => {
  const [a, b] = [recordOf(key('A')), recordOf(key('B'))];
  const run = (record: KeyRecord, amount: number): SampleRun =>
    runOf(record.id, amount, [monday, monday], record.createdAt);
  const account = (amount: number): SampleRun => runOf('account', amount, [monday, monday]);
  const requests = (one: Counters | null) => one?.requests ?? null;

  /** A used 5 and B 3 when both were read; then the total is `total`, and A's row `row`. */
  function bounded(total: number | null, row: number | null) {
    const runs = new Map([
      [a.id, run(a, 5)],
      [b.id, run(b, 3)],
      ['account', account(8)],
    ] as const);
    const before = createRest(null, new Map());
    before.read(a.id, counters(5));
    before.read(b.id, counters(3));
    before.close(counters(8), []);
    const rest = createRest(before.next(monday), runs);
    if (row !== null) rest.explain(run(a, 5), counters(row));
    rest.close(total === null ? null : counters(total), []);
    return { b: requests(rest.bound(b, run(b, 3))), next: rest.next(monday + minute) };
  }

  test('leaves a key what no row explains', () => {
    expect(bounded(12, null).b).toBe(7);
    expect(bounded(12, 7).b).toBe(5);
    expect(bounded(12, 9).b).toBe(3);
  });

  test('leaves no bound where more is explained than there is', () => {
    expect(bounded(12, 10).b).toBeNull();
  });

  test('leaves no bound without a total, and begins anew', () => {
    expect(bounded(null, 7)).toEqual({ b: null, next: null });
  });
});
