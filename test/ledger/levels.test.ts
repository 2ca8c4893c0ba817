/**
 * Levels against a key's true history: usage that is reported late, readings that take a moment, passes
 * that did not happen, restarts. No interval may ever leave out the truth.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bounds, Evidence, KeyEvidence } from '../../src/core/evidence.ts';
import { windowMs } from '../../src/core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../../src/core/key.ts';
import { keyLevel } from '../../src/core/levels.ts';
import type { Span } from '../../src/core/levels.ts';
import type { Period } from '../../src/core/periods.ts';
import type { SpendRule } from '../../src/core/policy.ts';
import type { KeyRecord, Mark, SampleRun } from '../../src/core/state.ts';
import { advanceMarks } from '../../src/ledger/marks.ts';
import { sample } from '../../src/ledger/samples.ts';

const hour = 3_600_000;
const lagMs = 120_000;
const id: KeyId = 'k_0123456789abcdef';
type Runs = ReadonlyMap<KeyId | 'account', SampleRun>;

const rule: SpendRule = {
  kind: 'spend',
  measure: 'requests',
  limit: 1,
  period: { kind: 'lifetime' },
  across: { kind: 'key' },
  signature: '',
  models: null,
};

interface Use {
  readonly at: EpochMs;
  /** Reported this much later. */
  readonly lag: number;
  readonly amount: number;
}

interface Look {
  readonly after: number;
  /** From the first request to the last answer, and how far into that each reading is taken. */
  readonly takes: number;
  readonly moments: readonly [lifetime: number, window: number];
  readonly windows: readonly Window[];
  readonly kind: 'ordinary' | 'outage' | 'restart';
}

/** Not `fc.double`, which is nearly always next to nothing. */
const part = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const looks = fc.array(
  fc.record({
    after: fc.oneof(fc.integer({ min: 1, max: 10 * 60_000 }), fc.integer({ min: 1, max: 9 * hour })),
    takes: fc.constantFrom(0, 1000, 20_000),
    moments: fc.tuple(part, part),
    windows: fc.subarray(['1h', '24h', '7d'] as const),
    kind: fc.constantFrom('ordinary', 'ordinary', 'ordinary', 'outage', 'restart'),
  }),
  { minLength: 2, maxLength: 12, size: 'max' },
);
const span = 60 * hour;
/** Within the length of a pass, of an instant or of the lag before it. */
const near = fc
  .tuple(fc.constantFrom(0, -lagMs), fc.integer({ min: -30_000, max: 30_000 }))
  .map(([lag, off]) => lag + off);
const uses = fc.array(
  fc.record({
    /** Around the period's start, or anywhere. */
    at: fc.oneof(
      near.map((off) => ({ off })),
      fc.integer({ min: 0, max: span }).map((at) => ({ at })),
    ),
    lag: fc.oneof(fc.constant(0), fc.constant(lagMs), fc.integer({ min: 0, max: lagMs })),
    amount: fc.integer({ min: 1, max: 50 }),
  }),
  { maxLength: 12, size: 'max' },
);

/** A period that begins near a pass, or where a window read by that pass does, so that both sides are tried. */
const stories = fc
  .record({
    passes: looks,
    uses,
    pass: fc.nat(24),
    off: near,
    back: fc.constantFrom(0, 0, hour, 24 * hour),
    born: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: span })),
  })
  .map(({ passes, uses: some, pass, off, back, born }) => {
    let at = born;
    for (const { after, takes } of passes.slice(0, (pass % passes.length) + 1)) at += after + takes;
    const boundary = Math.max(1, at - back + off);
    const use = some.map((one): Use => ({ ...one, at: 'at' in one.at ? one.at.at : boundary + one.at.off }));
    return { passes, use, boundary, born };
  });

/** What was used in (`from`, `to`] and is reported by `by`. */
function reported(history: readonly Use[], by: EpochMs, from = -Infinity, to = Infinity): number {
  return history
    .filter(({ at, lag }) => at >= from && at <= to && at + lag <= by)
    .reduce((sum, { amount }) => sum + amount, 0);
}

function counters(requests: number): Counters {
  return { costMicroUsd: requests * 3, tokens: requests * 2, requests };
}

