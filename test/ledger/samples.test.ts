import { describe, expect, test } from 'vitest';
import type { Counters, EpochMs, KeyId } from '../../src/core/key.ts';
import type { SampleRun } from '../../src/core/state.ts';
import { advanceMarks } from '../../src/ledger/marks.ts';
import { sample } from '../../src/ledger/samples.ts';
import { hour, id, minute, monday } from '../core/story.ts';

const a = id('A');
const lag = 2 * minute;

function counters(amount: number): Counters {
  return { costMicroUsd: amount, tokens: amount, requests: amount };
}

/** Each minute's reading in turn, from Monday on; what is written, as `minute amount until`. */
function ledger(amounts: readonly number[], boundaries: readonly EpochMs[] = [], createdAt = () => 0) {
  let runs: ReadonlyMap<KeyId | 'account', SampleRun> = new Map();
  const lines: string[] = [];
  const minutes = (at: EpochMs): string => String((at - monday) / minute);
  amounts.forEach((amount, index) => {
    const at = monday + index * minute;
    const taken = sample(
      runs,
      new Map([[a, counters(amount)]]),
      createdAt,
      { sentAt: at, doneAt: () => at },
      boundaries,
    );
    runs = new Map([...runs, ...taken.runs]);
    for (const run of taken.write) {
      lines.push(`${minutes(run.firstAt)} ${String(run.counters.requests)} ${minutes(run.lastAt)}`);
    }
  });
  return { lines, run: runs.get(a) };
}

describe('a reading is written', () => {
  test('when it changes, with the end of the run before it', () => {
    expect(ledger([5, 5, 5, 6]).lines).toEqual(['0 5 0', '3 6 3', '0 5 2']);
    expect(ledger([5, 6]).lines).toEqual(['0 5 0', '1 6 1']);
  });

  test('not at all while nothing changes, but hourly', () => {
    const { lines, run } = ledger(Array.from({ length: 130 }, () => 5));
    // Each key has its own minute of the hour.
    expect(lines).toHaveLength(3);
    const [, first = '', second = ''] = lines.map((line) => line.split(' ')[2]);
    expect(Number(second) - Number(first)).toBe(60);
    expect(run?.lastAt).toBe(monday + 129 * minute);
  });

  test('where a period begins', () => {
    expect(ledger([5, 5, 5, 5, 5], [monday + 2 * minute, monday + 2 * minute + lag]).lines).toEqual([
      '0 5 0',
      '0 5 2',
      '0 5 4',
    ]);
  });

  test('when the key is another: its creation has changed', () => {
    let created = 0;
    expect(ledger([5, 5], [], () => (created += 1)).lines).toEqual(['0 5 0', '1 5 1']);
  });
});

test('a run begins when its reading was complete and ends when the last one was asked for', () => {
  const read = new Map([[a, counters(5)]]);
  const first = sample(new Map(), read, () => 0, { sentAt: 100, doneAt: () => 130 }, []);
  expect(first.runs.get(a)).toMatchObject({ firstAt: 130, lastAt: 100 });
  const second = sample(first.runs, read, () => 0, { sentAt: 200, doneAt: () => 230 }, []);
  expect(second.runs.get(a)).toMatchObject({ firstAt: 130, lastAt: 200 });
});

test('a run that was asked for no later than it ends is not extended, nor written again', () => {
  const read = new Map([[a, counters(5)]]);
  const before = sample(new Map(), read, () => 0, { sentAt: 200, doneAt: () => 200 }, []).runs;
  for (const sentAt of [100, 200]) {
    const again = sample(before, read, () => 0, { sentAt, doneAt: () => sentAt }, [150, 200]);
    expect([again.runs.size, again.write]).toEqual([0, []]);
  }
});

describe('around an instant', () => {
  const run = (firstAt: number, lastAt: number, amount: number) =>
    new Map<KeyId, SampleRun>([[a, { key: a, createdAt: 0, firstAt, lastAt, counters: counters(amount) }]]);
  const at = hour;

  test.each([
    ['a run before it', [[0, 10, 5]], 5, null],
    ['a run over it', [[0, at + lag, 5]], 5, 5],
    ['a run over it, but not over the lag', [[0, at + lag - 1, 5]], 5, null],
    ['a run after it', [[at + 1, at + lag, 5]], null, 5],
    ['a run that begins at it', [[at, at, 5]], 5, null],
    [
      'runs before and after',
      [
        [0, 10, 5],
        [at + 1, at + 2, 6],
        [at + lag, at + 2 * lag, 7],
        [at + 3 * lag, at + 4 * lag, 8],
      ],
      5,
      7,
    ],
  ] as const)('%s', (_what, seen, before, after) => {
    let marks = advanceMarks(new Map(), new Map(), at, lag);
    for (const [firstAt, lastAt, amount] of seen)
      marks = advanceMarks(marks, run(firstAt, lastAt, amount), at, lag);
    const mark = marks.get(a);
    expect([mark?.before?.requests ?? null, mark?.after?.requests ?? null]).toEqual([before, after]);
  });
});
