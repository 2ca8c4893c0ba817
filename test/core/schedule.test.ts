import { expect, test } from 'vitest';
import { nextPassAt } from '../../src/core/schedule.ts';
import { day, file, hour, minute, monday, policy, policyOf } from './story.ts';

const pace = { intervalMs: 10 * minute, minIntervalMs: 5000, usageLagMs: 2 * minute, maxCallsPerMinute: 60 };
const hourly = file(policy('spend: { cost: 1, per: hour }', '{ at: 100%, alert: ops }'));
const rolling = file(
  [
    policyOf('a', 'spend: { cost: 1, per: 24h }', '{ at: 100%, alert: ops }'),
    policyOf('b', 'expiry: {}', '{ alert: ops }'),
  ].join('\n'),
);

test.each([
  ['after the longest pause', rolling, monday, [], 10 * minute],
  ['just before a period ends', hourly, monday + 55 * minute, [], 4 * minute],
  ['where a period begins', hourly, monday + hour - minute, [], minute],
  ['where all usage of the period before is reported', hourly, monday + 30_000, [], 2 * minute - 30_000],
  ['after the longest pause, once that is past', hourly, monday + 2 * minute, [], 10 * minute],
  [
    'where a notice has run',
    rolling,
    monday,
    [monday - 1, monday + 7 * minute, monday + 9 * minute],
    7 * minute,
  ],
  ['no sooner than the shortest pause', rolling, monday, [monday + 1], 5000],
  ['no sooner than the shortest pause, where a period begins', hourly, monday + hour - 1, [], 5000],
])('the next pass is %s', (_what, policies, now, dueAt, wait) => {
  expect(nextPassAt(now, policies, dueAt, pace) - now).toBe(wait);
});

test('the pause never exceeds the interval, nor falls below the shortest', () => {
  for (let at = monday; at < monday + day; at += 77_777) {
    const wait = nextPassAt(at, hourly, [], pace) - at;
    expect(wait).toBeGreaterThanOrEqual(pace.minIntervalMs);
    expect(wait).toBeLessThanOrEqual(pace.intervalMs);
  }
});
