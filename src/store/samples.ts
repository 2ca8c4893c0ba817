/**
 * The ledger's samples. A run is the counters of one key from `first_at` for `held_ms` without a change.
 * Of the runs of a key, none begins before the last one's end, and each ends later than the one before. A run
 * that was seen once may end a little before it begins (`held_ms` below zero): a reading takes a moment.
 */
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { Mark, SampleRun } from '../core/state.ts';
import { historyMs } from './documents.ts';
import type { Sql } from './sql.ts';

interface SampleRow {
  readonly key: KeyId | 'account';
  readonly created_at: number;
  readonly first_at: number;
  readonly held_ms: number;
  readonly cost: number;
  readonly tokens: number;
  readonly requests: number;
}

/** Every run for two hours, hourly for 48, daily for 400 days. */
const rawMs = 2 * 3_600_000;
const hourlyMs = 48 * 3_600_000;

/** How many keys have their turn at once: some tens of milliseconds. */
const keysPerTurn = 150;
/** Within this time every key has its turn. */
const roundMs = 2 * 3_600_000;

export function saveSamples(sql: Sql, runs: readonly SampleRun[]): void {
  for (const run of runs) {
    if (saveSample(sql, run)) continue;
    sql.run('INSERT INTO sample_keys (key, created_at) VALUES (?, ?)', run.key, run.createdAt);
    saveSample(sql, run);
  }
}

/** False when the key has no number in the samples table yet. */
function saveSample(sql: Sql, { key, createdAt, firstAt, lastAt, counters }: SampleRun): boolean {
  const saved = sql.run(
    `INSERT INTO samples (key, first_at, held_ms, cost, tokens, requests)
     SELECT id, ?, ?, ?, ?, ? FROM sample_keys WHERE key = ? AND created_at = ?
     ON CONFLICT DO UPDATE SET held_ms = excluded.held_ms,
       cost = excluded.cost, tokens = excluded.tokens, requests = excluded.requests`,
    firstAt,
    lastAt - firstAt,
    counters.costMicroUsd,
    counters.tokens,
    counters.requests,
    key,
    createdAt,
  );
  return saved > 0;
}

export function newestSamples(sql: Sql): readonly SampleRun[] {
  const rows = sql.all<SampleRow>(
    `SELECT k.key, k.created_at, s.first_at, s.held_ms, s.cost, s.tokens, s.requests
     FROM sample_keys k JOIN samples s
       ON s.key = k.id AND s.first_at = (SELECT max(first_at) FROM samples WHERE key = k.id)
     ORDER BY k.key, k.created_at`,
  );
  return rows.map((row) => ({
    key: row.key,
    createdAt: row.created_at,
    firstAt: row.first_at,
    lastAt: row.first_at + row.held_ms,
    counters: countersOf(row),
  }));
}

function countersOf(row: Pick<SampleRow, 'cost' | 'tokens' | 'requests'>): Counters {
  return { costMicroUsd: row.cost, tokens: row.tokens, requests: row.requests };
}

type MarkRow = Pick<SampleRow, 'key' | 'cost' | 'tokens' | 'requests'>;

/** A key's identity has its creation in it: of several keys under one id only the newest counts. */
const newestKeys = `SELECT key, id FROM (SELECT key, id, max(created_at) FROM sample_keys GROUP BY key)`;

/** The last run that began by the instant. */
const beforeMarks = `
  SELECT k.key, s.cost, s.tokens, s.requests
  FROM (${newestKeys}) k JOIN samples s
    ON s.key = k.id AND s.first_at = (SELECT max(first_at) FROM samples WHERE key = k.id AND first_at <= ?)`;

/** The first run that was still seen at the instant or later: it spans it, or comes after it. */
const afterMarks = `
  SELECT k.key, s.cost, s.tokens, s.requests
  FROM (${newestKeys}) k JOIN samples s
    ON s.key = k.id AND s.first_at = coalesce(
      (SELECT first_at FROM
        (SELECT first_at, held_ms FROM samples WHERE key = k.id AND first_at < :at
         ORDER BY first_at DESC LIMIT 1)
       WHERE first_at + held_ms >= :at),
      (SELECT first_at FROM samples
       WHERE key = k.id AND first_at >= :at AND first_at + held_ms >= :at ORDER BY first_at LIMIT 1))`;

