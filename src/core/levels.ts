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
import type { Counters, KeyId, Measure, Window } from './key.ts';
import type { Period } from './periods.ts';
import type { SpendRule } from './policy.ts';
import type { KeyRecord, Mark } from './state.ts';

type Meter = (counters: Counters) => number;

/** Made once: a decision measures every key for every policy. */
const meters: Readonly<Record<Measure, Meter>> = {
  cost: (counters) => measured(counters, 'cost'),
  tokens: (counters) => measured(counters, 'tokens'),
  requests: (counters) => measured(counters, 'requests'),
};

/** What one key consumed in `period`, by what is known now. */
export function keyLevel(rule: SpendRule, period: Period, record: KeyRecord, evidence: Evidence): Interval {
  const known = evidence.keys.get(record.id);
  if (known === undefined) return nothingKnown;
  if (rule.models !== null) return modelLevel(rule.models, rule.measure, period, record, known, evidence);
  const meter = meters[rule.measure];
  if (period.start === null || record.createdAt >= period.start) return interval(known.lifetime, meter);
  const exact = rule.period.kind === 'rolling' ? known.windows.get(rule.period.window) : undefined;
  if (exact !== undefined) return interval(exact, meter);
  const lifetime = interval(known.lifetime, meter);
  // While rows and readings contradict one another, no earlier sample of the key is believed.
  const mark = record.conflict === null ? evidence.marks.get(period.start)?.get(record.id) : undefined;
  return byWindows(sinceMark(lifetime, mark, meter), known.windows, period, evidence, meter);
}

/** The whole account's consumption in `period`, deleted keys included. */
export function accountLevel(rule: SpendRule, period: Period, evidence: Evidence): Interval {
  const meter = meters[rule.measure];
  const { lifetime: bounds, windows: readings } = evidence.account;
  const lifetime = bounds === null ? nothingKnown : interval(bounds, meter);
  if (period.start === null) return lifetime;
  const mark = evidence.marks.get(period.start)?.get('account');
  const bounded = new Map<Window, Bounds>();
  // A total that fell, as it may when keys are deleted, lacks usage in its windows too.
  for (const [window, low] of readings)
    bounded.set(window, { low, high: lifetime.high === null ? null : low, confirmed: true });
  return byWindows(sinceMark(lifetime, mark, meter), bounded, period, evidence, meter);
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
  const meter = meters[rule.measure];
  const lifetime: Interval = { low: meter(last), high: meter(last), confirmed: true };
  if (period.start === null || record.createdAt >= period.start) return lifetime;
  return sinceMark(lifetime, evidence.marks.get(period.start)?.get(record.id), meter);
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

function sinceMark(lifetime: Interval, mark: Mark | undefined, meter: Meter): Interval {
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
  period: Period,
  evidence: Evidence,
  meter: Meter,
): Interval {
  let result = start;
  for (const [window, bounds] of readings) {
    const low = inside(window, period, evidence) ? meter(bounds.low) : 0;
    const high = bounds.high !== null && around(window, period, evidence) ? meter(bounds.high) : null;
    if (low > result.low || high !== null || !bounds.confirmed)
      result = narrow(result, low, high, bounds.confirmed);
  }
  return result;
}

/** A rolling period is its very window, whenever it is read. */
function isTheVery(window: Window, { start, end }: Period, { at }: Evidence): boolean {
  return end === null && at - windowMs[window] === start;
}

/** All of a window that was read lies in the period. */
function inside(window: Window, period: Period, evidence: Evidence): boolean {
  return evidence.at - windowMs[window] >= (period.start ?? 0);
}

/** A window that was read covers all of the period. */
function around(window: Window, period: Period, evidence: Evidence): boolean {
  return evidence.doneAt - windowMs[window] <= (period.start ?? 0) || isTheVery(window, period, evidence);
}

/** Only these models' usage; known from the aggregate alone, so only for a key that its row is credited to. */
function modelLevel(
  chosen: (model: string) => boolean,
  measure: Measure,
  period: Period,
  record: KeyRecord,
  known: KeyEvidence,
  evidence: Evidence,
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
    const value = total(rows);
    const low = inside(window, period, evidence) ? value : 0;
    result = narrow(result, low, around(window, period, evidence) ? value : null, confirmed);
  }
  return result;
}

/** True when it cannot be said whether `level` has reached `threshold`, or not with confidence. */
export function undecided(level: Interval, threshold: number): boolean {
  if (level.low >= threshold) return !level.confirmed;
  return level.high === null || level.high >= threshold;
}

/** The windows that can narrow a level: the longest inside the period and the shortest around it. */
export function bracketingWindows(period: Period, evidence: Evidence): Window[] {
  const longest = windows.filter((window) => inside(window, period, evidence)).at(-1);
  const shortest = windows.find((window) => around(window, period, evidence));
  return [...new Set([longest, shortest].filter((window) => window !== undefined))];
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
  const born = period.start === null || record.createdAt >= period.start;
  const wanted = born ? [] : bracketingWindows(period, evidence);
  const own = (window: Window | null): Question[] => ownReading(record.id, window, known, evidence);
  if (!known.credited) return models ? [] : [null, ...wanted].flatMap(own);
  const missing = wanted.filter((window) => !known.windows.has(window));
  const answered = missing.filter((window) => evidence.account.windows.has(window));
  const unread = missing.filter((window) => !evidence.account.windows.has(window));
  const aggregates = unread.flatMap((window) => fresh({ kind: 'aggregate', window }, evidence));
  if (aggregates.length > 0) return aggregates;
  // An aggregate without any row was no answer: the key itself is asked.
  return [...(known.lifetime.confirmed ? [] : own(null)), ...(models ? [] : answered.flatMap(own))];
}

/** A key's own reading; nothing, when it was taken in this pass. */
export function ownReading(
  id: KeyId,
  window: Window | null,
  known: KeyEvidence,
  evidence: Evidence,
): Question[] {
  return known.individual.has(window ?? 'lifetime') ? [] : fresh({ kind: 'key', id, window }, evidence);
}

/** Nothing, when the question was put in this pass and could not be answered. */
export function fresh(question: Question, { unanswered }: Evidence): Question[] {
  return unanswered.has(questionKey(question)) ? [] : [question];
}
