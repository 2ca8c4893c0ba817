/**
 * Consumption since an instant, as an interval, from counters around that instant and from
 * readings of rolling windows. The formulas:
 *
 * - `low  = C(now) − C(first sample at or after P + lag)`
 * - `high = C(now) − C(last sample at or before P)`; `C(now)` without such a sample; exact if the
 *   key is younger than P
 * - a window reading R with `now − R ≥ P` raises `low`; with `now − R ≤ P` it lowers `high`
 */
import { addLevels, lowerCounters, measured, nothingKnown, zeroCounters } from './evidence.ts';
import type { Bounds, Estimate, Evidence, KeyEvidence, Marks } from './evidence.ts';
import { windowMs } from './key.ts';
import type { Counters, EpochMs, Measure, Window } from './key.ts';
import { periodAt } from './periods.ts';
import type { Period } from './periods.ts';
import type { PeriodSpec, SpendRule } from './policy.ts';
import type { KeyRecord, Mark } from './state.ts';

export type Meter = (counters: Counters) => number;

/** Made once: a decision measures every key for every policy. */
export const meters: Readonly<Record<Measure, Meter>> = {
  cost: (counters) => measured(counters, 'cost'),
  tokens: (counters) => measured(counters, 'tokens'),
  requests: (counters) => measured(counters, 'requests'),
};

/** A period as it is measured: since when, and what the ledger knows of that instant. */
export interface Span {
  readonly period: Period;
  /** Set for a rolling period: its very window. */
  readonly window: Window | null;
  readonly marks: Marks | undefined;
}

export function spanOf(spec: PeriodSpec, now: EpochMs, evidence: Evidence): Span {
  const period = periodAt(spec, now);
  const window = spec.kind === 'rolling' ? spec.window : null;
  const key = window ?? period.start;
  return { period, window, marks: key === null ? undefined : evidence.marks.get(key) };
}

/** What one key consumed, by what is known now. */
export function keyLevel(
  rule: Pick<SpendRule, 'measure' | 'models'>,
  span: Span,
  record: KeyRecord,
  known: KeyEvidence,
  evidence: Evidence,
): Estimate {
  const meter = meters[rule.measure];
  const { start } = span.period;
  const young = start === null || record.createdAt >= start;
  const whole = young
    ? levelOf(known.lifetime, meter)
    : byWindows(
        since(known.lifetime, markOf(record, start, span.marks), meter),
        known.windows,
        span,
        evidence,
        meter,
      );
  return rule.models === null ? whole : modelLevel(rule.models, meter, span, young, known, whole, evidence);
}

/** As `keyLevel`; of a key that no evidence is about nothing is known. */
export function memberLevel(rule: SpendRule, span: Span, record: KeyRecord, evidence: Evidence): Estimate {
  const known = evidence.keys.get(record.id);
  return known === undefined ? nothingKnown : keyLevel(rule, span, record, known, evidence);
}

/**
 * A sample from a time of doubt is no lower bound, for it may hold someone else's usage; but for what the key's
 * own reading said, with which that time began.
 */
function markOf({ id, doubt }: KeyRecord, start: EpochMs, marks: Marks | undefined): Mark | undefined {
  const mark = marks?.get(id);
  if (mark === undefined || doubt === undefined) return mark;
  const doubted = start >= doubt.from && (doubt.until === null || start < doubt.until);
  if (!doubted) return mark;
  const { before, after } = mark;
  const own = doubt.counters ?? null;
  return { before: before === null || own === null ? null : lowerCounters(before, own), after };
}

/** The whole account's consumption, deleted keys included. */
export function accountLevel(rule: Pick<SpendRule, 'measure'>, span: Span, evidence: Evidence): Estimate {
  const meter = meters[rule.measure];
  const { lifetime, windows: readings } = evidence.account;
  if (lifetime === null) return nothingKnown;
  if (span.period.start === null) return levelOf(lifetime, meter);
  const bounded = new Map<Window, Bounds>();
  // A total that fell, as it may when keys are deleted, lacks usage in its windows too.
  for (const [window, low] of readings)
    bounded.set(window, { low, high: lifetime.high === null ? null : low });
  return byWindows(since(lifetime, span.marks?.get('account'), meter), bounded, span, evidence, meter);
}

/**
 * What a key that is gone consumed: its last known counters less what they were at the start; and
 * at the most what it can have used unseen besides, between its last reading and its end.
 */
