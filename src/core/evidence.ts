/**
 * What is known of usage at one instant, attributed to keys. Made by `ledger/`, judged by `judge.ts`.
 */
import type { Counters, EpochMs, KeyId, Measure, Window } from './key.ts';
import type { Level } from './alert.ts';
import type { Mark } from './state.ts';

/** Counters as an interval. */
export interface Bounds {
  readonly low: Counters;
  /** Null: no upper bound is known. */
  readonly high: Counters | null;
  /**
   * False while the numbers come from a row of the aggregate that was never cross-checked against
   * the key's own reading: they may show that nothing is near, but no step fires on them.
   */
  readonly confirmed: boolean;
}

/** A row's usage by model name; null where the row cannot be credited to the key. */
export type ModelRows = ReadonlyMap<string, Counters>;

export interface KeyEvidence {
  readonly lifetime: Bounds;
  /** Why the numbers are not exact, in words; null when they are. */
  readonly because: string | null;
  /** True when the aggregate's rows of this key's name are credited to it. */
  readonly credited: boolean;
  readonly windows: ReadonlyMap<Window, Bounds>;
  /** Individual readings (`POST /api/billing/usage/key`) taken in this pass. */
  readonly individual: ReadonlySet<Window | 'lifetime'>;
  readonly models: { readonly lifetime: ModelRows | null; readonly windows: ReadonlyMap<Window, ModelRows> };
  /** Since when the lifetime request counter is known not to have changed; null: not known. */
  readonly unchangedSince: EpochMs | null;
}

export interface Evidence {
  /** Just before the first reading. */
  readonly at: EpochMs;
  /** After the last one: a window read in between began no later than this less its length. */
  readonly doneAt: EpochMs;
  readonly keys: ReadonlyMap<KeyId, KeyEvidence>;
  readonly account: {
    readonly lifetime: Bounds | null;
    readonly windows: ReadonlyMap<Window, Counters>;
    readonly because: string | null;
  };
  /** By the instant asked for. */
  readonly marks: ReadonlyMap<EpochMs, ReadonlyMap<KeyId | 'account', Mark>>;
  /** Questions that were put and could not be answered in this pass; they are not put again. */
  readonly unanswered: ReadonlySet<string>;
}

/** One call to the API that would narrow an interval in which a threshold lies. */
export type Question =
  | { readonly kind: 'aggregate'; readonly window: Window }
  | { readonly kind: 'key'; readonly id: KeyId; readonly window: Window | null };

/** The identity of a question, e.g. `aggregate 7d`, `key k_… lifetime`. */
export function questionKey(question: Question): string {
  switch (question.kind) {
    case 'aggregate':
      return `aggregate ${question.window}`;
    case 'key':
      return `key ${question.id} ${question.window ?? 'lifetime'}`;
    default:
      return question satisfies never;
  }
}

export const zeroCounters: Counters = { costMicroUsd: 0, tokens: 0, requests: 0 };

/** The one counter that a rule measures. */
export function measured(counters: Counters, measure: Measure): number {
  switch (measure) {
    case 'cost':
      return counters.costMicroUsd;
    case 'tokens':
      return counters.tokens;
    case 'requests':
      return counters.requests;
    default:
      return measure satisfies never;
  }
}

/** An interval of one measure, and whether a step may fire on it. */
export interface Interval extends Level {
  readonly confirmed: boolean;
}

export const nothingKnown: Interval = { low: 0, high: null, confirmed: true };

/** Both bounds hold; the later reading wins where usage went on between two. */
export function narrow(interval: Interval, low: number, high: number | null, confirmed: boolean): Interval {
  const newLow = Math.max(interval.low, low);
  const bound = interval.high === null ? high : high === null ? interval.high : Math.min(interval.high, high);
  return {
    low: newLow,
    high: bound === null ? null : Math.max(bound, newLow),
    confirmed: interval.confirmed && confirmed,
  };
}

export function addIntervals(a: Interval, b: Interval): Interval {
  return {
    low: a.low + b.low,
    high: a.high === null || b.high === null ? null : a.high + b.high,
    confirmed: a.confirmed && b.confirmed,
  };
}
