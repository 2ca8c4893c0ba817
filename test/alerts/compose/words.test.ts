import { describe, expect, test } from 'vitest';
import {
  amount,
  duration,
  fromNow,
  levelOfLimit,
  money,
  shortAmount,
  time,
} from '../../../src/alerts/compose/words.ts';
import { at, day, hour } from '../build.ts';

describe('money', () => {
  test.each([
    [20_000_000, '$20.00'],
    [1_234_560_000, '$1,234.56'],
    [0, '$0.00'],
    [4_200, '$0.0042'],
    [500_000, '$0.50'],
    [19_999_999, '$19.99'],
    [9_007_199_254_740_991, '$9,007,199,254.74'],
  ])('%d micro-dollars', (micro, text) => {
    expect(money(micro)).toBe(text);
  });

  test('an upper bound is never shown as less than it is', () => {
    expect(money(19_990_001, 'ceil')).toBe('$20.00');
  });
});

test('amounts name what they count', () => {
  expect(amount(1_234_567, 'tokens')).toBe('1,234,567 tokens');
  expect(amount(1, 'requests')).toBe('1 request');
  expect(shortAmount(1_290_000, 'tokens')).toBe('1.2M tokens');
  expect(shortAmount(2_500_000_000, 'tokens')).toBe('2.5B tokens');
  expect(shortAmount(20_000_000, 'cost')).toBe('$20');
});

describe('a level says what is known and no more', () => {
  test.each([
    [21_400_000, 21_400_000, '$21.40 of $20.00'],
    [18_200_000, 21_400_000, 'between $18.20 and $21.40 of $20.00'],
    [18_200_000, null, 'at least $18.20 of $20.00'],
    [18_201_000, 18_202_000, 'between $18.20 and $18.21 of $20.00'],
    [19_999_999, 19_999_999, '$19.99 of $20.00'],
  ])('%d to %d', (low, high, text) => {
    expect(levelOfLimit({ low, high }, 20_000_000, 'cost')).toBe(text);
  });

  test('in tokens the unit is said once', () => {
    expect(levelOfLimit({ low: 1_100, high: 1_200 }, 1_000, 'tokens')).toBe(
      'between 1,100 and 1,200 of 1,000 tokens',
    );
  });
});

describe('durations', () => {
  test.each([
    [30_000, 'less than a minute'],
    [60_000, '1 minute'],
    [90 * 60_000, '90 minutes'],
    [hour, '1 hour'],
    [2 * hour, '2 hours'],
    [day, '24 hours'],
    [36 * hour, '36 hours'],
    [2 * day, '2 days'],
    [60 * hour, '60 hours'],
    [7 * day, '7 days'],
    [90 * day, '90 days'],
  ])('%d ms', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test('before and after now', () => {
    expect(fromNow(at + day, at)).toBe('in 24 hours');
    expect(fromNow(at - 7 * day, at)).toBe('7 days ago');
    expect(fromNow(at, at)).toBe('now');
  });
});

describe('times are told in the zone of the alert', () => {
  test.each([
    ['Europe/Berlin', 'Mon 23 Nov 2026, 10:00 CET'],
    ['America/New_York', 'Mon 23 Nov 2026, 04:00 EST'],
    ['UTC', 'Mon 23 Nov 2026, 09:00 UTC'],
    ['Asia/Kolkata', 'Mon 23 Nov 2026, 14:30 IST'],
    ['Asia/Tokyo', 'Mon 23 Nov 2026, 18:00 GMT+9'],
  ])('%s', (zone, text) => {
    expect(time(at, zone)).toBe(text);
  });

  test('midnight is 00:00, and summer time has its own name', () => {
    expect(time(Date.parse('2026-06-30T22:00:00Z'), 'Europe/Berlin')).toBe('Wed 1 Jul 2026, 00:00 CEST');
  });
});
