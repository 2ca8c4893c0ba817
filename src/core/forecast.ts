/** The level to expect at a period's end. */
import type { Estimate, Evidence } from './evidence.ts';
import type { Bench } from './judgement.ts';
import type { EpochMs, Measure, Window } from './key.ts';
import { windowMs } from './key.ts';
import type { Span } from './levels.ts';
import type { KeyRecord } from './state.ts';

const historyMs = 48 * 3_600_000;

/** The ledger's rate is that of the last day or the last week, whichever is larger. */
export const rateWindows = ['24h', '7d'] as const satisfies readonly Window[];

export interface Forecasting {
  readonly span: Span;
  readonly members: readonly KeyRecord[];
  readonly level: Estimate;
  readonly lately: () => readonly { readonly ms: number; readonly level: Estimate }[];
  /** What the vendor's series says of the same usage, per millisecond; null: nothing. */
  readonly seriesRate: number | null;
  readonly bench: Bench;
}

/** Null: the period has no end, or there is no series and no key of the case has been watched for 48 hours. */
export function forecastLevel(one: Forecasting): Estimate | null {
  const { span, members, level, lately, seriesRate, bench } = one;
  const { end } = span.period;
  if (end === null) return null;
  // The vendor's series is history too.
  if (seriesRate === null && !members.some((record) => record.firstSeenAt <= bench.now - historyMs))
    return null;
  const remaining = end - bench.now;
  let low = seriesRate ?? 0;
  let high: number | null = low;
  for (const one of lately()) {
    low = Math.max(low, one.level.low / one.ms);
    high = high === null || one.level.high === null ? null : Math.max(high, one.level.high / one.ms);
  }
  const most = level.high === null || high === null ? null : Math.ceil(level.high + high * remaining);
  return { low: Math.floor(level.low + low * remaining), high: most, likely: most };
}

/** The series tells tokens and requests of the whole account, and no cost. */
export function seriesRateOf(measure: Measure, { accountRate }: Evidence): number | null {
  return measure === 'cost' ? null : (accountRate?.[measure] ?? null);
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
