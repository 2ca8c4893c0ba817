import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from './errors.ts';
import { sql } from './sql.ts';

/** "KYWD": marks the file as Keywarden's, so that another program's database is never migrated. */
const applicationId = 0x4b59_5744;

/**
 * Each entry brings a file from the version of its index to the next; entries are only ever added.
 * Documents are JSON in `body`, beside the columns they are found by. Instants are epoch milliseconds.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE keys (
    id TEXT NOT NULL, created_at INTEGER NOT NULL, gone_at INTEGER, body TEXT NOT NULL,
    PRIMARY KEY (id, created_at)
  ) STRICT;

  -- needed_until: null while open; after that the end of its period
  CREATE TABLE findings (
    id TEXT PRIMARY KEY NOT NULL, closed_at INTEGER, needed_until INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX findings_by_need ON findings (needed_until);

  CREATE TABLE changes (
    id TEXT PRIMARY KEY NOT NULL, intent_at INTEGER NOT NULL, settled_at INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX changes_by_intent ON changes (intent_at);
  CREATE INDEX changes_unsettled ON changes (intent_at) WHERE settled_at IS NULL;

  CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;

  -- Of all tables these grow largest (a year of 10,000 keys is millions of rows): a short number for the
  -- key, no rowid, and how long the counters stood instead of when they were last seen. A pass writes a run
  -- of every key at once, so the recent ones lie together by time: a few pages, not one for each key.
  -- They move to samples, where a key's runs lie together, by the hour.
  CREATE TABLE sample_keys (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, created_at INTEGER NOT NULL, newest_at INTEGER NOT NULL,
    UNIQUE (key, created_at)
  ) STRICT;
  CREATE TABLE recent (
    first_at INTEGER NOT NULL, key INTEGER NOT NULL, held_ms INTEGER NOT NULL,
    cost INTEGER NOT NULL, tokens INTEGER NOT NULL, requests INTEGER NOT NULL,
    PRIMARY KEY (first_at, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE samples (
    key INTEGER NOT NULL, first_at INTEGER NOT NULL, held_ms INTEGER NOT NULL,
    cost INTEGER NOT NULL, tokens INTEGER NOT NULL, requests INTEGER NOT NULL,
    PRIMARY KEY (key, first_at)
  ) STRICT, WITHOUT ROWID;
  -- Runs that begin by moved_until are in samples, later ones in recent. When samples were last thinned,
  -- and up to which key.
  CREATE TABLE ledger (
    only INTEGER PRIMARY KEY CHECK (only = 1), moved_until INTEGER NOT NULL,
    thinned_at INTEGER NOT NULL, thinned_key INTEGER NOT NULL
  ) STRICT;
  INSERT INTO ledger VALUES (1, 0, 0, 0);

  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, alert TEXT NOT NULL, finding TEXT,
    created_at INTEGER NOT NULL, not_before INTEGER NOT NULL, next_attempt_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
    settled_at INTEGER, last_error TEXT, body TEXT NOT NULL,
    CHECK (state IN ('pending', 'delivered', 'dead'))
  ) STRICT;
  CREATE INDEX outbox_by_state ON outbox (state, settled_at);

  -- Outlives the outbox entry: a deletion may wait for months on a notice accepted long ago.
  CREATE TABLE acceptances (
    alert TEXT PRIMARY KEY NOT NULL, finding TEXT, accepted_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE record (
    seq INTEGER PRIMARY KEY, finding TEXT, body TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX record_by_finding ON record (finding) WHERE finding IS NOT NULL;
  -- The newest entry's place and hash, so that entries cut off the end are missed.
  CREATE TABLE record_head (
    only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER record_keeps_order BEFORE INSERT ON record
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM record)
    BEGIN SELECT raise(ABORT, 'the record is append-only'); END;
  CREATE TRIGGER record_never_changes BEFORE UPDATE ON record
    BEGIN SELECT raise(ABORT, 'the record is append-only'); END;
  CREATE TRIGGER record_never_shrinks BEFORE DELETE ON record
    BEGIN SELECT raise(ABORT, 'the record is append-only'); END;
  `,

  // A notice counts by the channels of its step, so which of them accepted it is remembered. Where the outbox
  // can no longer tell, nothing is: that notice is given anew.
  `
  DROP TABLE acceptances;
  -- Outlives the outbox entry: a deletion may wait for months on a notice accepted long ago.
  CREATE TABLE acceptances (
    alert TEXT NOT NULL, channel TEXT NOT NULL, finding TEXT, accepted_at INTEGER NOT NULL,
    PRIMARY KEY (alert, channel)
  ) STRICT;
  INSERT INTO acceptances (alert, channel, finding, accepted_at)
    SELECT alert, json_extract(body, '$.channel'), finding, min(settled_at) FROM outbox
    WHERE state = 'delivered' GROUP BY alert, json_extract(body, '$.channel');
  `,
];

/** The version of an existing file, 0 for one that is empty. Throws on what is not ours or not known. */
export function inspect(db: DatabaseSync, path: string): number {
  const query = sql(db);
  const version = query.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  const owner = query.get<{ application_id: number }>('PRAGMA application_id')?.application_id ?? 0;
  const empty = query.all('SELECT 1 FROM sqlite_schema LIMIT 1').length === 0;
  if (owner !== applicationId && !(empty && owner === 0 && version === 0)) {
    throw new StoreError('foreign', path, "is another program's database.");
  }
  if (version > migrations.length) {
    const versions = `version ${version}; this one knows up to ${migrations.length}`;
    throw new StoreError('newer', path, `was written by a newer Keywarden (${versions}).`);
  }
  return version;
}

/** Throws unless the file is of this program's version. */
export function requireCurrent(version: number, path: string): void {
  if (version === migrations.length) return;
  const versions = `version ${version}; this one needs ${migrations.length}`;
  throw new StoreError('older', path, `was written by an older Keywarden (${versions}).`);
}

/** Brings the file up to date, in one transaction. */
export function migrate(db: DatabaseSync, path: string): void {
  sql(db).transaction(() => {
    const version = inspect(db, path);
    for (const script of migrations.slice(version)) db.exec(script);
    if (version === migrations.length) return;
    db.exec(`PRAGMA application_id = ${applicationId}`);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}
