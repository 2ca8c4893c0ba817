/** Quiet hours of a channel, in its own time zone, daylight saving included. */
import { Temporal } from 'temporal-polyfill';
import type { Alert } from '../core/alert.ts';
import type { EpochMs } from '../core/key.ts';
import type { Quiet } from '../core/policy.ts';

/** Quiet hours that follow one another without a gap are one night; a year of them is a mistake. */
const maxNights = 8;

/** When the quiet hours that hold `at` are over; null when none do. */
export function quietUntil(quiet: Quiet, at: EpochMs): EpochMs | null {
  let end: EpochMs | null = null;
  for (let night = 0; night < maxNights; night += 1) {
    const next = nightEnd(quiet, end ?? at);
    if (next === null) break;
    end = next;
  }
  return end;
}

/** Until when a channel's quiet hours hold a message with these alerts back; null: it may go now. */
export function heldUntil(quiet: Quiet | null, alerts: readonly Alert[], at: EpochMs): EpochMs | null {
  return quiet === null || alerts.some((alert) => excepted(quiet, alert)) ? null : quietUntil(quiet, at);
}

/** Does the channel's `except` let this alert through at once? */
function excepted(quiet: Quiet, alert: Alert): boolean {
  if (alert.topic === 'system') return false;
  const { event } = alert;
  if (event.kind === 'notice') return quiet.except.includes('notice');
  const aboutDeletion = event.kind === 'deleted' || (event.kind === 'failed' && event.change === 'delete');
  return aboutDeletion && quiet.except.includes('delete');
}

/** The hours may have begun today or, over midnight, yesterday. */
function nightEnd(quiet: Quiet, at: EpochMs): EpochMs | null {
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(quiet.timeZone).toPlainDate();
  for (const date of [today.subtract({ days: 1 }), today]) {
    if (!quiet.days.includes(date.dayOfWeek)) continue;
    const overMidnight = quiet.toMinute <= quiet.fromMinute;
    const start = wallClock(date, quiet.fromMinute, quiet.timeZone);
    const end = wallClock(overMidnight ? date.add({ days: 1 }) : date, quiet.toMinute, quiet.timeZone);
    if (start <= at && at < end) return end;
  }
  return null;
}

function wallClock(date: Temporal.PlainDate, minute: number, timeZone: string): EpochMs {
  return date.toPlainDateTime().add({ minutes: minute }).toZonedDateTime(timeZone).epochMilliseconds;
}
