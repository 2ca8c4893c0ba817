/** The level to expect at a period's end. */
import { describe, expect, test } from 'vitest';
import type { Estimate } from '../../src/core/evidence.ts';
import { forecastLevel, seriesRateOf } from '../../src/core/forecast.ts';
import type { Forecasting } from '../../src/core/forecast.ts';
import { recordOf } from '../ledger/building.ts';
import { evidenceAt } from './measuring.ts';
import { day, hour, key, monday } from './story.ts';

const level = (low: number, high: number | null): Estimate => ({ low, high, likely: high });
const lately = (...levels: readonly Estimate[]) => levels.map((one) => ({ ms: day, level: one }));

/** Ten days before the end of a period. */
function expected(more: Partial<Forecasting>): Estimate | null {
  return forecastLevel({
    span: { period: { start: monday - 20 * day, end: monday + 10 * day }, window: null, marks: undefined },
    members: [recordOf(key('A', { createdAt: monday - 48 * hour }))],
    level: level(100, 120),
    lately: () => lately(level(1, 2)),
    seriesRate: null,
    bench: { now: monday } as Forecasting['bench'],
    ...more,
  });
}

describe('the level at the end of a period', () => {
  test('is that of now, and the rate of late for as long as is left', () => {
    expect(expected({})).toEqual(level(110, 140));
  });

  test.each<[string, Partial<Forecasting>, Estimate | null]>([
    ['by the fastest of late', { lately: () => lately(level(3, 4), level(1, 5)) }, level(130, 170)],
    ['by the vendor’s rate, where that is faster', { seriesRate: 6 / day }, level(160, 180)],
    ['by no slower rate of the vendor’s', { seriesRate: 1.5 / day }, level(115, 140)],
    ['without an upper end, where now has none', { level: level(100, null) }, level(110, null)],
    ['without one, where the last day has none', { lately: () => lately(level(1, null)) }, level(110, null)],
    [
      'without one, where the first of two has none',
      { lately: () => lately(level(1, null), level(1, 2)) },
      level(110, null),
    ],
    [
      'in whole units, the lower end down and the upper up',
      { lately: () => lately(level(0.01, 0.01)) },
      level(100, 121),
    ],
  ])('is told %s', (_what, more, told) => {
    expect(expected(more)).toEqual(told);
  });

  test('is not told before anything was watched for 48 hours, unless the vendor tells a rate', () => {
    const young = recordOf(key('B', { createdAt: monday - 48 * hour + 1 }));
    expect(expected({ members: [young] })).toBeNull();
    expect(expected({ members: [young], seriesRate: 0 })).toEqual(level(110, 140));
    expect(expected({ members: [young, recordOf(key('A', { createdAt: 0 }))] })).not.toBeNull();
  });

  test('is not told of a period without an end', () => {
    const period = { start: monday - day, end: null };
    expect(expected({ span: { period, window: '24h', marks: undefined } })).toBeNull();
  });
});

test('the vendor tells the rate of tokens and requests, and of no cost', () => {
  const evidence = { ...evidenceAt(monday), accountRate: { tokens: 2, requests: 3 } };
  const rates = (['cost', 'tokens', 'requests'] as const).map((measure) => seriesRateOf(measure, evidence));
  expect(rates).toEqual([null, 2, 3]);
  expect(seriesRateOf('tokens', evidenceAt(monday))).toBeNull();
});