export function readMarks(sql: Sql, at: EpochMs, lagMs: number): ReadonlyMap<KeyId | 'account', Mark> {
  const marks = new Map<KeyId | 'account', Mark>();
  for (const row of sql.all<MarkRow>(beforeMarks, at)) {
    marks.set(row.key, { before: countersOf(row), after: null });
  }
  for (const row of sql.all<MarkRow>(afterMarks, { at: at + lagMs })) {
    marks.set(row.key, { before: marks.get(row.key)?.before ?? null, after: countersOf(row) });
  }
  return marks;
}

/**
 * Drops, for the next keys in turn, the runs that a later one of the same hour or day stands for.
 * Kept whatever their age: a key's newest run, and around each boundary the runs that `readMarks` reads.
 */
const dropThinned = `
  WITH boundary AS MATERIALIZED (SELECT value AS at, value + :lag AS settled_at FROM json_each(:boundaries)),
  run AS (
    SELECT key, first_at, first_at + held_ms AS last_at,
      lead(first_at) OVER (PARTITION BY key ORDER BY first_at) AS next_at
    FROM samples WHERE key > :after AND key <= :until
  ),
  passed AS (
    SELECT key, first_at, last_at, next_at,
      (SELECT max(first_at + held_ms) FROM samples
       WHERE key = run.key AND first_at = (SELECT max(first_at) FROM samples
         WHERE key = run.key AND first_at < run.first_at)) AS previous_at
    FROM run
    WHERE next_at IS NOT NULL
      AND CASE
        WHEN last_at > :raw THEN FALSE
        WHEN last_at > :hourly THEN first_at / 3600000 = next_at / 3600000
        WHEN last_at >= :daily THEN first_at / 86400000 = next_at / 86400000
        ELSE TRUE
      END
  )
  DELETE FROM samples WHERE (key, first_at) IN (
    SELECT key, first_at FROM passed
    WHERE NOT EXISTS (
      SELECT 1 FROM boundary
      WHERE (first_at <= at AND next_at > at)
        OR (last_at >= settled_at AND coalesce(previous_at < settled_at, TRUE))
    )
  )`;

/** How many turns are due, and notes that they are taken: as large a part of all keys as of a round has passed. */
export function takeTurns(sql: Sql, now: EpochMs): number {
  const keys = sql.get<{ count: number }>('SELECT count(*) AS count FROM sample_keys')?.count ?? 0;
  const last = sql.get<{ at: number }>('SELECT at FROM thinning')?.at ?? 0;
  sql.run('UPDATE thinning SET at = ?', now);
  const part = Math.min(Math.max((now - last) / roundMs, 0), 1);
  return Math.max(1, Math.ceil((keys * part) / keysPerTurn));
}

/** One turn. Returns how many runs went. */
export function thinSamples(
  sql: Sql,
  now: EpochMs,
  { boundaries, lagMs }: { readonly boundaries: readonly EpochMs[]; readonly lagMs: number },
): number {
  const { after, until } = nextTurn(sql);
  return sql.run(dropThinned, {
    after,
    until,
    raw: now - rawMs,
    hourly: now - hourlyMs,
    daily: now - historyMs,
    lag: lagMs,
    boundaries: JSON.stringify(boundaries),
  });
}

/** The keys whose turn it is, by number; round and round, across restarts. */
function nextTurn(sql: Sql): { after: number; until: number } {
  const last = sql.get<{ last_key: number }>('SELECT last_key FROM thinning')?.last_key ?? 0;
  const turn = keysAfter(sql, last) ?? keysAfter(sql, 0) ?? { after: 0, until: 0 };
  sql.run('UPDATE thinning SET last_key = ?', turn.until);
  return turn;
}

function keysAfter(sql: Sql, after: number): { after: number; until: number } | null {
  const keys = sql.all<{ id: number }>(
    'SELECT id FROM sample_keys WHERE id > ? ORDER BY id LIMIT ?',
    after,
    keysPerTurn,
  );
  const until = keys.at(-1)?.id;
  return until === undefined ? null : { after, until };
}
