/**
 * What is remembered between passes, as documents. A pass reads them, `decide` makes new ones,
 * and the store writes those in one transaction.
 */
import type { Figures } from './alert.ts';
import type { StepMark } from './same-steps.ts';
import type { Counters, EpochMs, Key, KeyId } from './key.ts';

/** A key as the ledger knows it. One document per (id, createdAt). */
export interface KeyRecord {
  readonly id: KeyId;
  readonly createdAt: EpochMs;
  readonly firstSeenAt: EpochMs;
  /** As last listed. */
  readonly facts: Key;
  /** Its name before any rename of Keywarden's own; a person's rename makes the new name the original. */
  readonly originalName: string;
  /** True once it has borne any other name than the one it was first seen with. */
  readonly nameChanged: boolean;
  /** Keywarden's own renames that still stand, oldest first. */
  readonly standing: readonly StandingRename[];
  /** When a person last changed the name; null: never seen to. */
  readonly renamedByPersonAt: EpochMs | null;
  /** When a listing first lacked it. */
  readonly goneAt: EpochMs | null;
  /** Names that it bore before a person changed them, newest last; its usage may still be counted under them. */
  readonly formerNames?: readonly string[];
  /**
   * The last counters that were certain to be its own: an individual reading, or what a row that agreed with
   * one had come to. `agreed`: the row of its name agreed, and no other key can have borne the name since.
   * `later`: the counters are a row's, of after `at`.
   */
  readonly check: {
    readonly at: EpochMs;
    readonly counters: Counters;
    readonly agreed?: boolean;
    readonly later?: true;
  } | null;
  /** It was surely used after this, to the day; left out: not known to have been used since it was created. */
  readonly usedAfter?: EpochMs;
  /** Why the aggregate's row of its name cannot be credited to it; null: no contradiction seen. */
  readonly conflict: string | null;
  /**
   * Samples of its row between these instants may hold someone else's usage: from its last own reading before a
   * contradiction showed, to the next one; null: there was none since. `counters`: what that last reading said;
   * left out where it cannot be told.
   */
  readonly doubt?: {
    readonly from: EpochMs;
    readonly until: EpochMs | null;
    readonly counters?: Counters;
  };
  /** Gone: what it can have used at the most after its last sample, seen until `unseenAt`; null: no bound is known. */
  readonly unseen?: Counters | null;
  readonly unseenAt?: EpochMs;
}

export interface StandingRename {
  readonly findingId: string;
  readonly from: string;
  readonly to: string;
  readonly at: EpochMs;
  readonly restore: boolean;
}

/** A case of one policy against one subject in one period. */
export interface Finding {
  /**
   * `policy/subject/start`, stable and readable; and when its key was created, where an earlier key of the same
   * fingerprint has that one.
   */
  readonly id: string;
  readonly policy: string;
  readonly subject: FindingSubject;
  readonly periodStart: EpochMs | null;
  readonly periodEnd: EpochMs | null;
  readonly openedAt: EpochMs;
  readonly closedAt: EpochMs | null;
  readonly closedBecause: string | null;
  /**
   * What the steps were that it counts by: those of its policy, and after them such as are gone and still
   * remembered; left out: those of the file as it is.
   */
  readonly steps?: readonly StepMark[];
  /** Which steps were announced, by position in `steps` (from 0). */
  readonly fired: readonly FiredStep[];
  /** Since when no step could be told reached or not; null: certain. */
  readonly uncertainSince: EpochMs | null;
  readonly uncertainToldAt: EpochMs | null;
  readonly deletions: readonly PendingDeletion[];
  /**
   * Renames and deletions that were done: none is tried again in this finding, and a step that falls on
   * one key of a group has fallen on this one. `undone`: it ended since, and is open again.
   */
  readonly renamed: readonly { readonly step: number; readonly keyId: KeyId; readonly undone?: true }[];
  /** Of a group: keys that were gone before the deletion was due for which a step fell on them. */
  readonly fellOn?: readonly { readonly step: number; readonly keyId: KeyId }[];
  /**
   * Idle: since when the key is known to be unused (`unusedSince`, proved at `provedAt`), and the
   * individual readings that confirmed it, first and last.
   */
  readonly idle: {
    readonly unusedSince: EpochMs;
    readonly provedAt: EpochMs;
    readonly confirmedFirstAt: EpochMs | null;
    readonly confirmedLastAt: EpochMs | null;
  } | null;
  /**
   * Consumption in a calendar period or a lifetime only grows, so what was proven once stays so,
   * also when the reading that proved it (a rolling window) has moved on. For the measuring that
   * `signature` stands for, and no other.
   */
  readonly proven?: { readonly signature: string; readonly low: number };
  /** As last judged, so that its end can be told when its policy is gone. */
  readonly figures: Figures;
  /** When its people were last told that a change failed. */
  readonly failureToldAt: EpochMs | null;
  /**
   * It ended while it was silenced, so that those who heard of it have yet to hear that it is over; left out:
   * they have, or there is nobody. With the deletions that ended with it.
   */
  readonly owed?: { readonly because: string; readonly deletions: readonly PendingDeletion[] };
  /** Channels that were told of it and so hear when it is over. */
  readonly heardBy: readonly string[];
}

