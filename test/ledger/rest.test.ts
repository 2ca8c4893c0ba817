/**
 * What the account's total leaves over bounds keys that are not read: under any history of usage, renames,
 * deletions, late reports, readings that fail, listings that lack a key once, and restarts.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Counters, Key, KeyId } from '../../src/core/key.ts';
import type { KeyRecord, SampleRun } from '../../src/core/state.ts';
import { attribute } from '../../src/ledger/attribution.ts';
import type { Trail } from '../../src/ledger/attribution.ts';
import type { Readings } from '../../src/ledger/readings.ts';
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
  const told = { stories: 0, bounds: 0, unseen: 0 };
  fc.assert(
    fc.property(deeds, fc.constantFrom<Rows>('follow', 'split', 'stay'), (script, kind) => {
      const keys = ['A', 'B', 'C'].map(made);
      const known: Known = { records: new Map(), runs: new Map(), disk: new Map(), trail: null };
      let at = monday;
      told.stories += 1;
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
  expect(told.bounds).toBeGreaterThan(told.stories / 5);
  if (!forgets) expect(told.unseen).toBeGreaterThan(told.stories / 5);
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

  test('leaves none of it where only one of the counters is explained', () => {
    const runs = new Map([['account', account(8)]] as const);
    for (const counter of ['costMicroUsd', 'tokens', 'requests'] as const) {
      const before = createRest(null, new Map());
      before.read(b.id, counters(3));
      before.close(counters(8), []);
      const rest = createRest(before.next(monday), runs);
      rest.explain(run(a, 5), { ...counters(5), [counter]: counters(7)[counter] });
      rest.close(counters(12), []);
      expect(rest.bound(b, run(b, 3))).toEqual({ ...counters(7), [counter]: counters(5)[counter] });
    }
  });

  test('leaves no bound where more is explained than there is', () => {
    expect(bounded(12, 10).b).toBeNull();
  });

  /** The pass before told the total of 8; now it is 12 and nothing explains the rest. */
  function later(runs: readonly SampleRun[], at = monday) {
    const before = createRest(null, new Map());
    before.close(counters(8), []);
    const rest = createRest(before.next(at), new Map(runs.map((one) => [one.key, one])));
    rest.close(counters(12), []);
    return rest;
  }
  const sampledEarlier = runOf(b.id, 3, [monday, monday - minute], b.createdAt);

  test.each<[string, KeyRecord, SampleRun | null, number | null]>([
    ['its sample of the pass before', b, run(b, 3), 7],
    ['none, if there is no sample', b, null, null],
    ['none, if the sample is older', b, sampledEarlier, null],
    ['none, if the sample is of an earlier key', b, { ...run(b, 3), createdAt: 0 }, null],
    ['none, if its row contradicted its own readings', { ...b, conflict: 'its row is not' }, run(b, 3), null],
  ])('begins the bound of a key without a reading with %s', (_what, record, sampled, bound) => {
    expect(requests(later([account(8)]).bound(record, sampled))).toBe(bound);
  });

  test('leaves no bound where a pass is missing in between, or the account was never sampled', () => {
    expect(later([account(8)], monday - minute).bound(b, run(b, 3))).toBeNull();
    expect(later([]).bound(b, run(b, 3))).toBeNull();
    const first = createRest(null, new Map([['account', account(8)]] as const));
    first.close(counters(12), []);
    expect(first.bound(b, run(b, 3))).toBeNull();
  });

  test('goes on counting for keys that were bounded, and for no others', () => {
    const rest = later([account(8)]);
    rest.bound(b, run(b, 3));
    rest.read(a.id, counters(6));
    const next = rest.next(monday + minute);
    expect([...(next?.since.keys() ?? [])]).toEqual([b.id, a.id]);
    const after = createRest(
      next,
      new Map([['account', runOf('account', 12, [monday, monday + minute])]] as const),
    );
    after.close(counters(13), []);
    expect([requests(after.bound(b, null)), requests(after.bound(a, null))]).toEqual([8, 7]);
    // Without a bound for a pass, only what was read in it is known.
    const lost = createRest(
      next,
      new Map([['account', runOf('account', 12, [monday, monday + minute])]] as const),
    );
    lost.close(counters(11), []);
    lost.read(a.id, counters(6));
    expect([...(lost.next(monday + 2 * minute)?.since.keys() ?? [])]).toEqual([a.id]);
    expect(createRest(next, new Map()).next(monday)).toBeNull();
  });

  describe('of a key that is gone', () => {
    const unseen = (runs: readonly SampleRun[], record = b, at = monday, total = 12): Counters | null => {
      const before = createRest(null, new Map());
      before.close(counters(8), []);
      const rest = createRest(before.next(at), new Map(runs.map((one) => [one.key, one])));
      rest.close(counters(total), []);
      const left = rest.leave(record, monday + minute);
      expect(left.unseenAt).toBe(monday + minute);
      return left.unseen ?? null;
    };
    const restarted = monday - minute;

    test.each<[string, Counters | null, number | null]>([
      ['tells what the total grew by', unseen([account(8), run(b, 3)]), 4],
      ['adds to what was told', unseen([account(8), run(b, 3)], { ...b, unseen: counters(2) }), 6],
      ['tells nothing once it could not', unseen([account(8), run(b, 3)], { ...b, unseen: null }), null],
      ['tells nothing without a sample', unseen([account(8)]), null],
      ['tells nothing by an earlier key’s', unseen([account(8), { ...run(b, 3), createdAt: 0 }]), null],
      ['tells nothing by a total that fell', unseen([account(8), run(b, 3)], b, monday, 7), null],
      [
        'tells nothing more by a total that fell',
        unseen([account(8), run(b, 3)], { ...b, unseen: counters(2) }, monday, 7),
        null,
      ],
      ['tells all that was used, after a restart', unseen([account(8), run(b, 3)], b, restarted), 4],
      [
        'tells no more than it did, after a restart',
        unseen([account(8), run(b, 3)], { ...b, unseen: counters(2) }, restarted),
        null,
      ],
      [
        'tells nothing, sampled before the account’s counter moved',
        unseen([account(8), sampledEarlier], b, restarted),
        null,
      ],
      ['tells nothing of an account never sampled', unseen([run(b, 3)]), null],
    ])('%s', (_what, found, expected) => {
      expect(requests(found)).toBe(expected);
    });

    test('the total may have lost what it used', () => {
      const before = createRest(null, new Map());
      before.read(b.id, counters(3));
      before.read(a.id, counters(5));
      before.close(counters(8), []);
      const runs = new Map([
        ['account', account(8)],
        [b.id, run(b, 3)],
      ] as const);
      const rest = createRest(before.next(monday), runs);
      rest.close(counters(9), [b]);
      // The account used 1 more, and what B had used may have left its total.
      expect(requests(rest.bound(a, null))).toBe(9);
      const blind = createRest(before.next(monday), runs);
      blind.close(counters(9), [recordOf(key('C'))]);
      expect(blind.bound(a, null)).toBeNull();
    });
  });

  test('leaves no bound without a total, and begins anew', () => {
    expect(bounded(null, 7)).toEqual({ b: null, next: null });
  });
});
