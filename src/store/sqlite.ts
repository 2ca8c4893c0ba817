/** The state in one SQLite file. */
import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { EpochMs } from '../core/key.ts';
import type { Clock } from '../ports.ts';
import { type OpenDatabase, openForReading, openForWriting } from './database.ts';
import { loadDocuments, pruneDocuments, saveDocuments } from './documents.ts';
import { asStoreError } from './errors.ts';
import { readMarks } from './marks.ts';
import {
  type Waiting,
  datePending,
  enqueue,
  markDelivered,
  markFailed,
  pendingEntries,
  pruneOutbox,
  readDeadChannels,
  readAcceptances,
  summarise,
} from './outbox.ts';
import { appendRecord, readRecord, verifyChain } from './record.ts';
import { type KeyNumbers, lastRuns, newestSamples, rewindSamples, saveSamples } from './samples.ts';
import { moveRecent, takeTurns, thinSamples } from './thin.ts';
import { type Sql, sql as sqlOf } from './sql.ts';
import type { Batch, Store } from './store.ts';

export interface SqliteOptions {
  /** Opens beside a running daemon and writes nothing; a missing file reads as an empty state. */
  readonly readOnly?: boolean;
  readonly clock?: Pick<Clock, 'now'>;
}

/** Opens the state at `path` (`:memory:` for none on disk). Rejects with a `StoreError`. */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<Store> {
  const { readOnly = false, clock = { now: () => Date.now() } } = options;
  return storeOver(readOnly ? openForReading(path) : openForWriting(path), clock);
}

/** The store over an open database, which it closes when it is disposed of. */
export function storeOver(opened: OpenDatabase, clock: Pick<Clock, 'now'>): Store {
  const { db, path } = opened;
  const sql = sqlOf(db);
  const typed = async <T>(work: () => T): Promise<T> => {
    try {
      return work();
    } catch (error) {
      throw asStoreError(error, path);
    }
  };
  const reads = <T>(read: () => T): Promise<T> => typed(() => sql.snapshot(read));
  const numbers: KeyNumbers = new Map();
  const waiting: Waiting = new Map();
  const writes = <T>(write: () => T): Promise<T> =>
    typed(() => {
      try {
        return sql.transaction(write);
      } catch (error) {
        numbers.clear();
        throw error;
      }
    });

  return {
    load: (now) => reads(() => ({ ...loadDocuments(sql, now), samples: newestSamples(sql) })),
    commit: (batch) => writes(() => save(sql, batch, numbers)),
    marks: (at, lagMs) => reads(() => readMarks(sql, at, lagMs)),
    lastRuns: (key, instants) => reads(() => lastRuns(sql, key, instants)),
    acceptances: (alertIds) => reads(() => readAcceptances(sql, alertIds)),
    thin: async (now, boundaries, lagMs) => {
      let went = 0;
      let turns = await writes(() => prune(sql, now, numbers));
      while (await writes(() => moveRecent(sql, now))) await setImmediate();
      for (; turns > 0; turns -= 1) {
        // Others are to have their say in between: a health check, say.
        await setImmediate();
        went += await writes(() => thinSamples(sql, now, { boundaries, lagMs }));
      }
      return went;
    },
    rewind: (now) =>
      writes(() => {
        rewindSamples(sql, now);
        numbers.clear();
      }),
    recorded: (query) => reads(() => readRecord(sql, query)),
    verifyRecord: () => reads(() => verifyChain(sql)),
    outboxSummary: () => reads(() => summarise(sql)),
    deadChannels: (since) => reads(() => readDeadChannels(sql, since)),
    size: () => reads(() => bytesOf(db.location(), sql)),
    outbox: {
      pending: (now) => reads(() => pendingEntries(sql, now, waiting)),
      delivered: (ids, at, unserved = []) =>
        writes(() => {
          markDelivered(sql, ids, at);
          for (const { items, failure } of unserved) {
            enqueue(sql, items);
            markFailed(
              sql,
              items.map(({ id }) => id),
              failure,
              at,
            );
          }
        }),
      failed: (ids, failure) => writes(() => markFailed(sql, ids, failure, clock.now())),
    },
    [Symbol.asyncDispose]: async () => opened.close(),
  };
}

function save(sql: Sql, batch: Batch, numbers: KeyNumbers): void {
  saveDocuments(sql, batch);
  saveSamples(sql, batch.samples ?? [], numbers);
  if (batch.outboxLaterMs !== undefined) datePending(sql, batch.outboxLaterMs);
  enqueue(sql, batch.outbox ?? []);
  appendRecord(sql, batch.record ?? []);
}

/** Returns how many turns of keys are to be thinned. */
function prune(sql: Sql, now: EpochMs, numbers: KeyNumbers): number {
  pruneDocuments(sql, now);
  numbers.clear();
  pruneOutbox(sql, now);
  return takeTurns(sql, now);
}

function bytesOf(file: string | null, sql: Sql): number {
  if (file === null) {
    const pages = sql.get<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0;
    return pages * (sql.get<{ page_size: number }>('PRAGMA page_size')?.page_size ?? 0);
  }
  const files = [file, `${file}-wal`, `${file}-shm`];
  return files.reduce((sum, one) => sum + (statSync(one, { throwIfNoEntry: false })?.size ?? 0), 0);
}
