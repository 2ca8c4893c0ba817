/** Money, amounts, durations and times as people read them. */
import type { Level } from '../../core/alert.ts';
import type { EpochMs, Measure } from '../../core/key.ts';

type Rounding = 'floor' | 'ceil';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** "$20.00", "$1,234.56", "$0.0042". Never shown as more than it is with `floor`, or less with `ceil`. */
export function money(microUsd: number, rounding: Rounding = 'floor'): string {
  const small = Math.abs(microUsd) < 1_000_000 && microUsd % 10_000 !== 0;
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: 2,
    maximumFractionDigits: small ? 6 : 2,
    roundingMode: rounding,
  }).format(decimal(microUsd));
}

/** Micro-dollars as exact decimal text. */
function decimal(microUsd: number): Intl.StringNumericLiteral {
  const digits = String(Math.abs(microUsd)).padStart(7, '0');
  const sign = microUsd < 0 ? '-' : '';
  return `${sign}${digits.slice(0, -6)}.${digits.slice(-6)}` as Intl.StringNumericLiteral;
}

/** "$20.00", "1,234,567 tokens", "1 request". */
export function amount(value: number, measure: Measure, rounding: Rounding = 'floor'): string {
  if (measure === 'cost') return money(value, rounding);
  return `${value.toLocaleString('en-US')} ${value === 1 ? measure.slice(0, -1) : measure}`;
}

/** For headlines: "$20", "1.2M tokens". Never rounded up. */
export function shortAmount(value: number, measure: Measure): string {
  if (measure === 'cost') return money(value).replace(/\.00$/, '');
  for (const [unit, name] of [
    [1e9, 'B'],
    [1e6, 'M'],
  ] as const) {
    if (value >= unit) return `${String(Math.floor((value * 10) / unit) / 10)}${name} ${measure}`;
  }
  return amount(value, measure);
}

/**
 * "$21.40 of $20.00", "between 1,100 and 1,200 of 1,000 tokens", "at least $18.20 of $20.00": what is
 * known of a level, and no more.
 */
export function levelOfLimit(level: Level, limit: number, measure: Measure): string {
  const bare = (value: number, rounding: Rounding): string =>
    measure === 'cost' ? money(value, rounding) : value.toLocaleString('en-US');
  const low = bare(level.low, 'floor');
  const high = level.high === null ? null : bare(level.high, level.high === level.low ? 'floor' : 'ceil');
  const known = high === null ? `at least ${low}` : high === low ? low : `between ${low} and ${high}`;
  return `${known} of ${amount(limit, measure)}`;
}

/** "90 minutes", "24 hours", "7 days": rounded to the unit people would use. */
export function duration(ms: number): string {
  if (ms < minuteMs) return 'less than a minute';
  const minutes = Math.round(ms / minuteMs);
  if (minutes < 120 && minutes % 60 !== 0) return plural(minutes, 'minute');
  const hours = Math.round(ms / hourMs);
  if (hours < 48 || (hours < 72 && hours % 24 !== 0)) return plural(hours, 'hour');
  return plural(Math.round(hours / 24), 'day');
}

/** "in 24 hours", "7 days ago", "now". */
export function fromNow(instant: EpochMs, now: EpochMs): string {
  const ms = instant - now;
  if (Math.abs(ms) < minuteMs) return 'now';
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** "Tue 24 Nov 2026, 10:00 CET", in the given IANA zone. */
export function time(instant: EpochMs, timeZone: string): string {
  const parts = partsOf(formatter(timeZone, 'en-GB'), instant);
  return `${parts('weekday')} ${parts('day')} ${parts('month')} ${parts('year')}, ${parts('hour')}:${parts('minute')} ${zoneName(instant, timeZone)}`;
}

/** "CET", "EST"; for zones without an abbreviation in English "GMT+9". Which names exist depends on the locale. */
function zoneName(instant: EpochMs, timeZone: string): string {
  const names = ['en-GB', 'en-US', 'en-AU', 'en-IN'].map((locale) =>
    partsOf(formatter(timeZone, locale), instant)('timeZoneName'),
  );
  return names.find((name) => !/\d/.test(name)) ?? names[0] ?? timeZone;
}

function partsOf(
  format: Intl.DateTimeFormat,
  instant: EpochMs,
): (type: Intl.DateTimeFormatPartTypes) => string {
  const parts = format.formatToParts(instant);
  return (type) => parts.find((part) => part.type === type)?.value ?? '';
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one is a thousand times slower than using one. */
function formatter(timeZone: string, locale: string): Intl.DateTimeFormat {
  const id = `${timeZone} ${locale}`;
  const known = formatters.get(id);
  if (known) return known;
  const made = new Intl.DateTimeFormat(locale, {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
  formatters.set(id, made);
  return made;
}
