/** Opening the state file: who may, in what order, and what happens when it cannot be. */
import { accessSync, closeSync, constants, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError, asStoreError } from './errors.ts';
import { inspect, migrate, requireCurrent } from './migrations.ts';

/** How long a statement waits for another connection: readers are brief. */
const busyMs = 5_000;
/** Two that start in the same instant get in each other's way for a moment. */
const ownerWaitMs = 250;
/** The write-ahead log shrinks to this after a large transaction. */
const walLimitBytes = 16 * 1024 * 1024;

export interface OpenDatabase {
  readonly db: DatabaseSync;
  /** As the operator named it. */
  readonly path: string;
  close(): void;
}

/**
 * Opens for writing, creating the file (for its owner only) where there is none. One process at a time:
 * the lock is the operating system's and goes with the process, however that ends. Another one's lock is waited
 * for, and all of this process with it, for `waitMs`.
 * Throws a StoreError.
 */
export function openForWriting(path: string, waitMs = ownerWaitMs): OpenDatabase {
  if (path === ':memory:') return inMemory(path);
  return guarded(path, (close) => {
    const file = resolve(path);
    createPrivately(file);
    // By its real name, so that two ways to one file are one lock; taken first, given back last.
    const real = realpathSync(file);
    accessSync(real, constants.W_OK);
    accessSync(dirname(real), constants.W_OK);
    requireOurs(real, path);
    close.later(own(real, path, waitMs));
    const db = close.later(new DatabaseSync(uri(real, 'mode=rw'), { timeout: busyMs }));
    db.exec('PRAGMA journal_mode = WAL');
    // FULL: a change's intent must have reached the disk before its request leaves.
    db.exec(`PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${walLimitBytes}`);
    migrate(db, path);
    return db;
  });
}

/**
 * Opens for reading, beside a running daemon if need be. Creates nothing: a file that is not there
 * reads as an empty state. Throws a StoreError.
 */
export function openForReading(path: string): OpenDatabase {
  const file = resolve(path);
  if (path === ':memory:' || !existsSync(file)) {
    const empty = inMemory(path);
    empty.db.exec('PRAGMA query_only = ON');
    return empty;
  }
  return guarded(path, (close) => {
    let db = close.later(readable(file, 'mode=rw'));
    try {
      inspect(db, path);
    } catch (error) {
      // Where nothing may be written beside the file, SQLite reads it only when told that nobody writes.
      if (hasLog(file) || !isUnopened(error)) throw error;
      db = close.later(readable(file, 'immutable=1'));
    }
    const version = inspect(db, path);
    if (version === 0) migrate((db = close.later(new DatabaseSync(':memory:'))), path);
    else requireCurrent(version, path);
    db.exec('PRAGMA query_only = ON');
    return db;
  });
}

/** Before anything is written beside it: the path may be a mistake. */
function requireOurs(file: string, path: string): void {
  using db = readable(file, 'mode=rw');
  inspect(db, path);
}

function readable(file: string, query: string): DatabaseSync {
  // Opened for writing but held to queries: only so does the last to leave take SQLite's side files along.
  const readOnly = query === 'immutable=1';
  const db = new DatabaseSync(uri(file, query), { timeout: busyMs, readOnly });
  db.exec('PRAGMA query_only = ON');
  return db;
}

function hasLog(file: string): boolean {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  return log !== undefined && log.size > 0;
}

function isUnopened(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && [8, 14].includes(Number(error.errcode) & 0xff);
}

function inMemory(path: string): OpenDatabase {
  const db = new DatabaseSync(':memory:');
  migrate(db, path);
  return { db, path, close: () => void (db.isOpen && db.close()) };
}

function createPrivately(file: string): void {
  // Only ever `wx`: to open an existing file and close it again would drop this process's locks on it.
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Holds an exclusive lock on a small file beside the state, for as long as the connection is open. */
function own(file: string, path: string, waitMs: number): DatabaseSync {
  const lock = `${file}-lock`;
  createPrivately(lock);
  const db = new DatabaseSync(uri(lock, 'mode=rw'), { timeout: waitMs });
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    const busy = asStoreError(error, path);
    if (!(busy instanceof StoreError && busy.kind === 'in-use')) throw error;
    throw new StoreError('in-use', path, 'is in use by another Keywarden.', error);
  }
}

function uri(file: string, query: string): URL {
  const url = pathToFileURL(file);
  url.search = query;
  return url;
}

interface Closer {
  later(db: DatabaseSync): DatabaseSync;
}

/** Runs `open`; whatever it opened is closed in turn, the last first, on failure or at the end. */
function guarded(path: string, open: (close: Closer) => DatabaseSync): OpenDatabase {
  using opened = new DisposableStack();
  try {
    const db = open({ later: (one) => opened.adopt(one, (it) => it.close()) });
    const kept = opened.move();
    return { db, path, close: () => kept.dispose() };
  } catch (error) {
    throw asStoreError(error, path);
  }
}
