/** What is reckoned with amounts once they are whole numbers, against big integers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zeroCounters, measured } from '../../src/core/evidence.ts';
import type { Level } from '../../src/core/alert.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import { threshold } from '../../src/core/spend-case.ts';
import type { Counters, Measure } from '../../src/core/key.ts';
import { accountLevel, sumLevels } from '../../src/core/levels.ts';
import { parsePercent } from '../../src/policy/values.ts';

const amounts = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(1000),
  // Round sums of dollars, as people write limits.
  fc.nat(9_000_000_000).map((dollars) => dollars * 1_000_000),
  fc.nat(1000).map((less) => Number.MAX_SAFE_INTEGER - less),
);

describe('a threshold', () => {
  /** The percentage of a limit by its text, rounded up to a whole unit. */
  function reference(limit: number, percent: string): bigint {
    const [whole = '', fraction = ''] = percent.split('.');
    const divisor = 10n ** BigInt(fraction.length + 2);
    return (BigInt(limit) * BigInt(whole + fraction) + divisor - 1n) / divisor;
  }

  /** As a policy file may have them: `33.3`, `0.0001`, `999999.9999`. */
  const percents = fc
    .tuple(fc.oneof(fc.nat(200), fc.nat(999_999)), fc.stringMatching(/^[0-9]{0,4}$/))
    .map(([whole, fraction]) => (fraction === '' ? String(whole) : `${String(whole)}.${fraction}`));

  function of(limit: number, percent: string): number {
    return threshold(limit, parsePercent(`${percent}%`) ?? NaN);
  }

  test.each([
    [20_000_000, '80', 16_000_000],
    [3, '33.3', 1],
    [1000, '33.3', 333],
    [1001, '33.3', 334],
    [22_000_000_000, '78.4', 17_248_000_000],
    [1, '0.0001', 1],
    [1_000_000, '0.0001', 1],
    [1_000_001, '0.0001', 2],
    [Number.MAX_SAFE_INTEGER, '100', Number.MAX_SAFE_INTEGER],
    [20_000_000, '0', 0],
  ])('of %d at %s percent is %d', (limit, percent, expected) => {
    expect(of(limit, percent)).toBe(expected);
  });

  test('is exact up to the safe integers, and above them beyond them', () => {
    fc.assert(
      fc.property(amounts, percents, (limit, percent) => {
        const expected = reference(limit, percent);
        if (expected <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(of(limit, percent))).toBe(expected);
        else expect(of(limit, percent)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('a sum of levels', () => {
  const levels = fc.array(fc.record({ low: amounts, high: fc.option(amounts) }), {
    maxLength: 20,
  });

  function sum(values: readonly number[]): bigint {
    return values.reduce((total, value) => total + BigInt(value), 0n);
  }

  test('is exact up to the safe integers, and above them beyond them', () => {
    const check = (is: number, should: bigint): void => {
      if (should <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(is)).toBe(should);
      else expect(is).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    };
    fc.assert(
      fc.property(levels, (list) => {
        const total = sumLevels(list.map((level) => ({ ...level, likely: level.high })));
        check(total.low, sum(list.map(({ low }) => low)));
        const highs = list.flatMap(({ high }) => (high === null ? [] : [high]));
        if (highs.length < list.length) expect(total.high).toBeNull();
        else check(total.high ?? NaN, sum(highs));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a level since an instant', () => {
  const start = 1000;
  const measures = fc.constantFrom<Measure>('cost', 'tokens', 'requests');
  const counters = fc.record({ costMicroUsd: amounts, tokens: amounts, requests: amounts });

  function level(measure: Measure, now: Counters, before: Counters, after: Counters): Level {
    const evidence: Evidence = {
      at: start + 1,
      doneAt: start + 1,
      keys: new Map(),
      account: {
        lifetime: { low: now, high: now },
        windows: new Map(),
        because: null,
      },
      marks: new Map(),
      unread: [],
      paces: new Map(),
      readAt: new Map(),
      unanswered: new Set(),
    };
    const marks = new Map([['account', { before, after }] as const]);
    return accountLevel({ measure }, { period: { start, end: null }, window: null, marks }, evidence);
  }

  test('is the exact difference of two counters, and never below zero', () => {
    const less = (one: Counters, other: Counters, measure: Measure): bigint => {
      const difference = BigInt(measured(one, measure)) - BigInt(measured(other, measure));
      return difference < 0n ? 0n : difference;
    };
    fc.assert(
      fc.property(measures, counters, counters, counters, (measure, now, before, after) => {
        const { low, high } = level(measure, now, before, after);
        expect(BigInt(low)).toBe(less(now, after, measure));
        expect(BigInt(high ?? NaN)).toBe(less(now, before, measure));
      }),
      { numRuns: 2000 },
    );
    expect(level('cost', zeroCounters, zeroCounters, zeroCounters)).toMatchObject({ low: 0, high: 0 });
  });
});
