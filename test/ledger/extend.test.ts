/** Extending the runs of keys that stand still is the same as sampling them again, only quicker. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import type { SampleRun } from '../../src/core/state.ts';
import { extend, keepRuns, sample } from '../../src/ledger/samples.ts';
import type { Lineup } from '../../src/ledger/lineup.ts';
import type { Subject } from '../../src/ledger/marks.ts';
import { hour, id, minute, monday } from '../core/story.ts';
import { counters, runOf } from './building.ts';

const ids = ['A', 'B', 'C'].map(id);

const passes = fc.array(
  fc.record({
    after: fc.oneof(fc.integer({ min: 1, max: 3 * minute }), fc.integer({ min: 1, max: 3 * hour })),
    takes: fc.integer({ min: 0, max: 5000 }),
    /** Which of the keys were used, by how much. */
    grown: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)),
  }),
  { minLength: 2, maxLength: 20, size: 'max' },
);
const boundaries = fc.array(
  fc.integer({ min: 0, max: 12 * hour }).map((at) => monday + at),
  { maxLength: 3 },
);

function byKey(runs: readonly SampleRun[]): SampleRun[] {
  return [...runs].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.firstAt - b.firstAt));
}

test('runs extended in place are those that sampling would have made, and as much is written', () => {
  fc.assert(
    fc.property(
      passes,
      boundaries,
      fc.array(fc.nat(5 * hour), { minLength: 3, maxLength: 3 }),
      (script, at, ages) => {
        const createdAt = (of: Subject): EpochMs => monday - (ages[ids.indexOf(of as KeyId)] ?? 0);
        let slow: ReadonlyMap<Subject, SampleRun> = new Map();
        const quick = new Map<Subject, SampleRun>();
        const used = ids.map(() => 1);
        let now = monday;
        for (const { after, takes, grown } of script) {
          now += after;
          grown.forEach((by, index) => (used[index] = (used[index] ?? 0) + by));
          const doneAt = now + takes;
          const taken = { sentAt: now, doneAt: () => doneAt };
          const read = new Map(ids.map((of, index) => [of, counters(used[index] ?? 0)]));
          const all = sample(slow, read, createdAt, taken, at);
          slow = new Map([...slow, ...all.runs]);
          const steady = [...ids.keys()].filter(
            (index) => grown[index] === 0 && quick.has(ids[index] ?? 'account'),
          );
          const lineup = {
            runs: ids.map((of) => quick.get(of) ?? null),
            steady,
            places: new Map(ids.map((of, place) => [of, place])),
          };
          const news = new Map([...read].filter(([of]) => !steady.includes(ids.indexOf(of))));
          const fresh = sample(quick, news, createdAt, taken, at);
          const before = structuredClone([...quick.values()]);
          const extending = extend(lineup, now, at);
          // Nothing is changed before it is on disk.
          expect([...quick.values()]).toEqual(before);
          keepRuns(quick, lineup as unknown as Lineup, fresh.runs);
          extending.apply();
          expect(byKey([...quick.values()])).toEqual(byKey([...slow.values()]));
          expect(byKey([...fresh.write, ...extending.write])).toEqual(byKey(all.write));
          now += takes;
        }
      },
    ),
    { numRuns: 1000 },
  );
});

describe('the end of an unchanged run is written', () => {
  const a = id('A');
  const written = (
    lastAt: EpochMs,
    sentAt: EpochMs,
    boundary?: EpochMs,
    createdAt = monday - 90 * minute,
  ) => {
    const run = runOf(a, 5, [lastAt, lastAt], createdAt);
    return extend({ runs: [run], steady: [0] }, sentAt, boundary === undefined ? [] : [boundary]).write
      .length;
  };

  test('once an hour, in the minute of the key’s creation', () => {
    expect(written(monday, monday + 29 * minute)).toBe(0);
    expect(written(monday + 29 * minute, monday + 30 * minute)).toBe(1);
    expect(written(monday + 30 * minute, monday + 89 * minute)).toBe(0);
    expect(written(monday + 89 * minute, monday + 90 * minute)).toBe(1);
  });

  test('where a period’s start lies between, or is now', () => {
    const start = monday + 5 * minute;
    expect(written(start - minute, start - 1, start)).toBe(0);
    expect(written(start - minute, start, start)).toBe(1);
    expect(written(start - minute, start + minute, start)).toBe(1);
    expect(written(start, start + minute, start)).toBe(0);
  });
});

test('the newest runs take the places of their keys, if these are listed', () => {
  const runs: (SampleRun | null)[] = [null, runOf(id('B'), 5, [0, 10])];
  const places = new Map([
    [id('A'), 0],
    [id('B'), 1],
  ] as const);
  const all = new Map<Subject, SampleRun>();
  const newest = (['account', id('A'), id('gone')] as const).map((of) => runOf(of, 6, [20, 20]));
  keepRuns(all, { runs, places } as unknown as Lineup, new Map(newest.map((run) => [run.key, run])));
  expect([...all.keys()]).toEqual(['account', id('A'), id('gone')]);
  expect(runs.map((run) => run?.counters.requests)).toEqual([6, 5]);
  expect(Object.keys(runs)).toEqual(['0', '1']);
});

test('only keys that stand as they stood are extended, and not before it is on disk', () => {
  const [a, b] = [runOf(id('A'), 5, [0, 10]), runOf(id('B'), 5, [0, 10])];
  const extending = extend({ runs: [a, b, null], steady: [1, 2] }, 20, []);
  expect([a.lastAt, b.lastAt]).toEqual([10, 10]);
  extending.apply();
  expect([a.lastAt, b.lastAt]).toEqual([10, 20]);
  // A clock that has gone back takes nothing back.
  extend({ runs: [a, b], steady: [1] }, 15, []).apply();
  expect(b.lastAt).toBe(20);
});
