/**
 * What the store holds, in memory for as long as the program owns the store. Written to disk first,
 * then here: a failed write leaves both as they were, but for what is kept in mind.
 */
import type { EpochMs, KeyId, Window } from './core/key.ts';
import type { Marks } from './core/evidence.ts';
import type { BooksReading } from './core/books.ts';
import { effectiveBy } from './core/limits.ts';
import type { Change, Finding, KeyRecord, SampleRun } from './core/state.ts';
import type { WindowReading } from './ledger/marks.ts';
import type { Trail } from './ledger/attribution.ts';
import type { Batch, Store } from './store/store.ts';

export interface Memory {
  readonly records: Map<KeyId, KeyRecord>;
  /** How many of them are of keys that there are. */
  living: number;
  /** Those of the last list, in its order; none when any has changed since. */
  listed: readonly KeyRecord[];
  readonly findings: Map<string, Finding>;
  readonly changes: Map<string, Change>;
  /** The newest run of each key; its end may be later than what is on disk. */
  readonly runs: Map<KeyId | 'account', SampleRun>;
  /** Counters around the instants that periods start at, and around the starts of rolling windows. */
  readonly marks: Map<EpochMs | Window, Marks>;
  /** The instant that the marks of a rolling window were last read for. */
  readonly rolledAt: Map<Window, EpochMs>;
  /** When each question was last answered. */
  readonly readAt: Map<string, EpochMs>;
  /** Windows read in the pass before: with this one's counters they bound what was used before them. */
  windowReadings: readonly WindowReading[];
  /** Beginnings of periods of which both sides are known, as far as they ever will be. */
  readonly settledMarks: Set<EpochMs>;
  trail: Trail | null;
  /** The account's transactions and time series, as they were last read; null: not yet. */
  books: BooksReading | null;
  /** How many calls were not needed of late, and may be made for what does not press. */
  savedCalls: number;
  /** The notices that a channel had accepted before the account was looked at. */
  accepted: ReadonlySet<string>;
  /** The batch of the pass under way, to which it may still add; null: there is none. */
  openBatch: string | null;
  /** The machine's count of milliseconds at the last pass that went by its clock; null: none of this process. */
  monotonicMs: number | null;
  /** The clocks as the last look that went by them had them; null: none of this process. */
  lookedAt: { readonly at: EpochMs; readonly monotonicMs: number } | null;
  /** The pass before read a key by itself only to check its row. */
  checkedLast: boolean;
  readonly meta: Map<string, string>;
  /** What the store could not take and is not to be lost: it goes with the next batch that it takes. */
  unwritten: Required<Pick<Batch, 'keys' | 'record'>>;
  /** What was held in the pass before, so that only news is recorded. */
  holds: ReadonlySet<string>;
}

export async function recall(store: Store, now: EpochMs): Promise<Memory> {
  const state = await store.load(now);
  const records = new Map(state.keys.map((record) => [record.id, record]));
  return {
    records,
    // Of one fingerprint several may be stored: what it was before it was created anew is none of the keys that there are.
    living: [...records.values()].filter(({ goneAt }) => goneAt === null).length,
    listed: [],
    findings: new Map(state.findings.map((finding) => [finding.id, finding])),
    changes: new Map(state.changes.map((change) => [change.id, change])),
    runs: new Map(state.samples.map((run) => [run.key, run])),
    marks: new Map(),
    rolledAt: new Map(),
    readAt: new Map(),
    windowReadings: [],
    settledMarks: new Set(),
    trail: null,
    books: null,
    savedCalls: 0,
    checkedLast: false,
    accepted: new Set(),
    openBatch: null,
    monotonicMs: null,
    lookedAt: null,
    meta: new Map(Object.entries(state.meta)),
    unwritten: { keys: [], record: [] },
    holds: new Set(),
  };
}

export async function remember(store: Store, memory: Memory, batch: Batch): Promise<void> {
  const { keys, record } = memory.unwritten;
  await store.commit({
    ...batch,
    keys: [...keys, ...(batch.keys ?? [])],
    record: [...record, ...(batch.record ?? [])],
  });
  memory.unwritten = { keys: [], record: [] };
  for (const record of batch.keys ?? []) rememberKey(memory, record);
  for (const finding of batch.findings ?? []) memory.findings.set(finding.id, finding);
  for (const change of batch.changes ?? []) memory.changes.set(change.id, change);
  for (const [name, value] of Object.entries(batch.meta ?? {})) memory.meta.set(name, value);
}

/** What a later look may not show again is known from now on, though the store could not take it. */
export function keepInMind(memory: Memory, { keys, record }: Memory['unwritten']): void {
  for (const one of keys) rememberKey(memory, one);
  const { unwritten } = memory;
  memory.unwritten = { keys: [...unwritten.keys, ...keys], record: [...unwritten.record, ...record] };
}

function rememberKey(memory: Memory, record: KeyRecord): void {
  const there = (known: KeyRecord | undefined): number => (known?.goneAt === null ? 1 : 0);
  memory.living += there(record) - there(memory.records.get(record.id));
  memory.records.set(record.id, record);
  memory.listed = [];
}

/** To be asked before the account is looked at: what is accepted meanwhile waits for the next look. */
export async function knowAccepted(store: Pick<Store, 'acceptances'>, memory: Memory): Promise<void> {
  const ids = [...memory.findings.values()].flatMap(({ deletions }) =>
    deletions.map((one) => one.noticeAlertId),
  );
  memory.accepted = new Set((await store.acceptances(ids)).keys());
}

/** Forgets what the ledger dated later than `now`, by a clock that was ahead; what is left is read anew. */
export async function rewind(store: Store, memory: Memory, now: EpochMs): Promise<void> {
  await store.rewind(now);
  const { samples } = await store.load(now);
  memory.runs.clear();
  for (const run of samples) memory.runs.set(run.key, run);
  for (const learnt of [memory.marks, memory.rolledAt, memory.readAt, memory.settledMarks]) learnt.clear();
  memory.windowReadings = [];
  memory.trail = null;
}

const dayMs = 86_400_000;

/** Drops what no longer matters: settled changes older than a day, closed findings of ended periods. */
export function forget(memory: Memory, now: EpochMs): void {
  for (const [question, at] of memory.readAt)
    if (question.startsWith('key') && now - at > 2 * dayMs) memory.readAt.delete(question);
  for (const [id, change] of memory.changes) {
    if (change.settledAt !== null && effectiveBy(change) <= now - dayMs) memory.changes.delete(id);
  }
  for (const [id, finding] of memory.findings) {
    const { closedAt, periodEnd, owed } = finding;
    if (closedAt !== null && owed === undefined && (periodEnd ?? closedAt) <= now) memory.findings.delete(id);
  }
}