/** The store, naively: every run ever written. */
function marksOf(written: ReadonlyMap<EpochMs, SampleRun>, boundary: EpochMs): ReadonlyMap<KeyId, Mark> {
  const runs = [...written.values()].toSorted((a, b) => a.firstAt - b.firstAt);
  const before = runs.findLast((run) => run.firstAt <= boundary)?.counters ?? null;
  const after = runs.find((run) => run.lastAt >= boundary + lagMs)?.counters ?? null;
  return new Map([[id, { before, after }]]);
}

/** The ledger as it goes from pass to pass: sampled runs, what of them is on disk, and the marks around `boundary`. */
function ledger(boundary: EpochMs, createdAt: EpochMs) {
  const disk = new Map<EpochMs, SampleRun>();
  let runs: Runs = new Map();
  let marks: ReadonlyMap<KeyId | 'account', Mark> = new Map();
  return {
    marks: () => (marks = advanceMarks(marks, runs, boundary, lagMs)),
    take(value: number, sentAt: EpochMs, doneAt: EpochMs) {
      const reading = new Map([[id, counters(value)]]);
      const taken = sample(runs, reading, () => createdAt, { sentAt, doneAt: () => doneAt }, [
        boundary,
        boundary + lagMs,
      ]);
      runs = new Map([...runs, ...taken.runs]);
      for (const run of taken.write) {
        disk.set(run.firstAt, run);
      }
    },
    restart() {
      const newest = [...disk.values()].toSorted((a, b) => a.firstAt - b.firstAt).at(-1);
      runs = new Map(newest === undefined ? [] : [[id, newest]]);
      marks = marksOf(disk, boundary);
    },
  };
}

function bounds(value: number): Bounds {
  return { low: counters(value), high: counters(value) };
}

function evidenceOf(
  at: EpochMs,
  doneAt: EpochMs,
  lifetime: Bounds,
  windows: KeyEvidence['windows'],
): Evidence {
  const known: KeyEvidence = {
    lifetime,
    because: null,
    credited: true,
    checked: true,
    quiet: { of: null, epoch: '', record: null, until: 0 },
    windows,
    individual: new Set(),
    models: { lifetime: null, windows: new Map() },
    unchangedSince: null,
  };
  const account = { lifetime: null, windows: new Map(), because: null };
  return {
    at,
    doneAt,
    keys: new Map([[id, known]]),
    account,
    marks: new Map(),
    readAt: new Map(),
    unread: [],
    paces: new Map(),
    unanswered: new Set(),
  };
}

function levelOf(span: Span, record: KeyRecord, evidence: Evidence) {
  const known = evidence.keys.get(id);
  if (known === undefined) throw new Error('nothing is known of the key');
  return keyLevel(rule, span, record, known, evidence);
}

function recordOf(createdAt: EpochMs): KeyRecord {
  // Only what a level looks at.
  return { id, createdAt, conflict: null } as KeyRecord;
}

interface Judged {
  readonly low: number;
  readonly high: number | null;
  /** The truth when the first request was sent, and when the last answer was there. */
  readonly least: number;
  readonly most: number;
}

/** Every pass's level of the period that began at `boundary`. */
function* history(
  all: readonly Use[],
  passes: readonly Look[],
  boundary: EpochMs,
  createdAt: EpochMs,
): Generator<Judged> {
  const use = all.filter(({ at }) => at >= createdAt);
  const book = ledger(boundary, createdAt);
  let at = createdAt;
  for (const { after, takes, moments, windows, kind } of passes) {
    at += after;
    const doneAt = at + takes;
    const moment = (part: number): EpochMs => at + Math.floor(takes * part);
    if (kind === 'restart') book.restart();
    if (kind === 'outage') {
      at = doneAt;
      continue;
    }
    const marks = book.marks();
    const value = reported(use, moment(moments[0]));
    if (at >= boundary) {
      const read = windows.map((window) => {
        const to = moment(moments[1]);
        return [window, bounds(reported(use, to, to - windowMs[window] + 1, to))] as const;
      });
      const evidence = evidenceOf(at, doneAt, bounds(value), new Map(read));
      const period: Period = { start: boundary, end: boundary + 400 * hour };
      const level = levelOf({ period, window: null, marks }, recordOf(createdAt), evidence);
      yield {
        low: level.low,
        high: level.high,
        least: reported(use, at, boundary),
        most: reported(use, doneAt, boundary),
      };
    }
    book.take(value, at, doneAt);
    at = doneAt;
  }
}

