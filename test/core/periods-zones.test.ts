import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../src/core/key.ts';
import { periodAt } from '../../src/core/periods.ts';
import { isTimeZone } from '../../src/policy/values.ts';
import { day, firstYear, hour, lastYear, oracle, stretchesOf } from './calendar-oracle.ts';
import type { Ends, Stretch, Unit } from './calendar-oracle.ts';
import { tzLinks } from './tz-links.ts';

const anyCase = ['utc', 'europe/berlin', 'AMERICA/NEW_YORK'];
const zones = Intl.supportedValuesOf('timeZone');
const areas = Map.groupBy(zones, (zone) => zone.slice(0, zone.indexOf('/')));

const units: readonly Unit[] = [
  ...(['hour', 'day', 'quarter', 'year'] as const).map((unit) => ({ unit, startsOn: 1 })),
  ...[1, 6, 7].map((startsOn) => ({ unit: 'week', startsOn }) as const),
  ...[1, 15, 29, 30, 31].map((startsOn) => ({ unit: 'month', startsOn }) as const),
];

/** Months of every length, leap years and others, a century that is one, the year's end. */
const dates = [
  '1972-02-29',
  '1999-12-31',
  '2000-02-29',
  '2026-04-30',
  '2026-12-31',
  '2027-02-28',
  '2028-02-29',
  '2037-10-31',
].map((date) => Date.parse(`${date}T12:00Z`));

interface Zone {
  readonly stretches: readonly Stretch[];
  readonly periods: (unit: Unit, at: EpochMs) => Ends;
}

const zonesByName = new Map<string, Zone>();

/** Read once for all the names of a zone. */
function zoneOf(name: string): Zone {
  const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
  const known = zonesByName.get(timeZone) ?? read(timeZone);
  zonesByName.set(timeZone, known);
  return known;
}

function read(timeZone: string): Zone {
  const stretches = stretchesOf(timeZone);
  return { stretches, periods: oracle(stretches) };
}

interface Shift {
  readonly at: EpochMs;
  readonly by: number;
  /** Not the common hour in the middle of the night: by something else, over midnight, or soon undone. */
  readonly odd: boolean;
}

function shifts(timeZone: string): Shift[] {
  const all = zoneOf(timeZone).stretches.flatMap(({ from: at, until, offset }, index, list) => {
    const before = list[index - 1];
    if (before === undefined) return [];
    const by = offset - before.offset;
    const passed = dateNumber(at - day / 48, before.offset) !== dateNumber(at + day / 48, offset);
    return [{ at, by, odd: Math.abs(by) !== hour || passed || until - at < 60 * day }];
  });
  return all.filter(({ at }) => at >= Date.UTC(firstYear, 0) && at < Date.UTC(lastYear + 1, 0));
}

function dateNumber(at: EpochMs, offset: number): number {
  return Math.floor((at + offset) / day);
}

/** At most `count`, from all over the list. */
function spread<T>(list: readonly T[], count: number): T[] {
  const step = Math.max(1, list.length / count);
  return Array.from(
    { length: Math.min(count, list.length) },
    (_, index) => list[Math.floor(index * step)] as T,
  );
}

function ends(unit: Unit, timeZone: string, at: EpochMs): Ends {
  const { start, end } = periodAt({ kind: 'calendar', ...unit, timeZone }, at);
  return { start: start ?? NaN, end: end ?? NaN };
}

/** `2026-03-29T01:00:00.000Z` and the like, so that a failure can be read. */
function said({ unit, startsOn }: Unit, timeZone: string, at: EpochMs, { start, end }: Ends): string {
  const [moment, from, to] = [at, start, end].map((one) => new Date(one).toISOString());
  return `${timeZone} ${unit} from ${String(startsOn)} at ${String(moment)}: ${String(from)} to ${String(to)}`;
}

/** Where `periodAt` is not what the oracle says: around shifts of the clocks and at the ends of months. */
function differences(timeZone: string, units: readonly Unit[], odd: number, usual: number): string[] {
  const { periods } = zoneOf(timeZone);
  const all = shifts(timeZone);
  const chosen = [
    ...spread(
      all.filter((one) => one.odd),
      odd,
    ),
    ...spread(
      all.filter((one) => !one.odd),
      usual,
    ),
  ];
  const moments = chosen.flatMap(({ at }) => [at - 1, at]);
  return units.flatMap((unit) => {
    const edges = [...moments, ...dates].flatMap((moment) => {
      const { start, end } = periods(unit, moment);
      return [moment, start, end - 1];
    });
    return [...new Set(edges)].flatMap((at) => {
      const [is, should] = [ends(unit, timeZone, at), periods(unit, at)];
      if (is.start === should.start && is.end === should.end) return [];
      return [`${said(unit, timeZone, at, is)}, not ${said(unit, timeZone, at, should)}`];
    });
  });
}

/** The year of the zone's greatest shift of the clocks; a leap year where there is none. */
function liveliestYear(timeZone: string): number {
  const [greatest] = shifts(timeZone).sort((a, b) => Math.abs(b.by) - Math.abs(a.by) || b.at - a.at);
  return greatest === undefined ? 2028 : new Date(greatest.at).getUTCFullYear();
}

/** Enough to tell whether a name stands for the same clocks. */
const few = units.filter(({ unit }) => ['hour', 'day', 'year'].includes(unit));

const seamed: readonly Unit[] = [
  { unit: 'day', startsOn: 1 },
  { unit: 'week', startsOn: 7 },
  { unit: 'month', startsOn: 31 },
  { unit: 'quarter', startsOn: 1 },
  { unit: 'year', startsOn: 1 },
];

/** The first place where a period does not begin as the one before it ends. */
function seams(unit: Unit, timeZone: string, from: EpochMs, to: EpochMs): string[] {
  let at = from;
  let period = ends(unit, timeZone, at);
  while (period.end < to) {
    const next = ends(unit, timeZone, period.end);
    if (next.start !== period.end || next.end <= next.start) {
      return [`${said(unit, timeZone, at, period)}; ${said(unit, timeZone, period.end, next)}`];
    }
    [at, period] = [period.end, next];
  }
  return [];
}

describe.each([...areas])('periods in %s', (_area, here) => {
  test('are the oracle’s, around shifts of the clocks and at the ends of months', () => {
    expect(here.flatMap((zone) => differences(zone, units, 5, 2)).slice(0, 5)).toEqual([]);
  });

  test('follow one another without a gap or an overlap, all through the year of the greatest shift', () => {
    const wrong = here.flatMap((zone) => {
      const year = liveliestYear(zone);
      const [from, to] = [Date.UTC(year, 0), Date.UTC(year + 1, 0)];
      const around = shifts(zone).filter(({ at }) => at >= from && at < to);
      return [
        ...seamed.flatMap((unit) => seams(unit, zone, from, to)),
        // Hours are whole but for those that the clocks were shifted in.
        ...around.flatMap(({ at }) =>
          seams({ unit: 'hour', startsOn: 1 }, zone, at - 3 * hour, at + 3 * hour),
        ),
      ];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

describe('other names of zones', () => {
  test.each([...tzLinks, ...anyCase])('%s', (zone) => {
    expect(isTimeZone(zone)).toBe(true);
    expect(differences(zone, few, 3, 2).slice(0, 5)).toEqual([]);
  });
});