export type FindingSubject =
  | { readonly kind: 'key'; readonly id: KeyId; readonly createdAt: EpochMs }
  | { readonly kind: 'group'; readonly group: string };

export interface FiredStep {
  readonly step: number;
  readonly at: EpochMs;
  /** When it was last announced; differs from `at` with `repeat`. */
  readonly alertedAt: EpochMs;
}

export interface PendingDeletion {
  readonly keyId: KeyId;
  readonly createdAt: EpochMs;
  readonly step: number;
  readonly noticeAlertId: string;
  readonly noticeMs: number;
  readonly announcedAt: EpochMs;
  /** The name the key must still bear, or a person has stopped it. Follows Keywarden's own renames. */
  readonly expectedName: string;
  readonly vetoedAt: EpochMs | null;
  /** When a person had last changed the name by then; another instant: one has since. Left out: it was not written down yet. */
  readonly namedAt?: EpochMs | null;
  /** Who heard of it has heard that a limit holds it, and it has not been allowed since. */
  readonly heldTold?: true;
  /** What its notice said comes to be deleted for (`deletionGrounds`); left out: it was not written down yet. */
  readonly grounds?: string;
  /** Every channel that a notice of it went to, for other steps as well; left out: it was not written down yet. */
  readonly toldTo?: readonly string[];
}

/** The journal: written as an intent before the request, settled after it. */
export interface Change {
  readonly id: string;
  readonly kind: 'rename' | 'restore' | 'delete';
  readonly keyId: KeyId;
  readonly keyCreatedAt: EpochMs;
  readonly policy: string;
  readonly findingId: string;
  readonly step: number | null;
  readonly from: string;
  /** The new name; null for a deletion. */
  readonly to: string | null;
  readonly intentAt: EpochMs;
  readonly settledAt: EpochMs | null;
  /** `overtaken`: a person changed the key's name first, or since. */
  readonly outcome: 'done' | 'failed' | 'not-done' | 'overtaken' | null;
  /** Not done, and nothing was asked of the API that may take effect yet; left out: something may have been. */
  readonly noEffect?: true;
  readonly detail: string | null;
}

/** Lifetime counters as observed from `firstAt` to `lastAt` without a change between. */
export interface SampleRun {
  /** `account` for the account's total. */
  readonly key: KeyId | 'account';
  /** The key's creation; 0 for the account. */
  readonly createdAt: EpochMs;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly counters: Counters;
}

/**
 * What is known around an instant P: counters that had been reached by then (the last sample at or before it,
 * say), and counters that had not been passed by then (the first sample at or after P + lag, say).
 */
export interface Mark {
  readonly before: Counters | null;
  readonly after: Counters | null;
}

/** One entry of the append-only record. Plain JSON values, no secrets. */
export interface RecordEntry {
  readonly at: EpochMs;
  readonly kind: string;
  readonly facts: Readonly<Record<string, unknown>>;
}
