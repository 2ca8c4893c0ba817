/**
 * Calendar and rolling periods. Every instant belongs to exactly one period of a calendar,
 * daylight saving, skipped dates and repeated midnights included.
 */
import { Temporal } from 'temporal-polyfill';
import { windowMs, type EpochMs } from './key.ts';
import type { PeriodSpec } from './policy.ts';

export interface Period {
  /** Null: since the key was created. */
  readonly start: EpochMs | null;
  /** Null: the period does not end (rolling, lifetime). */
  readonly end: EpochMs | null;
}

/** A period with both its ends. */
interface Span extends Period {
  readonly start: EpochMs;
  readonly end: EpochMs;
}

type CalendarSpec = Extract<PeriodSpec, { kind: 'calendar' }>;

/** The period of `spec` that `at` lies in: `start` ≤ `at` < `end`. */
export function periodAt(spec: PeriodSpec, at: EpochMs): Period {
  switch (spec.kind) {
    case 'lifetime':
      return { start: null, end: null };
    case 'rolling':
      return { start: at - windowMs[spec.window], end: null };
    case 'calendar':
      return calendarPeriodAt(spec, at);
    default:
      return spec satisfies never;
  }
}

/** The one that was asked for last: it is asked for in every judgement, and the same one for as long as it lasts. */
const lastPeriods = new WeakMap<CalendarSpec, Span>();

function calendarPeriodAt(spec: CalendarSpec, at: EpochMs): Period {
  const last = lastPeriods.get(spec);
  if (last !== undefined && last.start <= at && at < last.end) return last;
  const period = spec.unit === 'hour' ? hourAt(spec.timeZone, at) : datePeriodAt(spec, at);
  lastPeriods.set(spec, period);
  return period;
}

const hourMs = 3_600_000;

/** An hour of the wall clock; where a shift of the clocks falls inside one, it ends there and another begins. */
function hourAt(timeZone: string, at: EpochMs): Span {
  const here = zoned(timeZone, at);
  const offset = offsetMs(here);
  const start = at - mod(at + offset, hourMs);
  const end = start + hourMs;
  return {
    start: offsetMs(zoned(timeZone, start)) === offset ? start : shift(here, 'previous', start),
    end: offsetMs(zoned(timeZone, end - 1)) === offset ? end : shift(here, 'next', end),
  };
}

/** The shift at `from` itself or the last one before it, or the next one after it; `otherwise` where there is none. */
function shift(from: Temporal.ZonedDateTime, side: 'previous' | 'next', otherwise: EpochMs): EpochMs {
  const start = side === 'previous' ? from.add({ nanoseconds: 1 }) : from;
  return start.getTimeZoneTransition(side)?.epochMilliseconds ?? otherwise;
}

function offsetMs(at: Temporal.ZonedDateTime): number {
  return at.offsetNanoseconds / 1e6;
}

function mod(dividend: number, divisor: number): number {
  return ((dividend % divisor) + divisor) % divisor;
}

function datePeriodAt(spec: CalendarSpec, at: EpochMs): Span {
  let date = periodDate(spec, zoned(spec.timeZone, at).toPlainDate());
  let end = startOfDay(spec, nextDate(spec, date));
  // Clocks set back over midnight repeat the end of a day after the next one has begun; a date
  // skipped altogether is an empty period. In both cases the later period is the one.
  while (end <= at) {
    date = nextDate(spec, date);
    end = startOfDay(spec, nextDate(spec, date));
  }
  return { start: startOfDay(spec, date), end };
}

/** The date on which the period that contains `date` begins. */
function periodDate(spec: CalendarSpec, date: Temporal.PlainDate): Temporal.PlainDate {
  switch (spec.unit) {
    case 'hour':
    case 'day':
      return date;
    case 'week':
      return date.subtract({ days: (date.dayOfWeek - spec.startsOn + 7) % 7 });
    case 'month': {
      const here = clampDay(date, spec.startsOn);
      return Temporal.PlainDate.compare(date, here) >= 0
        ? here
        : clampDay(date.subtract({ months: 1 }), spec.startsOn);
    }
    case 'quarter':
      return date.with({ month: date.month - ((date.month - 1) % 3), day: 1 });
    case 'year':
      return date.with({ month: 1, day: 1 });
    default:
      return spec.unit satisfies never;
  }
}

function nextDate(spec: CalendarSpec, start: Temporal.PlainDate): Temporal.PlainDate {
  switch (spec.unit) {
    case 'hour':
    case 'day':
      return start.add({ days: 1 });
    case 'week':
      return start.add({ days: 7 });
    case 'month':
      return clampDay(start.with({ day: 1 }).add({ months: 1 }), spec.startsOn);
    case 'quarter':
      return start.add({ months: 3 });
    case 'year':
      return start.add({ years: 1 });
    default:
      return spec.unit satisfies never;
  }
}

function clampDay(date: Temporal.PlainDate, day: number): Temporal.PlainDate {
  return date.with({ day: Math.min(day, date.daysInMonth) });
}

function startOfDay(spec: CalendarSpec, date: Temporal.PlainDate): EpochMs {
  return date.toZonedDateTime({ timeZone: spec.timeZone }).epochMilliseconds;
}

function zoned(timeZone: string, at: EpochMs): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
}

const longMonths = [
  'January', 'February', 'March', 'April', 'May', 'June',
  'July', 'August', 'September', 'October', 'November', 'December',
]; // prettier-ignore

/** A period in words: "November 2026", "week from 23 Nov 2026", "last 24h", "lifetime". */
export function periodWords(spec: PeriodSpec, period: Period): string {
  if (spec.kind === 'rolling') return `last ${spec.window}`;
  if (spec.kind === 'lifetime' || period.start === null) return 'lifetime';
  const start = zoned(spec.timeZone, period.start);
  const month = longMonths[start.month - 1] ?? '';
  const day = `${String(start.day)} ${month.slice(0, 3)} ${String(start.year)}`;
  switch (spec.unit) {
    case 'hour':
      return `${day}, ${start.toPlainTime().toString({ smallestUnit: 'minute' })} hour`;
    case 'day':
      return day;
    case 'week':
      return `week from ${day}`;
    case 'month':
      return spec.startsOn === 1 ? `${month} ${String(start.year)}` : `month from ${day}`;
    case 'quarter':
      return `Q${String(Math.ceil(start.month / 3))} ${String(start.year)}`;
    case 'year':
      return String(start.year);
    default:
      return spec.unit satisfies never;
  }
}
