/** The level to expect at a period's end. */
import type { Estimate } from './evidence.ts';
import type { Bench } from './judgement.ts';
import type { EpochMs, Window } from './key.ts';
import { windowMs } from './key.ts';
import type { Span } from './levels.ts';
import type { KeyRecord } from './state.ts';

const historyMs = 48 * 3_600_000;

/** A rate is that of the last day or the last week, whichever is larger; both from the ledger. */
export const rateWindows = ['24h', '7d'] as const satisfies readonly Window[];

export interface Forecasting {
  readonly span: Span;
  readonly members: readonly KeyRecord[];
  readonly level: Estimate;
  readonly lately: () => readonly { readonly ms: number; readonly level: Estimate }[];
  readonly bench: Bench;
}

/** Null: the period has no end, or no key of the case has been watched for 48 hours. */
export function forecastLevel({ span, members, level, lately, bench }: Forecasting): Estimate | null {
  const { end } = span.period;
  if (end === null || !members.some((record) => record.firstSeenAt <= bench.now - historyMs)) return null;
  const remaining = end - bench.now;
  let low = 0;
  let high: number | null = 0;
  for (const one of lately()) {
    low = Math.max(low, one.level.low / one.ms);
    high = high === null || one.level.high === null ? null : Math.max(high, one.level.high / one.ms);
  }
  const most = level.high === null || high === null ? null : Math.ceil(level.high + high * remaining);
  return { low: Math.floor(level.low + low * remaining), high: most, likely: most };
}

/** What was consumed in the last day and the last week. `level` measures one span. */
export function consumedLately(
  { now, evidence }: Bench,
  level: (span: Span) => Estimate,
): { ms: number; level: Estimate }[] {
  return rateWindows.map((window) => {
    const start: EpochMs = now - windowMs[window];
    const span: Span = { period: { start, end: null }, window, marks: evidence.marks.get(window) };
    return { ms: windowMs[window], level: level(span) };
  });
}
