/**
 * What is remembered of an instant against a key's true history: passes that read windows and the key itself,
 * usage that is reported late, restarts. What is taken to have been reached by then had been, and what is
 * taken not to have been passed had not.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Marks } from '../../src/core/evidence.ts';
import { windowMs, windows } from '../../src/core/key.ts';
import type { EpochMs, KeyId, Window } from '../../src/core/key.ts';
import type { SampleRun } from '../../src/core/state.ts';
import { attribute } from '../../src/ledger/attribution.ts';
import type { Trail } from '../../src/ledger/attribution.ts';
import type { Readings } from '../../src/ledger/readings.ts';
import {
  advanceMarks,
  forgetMarks,
  gridOf,
  lowerMarks,
  raiseMarks,
  renewed,
} from '../../src/ledger/marks.ts';
import type { Subject, WindowReading } from '../../src/ledger/marks.ts';
import { extend, keepRuns, sample } from '../../src/ledger/samples.ts';
import { foldWindows, windowReadings } from '../../src/ledger/windows.ts';
import { rowsByName } from '../../src/core/rows.ts';
import type { Aggregate } from '../../src/ports.ts';
import { day, hour, id, key, minute, monday } from '../core/story.ts';
import { counters, reading, recordOf } from './building.ts';

const lagMs = 2 * minute;
const a = key('A', { createdAt: monday - 400 * day });

interface Use {
  readonly at: EpochMs;
  /** Reported this much later. */
  readonly lag: number;
  readonly amount: number;
}

interface Pass {
  readonly after: number;
  readonly takes: number;
  /** When in the pass: the windows, and the key's own readings; the account's usage is read first. */
  readonly moments: readonly [number, number];
  readonly windows: readonly Window[];
  readonly own: readonly (Window | 'lifetime')[];
  readonly restart: boolean;
}