export function goneLevel(
  rule: Pick<SpendRule, 'measure' | 'models'>,
  span: Span,
  record: KeyRecord,
  last: Counters | null,
): Estimate {
  const { start } = span.period;
  if (start !== null && record.goneAt !== null && record.goneAt <= start)
    return { low: 0, high: 0, likely: 0 };
  if (last === null) return nothingKnown;
  const meter = meters[rule.measure];
  const unseen = record.unseen ?? null;
  const low = meter(last);
  const high = unseen === null ? null : low + meter(unseen);
  const mark = start === null || record.createdAt >= start ? emptyMark : span.marks?.get(record.id);
  const level = sinceLevel({ low, high, likely: high ?? low }, mark, meter);
  // How its usage was spread over models was not kept.
  return rule.models === null ? level : { ...level, low: 0 };
}

/** A key that began within the period had used nothing by its start. */
const emptyMark: Mark = { before: zeroCounters, after: zeroCounters };

/** The sum of several keys' intervals. */
export function sumLevels(levels: Iterable<Estimate>): Estimate {
  let sum: Estimate = { low: 0, high: 0, likely: 0 };
  for (const level of levels) sum = addLevels(sum, level);
  return sum;
}

function levelOf({ low, high, likely }: Bounds, meter: Meter): Estimate {
  const least = meter(low);
  if (high === low) return { low: least, high: least, likely: least };
  const most = high === null ? null : meter(high);
  return { low: least, high: most, likely: most ?? (likely === undefined ? null : meter(likely)) };
}

function since(lifetime: Bounds, mark: Mark | undefined, meter: Meter): Estimate {
  return sinceLevel(levelOf(lifetime, meter), mark, meter);
}

function sinceLevel({ low, high, likely }: Estimate, mark: Mark | undefined, meter: Meter): Estimate {
  const after = mark?.after ?? null;
  const before = mark?.before ? meter(mark.before) : 0;
  const beyond = (most: number | null): number | null => (most === null ? null : Math.max(0, most - before));
  const most = beyond(high);
  return {
    low: after === null ? 0 : Math.max(0, low - meter(after)),
    high: most,
    likely: likely === high ? most : beyond(likely),
  };
}

/** Both bounds hold; the later reading wins where usage went on between two. */
function byWindows(
  start: Estimate,
  readings: ReadonlyMap<Window, Bounds>,
  span: Span,
  evidence: Evidence,
  meter: Meter,
): Estimate {
  if (readings.size === 0) return start;
  let { low, high, likely } = start;
  for (const [window, bounds] of readings) {
    if (inside(window, span, evidence)) low = Math.max(low, meter(bounds.low));
    if (!around(window, span, evidence)) continue;
    const read = levelOf(bounds, meter);
    high = least(high, read.high);
    likely = least(likely, read.likely);
  }
  return atLeast(low, high, likely);
}

function atLeast(low: number, high: number | null, likely: number | null): Estimate {
  const most = high === null ? null : Math.max(high, low);
  return { low, high: most, likely: most ?? (likely === null ? null : Math.max(likely, low)) };
}

/** All of a window that was read lies in the period. A rolling period is its very window, whenever that is read. */
export function inside(window: Window, span: Span, evidence: Evidence): boolean {
  return span.window === window || evidence.at - windowMs[window] >= (span.period.start ?? 0);
}

/** A window that was read covers all of the period. */
export function around(window: Window, span: Span, evidence: Evidence): boolean {
  return span.window === window || evidence.doneAt - windowMs[window] <= (span.period.start ?? 0);
}

/**
 * Only these models' usage, which is never more than the `whole`; known from the aggregate alone, so only
 * for a key that its row is credited to.
 */
function modelLevel(
  chosen: (model: string) => boolean,
  meter: Meter,
  span: Span,
  young: boolean,
  known: KeyEvidence,
  whole: Estimate,
  evidence: Evidence,
): Estimate {
  const total = (rows: ReadonlyMap<string, Counters>): number => {
    let sum = 0;
    for (const [model, counters] of rows) if (chosen(model)) sum += meter(counters);
    return sum;
  };
  const lifetime = known.models.lifetime === null ? null : total(known.models.lifetime);
  let low = young && known.checked ? (lifetime ?? 0) : 0;
  let likely = least(whole.likely, lifetime);
  for (const [window, rows] of young ? [] : known.models.windows) {
    const value = total(rows);
    if (known.checked && inside(window, span, evidence)) low = Math.max(low, value);
    if (around(window, span, evidence)) likely = least(likely, value);
  }
  // A row not yet checked bounds nothing.
  return atLeast(low, known.checked ? likely : whole.high, likely);
}

function least(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

/**
 * True when it cannot be said whether `level` has reached `threshold`. Where only a row that was not yet
 * checked speaks against it, that is taken for an answer: its check will come.
 */
export function undecided(level: Estimate, threshold: number): boolean {
  return level.low < threshold && (level.likely === null || level.likely >= threshold);
}
