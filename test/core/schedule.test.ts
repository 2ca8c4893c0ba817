import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Approach } from '../../src/core/plan.ts';
import { eveOf, nextPassAt, overshootOf } from '../../src/core/schedule.ts';
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

describe('a level that approaches its threshold', () => {
  const approach = (inMs: number, sharePerMs = 0): Approach => ({
    policy: 'p',
    subject: { kind: 'group', group: 'account' },
    inMs,
    sharePerMs,
  });
  const wait = (inMs: number, more: Partial<typeof pace> = {}, dueAt: readonly number[] = []) =>
    nextPassAt(monday, rolling, dueAt, { ...pace, ...more }, { approach: approach(inMs) }) - monday;

  test.each([
    ['is looked at when it would have come half as far', 4 * minute, {}, 2 * minute],
    ['and after the longest pause in any case', hour, {}, 10 * minute],
    ['and no sooner than after the shortest', 2000, {}, 5000],
    ['nor than the calls in a minute allow', 2000, { maxCallsPerMinute: 12 }, 15_000],
    [
      'but never after more than the longest, whatever they allow',
      2000,
      { maxCallsPerMinute: 1, intervalMs: minute },
      minute,
    ],
  ] as const)('%s', (_what, inMs, more, expected) => {
    expect(wait(inMs, more)).toBe(expected);
  });

  test('does not put off what is due', () => {
    expect(wait(4 * minute, {}, [monday + minute])).toBe(minute);
  });

  test('is closed in on: the last look is a shortest pause before it or nearer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 * minute }),
        fc.integer({ min: 1000, max: minute }),
        fc.integer({ min: 1, max: 120 }),
        (reachedIn, minIntervalMs, maxCallsPerMinute) => {
          const own = { ...pace, minIntervalMs, maxCallsPerMinute };
          const shortest = Math.min(
            own.intervalMs,
            Math.max(minIntervalMs, Math.ceil(180_000 / maxCallsPerMinute)),
          );
          let now = monday;
          let looks = 0;
          while (now < monday + reachedIn) {
            const left = monday + reachedIn - now;
            const pause = nextPassAt(now, rolling, [], own, { approach: approach(left) }) - now;
            expect(pause).toBeGreaterThanOrEqual(shortest);
            expect(pause).toBeLessThanOrEqual(Math.max(shortest, Math.ceil(left / 2)));
            expect(pause).toBeLessThanOrEqual(own.intervalMs);
            now += pause;
            looks += 1;
          }
          // It is seen no later than one shortest pause after it was reached.
          expect(now - monday - reachedIn).toBeLessThanOrEqual(shortest);
          expect(looks).toBeLessThanOrEqual(
            3 + Math.log2(Math.max(1, reachedIn / shortest)) + reachedIn / own.intervalMs,
          );
        },
      ),
    );
  });
});

test.each([
  ['as soon as a minute has calls again', hourly, monday + 5 * minute, { unasked: true }, minute],
  ['no later than it is due otherwise', hourly, monday + hour - 30_000, { unasked: true }, 30_000],
  ['a minute before a period ends', hourly, monday + 55 * minute, { rowless: 0 }, 4 * minute],
  ['in time, where keys are to be read', hourly, monday + 55 * minute, { rowless: 48 }, 2.5 * minute],
  [
    'earlier, where they are more than a minute has calls for',
    hourly,
    monday + 55 * minute,
    { rowless: 49 },
    1.25 * minute,
  ],
  ['and once more a minute before it', hourly, monday + 58 * minute, { rowless: 97 }, minute],
  ['as early as that takes', hourly, monday + 45 * minute, { rowless: 400 }, 5 * minute],
  [
    'at once, where it fell due while the last pass was made',
    hourly,
    monday + hour - minute + 1000,
    { at: monday + hour - minute - 1 },
    5000,
  ],
  [
    'at once, where usage was reported in that time',
    hourly,
    monday + 2 * minute,
    { at: monday + 2 * minute - 1 },
    5000,
  ],
  [
    'at once, where a period began in that time',
    hourly,
    monday + hour + 1000,
    { at: monday + hour - 1 },
    5000,
  ],
] as const)('what is left to do is done %s', (_what, policies, now, outlook, wait) => {
  expect(nextPassAt(now, policies, [], pace, outlook) - now).toBe(wait);
});

test.each([
  ['as early as it takes', hour, 22.5 * minute],
  ['no earlier than a longest pause before', 15 * minute, 15 * minute],
  ['but up to ten minutes before, however short that is', minute, 10 * minute],
])('many keys are read before a period ends %s', (_what, intervalMs, before) => {
  expect(eveOf({ ...pace, intervalMs }, 800)).toBe(before);
});

test('a level goes past its threshold by its pace times the pause at the worst, by half of that as is to be expected', () => {
  const approach: Approach = {
    policy: 'p',
    subject: { kind: 'group', group: 'account' },
    inMs: 1,
    sharePerMs: 0.01 / minute,
  };
  const { expected, worst } = overshootOf(approach, 3 * minute);
  expect(worst).toBeCloseTo(0.03, 12);
  expect(expected).toBeCloseTo(0.015, 12);
  expect(overshootOf(null, hour)).toEqual({ expected: 0, worst: 0 });
});
