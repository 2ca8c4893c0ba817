/** The account's books: sums to the micro-dollar, in the right month, and the vendor's own rate. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  accountPeriod,
  accountRateOf,
  billedIn,
  booksOf,
  goDurationMs,
  ratesOf,
} from '../../src/core/books.ts';
import type { BooksReading, Entry } from '../../src/core/books.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import type { Counters } from '../../src/core/key.ts';
import { periodAt } from '../../src/core/periods.ts';
import { day, hour, minute, monday } from './story.ts';

const at = (text: string): number => Date.parse(text);
const november = { start: at('2026-11-01T00:00:00Z'), end: at('2026-12-01T00:00:00Z') };
const entry = (more: Partial<Entry> = {}): Entry => ({
  at: monday,
  type: 'Charge',
  amountMicroUsd: 25_500_000,
  status: 'completed',
  ...more,
});

describe('what was billed', () => {
  const type = fc.constantFrom('Invoice', 'invoice', 'CHARGE', 'Charge', 'Refund', '');
  const status = fc.constantFrom('completed', 'Paid', 'failed', 'VOID', 'open', 'draft');
  const around = { min: november.start - 2, max: november.end + 2 };
  const entries = fc.array(
    fc.record({
      at: fc.oneof(fc.integer(around), fc.constantFrom(november.start, november.end, november.end - 1)),
      type,
      status,
      amountMicroUsd: fc.integer({ min: -(10 ** 12), max: 10 ** 12 }),
    }),
  );

  test('is the exact sum by type of what is settled, apart from what is pending', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const inside = all.filter((one) => one.at >= november.start && one.at < november.end);
        const sum = (wanted: (one: Entry) => boolean): number =>
          Number(inside.filter(wanted).reduce((total, one) => total + BigInt(one.amountMicroUsd), 0n));
        const settled = (one: Entry) => /^(completed|paid)$/i.test(one.status);
        const dead = (one: Entry) => /^(failed|void)$/i.test(one.status);
        expect(billedIn(all, november)).toEqual({
          known: true,
          value: {
            invoiced: sum((one) => settled(one) && /^invoice$/i.test(one.type)),
            charged: sum((one) => settled(one) && /^charge$/i.test(one.type)),
            other: sum((one) => settled(one) && !/^(invoice|charge)$/i.test(one.type)),
            pending: sum((one) => !settled(one) && !dead(one)),
          },
        });
      }),
    );
  });

  test('is unknown where its sum is beyond what is exact', () => {
    const most = entry({ amountMicroUsd: Number.MAX_SAFE_INTEGER });
    expect(billedIn([most], november)).toMatchObject({ known: true });
    expect(billedIn([most, entry()], november)).toMatchObject({ known: false });
  });

  test.each([
    ['UTC', '2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'],
    ['Pacific/Auckland', '2026-10-31T11:00:00Z', '2026-11-30T11:00:00Z'],
    ['America/New_York', '2026-11-01T04:00:00Z', '2026-12-01T05:00:00Z'],
  ])('is that of the calendar month in %s', (zone, first, beyond) => {
    const dated = [at(first) - 1, at(first), at(beyond) - 1, at(beyond)];
    const entries = dated.map((one, index) => entry({ at: one, amountMicroUsd: 10 ** index }));
    const { start, end } = periodAt(accountPeriod(zone), monday);
    expect(billedIn(entries, { start: start ?? 0, end: end ?? 0 })).toMatchObject({
      value: { charged: 110 },
    });
  });
});

describe('the rate by the series', () => {
  const step = 2.4 * hour;
  const series = (from: number, amounts: readonly number[]) => ({
    interval: '2h24m0s',
    points: amounts.map((amount, index) => ({ at: from + index * step, tokens: amount, requests: 1 })),
  });
  const ten = [10, 20, 30, 40, 50, 60, 70, 80, 90, 240];

  test('is all points’ over the day, and the newest’s that is over', () => {
    const { lastDay, latest } = ratesOf(series(monday - day, ten), monday);
    expect(lastDay).toEqual({ tokensPerHour: 690 / 24, requestsPerHour: 10 / 24 });
    expect(latest).toEqual({
      ...{ from: monday - step, to: monday },
      ...{ tokensPerHour: 100, requestsPerHour: 1 / 2.4 },
    });
  });

  test('counts a point that is not over yet for the day only, in any order of the points', () => {
    const { interval, points } = series(monday - day + hour, ten);
    const { lastDay, latest } = ratesOf({ interval, points: points.toReversed() }, monday);
    expect(lastDay.tokensPerHour).toBe(690 / 24);
    expect(latest).toMatchObject({ to: monday + hour - step, tokensPerHour: 90 / 2.4 });
  });

  test('leaves out what is older than a day, but not for a clock that is a minute off', () => {
    expect(ratesOf(series(monday - 2 * day, ten), monday).lastDay.tokensPerHour).toBe(0);
    expect(ratesOf(series(monday - day - minute, ten), monday).lastDay.tokensPerHour).toBe(690 / 24);
  });

  test('has no newest point where there is none, or its length is not told', () => {
    expect(ratesOf({ interval: '2h24m0s', points: [] }, monday).latest).toBeNull();
    const { points } = series(monday - day, ten);
    expect(ratesOf({ interval: 'daily', points }, monday)).toMatchObject({
      lastDay: { tokensPerHour: 690 / 24 },
      latest: null,
    });
  });

  test('is for a forecast while it is fresh', () => {
    const reading: BooksReading = {
      at: monday,
      entries: { known: false, because: 'it failed' },
      series: { known: true, value: series(monday - day, ten) },
    };
    const rate = accountRateOf(reading, monday + hour);
    expect((rate?.tokens ?? 0) * day).toBeCloseTo(690, 9);
    expect((rate?.requests ?? 0) * day).toBeCloseTo(10, 9);
    expect(accountRateOf(reading, monday + 3 * hour)).toBeNull();
    expect(accountRateOf({ ...reading, series: reading.entries as never }, monday)).toBeNull();
    expect(accountRateOf(null, monday)).toBeNull();
  });
});

test.each([
  ['2h24m0s', 8_640_000],
  ['1m30s', 90_000],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['250ms', 250],
  ['0s', null],
  ['', null],
  ['2h 24m', null],
  ['1d', null],
])('an interval of %j is %j ms', (text, ms) => {
  expect(goDurationMs(text)).toBe(ms);
});

describe('the books', () => {
  const counters = (dollars: number): Counters => ({ costMicroUsd: dollars * 1e6, tokens: 0, requests: 0 });
  const evidence = (more: Partial<Evidence>): Evidence => ({
    ...{ at: monday, doneAt: monday, keys: new Map(), unread: [], paces: new Map(), marks: new Map() },
    ...{ readAt: new Map(), unanswered: new Set() },
    account: { lifetime: { low: counters(50), high: counters(50) }, windows: new Map(), because: null },
    ...more,
  });
  const reading: BooksReading = {
    at: monday,
    entries: { known: true, value: [entry()] },
    series: { known: false, because: 'the time series could not be read: it failed' },
  };

  test('have the spend since the month’s first instant in the file’s time zone, with both its ends', () => {
    const start = at('2026-10-31T23:00:00Z');
    const marks = new Map([
      [start, new Map([['account' as const, { before: counters(8), after: counters(10) }]])],
    ]);
    expect(booksOf(reading, 'Europe/Berlin', monday, evidence({ marks }))).toEqual({
      period: { start, end: at('2026-11-30T23:00:00Z'), words: 'November 2026' },
      spent: { known: true, value: { low: 40e6, high: 42e6 } },
      billed: { known: true, value: { invoiced: 0, charged: 25_500_000, other: 0, pending: 0 } },
      rates: reading.series,
    });
  });

  test('say what is unknown, and why', () => {
    const account = { lifetime: null, windows: new Map(), because: 'it fell' };
    expect(booksOf(null, 'UTC', monday, evidence({ account }))).toMatchObject({
      spent: { known: false, because: 'it fell' },
      billed: { known: false, because: 'not read yet' },
      rates: { known: false, because: 'not read yet' },
    });
  });
});
