/**
 * The one interface to what is remembered. SQLite stands behind it (`sqlite.ts`); asynchronous,
 * so that a database server can.
 */
import type { Change, Finding, KeyRecord, Mark, RecordEntry, SampleRun } from '../core/state.ts';
import type { EpochMs, KeyId } from '../core/key.ts';
import type { Outbox, OutboxEntry, OutboxItem } from '../ports.ts';

/** What a pass writes, in one transaction: all of it or nothing. Documents replace those with the same id. */
export interface Batch {
  readonly keys?: readonly KeyRecord[];
  readonly findings?: readonly Finding[];
  readonly changes?: readonly Change[];
  /** Replaces the run of the same key and `firstAt`. */
  readonly samples?: readonly SampleRun[];
  readonly outbox?: readonly OutboxItem[];
  /** What waits in the outbox already is dated later by this much; earlier, if negative. */
  readonly outboxLaterMs?: number;
  readonly record?: readonly RecordEntry[];
  readonly meta?: Readonly<Record<string, string>>;
}

export interface StoredState {
  /** Live keys, and those gone for less than 400 days; under one id the one that was seen last at the end. */
  readonly keys: readonly KeyRecord[];
  /** Open ones, those that ended in a silence that lasts, and closed ones whose period has an end that was still to come at the last pass. */
  readonly findings: readonly Finding[];
  /** Those that may have taken effect in the 24 hours before the last pass, later ones, and all unsettled ones. */
  readonly changes: readonly Change[];
  /** The newest run of each key; under one id that of the newest key last. */
  readonly samples: readonly SampleRun[];
  readonly meta: Readonly<Record<string, string>>;
}

export interface StoredRecordEntry extends RecordEntry {
  readonly seq: number;
  /** Hex SHA-256 over the previous entry's hash and this entry. */
  readonly hash: string;
}

/** Whether the record's chain holds, or the first entry at which it does not. */
export type RecordCheck =
  | { readonly ok: true; readonly entries: number }
  | { readonly ok: false; readonly seq: number; readonly because: string };

export interface OutboxSummary {
  readonly pending: number;
  /** Given up on, oldest first. */
  readonly dead: readonly OutboxEntry[];
  readonly oldestPendingAt: EpochMs | null;
}

export interface DeadChannel {
  readonly channel: string;
  /** Alerts given up on. */
  readonly alerts: number;
  /** What the last attempt came to, without secrets. */
  readonly lastError: string;
}

/** Every method rejects with a `StoreError` when the state cannot be read or written. */
export interface Store extends AsyncDisposable {
  readonly outbox: Outbox;
  load(now: EpochMs): Promise<StoredState>;
  commit(batch: Batch): Promise<void>;
  /** Of every key (and `account`) that has a sample near `at`. */
  marks(at: EpochMs, lagMs: number): Promise<ReadonlyMap<KeyId | 'account', Mark>>;
  /** Of a key's runs, for each instant the last that began by then; null: none did. */
  lastRuns(key: KeyId | 'account', instants: readonly EpochMs[]): Promise<readonly (SampleRun | null)[]>;
  /** When each alert was first accepted by each channel, by `acceptanceKey`; what was not accepted is absent. */
  acceptances(alertIds: readonly string[]): Promise<ReadonlyMap<string, EpochMs>>;
  /**
   * Drops samples finer than the ledger keeps; those around `boundaries` stay. Returns how many went.
   * Takes the keys in turn, so that each has had its turn within two hours however often this is called:
   * every minute some tens of milliseconds, rarely longer, but never at one go. Also forgets documents and
   * deliveries that are long over.
   */
  thin(now: EpochMs, boundaries: readonly EpochMs[], lagMs: number): Promise<number>;
  /** Forgets samples that are dated later than `now`, and that one that began before was seen since. */
  rewind(now: EpochMs): Promise<void>;
  /** Newest last. */
  recorded(query: {
    readonly limit: number;
    readonly findingId?: string;
  }): Promise<readonly StoredRecordEntry[]>;
  /** Recomputes the record's chain of hashes from its first entry. */
  verifyRecord(): Promise<RecordCheck>;
  outboxSummary(): Promise<OutboxSummary>;
  /** The channels of which alerts were given up on since then, and none was delivered after that. */
  deadChannels(since: EpochMs): Promise<readonly DeadChannel[]>;
  /** Bytes on disk. */
  size(): Promise<number>;
}