const part = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const passes = fc.array(
  fc.record({
    after: fc.oneof(fc.integer({ min: 1, max: 5 * minute }), fc.integer({ min: 1, max: 9 * hour })),
    takes: fc.constantFrom(0, 1000, 20_000),
    moments: fc.tuple(part, part),
    windows: fc.subarray(['1h', '24h'] as const),
    own: fc.subarray(['1h', '24h', 'lifetime'] as const),
    restart: fc.nat(9).map((one) => one === 0),
  }),
  { minLength: 2, maxLength: 14, size: 'max' },
);
/** Where usage and the instant asked about are: close to some pass, or to a window's beginning as it read it. */
const place = fc.record({
  pass: fc.nat(13),
  back: fc.constantFrom(0, hour, day),
  off: fc.oneof(
    fc.integer({ min: -30_000, max: 30_000 }),
    fc.integer({ min: -lagMs - 30_000, max: 5 * minute }),
    fc.integer({ min: -6 * hour, max: 6 * hour }),
  ),
});
const uses = fc.array(
  fc.record({
    place,
    lag: fc.oneof(fc.constant(0), fc.constant(lagMs), fc.integer({ min: 0, max: lagMs })),
    amount: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 20, size: 'max' },
);

const stories = fc
  .record({ passes, uses, boundary: place })
  .map(({ passes: script, uses: some, boundary }) => {
    const starts: EpochMs[] = [];
    let at = monday;
    for (const { after, takes } of script) {
      at += after;
      starts.push(at);
      at += takes;
    }
    const instant = ({ pass, back, off }: { pass: number; back: number; off: number }): EpochMs =>
      (starts[pass % starts.length] ?? monday) - back + off;
    const use = some.map((one): Use => ({ ...one, at: instant(one.place) }));
    return { script, use, boundary: instant(boundary) };
  });

function reported(history: readonly Use[], by: EpochMs, after = -Infinity): number {
  return history
    .filter(({ at, lag }) => at > after && at + lag <= by)
    .reduce((sum, { amount }) => sum + amount, 0);
}

/** All that was used until then, whenever it was reported. */
function usedBy(history: readonly Use[], by: EpochMs, inclusive: boolean): number {
  return history
    .filter(({ at }) => at < by || (inclusive && at === by))
    .reduce((sum, { amount }) => sum + amount, 0);
}

function aggregateOf(amount: number): Aggregate {
  const row = { ...counters(amount), models: new Map() };
  return { at: monday, total: counters(amount), rows: rowsByName([['A', row]]) };
}

/** The store, naively: every run ever written. */
function stored(disk: ReadonlyMap<string, SampleRun>, boundary: EpochMs, lag: number): Marks {
  const marks = new Map<
    Subject,
    { before: SampleRun['counters'] | null; after: SampleRun['counters'] | null }
  >();
  for (const subject of [a.id, 'account'] as const) {
    const runs = [...disk.values()]
      .filter((run) => run.key === subject)
      .sort((x, y) => x.firstAt - y.firstAt);
    const before = runs.findLast((run) => run.firstAt <= boundary)?.counters ?? null;
    const after = runs.find((run) => run.lastAt >= boundary + lag)?.counters ?? null;
    if (before !== null || after !== null) marks.set(subject, { before, after });
  }
  return marks;
}

/** The marks of `boundary` and of both windows, as each pass judges by them. */
function* remembered(script: readonly Pass[], use: readonly Use[], boundary: EpochMs) {
  const disk = new Map<string, SampleRun>();
  let runs = new Map<Subject, SampleRun>();
  let marks = new Map<EpochMs | Window, Marks>();
  let rolledAt = new Map<Window, EpochMs>();
  let before: readonly WindowReading[] = [];
  let trail: Trail | null = null;
  let record = recordOf(a, { check: { at: monday, counters: counters(0), agreed: true } });
  let at = monday;
  for (const { after, takes, moments, windows: read, own, restart } of script) {
    at += after;
    const doneAt = at + takes;
    const [windowsAt, ownAt] = moments.map((one) => at + Math.floor(takes * one)) as [number, number];
    if (restart) {
      marks = new Map();
      rolledAt = new Map();
      before = [];
      trail = null;
      const newest = [...disk.values()].sort((x, y) => x.firstAt - y.firstAt);
      runs = new Map(newest.map((run) => [run.key, { ...run }]));
    }
    if (at >= boundary) {
      const known = marks.get(boundary) ?? stored(disk, boundary, lagMs);
      marks.set(boundary, advanceMarks(known, runs, boundary, lagMs));
    }
    for (const window of ['1h', '24h'] as const) {
      const grid = gridOf(window, at);
      if (rolledAt.get(window) === grid.at) continue;
      marks.set(window, renewed(marks.get(window), stored(disk, grid.at, grid.stepMs + lagMs)));
      rolledAt.set(window, grid.at);
    }
    yield { at, marks: new Map(marks) };
    const ofWindow = (window: Window, to: EpochMs) =>
      reported(
        use.filter((one) => one.at <= to),
        to,
        to - windowMs[window],
      );
    const readings: Readings = {
      lifetime: aggregateOf(reported(use, at)),
      distrust: null,
      windows: new Map(read.map((window) => [window, aggregateOf(ofWindow(window, windowsAt))])),
      own: new Map(
        own.length === 0
          ? []
          : [
              [
                a.id,
                new Map(
                  own.map((one) => [
                    one,
                    reading(one === 'lifetime' ? reported(use, ownAt) : ofWindow(one, ownAt), ownAt),
                  ]),
                ),
              ],
            ],
      ),
      unanswered: new Set(),
    };
    const found = attribute({
      ...{
        at,
        doneAt,
        live: [record],
        readings,
        runs,
        marks: new Map(marks),
        alone: new Set<KeyId>(),
        trail,
      },
    });
    expect(found.contradictions).toEqual([]);
    trail = found.trail;
    record = found.changed[0] ?? record;
    const boundaries = [boundary, boundary + lagMs];
    const taken = sample(
      runs,
      found.counters,
      (of) => (of === 'account' ? 0 : a.createdAt),
      { sentAt: at, doneAt: () => doneAt },
      boundaries,
    );
    const extending = extend(trail.lineup, at, boundaries);
    for (const run of [...taken.write, ...extending.write])
      disk.set(`${run.key} ${String(run.firstAt)}`, { ...run });
    const fresh = windowReadings(trail.lineup, found.evidence, readings);
    marks = foldWindows({ marks, before, fresh, evidence: found.evidence, doubted: new Set() });
    before = fresh;
    keepRuns(runs, trail.lineup, taken.runs);
    const calendar = marks.get(boundary);
    if (calendar !== undefined) marks.set(boundary, advanceMarks(calendar, taken.runs, boundary, lagMs));
    extending.apply();
    at = doneAt;
  }
}

test('marks hold the truth, of a calendar instant and of a window’s moving start', () => {
  let [tried, told] = [0, 0];
  fc.assert(
    fc.property(stories, ({ script, use, boundary }) => {
      tried += 1;
      for (const { at, marks } of remembered(script, use, boundary)) {
        for (const [instant, known] of marks) {
          const start = typeof instant === 'number' ? instant : at - windowMs[instant];
          for (const { before, after } of known.values()) {
            told += 1;
            if (before !== null) expect(before.requests).toBeLessThanOrEqual(usedBy(use, start, true));
            if (after !== null) expect(after.requests).toBeGreaterThanOrEqual(usedBy(use, start, false));
          }
        }
      }
    }),
    { numRuns: 4000 },
  );
  expect(told).toBeGreaterThan(2.5 * tried);
});

describe('the instant that a rolling window’s marks are read for', () => {
  test('is at or before its start, which has not left the step when the next is read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...windows),
        fc.integer({ min: monday - 99 * day, max: monday }),
        fc.integer({ min: 0, max: 2 * day }),
        (window, now, later) => {
          const { at, stepMs } = gridOf(window, now);
          const next = gridOf(window, now + later);
          expect(at).toBeLessThanOrEqual(now - windowMs[window]);
          expect(next.at).toBeGreaterThanOrEqual(at);
          // For as long as the instant is the same, the start is within the step.
          if (next.at === at) expect(now + later - windowMs[window]).toBeLessThan(at + stepMs);
        },
      ),
    );
  });

  test.each([
    ['1h', 15 * minute],
    ['24h', hour],
    ['7d', 7 * hour],
    ['30d', day],
    ['90d', day],
  ] as const)('of %s moves on in steps that the ledger’s samples of that age allow', (window, stepMs) => {
    expect(gridOf(window, monday).stepMs).toBe(stepMs);
  });
});

