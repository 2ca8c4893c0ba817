/**
 * What the program needs of the world, as types. Only `app.ts` makes the real ones.
 */
import type { Alert, CaseAlert } from './core/alert.ts';
import type { Counters, EpochMs, Key, SecretBook, Window } from './core/key.ts';
import type { Rows } from './core/rows.ts';
import type { Secret } from './core/secret.ts';

export interface Clock {
  now(): EpochMs;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A clock that is seen through when somebody sets it. */
export interface SteadyClock extends Clock {
  /** Milliseconds since some beginning, as time passes and whatever `now` is set to. */
  monotonic(): number;
}

/** One listing of the account. */
export interface Listing {
  readonly at: EpochMs;
  /** The API's own `Date`, when it sent one. */
  readonly serverAt: EpochMs | null;
  /** As the API ordered them. */
  readonly keys: readonly Key[];
  readonly secrets: SecretBook;
}

export interface AggregateRow extends Counters {
  readonly models: ReadonlyMap<string, Counters>;
}

/** `GET /api/billing/usage`: by key NAME; totals may exceed the sum of the rows. */
export interface Aggregate {
  /** When the request was sent: everything reported before is in it. */
  readonly at: EpochMs;
  readonly total: Counters;
  readonly rows: Rows<AggregateRow>;
}

/** `POST /api/billing/usage/key` */
export interface KeyReading extends Counters {
  /** When the request was sent, and when it was answered. */
  readonly at: EpochMs;
  readonly doneAt?: EpochMs;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export type SeriesWindow = '5m' | '15m' | '30m' | Window;

export interface SeriesPoint {
  readonly at: EpochMs;
  readonly tokens: number;
  readonly requests: number;
  readonly models: ReadonlyMap<string, { readonly tokens: number; readonly requests: number }>;
}

export interface Series {
  readonly interval: string;
  readonly points: readonly SeriesPoint[];
}

export interface Transaction {
  readonly id: string;
  readonly at: EpochMs;
  readonly type: string;
  readonly description: string;
  readonly amountMicroUsd: number;
  readonly status: string;
}

/** The Admin API's read side. Every method rejects with an `AdminApiError`. */
export interface AdminReader {
  listKeys(signal: AbortSignal): Promise<Listing>;
  /** `window` null: all time. */
  usage(window: Window | null, signal: AbortSignal): Promise<Aggregate>;
  keyUsage(secret: Secret, window: Window | null, signal: AbortSignal): Promise<KeyReading>;
  series(window: SeriesWindow, signal: AbortSignal): Promise<Series>;
  transactions(signal: AbortSignal): Promise<readonly Transaction[]>;
}

export interface NewKey {
  readonly name: string;
  readonly expiresAt?: EpochMs;
  readonly maxTokens?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The Admin API's write side. `act/` and the commands by hand are its only callers. */
export interface AdminWriter {
  /** Never retried blindly: an unclear outcome rejects with `outcome: 'unknown'`. */
  createKey(key: NewKey, signal: AbortSignal): Promise<{ key: Key; secret: Secret }>;
  /** Retries after looking whether the name is already as wanted. */
  renameKey(key: Key, secret: Secret, name: string, signal: AbortSignal, unwanted?: Unwanted): Promise<void>;
  /**
   * Retries after looking whether the key is still there and its name untouched; a 404 or an unclear answer is
   * judged by listing again. Resolves only when the key is gone: when a list lacks it that has enough of
   * `among`, the keys as they were listed before, to be believed.
   */
  deleteKey(
    key: Key,
    secret: Secret,
    signal: AbortSignal,
    among?: readonly Key[],
    unwanted?: Unwanted,
  ): Promise<void>;
}

/** Asked before each further attempt, of the key as it is listed then: why it is not to be made; null: it is. */
export type Unwanted = (listed: Key) => string | null;

/** Counts of what was asked of the API, by endpoint and outcome, for `plan`, metrics and figures. */
export interface CallObserver {
  (call: {
    readonly endpoint: string;
    readonly status: number | 'network' | 'timeout';
    readonly ms: number;
  }): void;
}

/**
 * One alert on its way to one recipient of one channel. Items that share channel, recipient and
 * batch travel as one message.
 */
export interface OutboxItem {
  readonly id: string;
  readonly alert: Alert;
  readonly channel: string;
  /** E-mail: the comma-separated addresses; otherwise ''. */
  readonly recipient: string;
  readonly cc: string;
  /** Said in the message when this channel stands in for one that could not be addressed. */
  readonly remark: string | null;
  readonly batch: string;
  readonly createdAt: EpochMs;
  /** Not to be sent before this instant (quiet hours). */
  readonly notBefore: EpochMs;
}

export interface OutboxEntry extends OutboxItem {
  readonly attempts: number;
  readonly nextAttemptAt: EpochMs;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly settledAt: EpochMs | null;
  readonly lastError: string | null;
  /** When any channel first accepted the alert; null: none has. */
  readonly acceptedAt: EpochMs | null;
}

/** The outbox as the deliverer sees it. */
export interface Outbox {
  pending(now: EpochMs): Promise<readonly OutboxEntry[]>;
  /**
   * All items of one message at once. `at` is after the receiver's answer. `unserved`: new items for recipients
   * that did not get it, which failed once; in the same transaction.
   */
  delivered(
    ids: readonly string[],
    at: EpochMs,
    unserved?: readonly { readonly items: readonly OutboxItem[]; readonly failure: Failure }[],
  ): Promise<void>;
  failed(ids: readonly string[], failure: Failure): Promise<void>;
}

/** Null: it is not tried again. */
export interface Failure {
  readonly error: string;
  readonly nextAttemptAt: EpochMs | null;
}

/** What was used in one day of UTC. */
export interface DailyUse {
  /** The midnight that it begins with. */
  readonly day: EpochMs;
  /** In micro-dollars, tokens or requests; null: not known. */
  readonly used: number | null;
}

/**
 * What a case's key or group used day by day, oldest first, the running day last; null: there is nothing to
 * draw. In the measure of its figures.
 */
export type DailyUseOf = (alert: CaseAlert, now: EpochMs) => Promise<readonly DailyUse[] | null>;

/** What one attempt to send a message came to. */
export type SendOutcome =
  | {
      readonly ok: true;
      /** Ids of the alerts that a person who reads the message is told of; left out: all. At least one. */
      readonly told?: readonly string[];
      /** Recipients that it was refused for while others got it; left out: none. */
      readonly unserved?: readonly Unserved[];
    }
  | {
      readonly ok: false;
      /** Without secrets. */
      readonly error: string;
      readonly retryable: boolean;
      readonly retryAfterMs: number | null;
      /** Refused for its size alone: less of it may be taken. */
      readonly isTooLarge?: true;
    };

/** One recipient, or one of the copies; the other is ''. */
export interface Unserved {
  readonly recipient: string;
  readonly cc: string;
  /** Without secrets. */
  readonly error: string;
  readonly retryable: boolean;
}

/** The facts of an Admin API error that the rest of the program acts on. */
export interface ApiFailure extends Error {
  readonly kind: string;
  readonly status: number | null;
  readonly retryable: boolean;
  /** Of a write: `unknown` when it may have taken effect. */
  readonly outcome: 'none' | 'unknown';
}

export function isApiFailure(error: unknown): error is ApiFailure {
  return error instanceof Error && 'kind' in error && 'outcome' in error && 'retryable' in error;
}
