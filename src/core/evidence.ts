/**
 * What is known of usage at one instant, attributed to keys. Made by `ledger/`, judged by `judge.ts`.
 */
import type { Counters, EpochMs, KeyId, Measure, Window } from './key.ts';
import type { Level } from './alert.ts';
import type { KeyRecord, Mark } from './state.ts';

/** Counters as an interval. */
export interface Bounds {
  readonly low: Counters;
  /** Null: no upper bound is known. */
  readonly high: Counters | null;
  /**
   * What a row says that was not yet checked: no bound, but the best guess. Absent where there is no such row.
   */
  readonly likely?: Counters;
}

/** A level with the best guess where its upper end is not known: `high`, or what rows not yet checked say. */
export interface Estimate extends Level {
  readonly likely: number | null;
}

/** A row's usage by model name; null where the row cannot be credited to the key. */
export type ModelRows = ReadonlyMap<string, Counters>;

export interface KeyEvidence {
  readonly lifetime: Bounds;
  /** Why the numbers are not exact, in words; null when they are. */
  readonly because: string | null;
  /** True when the aggregate's rows of this key's name are credited to it. */
  readonly credited: boolean;
  /**
   * False while a credited row was not yet found equal to the key's own reading, or not since it may have been
   * moved by somebody else: it may then hold others' usage too, or lack some of the key's own.
   */
  readonly checked: boolean;
  readonly windows: ReadonlyMap<Window, Bounds>;
  /** Individual readings (`POST /api/billing/usage/key`) taken in this pass. */
  readonly individual: ReadonlySet<Window | 'lifetime'>;
  readonly models: { readonly lifetime: ModelRows | null; readonly windows: ReadonlyMap<Window, ModelRows> };
  /** Since when the lifetime request counter is known not to have changed; null: not known. */
  readonly unchangedSince: EpochMs | null;
  /** A note of the judges', kept as long as this stands. */
  readonly quiet: Quiet;
}

/**
 * That no policy of a file had anything to say of the key, and none will before `until` unless something
 * about the key or its usage changes. Judging is the same without it, and slower.
 */
export interface Quiet {
  /** By which policies, in which periods, of which record. */
  of: unknown;
  epoch: string;
  record: unknown;
  until: EpochMs;
}

/** Usage per millisecond, in micro-dollars, tokens and requests: the fastest of late, fading. */
export type Pace = Counters;

/** The whole account's usage per millisecond over the last day, by the vendor's own time series. */
export interface AccountRate {
  readonly tokens: number;
  readonly requests: number;
}

/** What the counters of keys were around an instant, or around the present start of a rolling window. */
export type Marks = ReadonlyMap<KeyId | 'account', Mark>;

export interface Evidence {
  /** Just before the first reading. */
  readonly at: EpochMs;
  /** After the last one: a window read in between began no later than this less its length. */
  readonly doneAt: EpochMs;
  readonly keys: { get(id: KeyId): KeyEvidence | undefined };
  /** Keys whose numbers are not exact now. */
  readonly unread: readonly KeyRecord[];
  /** How fast those were used that were used of late. */
  readonly paces: ReadonlyMap<KeyId | 'account', Pace>;
  readonly account: {
    readonly lifetime: Bounds | null;
    readonly windows: ReadonlyMap<Window, Counters>;
    readonly because: string | null;
  };
  /** Absent or null: the series is not at hand. */
  readonly accountRate?: AccountRate | null;
  /** By the instant at which a period began, or by the rolling window whose start they surround. */
  readonly marks: ReadonlyMap<EpochMs | Window, Marks>;
  /** When each question (`questionKey`) was last answered, in passes before this one; what it told is in `marks`. */
  readonly readAt: ReadonlyMap<string, EpochMs>;
  /** Questions that were put and could not be answered in this pass; they are not put again. */
  readonly unanswered: ReadonlySet<string>;
}

/** One call to the API that would narrow an interval in which a threshold lies. */
export type Question = Target & Motive;

export type Target =
  | { readonly kind: 'aggregate'; readonly window: Window }
  | { readonly kind: 'key'; readonly id: KeyId; readonly window: Window | null };

/** Why a question is asked, and how much hangs on it. */
export interface Motive {
  /** In words, for the plan. */
  readonly why: string;
  /**
   * How far past its threshold the level may already be, as a share of the threshold. Infinity: no
   * bound is known, or a change waits for the answer.
   */
  readonly excess: number;
  /** The answer cannot be had later. */
  readonly nowOrNever?: true;
}

/** The identity of a question, e.g. `aggregate 7d`, `key k_… lifetime`. */
export function questionKey(question: Target): string {
  switch (question.kind) {
    case 'aggregate':
      return `aggregate ${question.window}`;
    case 'key':
      return `key ${question.id} ${question.window ?? 'lifetime'}`;
    default:
      return question satisfies never;
  }
}

/** Several who ask the same are one question, with the gravest motive. */
export function addQuestion(questions: Map<string, Question>, question: Question): void {
  const key = questionKey(question);
  const known = questions.get(key);
  const graver = question.excess > (known?.excess ?? -1) || (question.nowOrNever ?? false);
  if (known === undefined || (graver && !known.nowOrNever)) questions.set(key, question);
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

export function addCounters(a: Counters, b: Counters): Counters {
  return {
    costMicroUsd: a.costMicroUsd + b.costMicroUsd,
    tokens: a.tokens + b.tokens,
    requests: a.requests + b.requests,
  };
}

export function subtractCounters(a: Counters, b: Counters): Counters {
  return {
    costMicroUsd: a.costMicroUsd - b.costMicroUsd,
    tokens: a.tokens - b.tokens,
    requests: a.requests - b.requests,
  };
}

/** Of each counter the larger. */
export function upperCounters(a: Counters, b: Counters): Counters {
  return {
    costMicroUsd: Math.max(a.costMicroUsd, b.costMicroUsd),
    tokens: Math.max(a.tokens, b.tokens),
    requests: Math.max(a.requests, b.requests),
  };
}

/** Of each counter the smaller. */
export function lowerCounters(a: Counters, b: Counters): Counters {
  return {
    costMicroUsd: Math.min(a.costMicroUsd, b.costMicroUsd),
    tokens: Math.min(a.tokens, b.tokens),
    requests: Math.min(a.requests, b.requests),
  };
}

/** Any of the counters is below the other's. */
export function falls(now: Counters, before: Counters): boolean {
  return (
    now.costMicroUsd < before.costMicroUsd || now.tokens < before.tokens || now.requests < before.requests
  );
}

/** The most that a key has used in all, as far as is known; a row not yet checked is taken for it. No period has more. */
export function mostUsed({ lifetime: { high, likely } }: KeyEvidence): Counters | undefined {
  return high ?? likely;
}

export const nothingKnown: Estimate = { low: 0, high: null, likely: null };

export function addLevels(a: Estimate, b: Estimate): Estimate {
  return { low: a.low + b.low, high: sum(a.high, b.high), likely: sum(a.likely, b.likely) };
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

export function sameCounters(a: Counters, b: Counters): boolean {
  return a.costMicroUsd === b.costMicroUsd && a.tokens === b.tokens && a.requests === b.requests;
}