test('a calendar level holds the true consumption, whatever was seen of it', () => {
  fc.assert(
    fc.property(stories, ({ use, passes, boundary, born }) => {
      for (const { low, high, least, most } of history(use, passes, boundary, born)) {
        expect(low).toBeLessThanOrEqual(most);
        expect(high).not.toBeNull();
        expect(high).toBeGreaterThanOrEqual(least);
        expect(high).toBeGreaterThanOrEqual(low);
      }
    }),
    { numRuns: 15_000 },
  );
});

test('it is as wide as what was reported around the period’s start, when samples stand on both sides of it', () => {
  fc.assert(
    fc.property(stories, fc.integer({ min: 1, max: 20 * hour }), ({ use, boundary }, later) => {
      const look = (after: number): Look => {
        return { after, takes: 0, moments: [0, 0], windows: [], kind: 'ordinary' };
      };
      const last = [...history(use, [look(boundary), look(lagMs), look(later)], boundary, 0)].at(-1);
      const around = reported(use, boundary + lagMs, 0) - reported(use, boundary, 0);
      expect((last?.high ?? NaN) - (last?.low ?? NaN)).toBe(around);
    }),
  );
});

test('a key younger than the period has consumed in it all that it ever has', () => {
  const [only] = [
    ...history(
      [{ at: 5 * hour, lag: 0, amount: 7 }],
      [{ after: 6 * hour, takes: 0, moments: [0, 0], windows: [], kind: 'ordinary' }],
      hour,
      2 * hour,
    ),
  ];
  expect(only).toMatchObject({ low: 7, high: 7 });
});

test('a rolling level is that window’s reading, or anything up to all of it while there is none', () => {
  const at = 100 * hour;
  const level = (read: KeyEvidence['windows']) =>
    levelOf(
      { period: { start: at - 24 * hour, end: null }, window: '24h', marks: undefined },
      recordOf(0),
      evidenceOf(at, at + 500, bounds(30), read),
    );
  expect(level(new Map([['24h', bounds(12)]]))).toMatchObject({ low: 12, high: 12 });
  expect(level(new Map())).toMatchObject({ low: 0, high: 30 });
  expect(
    level(
      new Map([
        ['1h', bounds(3)],
        ['7d', bounds(20)],
      ]),
    ),
  ).toMatchObject({ low: 3, high: 20 });
});

test('a lifetime level is the counter', () => {
  const evidence = evidenceOf(0, 0, { low: counters(4), high: null }, new Map());
  const span: Span = { period: { start: null, end: null }, window: null, marks: undefined };
  expect(levelOf(span, recordOf(0), evidence)).toMatchObject({ low: 4, high: null });
});

test('a sample from a time of doubt about a key’s row is no lower bound', () => {
  const at = 100 * hour;
  const marks = new Map([[id, { before: counters(25), after: counters(25) }]]);
  const span: Span = { period: { start: hour, end: null }, window: null, marks };
  const evidence = evidenceOf(at, at, bounds(30), new Map());
  const level = (more: Partial<KeyRecord>) => levelOf(span, { ...recordOf(0), ...more }, evidence);
  expect(level({})).toMatchObject({ low: 5, high: 5 });
  const doubt = (from: number, until: number | null) => level({ doubt: { from, until } });
  expect(doubt(0, null)).toMatchObject({ low: 5, high: 30 });
  expect(doubt(hour, 2 * hour)).toMatchObject({ low: 5, high: 30 });
  // Before it began and after it ended they are.
  expect(doubt(hour + 1, null)).toMatchObject({ low: 5, high: 5 });
  expect(doubt(0, hour)).toMatchObject({ low: 5, high: 5 });
});

test('but for what the key’s own reading said, with which that time began', () => {
  const at = 100 * hour;
  const since = (before: number | null, own: number) => {
    const mark = { before: before === null ? null : counters(before), after: counters(25) };
    const span: Span = { period: { start: hour, end: null }, window: null, marks: new Map([[id, mark]]) };
    const record = { ...recordOf(0), doubt: { from: 0, until: null, counters: counters(own) } };
    return levelOf(span, record, evidenceOf(at, at, bounds(30), new Map()));
  };
  expect(since(25, 25)).toMatchObject({ low: 5, high: 5 });
  // More than that may be someone else's; what the reading says beyond the sample may have come after the start.
  expect(since(25, 22)).toMatchObject({ low: 5, high: 8 });
  expect(since(22, 25)).toMatchObject({ low: 5, high: 8 });
  expect(since(null, 25)).toMatchObject({ low: 5, high: 30 });
});
