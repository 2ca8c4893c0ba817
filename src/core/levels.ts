/**
 * Consumption since an instant, as an interval, from counters around that instant and from
 * readings of rolling windows. The formulas:
 *
 * - `low  = C(now) − C(first sample at or after P + lag)`
 * - `high = C(now) − C(last sample at or before P)`; `C(now)` without such a sample; exact if the
 *   key is younger than P
 * - a window reading R with `now − R ≥ P` raises `low`; with `now − R ≤ P` it lowers `high`
 */
import { addIntervals, measured, narrow, nothingKnown, questionKey, zeroCounters } from './evidence.ts';
import type { Bounds, Evidence, Interval, KeyEvidence, Question } from './evidence.ts';
import { windowMs, windows } from './key.ts';
import type { Counters, EpochMs, KeyId, Measure, Window } from './key.ts';
import type { Period } from './periods.ts';
import type { SpendRule } from './policy.ts';
import type { KeyRecord, Mark } from './state.ts';

type Meter = (counters: Counters) => number;

/** What one key consumed in `period`, by what is known now. */
export function keyLevel(rule: SpendRule, period: Period, record: KeyRecord, evidence: Evidence): Interval {
  const known = evidence.keys.get(record.id);
  if (known === undefined) return nothingKnown;
  if (rule.models !== null) return modelLevel(rule.models, rule.measure, period, record, known, evidence.at);
  const meter: Meter = (counters) => measured(counters, rule.measure);
  const lifetime = interval(known.lifetime, meter);
  if (period.start === null || record.createdAt >= period.start) return lifetime;
  const mark = evidence.marks.get(period.start)?.get(record.id) ?? null;
  return byWindows(sinceMark(lifetime, mark, meter), known.windows, period.start, evidence.at, meter);
}

/** The whole account's consumption in `period`, deleted keys included. */
export function accountLevel(rule: SpendRule, period: Period, evidence: Evidence): Interval {
  const meter: Meter = (counters) => measured(counters, rule.measure);
  const { lifetime: bounds, windows: readings } = evidence.account;
  const lifetime = bounds === null ? nothingKnown : interval(bounds, meter);
  if (period.start === null) return lifetime;
  const mark = evidence.marks.get(period.start)?.get('account') ?? null;
  const exact = new Map<Window, Bounds>();
  for (const [window, counters] of readings)
    exact.set(window, { low: counters, high: counters, confirmed: true });
  return byWindows(sinceMark(lifetime, mark, meter), exact, period.start, evidence.at, meter);
}

/** What a key that is gone consumed in `period`: its last known counters less what they were at the start. */
export function goneLevel(
  rule: SpendRule,
  period: Period,
  record: KeyRecord,
  last: Counters | null,
  evidence: Evidence,
): Interval {
  if (last === null || rule.models !== null) return nothingKnown;
  if (period.start !== null && record.goneAt !== null && record.goneAt <= period.start) {
    return { low: 0, high: 0, confirmed: true };
  }
  const meter: Meter = (counters) => measured(counters, rule.measure);
  const lifetime: Interval = { low: meter(last), high: meter(last), confirmed: true };
  if (period.start === null || record.createdAt >= period.start) return lifetime;
  return sinceMark(lifetime, evidence.marks.get(period.start)?.get(record.id) ?? null, meter);
}

/** The sum of several keys' intervals. */
export function sumLevels(levels: Iterable<Interval>): Interval {
  let sum: Interval = { low: 0, high: 0, confirmed: true };
  for (const level of levels) sum = addIntervals(sum, level);
  return sum;
}

function interval(bounds: Bounds, meter: Meter): Interval {
  return {
    low: meter(bounds.low),
    high: bounds.high === null ? null : meter(bounds.high),
    confirmed: bounds.confirmed,
  };
}