const b = id('B');
const mark = (before: number | null, after: number | null) => ({
  before: before === null ? null : counters(before),
  after: after === null ? null : counters(after),
});
const read = (used: number, reached: number): WindowReading => ({
  window: '24h',
  earliestStart: monday,
  latestStart: monday,
  used: new Map([[a.id, { used: counters(used), reached: counters(reached) }]]),
});

describe('a window’s reading', () => {
  test.each([
    ['tells what had been reached', undefined, mark(7, null)],
    ['and never less than was known', mark(8, 9), mark(8, 9)],
    ['but may tell more', mark(6, 9), mark(7, 9)],
  ] as const)('%s', (_what, known, expected) => {
    const marks: Marks = new Map(known === undefined ? [] : [[a.id, known]]);
    expect(raiseMarks(marks, read(3, 10)).get(a.id)).toEqual(expected);
  });

  test('that counts more than was ever used tells nothing', () => {
    expect(raiseMarks(new Map(), read(12, 10)).get(a.id)).toEqual(mark(0, null));
  });

  test.each([
    ['tells what had not been passed', undefined, mark(null, 7)],
    ['and never more than was known', mark(5, 6), mark(5, 6)],
    ['but may tell less', mark(5, 9), mark(5, 7)],
  ] as const)('%s', (_what, known, expected) => {
    const marks: Marks = new Map(known === undefined ? [] : [[a.id, known]]);
    expect(lowerMarks(marks, read(3, 9), () => counters(10)).get(a.id)).toEqual(expected);
  });

  test('tells nothing of what has not been passed while the counters now are not known', () => {
    expect(lowerMarks(new Map(), read(3, 9), () => null)).toEqual(new Map());
  });
});

describe('a window that is read', () => {
  const evidence = { keys: new Map(), account: { lifetime: null, windows: new Map(), because: null } };
  const folded = (instant: EpochMs | Window, [from, to]: readonly [number, number]) =>
    foldWindows({
      marks: new Map([[instant, new Map() as Marks]]),
      before: [],
      fresh: [{ ...read(3, 10), earliestStart: from, latestStart: to }],
      evidence,
      doubted: new Set(),
    })
      .get(instant)
      ?.get(a.id)?.before?.requests;

  test.each<[string, EpochMs | Window, readonly [number, number], number | undefined]>([
    ['before an instant began', monday, [monday - 9, monday - 1], 7],
    ['at the very instant', monday, [monday - 9, monday], 7],
    ['perhaps only after it', monday, [monday - 9, monday + 1], undefined],
    ['of the same length as the rolling one', '24h', [monday, monday + 1], 7],
    ['of another length', '7d', [monday, monday + 1], undefined],
  ])('from %s', (_what, instant, began, told) => {
    expect(folded(instant, began)).toBe(told);
  });
});

test('of a rolling window that has moved on, only what had been reached is still true', () => {
  const earlier: Marks = new Map([
    [a.id, mark(7, 9)],
    [b, mark(null, 3)],
  ]);
  const stored: Marks = new Map([[a.id, mark(5, 12)]]);
  expect([...renewed(earlier, stored)]).toEqual([[a.id, mark(7, 12)]]);
  expect(renewed(undefined, stored)).toBe(stored);
});

test('marks of keys in doubt are forgotten, and of no other', () => {
  const marks: Marks = new Map([
    [a.id, mark(1, 2)],
    [b, mark(3, 4)],
    ['account', mark(5, 6)],
  ]);
  expect([...forgetMarks(marks, new Set([a.id])).keys()]).toEqual([b, 'account']);
  expect(forgetMarks(marks, new Set([id('C')]))).toBe(marks);
});
