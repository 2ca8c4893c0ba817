/** The wall clock of a time zone, by the host's own tables. For zones whose clocks are not set at midnight. */
import { dayMs } from './units.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/** What is to be added to UTC at that instant. */
export function offsetMs(timeZone: string, at: number): number {
  if (timeZone === 'UTC') return 0;
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
      ...({ hour: 'numeric', minute: 'numeric', second: 'numeric' } as const),
    });
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return local - Math.floor(at / 1000) * 1000;
}

/** The instant at which the wall clock shows this, as if that were UTC. */
export function instantOf(timeZone: string, local: number): number {
  const near = local - offsetMs(timeZone, local);
  return local - offsetMs(timeZone, near);
}

/** The days of the wall clock since 1970. */
export function dayOf(timeZone: string, at: number): number {
  return Math.floor((at + offsetMs(timeZone, at)) / dayMs);
}
