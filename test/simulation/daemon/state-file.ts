/** Where the state is: in memory; or, where two programs want it, in a real file under its real lock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openForWriting } from '../../../src/store/database.ts';
import type { OpenDatabase } from '../../../src/store/database.ts';
import { migrate } from '../../../src/store/migrations.ts';
import type { Life } from './life.ts';

export interface StateFile extends Disposable {
  /** What the disk holds, to look at. */
  readonly db: DatabaseSync;
  /** For one life of the program. Throws a `StoreError`: another one has it. */
  open(life: Life): OpenDatabase;
  /** That life is over: what it held, the operating system takes back. */
  release(life: Life): void;
  /** Somebody removes it, while no program runs. */
  lose(): void;
}

export function stateInMemory(): StateFile {
  let db = freshDatabase();
  return {
    get db() {
      return db;
    },
    // The disk outlives the program.
    open: () => ({ db, path: 'keywarden.db', close: () => undefined }),
    release: () => undefined,
    lose: () => {
      db = freshDatabase();
    },
    [Symbol.dispose]: () => db.close(),
  };
}

function freshDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  migrate(db, 'keywarden.db');
  return db;
}

export function stateOnDisk(): StateFile {
  const room = mkdtempSync(join(tmpdir(), 'keywarden-simulation-'));
  const held = new Map<Life, OpenDatabase>();
  let count = 0;
  let path = '';
  let db: DatabaseSync | null = null;
  const begin = (): void => {
    path = join(room, `keywarden-${String((count += 1))}.db`);
    openForWriting(path).close();
    db?.close();
    db = new DatabaseSync(path);
    db.exec('PRAGMA query_only = ON');
  };
  begin();
  return {
    get db() {
      return db as DatabaseSync;
    },
    open: (life) => {
      // Waiting for the other one's lock would take real time, in which the other one stands still.
      const opened = openForWriting(path, 0);
      // A program dies here, never the machine: nothing waits for a disk of this one's.
      opened.db.exec('PRAGMA synchronous = OFF');
      held.set(life, opened);
      // It closes with its life.
      return { ...opened, close: () => undefined };
    },
    release: (life) => {
      held.get(life)?.close();
      held.delete(life);
    },
    lose: begin,
    [Symbol.dispose]: () => {
      for (const one of held.values()) one.close();
      db?.close();
      rmSync(room, { recursive: true });
    },
  };
}
