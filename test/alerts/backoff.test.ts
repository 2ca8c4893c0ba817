import { describe, expect, test } from 'vitest';
import { nextAttempt, restMs } from '../../src/alerts/backoff.ts';
import { at, day, hour } from './build.ts';

const failure = { now: at, attempts: 0, retryAfterMs: null, jitter: 0, giveUpAt: at + day } as const;

function delay(more: Partial<Parameters<typeof nextAttempt>[0]>): number | null {
  const next = nextAttempt({ ...failure, ...more });
  return next === null ? null : next - at;
}

describe('the pause before another attempt', () => {
  test('doubles from half a minute to an hour', () => {
    const delays = Array.from({ length: 10 }, (_, attempts) => (delay({ attempts }) ?? 0) / 1000);
    expect(delays).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
  });

  test('is lengthened by jitter, the longest excepted', () => {
    expect(delay({ jitter: 0.5 })).toBe(31_500);
    expect(delay({ attempts: 30, jitter: 0.9 })).toBe(hour);
  });

  test('is as long as the receiver asks, never shorter than without', () => {
    expect(delay({ retryAfterMs: 2 * hour })).toBe(2 * hour);
    expect(delay({ retryAfterMs: 1000 })).toBe(30_000);
  });
});

describe('the end', () => {
  test('is one last attempt, then none', () => {
    expect(delay({ giveUpAt: at + 10_000 })).toBe(10_000);
    expect(delay({ giveUpAt: at })).toBeNull();
    expect(delay({ retryAfterMs: 365 * day })).toBe(day);
  });
});

test('a queue rests until the next attempt, five minutes at most, or as long as the receiver asks', () => {
  expect(restMs(30_000, null)).toBe(30_000);
  expect(restMs(hour, null)).toBe(5 * 60_000);
  expect(restMs(30_000, 10 * 60_000)).toBe(10 * 60_000);
  expect(restMs(30_000, day)).toBe(hour);
});
