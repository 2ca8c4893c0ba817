import { describe, expect, test } from 'vitest';
import { quietUntil } from '../../src/alerts/quiet.ts';
import type { Quiet } from '../../src/core/policy.ts';

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const nights: Quiet = {
  fromMinute: 22 * 60,
  toMinute: 7 * 60,
  days: everyDay,
  except: [],
  timeZone: 'Europe/Berlin',
};

function until(quiet: Quiet, at: string): string | null {
  const end = quietUntil(quiet, Date.parse(at));
  return end === null ? null : new Date(end).toISOString();
}

describe('over midnight', () => {
  test.each([
    ['before they begin', '2026-11-23T20:59:59Z', null],
    ['when they begin', '2026-11-23T21:00:00Z', '2026-11-24T06:00:00.000Z'],
    ['after midnight', '2026-11-24T02:00:00Z', '2026-11-24T06:00:00.000Z'],
    ['at their end', '2026-11-24T06:00:00Z', null],
  ])('%s', (_name, at, end) => {
    expect(until(nights, at)).toBe(end);
  });
});

describe('daylight saving', () => {
  test('the night the clock goes forward is an hour shorter', () => {
    expect(until(nights, '2026-03-28T22:00:00Z')).toBe('2026-03-29T05:00:00.000Z');
  });

  test('the night the clock goes back is an hour longer', () => {
    expect(until(nights, '2026-10-24T21:00:00Z')).toBe('2026-10-25T06:00:00.000Z');
  });

  test('an end that the clock skips is the instant of skipping', () => {
    const early = { ...nights, toMinute: 2 * 60 + 30 };
    expect(until(early, '2026-03-28T23:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
  });
});

test('a night belongs to the day on which it begins', () => {
  const weekdays = { ...nights, days: [1, 2, 3, 4, 5] };
  // Friday's night lasts into Saturday; Saturday's and Sunday's are not quiet.
  expect(until(weekdays, '2026-11-28T02:00:00Z')).toBe('2026-11-28T06:00:00.000Z');
  expect(until(weekdays, '2026-11-28T22:00:00Z')).toBeNull();
  expect(until(weekdays, '2026-11-30T02:00:00Z')).toBeNull();
});

test('hours within one day', () => {
  const lunch = { ...nights, fromMinute: 12 * 60, toMinute: 13 * 60, timeZone: 'America/New_York' };
  expect(until(lunch, '2026-11-23T17:30:00Z')).toBe('2026-11-23T18:00:00.000Z');
  expect(until(lunch, '2026-11-23T18:00:00Z')).toBeNull();
});

test('whole days that follow one another are one', () => {
  const weekend = { ...nights, fromMinute: 0, toMinute: 0, days: [6, 7] };
  expect(until(weekend, '2026-11-28T10:00:00Z')).toBe('2026-11-29T23:00:00.000Z');
  expect(until(weekend, '2026-11-27T10:00:00Z')).toBeNull();
});

test('hours that never end still do', () => {
  const always = { ...nights, fromMinute: 0, toMinute: 0 };
  const end = quietUntil(always, Date.parse('2026-11-23T10:00:00Z')) ?? 0;
  expect(new Date(end).toISOString()).toBe('2026-11-30T23:00:00.000Z');
});
