/**
 * The account's books: what it spent in this calendar month beside what was invoiced and charged in it,
 * and how fast it is used by the vendor's own time series.
 */
import type { Level } from './alert.ts';
import type { AccountRate, Evidence } from './evidence.ts';
import type { EpochMs, Known } from './key.ts';
import { accountLevel, spanOf } from './levels.ts';
import { periodAt, periodWords } from './periods.ts';
import type { PeriodSpec } from './policy.ts';

/** What of a transaction counts here. */
export interface Entry {
  readonly at: EpochMs;
  readonly type: string;
  /** May be negative: money that was given back. */
  readonly amountMicroUsd: number;
  readonly status: string;
}

/** What was used from `at` on, for an interval. */
export interface Point {
  readonly at: EpochMs;
  readonly tokens: number;
  readonly requests: number;
}

/** One reading of both, or why it could not be had. */
export interface BooksReading {
  /** After both answers. */
  readonly at: EpochMs;
  readonly entries: Known<readonly Entry[]>;
  readonly series: Known<{ readonly interval: string; readonly points: readonly Point[] }>;
}

/** Sums of the period's transactions, in micro-dollars. */
export interface Billed {
  readonly invoiced: number;
  readonly charged: number;
  /** Of types that are neither. */
  readonly other: number;
  /** Of any type, neither settled nor come to nothing. */
  readonly pending: number;
}

export interface Rate {
  readonly tokensPerHour: number;
  readonly requestsPerHour: number;
}

export interface Rates {
  readonly lastDay: Rate;
  /** Of the newest point that is over by the series' own interval; null: there is none. */
  readonly latest: (Rate & { readonly from: EpochMs; readonly to: EpochMs }) | null;
}

export interface Books {
  readonly period: { readonly start: EpochMs; readonly end: EpochMs; readonly words: string };
  readonly spent: Known<Level>;
  readonly billed: Known<Billed>;
  readonly rates: Known<Rates>;
}

/** The account's own period: the calendar month of the policy file's time zone. */
export function accountPeriod(timeZone: string): PeriodSpec {
  const known = accountPeriods.get(timeZone);
  if (known !== undefined) return known;
  const spec = { kind: 'calendar', unit: 'month', startsOn: 1, timeZone } as const;
  accountPeriods.set(timeZone, spec);
  return spec;
}

/** By time zone one and the same, for what is remembered of a period goes by it. */
const accountPeriods = new Map<string, PeriodSpec>();

/** `reading` null: none was taken yet. */
export function booksOf(
  reading: BooksReading | null,
  timeZone: string,
  now: EpochMs,
  evidence: Evidence,
): Books {
  const spec = accountPeriod(timeZone);
  const { start, end } = periodAt(spec, now);
  const period = { start: start ?? now, end: end ?? now, words: periodWords(spec, { start, end }) };
  const unread = { known: false, because: 'not read yet' } as const;
  const { entries, series, at } = reading ?? { entries: unread, series: unread, at: now };
  return {
    period,
    spent: spentBy(spec, now, evidence),
    billed: entries.known ? billedIn(entries.value, period) : entries,
    rates: series.known ? { known: true, value: ratesOf(series.value, at) } : series,
  };
}

function spentBy(spec: PeriodSpec, now: EpochMs, evidence: Evidence): Known<Level> {
  const { lifetime, because } = evidence.account;
  if (lifetime === null) return { known: false, because: because ?? 'the account’s usage could not be read' };
  const { low, high } = accountLevel({ measure: 'cost' }, spanOf(spec, now, evidence), evidence);
  return { known: true, value: { low, high } };
}

/** As invoices, charges and payments name it. */
const settled = new Set(['completed', 'paid', 'succeeded']);
const cameToNothing = new Set(['failed', 'void', 'voided', 'canceled', 'cancelled']);

/** Exact: unknown where a sum is beyond the safe integers. */
export function billedIn(
  entries: readonly Entry[],
  { start, end }: { readonly start: EpochMs; readonly end: EpochMs },
): Known<Billed> {
  const sums = { invoiced: 0n, charged: 0n, other: 0n, pending: 0n };
  for (const entry of entries) {
    if (entry.at < start || entry.at >= end || cameToNothing.has(plain(entry.status))) continue;
    sums[columnOf(entry)] += BigInt(entry.amountMicroUsd);
  }
  const billed: Billed = {
    invoiced: Number(sums.invoiced),
    charged: Number(sums.charged),
    other: Number(sums.other),
    pending: Number(sums.pending),
  };
  const exact = Object.values(billed).every((sum) => Number.isSafeInteger(sum));
  return exact
    ? { known: true, value: billed }
    : { known: false, because: 'the transactions add up to an amount beyond all measure' };
}

function columnOf({ type, status }: Entry): keyof Billed {
  if (!settled.has(plain(status))) return 'pending';
  const kind = plain(type);
  return kind === 'invoice' ? 'invoiced' : kind === 'charge' ? 'charged' : 'other';
}

function plain(word: string): string {
  return word.trim().toLowerCase();
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Of a series of the last 24 hours that was read at `at`. */
export function ratesOf(
  { interval, points }: { readonly interval: string; readonly points: readonly Point[] },
  at: EpochMs,
): Rates {
  const intervalMs = goDurationMs(interval);
  let [tokens, requests] = [0, 0];
  let newest: Point | null = null;
  for (const point of points) {
    // By its middle: where the vendor's clock or its intervals do not begin with ours, most of it counts.
    if (point.at + (intervalMs ?? 0) / 2 < at - dayMs) continue;
    tokens += point.tokens;
    requests += point.requests;
    const over = intervalMs !== null && point.at + intervalMs <= at;
    if (over && point.at > (newest?.at ?? -Infinity)) newest = point;
  }
  const latest =
    newest === null || intervalMs === null
      ? null
      : { ...rate(newest, intervalMs), from: newest.at, to: newest.at + intervalMs };
  return { lastDay: rate({ tokens, requests }, dayMs), latest };
}

function rate(used: { readonly tokens: number; readonly requests: number }, ms: number): Rate {
  return {
    tokensPerHour: (used.tokens * hourMs) / ms,
    requestsPerHour: (used.requests * hourMs) / ms,
  };
}

const unitMs = { h: hourMs, m: 60_000, s: 1000, ms: 1 } as const;

/** A duration as Go prints it (`2h24m0s`); null: it is none, or not longer than nothing. */
export function goDurationMs(text: string): number | null {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return null;
  let sum = 0;
  // eslint-disable-next-line regexp/no-super-linear-move -- it passed the test above: no number without a unit
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(h|ms|m|s)/g))
    sum += Number(amount) * unitMs[unit as keyof typeof unitMs];
  return sum > 0 && Number.isFinite(sum) ? sum : null;
}

/** The daemon reads once an hour; what is much older says nothing of the present rate. */
const freshMs = 2 * hourMs;

/** The account's rate for a forecast; null: the series is not at hand. */
export function accountRateOf(reading: BooksReading | null, now: EpochMs): AccountRate | null {
  if (reading?.series.known !== true || Math.abs(now - reading.at) > freshMs) return null;
  const { lastDay } = ratesOf(reading.series.value, reading.at);
  return { tokens: lastDay.tokensPerHour / hourMs, requests: lastDay.requestsPerHour / hourMs };
}
