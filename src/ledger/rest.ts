/**
 * What the account used and no credited row explains. A key that is not read in a pass cannot have used
 * more than that: so its counters stay bounded between two readings of its own, without a call. The
 * account's total holds the usage of every key, those that are gone included.
 */
import { addCounters, falls, subtractCounters, zeroCounters } from '../core/evidence.ts';
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';

/** Carried from pass to pass; lost with a restart, after which such keys are read once. */
export interface Rest {
  /** When the total was last known: the end of what was counted. */
  readonly at: EpochMs;
  /** All that was left unexplained since the counting began. */
  readonly grown: Counters;
  /** Keys that no row speaks of: since when they have to be bounded. */
  readonly since: ReadonlyMap<KeyId, Since>;
}

interface Since {
  /** What the rest had grown to when the key was last known. */
  readonly grown: Counters;
  /** What the key had used by then at the most. */
  readonly most: Counters;
}

/** One pass: first everything that is explained, then `close`, then what follows for the others. */
export interface RestLedger {
  /** A credited row; what it grew by is explained, if both ends are of the same aggregates as the total's. */
  explain(run: SampleRun | null, row: Counters): void;
  /** A key's own reading in this pass. */
  read(id: KeyId, reading: Counters): void;
  /** `vanished`: keys that the list of this pass no longer has. */
  close(total: Counters | null, vanished: readonly KeyRecord[]): void;
  /** The most that the key can have used; null: that cannot be told. */
  bound(record: KeyRecord, run: SampleRun | null): Counters | null;
  /** The record of a key that is gone with what it can have used since its last reading. */
  leave(record: KeyRecord, at: EpochMs): KeyRecord;
  /** Null: the total is not known, and counting begins anew with the next one that is. */
  next(at: EpochMs): Rest | null;
}

/** `runs`: the newest samples, as of the pass before. */
export function createRest(before: Rest | null, runs: ReadonlyMap<KeyId | 'account', SampleRun>): RestLedger {
  const account = runs.get('account');
  /** Whether the total was known in the very pass before, so that what it grew by since is all there was. */
  const goesOn = before !== null && before.at === account?.lastAt;
  const readNow = new Map<KeyId, Counters>();
  const kept = new Map<KeyId, Since>();
  let [cost, tokens, requests] = [0, 0, 0];
  let known = false;
  /** What the total grew by since it was last sampled. */
  let whole: Counters | null = null;
  /** What of it is unexplained, and at the most; null: it cannot be told. */
  let left: Counters | null = null;
  let grew: Counters | null = null;
  const from = before?.grown ?? zeroCounters;

  /** A row that contradicted the key's own readings is no bound. */
  function sinceOf({ id, createdAt, conflict }: KeyRecord, run: SampleRun | null | undefined): Since | null {
    const known = before?.since.get(id);
    if (known !== undefined) return known;
    if (!goesOn || !run || run.createdAt !== createdAt || conflict !== null) return null;
    if (run.lastAt !== account?.lastAt) return null;
    return { grown: from, most: run.counters };
  }

  /** What a key had used by the end of the pass before, at the most. */
  function mostBefore(record: KeyRecord): Counters | null {
    const since = sinceOf(record, runs.get(record.id));
    return since === null ? null : addCounters(since.most, subtractCounters(from, since.grown));
  }

  /** Of a key that is gone only the total tells, and only as long as it holds what such keys used. */
  function unseen(record: KeyRecord): Counters | null {
    const run = runs.get(record.id);
    if (run?.createdAt !== record.createdAt) return null;
    const more = left === null || falls(left, zeroCounters) ? null : left;
    const most = mostBefore(record);
    const sofar =
      record.unseen === undefined && most !== null ? subtractCounters(most, run.counters) : record.unseen;
    if (sofar && more !== null) return addCounters(sofar, more);
    // After a restart: no more than all that the account used since the key was last sampled.
    return record.unseen === undefined && account && run.lastAt >= account.firstAt ? whole : null;
  }

  /** Since then, in all. */
  function grownSince(since: Since | null): Counters | null {
    return since === null || grew === null ? null : subtractCounters(addCounters(from, grew), since.grown);
  }

  return {
    explain: (run, row) => {
      if (run === null || run.lastAt !== account?.lastAt) return;
      // Once for every key of the account: no objects.
      cost += row.costMicroUsd - run.counters.costMicroUsd;
      tokens += row.tokens - run.counters.tokens;
      requests += row.requests - run.counters.requests;
    },
    read: (id, reading) => void readNow.set(id, reading),
    close: (total, vanished) => {
      known = total !== null;
      if (total === null || account === undefined) return;
      whole = falls(total, account.counters) ? null : subtractCounters(total, account.counters);
      if (!goesOn) return;
      const explained: Counters = { costMicroUsd: cost, tokens, requests };
      left = subtractCounters(subtractCounters(total, account.counters), explained);
      // Should the total leave out keys that are gone, it has fallen by what was known of them.
      let most = left;
      for (const record of vanished) {
        const used = mostBefore(record);
        if (used === null) return;
        most = addCounters(most, used);
      }
      // Less than nothing: the total does not hold what it should.
      grew = falls(most, zeroCounters) ? null : most;
    },
    bound: (record, run) => {
      const since = sinceOf(record, run);
      const more = grownSince(since);
      if (since === null || more === null) return null;
      kept.set(record.id, since);
      return addCounters(since.most, more);
    },
    leave: (record, at) => {
      return { ...record, unseen: unseen(record), unseenAt: at };
    },
    next: (at) => {
      if (!known) return null;
      // Without a bound for this pass, counting begins anew.
      const grown = grew === null ? zeroCounters : addCounters(from, grew);
      const since = new Map(grew === null ? [] : kept);
      for (const [id, most] of readNow) since.set(id, { grown, most });
      return { at, grown, since };
    },
  };
}
