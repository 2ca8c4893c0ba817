/**
 * Calendars worked out without Temporal, to check it by: a zone is a list of stretches of one offset
 * each, read off `Intl`; dates are whole numbers of days; and a date begins at the first instant whose
 * wall clock shows it or a later one. Good for periods between `firstYear` and `lastYear`.
 */
import type { EpochMs } from '../../src/core/key.ts';
import type { CalendarUnit } from '../../src/core/policy.ts';

export const firstYear = 1970;
export const lastYear = 2037;

export const hour = 3_600_000;
export const day = 24 * hour;

/** From `from` to `until` the wall clock shows the time of UTC plus `offset`. */
export interface Stretch {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly offset: number;
}

export interface Unit {
  readonly unit: CalendarUnit;
  readonly startsOn: number;
}

export interface Ends {
  readonly start: EpochMs;
  readonly end: EpochMs;
}

/** A year more on each side, so that periods at the edges are whole. */
const firstDay = Date.UTC(firstYear - 1, 0) / day;
const lastDay = Date.UTC(lastYear + 2, 0) / day;

/** No stretch since 1970 is shorter than America/Boa_Vista's 6 days and 23 hours of summer in 2000. */
const stride = 5 * day;

export function stretchesOf(timeZone: string): Stretch[] {
  const offsetText = offsetReader(timeZone);
  const stretches: Stretch[] = [];
  let from = firstDay * day;
  let here = offsetText(from);
  for (let at = from; at < lastDay * day; at += stride) {
    if (offsetText(at + stride) === here) continue;
    const until = firstWithout(here, offsetText, at, at + stride);
    stretches.push({ from, until, offset: offsetMs(here) });
    from = until;
    here = offsetText(until);
  }
  return [...stretches, { from, until: (lastDay + 1) * day, offset: offsetMs(here) }];
}

/** `-03:30`, or nothing at all where it is UTC's own. */
function offsetReader(timeZone: string): (at: EpochMs) => string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (at) => format.format(at).split('GMT')[1] ?? '';
}

function offsetMs(text: string): number {
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /^([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  const size = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -size : size;
}

/** Clocks are shifted on whole seconds. */
function firstWithout(
  offset: string,
  offsetText: (at: EpochMs) => string,
  from: EpochMs,
  to: EpochMs,
): EpochMs {
  let [before, after] = [from / 1000, to / 1000];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetText(middle * 1000) === offset) before = middle;
    else after = middle;
  }
  return after * 1000;
}

/** The period of the zone that `at` lies in. */
export function oracle(stretches: readonly Stretch[]): (unit: Unit, at: EpochMs) => Ends {
  const dates = dateStarts(stretches);
  const starts = new Map<string, readonly EpochMs[]>();
  return (unit, at) => {
    if (unit.unit === 'hour') return hourAround(stretches, at);
    const name = `${unit.unit} ${String(unit.startsOn)}`;
    const known = starts.get(name) ?? distinct(firstDates(unit).map((date) => dates[date - firstDay] ?? NaN));
    starts.set(name, known);
    const index = lastAtOrBefore(known, at);
    return { start: known[index] ?? NaN, end: known[index + 1] ?? NaN };
  };
}

/** When each date begins, from `firstDay` on. A date that is skipped begins when the next one does. */
function dateStarts(stretches: readonly Stretch[]): EpochMs[] {
  const starts: EpochMs[] = [];
  let index = 0;
  for (const stretch of stretches) {
    while (firstDay + index <= lastDay && (firstDay + index) * day < stretch.until + stretch.offset) {
      starts.push(Math.max(stretch.from, (firstDay + index) * day - stretch.offset));
      index += 1;
    }
  }
  return starts;
}

const firstDatesOf = new Map<string, number[]>();

/** The dates on which such a period begins, in days since 1970. */
function firstDates(unit: Unit): number[] {
  const name = `${unit.unit} ${String(unit.startsOn)}`;
  const dates = firstDatesOf.get(name) ?? everyDate.filter((date) => begins(unit, date));
  firstDatesOf.set(name, dates);
  return dates;
}

const everyDate = Array.from({ length: lastDay - firstDay + 1 }, (_, index) => firstDay + index);

function begins({ unit, startsOn }: Unit, date: number): boolean {
  const [month, dayOfMonth] = [monthOf(date), new Date(date * day).getUTCDate()];
  const isLastOfMonth = monthOf(date + 1) !== month;
  switch (unit) {
    case 'hour':
    case 'day':
      return true;
    case 'week':
      return (new Date(date * day).getUTCDay() || 7) === startsOn;
    case 'month':
      return dayOfMonth === startsOn || (isLastOfMonth && dayOfMonth < startsOn);
    case 'quarter':
      return dayOfMonth === 1 && month % 3 === 0;
    case 'year':
      return dayOfMonth === 1 && month === 0;
    default:
      return unit satisfies never;
  }
}

function monthOf(date: number): number {
  return new Date(date * day).getUTCMonth();
}

/** Whole hours of the wall clock, cut where the clocks are shifted. */
function hourAround(stretches: readonly Stretch[], at: EpochMs): Ends {
  const index = lastAtOrBefore(
    stretches.map(({ from }) => from),
    at,
  );
  const { from = NaN, until = NaN, offset = NaN } = stretches[index] ?? {};
  const whole = Math.floor((at + offset) / hour) * hour - offset;
  return { start: Math.max(from, whole), end: Math.min(until, whole + hour) };
}

function distinct(sorted: readonly number[]): number[] {
  return sorted.filter((value, index) => value !== sorted[index - 1]);
}

function lastAtOrBefore(sorted: readonly number[], value: number): number {
  let [low, high] = [-1, sorted.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) <= value) low = middle;
    else high = middle;
  }
  return low;
}