function sinceMark(lifetime: Interval, mark: Mark | null, meter: Meter): Interval {
  const after = mark?.after ?? null;
  const before = mark?.before ?? zeroCounters;
  return {
    low: after === null ? 0 : Math.max(0, lifetime.low - meter(after)),
    high: lifetime.high === null ? null : Math.max(0, lifetime.high - meter(before)),
    confirmed: lifetime.confirmed,
  };
}

function byWindows(
  start: Interval,
  readings: ReadonlyMap<Window, Bounds>,
  since: EpochMs,
  now: EpochMs,
  meter: Meter,
): Interval {
  let result = start;
  for (const [window, bounds] of readings) {
    const windowStart = now - windowMs[window];
    const low = windowStart >= since ? meter(bounds.low) : 0;
    const high = windowStart <= since && bounds.high !== null ? meter(bounds.high) : null;
    result = narrow(result, low, high, bounds.confirmed);
  }
  return result;
}

/** Only these models' usage; known from the aggregate alone, so only for a key that its row is credited to. */
function modelLevel(
  chosen: (model: string) => boolean,
  measure: Measure,
  period: Period,
  record: KeyRecord,
  known: KeyEvidence,
  now: EpochMs,
): Interval {
  const total = (rows: ReadonlyMap<string, Counters>): number => {
    let sum = 0;
    for (const [model, counters] of rows) if (chosen(model)) sum += measured(counters, measure);
    return sum;
  };
  const { confirmed } = known.lifetime;
  const lifetime = known.models.lifetime === null ? null : total(known.models.lifetime);
  if (period.start === null || record.createdAt >= period.start) {
    return { low: lifetime ?? 0, high: lifetime, confirmed };
  }
  let result: Interval = { low: 0, high: lifetime, confirmed };
  for (const [window, rows] of known.models.windows) {
    const windowStart = now - windowMs[window];
    const value = total(rows);
    result = narrow(
      result,
      windowStart >= period.start ? value : 0,
      windowStart <= period.start ? value : null,
      confirmed,
    );
  }
  return result;
}

/** True when it cannot be said whether `level` has reached `threshold`, or not with confidence. */
export function undecided(level: Interval, threshold: number): boolean {
  if (level.low >= threshold) return !level.confirmed;
  return level.high === null || level.high >= threshold;
}

/** The windows that can narrow a level since `since`: the longest inside it and the shortest around it. */
export function bracketingWindows(since: EpochMs, now: EpochMs): Window[] {
  const inside = windows.filter((window) => now - windowMs[window] >= since).at(-1);
  const around = windows.find((window) => now - windowMs[window] <= since);
  return [...new Set([inside, around].filter((window) => window !== undefined))];
}

/**
 * What to ask next to decide about a key, cheapest first: an aggregate serves all keys with one
 * call; a key's own reading is asked for when its row cannot be credited or was never checked.
 */
export function keyQuestions(
  record: KeyRecord,
  period: Period,
  evidence: Evidence,
  models: boolean,
): Question[] {
  const known = evidence.keys.get(record.id);
  if (known === undefined) return [];
  const wanted =
    period.start === null || record.createdAt >= period.start
      ? []
      : bracketingWindows(period.start, evidence.at);
  const fresh = (question: Question): Question[] =>
    evidence.unanswered.has(questionKey(question)) ? [] : [question];
  if (known.credited) {
    const missing = wanted.filter((window) => !known.windows.has(window));
    const aggregates = missing.flatMap((window) => fresh({ kind: 'aggregate', window }));
    if (aggregates.length > 0) return aggregates;
    return known.lifetime.confirmed ? [] : ownReading(record.id, null, known, fresh);
  }
  if (models) return [];
  return [null, ...wanted].flatMap((window) => ownReading(record.id, window, known, fresh));
}

function ownReading(
  id: KeyId,
  window: Window | null,
  known: KeyEvidence,
  fresh: (question: Question) => Question[],
): Question[] {
  if (known.individual.has(window ?? 'lifetime')) return [];
  return fresh({ kind: 'key', id, window });
}
