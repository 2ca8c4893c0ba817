/** What is believed of a clock, and how much time has surely passed. */
import { describe, expect, test } from 'vitest';
import { judgeClock } from '../../src/ledger/clock.ts';
import type { ClockReading, ClockVerdict, LastReading } from '../../src/ledger/clock.ts';
import { day, hour, minute, monday } from '../core/story.ts';

const second = 1000;
const five = 5 * minute;

/** A minute after the last pass, and a second under way; every clock agrees unless something else is said. */
function judge(
  reading: Partial<ClockReading> = {},
  last: Partial<LastReading> | null = {},
  doubtedSince: number | null = null,
): ClockVerdict {
  const at = reading.at ?? monday + minute;
  const doneAt = reading.doneAt ?? at + second;
  const now = { at, doneAt, serverAt: at, monotonicMs: 9 * minute, tookMs: doneAt - at, ...reading };
  const then = { at: monday, serverAt: monday, monotonicMs: 8 * minute, ...last };
  return judgeClock(now, last === null ? null : then, doubtedSince);
}

const fine = { trusted: true, elapsedMs: minute, setByMs: 0 };
const doubted = (because: string) => ({ trusted: false, because });
const noDate = { serverAt: null };

test('clocks that agree are believed, and the first of all has seen no time pass', () => {
  expect(judge()).toEqual(fine);
  expect(judge({}, null)).toEqual({ trusted: true, elapsedMs: 0, setByMs: 0 });
});

describe('beside the API’s Date', () => {
  const at = monday + minute;

  test.each([
    ['exactly five minutes ahead of it', { serverAt: at - five }, fine],
    ['exactly five minutes behind it', { serverAt: at + second + five }, fine],
    ['an answer that was long under way', { serverAt: at + 8 * minute, doneAt: at + 8 * minute }, fine],
    ['a little more ahead', { serverAt: at - five - 1 }, 'the local clock and the API’s differ by 5 minutes'],
    [
      'a little more behind',
      { serverAt: at + second + five + 1 },
      'the local clock and the API’s differ by 5 minutes',
    ],
    ['days ahead', { serverAt: at - 3 * day }, 'the local clock and the API’s differ by 4320 minutes'],
  ])('%s', (_what, reading, verdict) => {
    expect(judge(reading)).toEqual(typeof verdict === 'string' ? doubted(verdict) : verdict);
    expect(judge(reading, null).trusted).toBe(typeof verdict !== 'string');
  });

  test('is never believed against it, however long it stays', () => {
    expect(judge({ serverAt: at - day }, {}, monday - 9 * day).trusted).toBe(false);
  });
});

test('a clock that was set between a request and its answer is doubted, though the Date lies between', () => {
  const at = monday + minute;
  expect(judge({ doneAt: at + five, tookMs: 0 })).toEqual(fine);
  const because = 'the local clock was set by 5 minutes during the look at the account';
  expect(judge({ doneAt: at + five + 1, tookMs: 0 })).toEqual(doubted(because));
  expect(judge({ doneAt: at - five - 1, tookMs: 0, serverAt: null })).toEqual(doubted(because));
});

describe('a clock that went back', () => {
  test.each([null, monday - 20 * second])('a little is waited for (Date %s)', (serverAt) => {
    expect(judge({ at: monday - 20 * second, serverAt })).toEqual(
      doubted('the local clock went back by 20 s'),
    );
    expect(judge({ at: monday - 20 * second, serverAt }, { monotonicMs: null }).trusted).toBe(false);
    // With a Date, however long that takes.
    const waited = judge({ at: monday - 20 * second, serverAt }, {}, monday - 2 * hour);
    expect(waited.trusted).toBe(serverAt === null);
  });

  test('by five minutes is waited for, and by more too where no Date says that it is right', () => {
    const at = monday - five;
    expect(judge({ at }).trusted).toBe(false);
    expect(judge({ at: at - 1 }).trusted).toBe(true);
    expect(judge({ at: at - 1, ...noDate }, { monotonicMs: null }).trusted).toBe(false);
  });

  test('as far as it was before', () => {
    expect(judge({ at: monday, monotonicMs: 8 * minute })).toEqual({
      trusted: true,
      elapsedMs: 0,
      setByMs: 0,
    });
  });

  test('far, to where the API’s is, was wrong before and is right now', () => {
    const at = monday - 3 * day + minute;
    const ahead = { at: monday, serverAt: null };
    expect(judge({ at }, ahead)).toEqual({ trusted: true, elapsedMs: 0, setByMs: -3 * day });
    const started = judge({ at }, { ...ahead, monotonicMs: null });
    expect(started).toEqual({ trusted: true, elapsedMs: 0, setByMs: -3 * day + minute });
  });

  test('far, and nobody says which was right, is believed after an hour', () => {
    const reading = { at: monday - day, ...noDate, monotonicMs: 8 * minute };
    expect(judge(reading).trusted).toBe(false);
    expect(judge(reading, {}, monday - day - hour + 1).trusted).toBe(false);
    expect(judge(reading, {}, monday - day - hour)).toEqual({ trusted: true, elapsedMs: 0, setByMs: -day });
  });
});

describe('without a Date', () => {
  test('a step of at most five minutes passes, and counts for no time', () => {
    expect(judge({ at: monday + minute + five, ...noDate })).toEqual(fine);
    expect(judge({ at: monday + minute + five + 1, ...noDate })).toEqual(
      doubted('the local clock jumped by 5 minutes, and the API does not say the time'),
    );
  });

  test('a jump is believed after an hour, and counts for the time that passed', () => {
    const reading = { at: monday + day + hour, ...noDate, monotonicMs: 8 * minute + hour };
    expect(judge(reading).trusted).toBe(false);
    expect(judge(reading, {}, monday + day)).toEqual({ trusted: true, elapsedMs: hour, setByMs: day });
  });

  test('what passed while no process counted is not known', () => {
    const started = judge({ at: monday + day, ...noDate }, { monotonicMs: null });
    expect(started).toEqual({ trusted: true, elapsedMs: 0, setByMs: day });
  });
});

test('while the machine’s count and its clock agree, no Date tells how long it was', () => {
  const later = { at: monday + 3 * minute, monotonicMs: 11 * minute };
  expect(judge({ ...later, serverAt: monday + 2 * minute })).toEqual({ ...fine, elapsedMs: 3 * minute });
});

test('after a restart, and after the machine slept, the API’s clock tells how long it was', () => {
  const at = monday + 8 * hour;
  const slept = { trusted: true, elapsedMs: 8 * hour, setByMs: 0 };
  expect(judge({ at }, { monotonicMs: null })).toEqual(slept);
  expect(judge({ at }, {})).toEqual(slept);
  expect(judge({ at, serverAt: at - 4 * minute }, {})).toEqual({
    ...slept,
    elapsedMs: 8 * hour - 4 * minute + second,
  });
});
