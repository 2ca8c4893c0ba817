/** The last days of a case as a picture, and what it shows in words. */
import type { EpochMs, Measure } from '../../core/key.ts';
import type { DailyUse } from '../../ports.ts';
import type { Chart } from './message.ts';
import { drawDays, pictureSize } from './picture.ts';
import { amount, plural } from './words.ts';

/** `days` not empty, oldest first, the running day last. */
export function chartOf(days: readonly DailyUse[], measure: Measure): Chart {
  return {
    title: `${nouns[measure]} a day, last ${plural(days.length, 'day')} (UTC)`,
    summary: summaryOf(days, measure),
    from: dayWords(days[0]?.day ?? 0),
    png: drawDays(days.map(({ used }) => used)),
    ...pictureSize,
  };
}

const nouns = { cost: 'Spend', tokens: 'Tokens', requests: 'Requests' } as const satisfies Record<
  Measure,
  string
>;

function summaryOf(days: readonly DailyUse[], measure: Measure): string {
  const highest = days.reduce<DailyUse | null>(
    (top, one) => ((one.used ?? 0) > (top?.used ?? 0) ? one : top),
    null,
  );
  const today = days.at(-1)?.used ?? null;
  const unknown = days.filter(({ used }) => used === null).length;
  const words = [
    highest === null
      ? 'nothing used'
      : `highest ${shown(highest.used ?? 0, measure)} on ${dayWords(highest.day)}`,
    today === null ? 'today not known' : `today ${shown(today, measure)} so far`,
    ...(unknown === 0 ? [] : [`${plural(unknown, 'day')} not known (hatched)`]),
  ];
  return words.join('; ');
}

/** Whole cents, if there are any. */
function shown(used: number, measure: Measure): string {
  const unit = measure === 'cost' && used >= 10_000 ? 10_000 : 1;
  return amount(Math.floor(used / unit) * unit, measure);
}

/** "12 Nov", in UTC. */
function dayWords(day: EpochMs): string {
  return dayFormat.format(day);
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
