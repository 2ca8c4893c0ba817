import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../src/core/key.ts';
import { periodAt, periodWords } from '../../src/core/periods.ts';
import type { CalendarUnit, PeriodSpec } from '../../src/core/policy.ts';

const hour = 3_600_000;

function calendar(unit: CalendarUnit, timeZone: string, startsOn = 1) {
  return { kind: 'calendar', unit, startsOn, timeZone } as const;
}

/** A calendar period always has both ends. Worked out anew: of a spec it was asked for, the last one is remembered. */
function ends(spec: PeriodSpec, at: EpochMs): { start: EpochMs; end: EpochMs } {
  const { start, end } = periodAt({ ...spec }, at);
  if (start === null || end === null) throw new Error('a period without an end');
  return { start, end };
}

/** `2026-03-29T01:30Z` and the like, so that the tables can be read. */
function utc(at: EpochMs): string {
  return new Date(at).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

describe('a period of the calendar', () => {
  test.each(
    // prettier-ignore
    [
      ['an ordinary day', 'day', 'Europe/Berlin', 1, '2026-11-23T10:00Z', '2026-11-22T23:00Z', '2026-11-23T23:00Z'],
      ['a day of 23 hours', 'day', 'Europe/Berlin', 1, '2026-03-29T10:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
      ['a day of 25 hours', 'day', 'Europe/Berlin', 1, '2026-10-25T10:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
      ['a day of 23½ hours', 'day', 'Australia/Lord_Howe', 1, '2026-10-04T00:00Z', '2026-10-03T13:30Z', '2026-10-04T13:00Z'],
      ['a day of 24½ hours', 'day', 'Australia/Lord_Howe', 1, '2026-04-05T00:00Z', '2026-04-04T13:00Z', '2026-04-05T13:30Z'],
      ['a quarter-hour zone', 'day', 'Asia/Kathmandu', 1, '2026-06-01T00:00Z', '2026-05-31T18:15Z', '2026-06-01T18:15Z'],
      ['a day whose midnight is skipped', 'day', 'America/Sao_Paulo', 1, '2018-11-04T12:00Z', '2018-11-04T03:00Z', '2018-11-05T02:00Z'],
      ['a day whose last hour is repeated', 'day', 'America/Sao_Paulo', 1, '2018-02-18T02:30Z', '2018-02-17T02:00Z', '2018-02-18T03:00Z'],
      ['the day before a skipped date', 'day', 'Pacific/Apia', 1, '2011-12-30T09:59Z', '2011-12-29T10:00Z', '2011-12-30T10:00Z'],
      ['the day after a skipped date', 'day', 'Pacific/Apia', 1, '2011-12-30T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
      ['the day before a repeated minute of midnight', 'day', 'America/St_Johns', 1, '2010-11-07T02:29Z', '2010-11-06T02:30Z', '2010-11-07T02:30Z'],
      ['the end of a day repeated after the next has begun', 'day', 'America/St_Johns', 1, '2010-11-07T03:00Z', '2010-11-07T02:30Z', '2010-11-08T03:30Z'],
      ['an hour', 'hour', 'Asia/Kathmandu', 1, '2026-06-01T00:20Z', '2026-06-01T00:15Z', '2026-06-01T01:15Z'],
      ['the hour before a gap', 'hour', 'Europe/Berlin', 1, '2026-03-29T00:59Z', '2026-03-29T00:00Z', '2026-03-29T01:00Z'],
      ['the second of two equal hours', 'hour', 'Europe/Berlin', 1, '2026-10-25T01:30Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
      ['half an hour after a half-hour shift', 'hour', 'Australia/Lord_Howe', 1, '2026-10-03T15:40Z', '2026-10-03T15:30Z', '2026-10-03T16:00Z'],
      ['a minute before a shift at 00:01', 'hour', 'America/St_Johns', 1, '2010-03-14T03:30Z', '2010-03-14T03:30Z', '2010-03-14T03:31Z'],
      ['59 minutes after a shift at 00:01', 'hour', 'America/St_Johns', 1, '2010-03-14T03:31Z', '2010-03-14T03:31Z', '2010-03-14T04:30Z'],
      ['a week', 'week', 'Europe/Berlin', 1, '2026-11-29T22:59Z', '2026-11-22T23:00Z', '2026-11-29T23:00Z'],
      ['a week from Sunday', 'week', 'UTC', 7, '2026-11-28T23:59Z', '2026-11-22T00:00Z', '2026-11-29T00:00Z'],
      ['a week from Sunday, on Sunday', 'week', 'UTC', 7, '2026-11-29T00:00Z', '2026-11-29T00:00Z', '2026-12-06T00:00Z'],
      ['a month with a shift in it', 'month', 'Europe/Berlin', 1, '2026-10-31T22:59Z', '2026-09-30T22:00Z', '2026-10-31T23:00Z'],
      ['a month from the 15th, before it', 'month', 'UTC', 15, '2026-11-14T23:59Z', '2026-10-15T00:00Z', '2026-11-15T00:00Z'],
      ['a month from the 15th, on it', 'month', 'UTC', 15, '2026-11-15T00:00Z', '2026-11-15T00:00Z', '2026-12-15T00:00Z'],
      ['a month from the 31st, clamped', 'month', 'UTC', 31, '2026-02-28T00:00Z', '2026-02-28T00:00Z', '2026-03-31T00:00Z'],
      ['a month from the 31st, before it', 'month', 'UTC', 31, '2026-03-30T23:59Z', '2026-02-28T00:00Z', '2026-03-31T00:00Z'],
      ['a month from the 30th in a leap year', 'month', 'UTC', 30, '2028-02-29T12:00Z', '2028-02-29T00:00Z', '2028-03-30T00:00Z'],
      ['a month from the 29th in no leap year', 'month', 'UTC', 29, '2027-03-01T00:00Z', '2027-02-28T00:00Z', '2027-03-29T00:00Z'],
      ['a month from the 31st over the year’s end', 'month', 'UTC', 31, '2027-01-01T00:00Z', '2026-12-31T00:00Z', '2027-01-31T00:00Z'],
      ['a quarter', 'quarter', 'America/New_York', 1, '2027-01-01T04:59Z', '2026-10-01T04:00Z', '2027-01-01T05:00Z'],
      ['a leap year', 'year', 'UTC', 1, '2028-12-31T23:59Z', '2028-01-01T00:00Z', '2029-01-01T00:00Z'],
    ] as const,
  )('%s', (_what, unit, timeZone, startsOn, at, start, end) => {
    const period = ends(calendar(unit, timeZone, startsOn), Date.parse(at));
    expect([utc(period.start), utc(period.end)]).toEqual([start, end]);
  });

  const units = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
  const specs = fc
    .record({
      unit: fc.constantFrom(...units),
      timeZone: fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
      day: fc.integer({ min: 1, max: 31 }),
      weekday: fc.integer({ min: 1, max: 7 }),
    })
    .map(({ unit, timeZone, day, weekday }) =>
      calendar(unit, timeZone, unit === 'month' ? day : unit === 'week' ? weekday : 1),
    );
  const instants = fc.integer({ min: 0, max: Date.UTC(2100, 0) });
  const shifts = fc
    .record({ spec: specs, at: instants, off: fc.integer({ min: -2 * hour, max: 2 * hour }) })
    .map(({ spec, at, off }) => ({ spec, at: shiftBefore(spec.timeZone, at) + off }));
  const anywhere = fc.oneof(fc.record({ spec: specs, at: instants }), shifts);

  test('every instant belongs to exactly one, in every zone', () => {
    fc.assert(
      fc.property(anywhere, ({ spec, at }) => {
        const period = ends(spec, at);
        expect(period.start).toBeLessThanOrEqual(at);
        expect(period.end).toBeGreaterThan(at);
        expect(ends(spec, period.start)).toEqual(period);
        expect(ends(spec, period.end - 1)).toEqual(period);
        expect(ends(spec, period.end).start).toBe(period.end);
        expect(ends(spec, period.start - 1).end).toBe(period.start);
      }),
      { numRuns: 600 },
    );
  });

  test('a day has the date’s first instant in it and lasts 24 hours, but for what clocks were shifted', () => {
    fc.assert(
      fc.property(anywhere, ({ spec, at }) => {
        const { start, end } = ends(calendar('day', spec.timeZone), at);
        const first = local(spec.timeZone, start);
        expect(first.equals(first.startOfDay())).toBe(true);
        expect(
          local(spec.timeZone, start - 1)
            .toPlainDate()
            .until(first.toPlainDate()).days,
        ).toBeGreaterThan(0);
        const days = first.toPlainDate().until(local(spec.timeZone, end).toPlainDate()).days;
        const off = Math.abs(end - start - days * 24 * hour);
        expect(off).toBeLessThanOrEqual(shifted(spec.timeZone, start - 1, end));
        expect(days).toBeLessThanOrEqual(2);
      }),
      { numRuns: 600 },
    );
  });

  test('weeks, months, quarters and years begin on the dates they say', () => {
    fc.assert(
      fc.property(anywhere, ({ spec, at }) => {
        const { start } = ends(spec, at);
        const date = local(spec.timeZone, start).toPlainDate();
        // Where a date is skipped the period begins on the next one.
        const eve = local(spec.timeZone, start - 1).toPlainDate();
        const skips = eve.until(date).days !== 1;
        if (spec.unit === 'hour' || spec.unit === 'day' || skips) return;
        if (spec.unit === 'week') expect(date.dayOfWeek).toBe(spec.startsOn);
        else expect(date.day).toBe(Math.min(spec.startsOn, date.daysInMonth));
        if (spec.unit === 'quarter') expect([1, 4, 7, 10]).toContain(date.month);
        if (spec.unit === 'year') expect(date.month).toBe(1);
      }),
      { numRuns: 600 },
    );
  });

  test('is the same whichever was asked for before', () => {
    fc.assert(
      fc.property(anywhere, fc.array(fc.nat(6), { maxLength: 8 }), ({ spec, at }, places) => {
        const { start, end } = ends(spec, at);
        const moments = [at, start - 1, start, end - 1, end, 2 * start - end, 2 * end - start];
        for (const moment of [at, ...places.map((place) => moments[place] ?? at)])
          expect(periodAt(spec, moment)).toEqual(ends(spec, moment));
      }),
      { numRuns: 600 },
    );
  });

  function local(timeZone: string, at: EpochMs): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  }

  /** By how much the clocks were shifted between two instants, all in all: an hour, or nothing, on most days. */
  function shifted(timeZone: string, from: EpochMs, to: EpochMs): number {
    const next = local(timeZone, from).getTimeZoneTransition('next');
    if (next === null || next.epochMilliseconds > to) return 0;
    const eve = local(timeZone, next.epochMilliseconds - 1);
    const by = Math.abs(next.offsetNanoseconds - eve.offsetNanoseconds) / 1e6;
    return by + shifted(timeZone, next.epochMilliseconds, to);
  }

  function shiftBefore(timeZone: string, at: EpochMs): EpochMs {
    return local(timeZone, at).getTimeZoneTransition('previous')?.epochMilliseconds ?? at;
  }
});

test('a rolling window ends now, a lifetime has no ends', () => {
  const at = Date.UTC(2026, 10, 23);
  expect(periodAt({ kind: 'rolling', window: '7d' }, at)).toEqual({ start: at - 7 * 24 * hour, end: null });
  expect(periodAt({ kind: 'lifetime' }, at)).toEqual({ start: null, end: null });
});

test.each([
  [calendar('hour', 'Asia/Kathmandu'), '23 Nov 2026, 15:00 hour'],
  [calendar('day', 'Pacific/Auckland'), '23 Nov 2026'],
  [calendar('week', 'UTC', 7), 'week from 22 Nov 2026'],
  [calendar('month', 'UTC'), 'November 2026'],
  [calendar('month', 'UTC', 15), 'month from 15 Nov 2026'],
  [calendar('quarter', 'UTC'), 'Q4 2026'],
  [calendar('year', 'UTC'), '2026'],
  [{ kind: 'rolling', window: '24h' } as const, 'last 24h'],
  [{ kind: 'lifetime' } as const, 'lifetime'],
])('%j in words', (spec, words) => {
  const at = Date.parse('2026-11-23T09:30:00Z');
  expect(periodWords(spec, periodAt(spec, at))).toBe(words);
});
