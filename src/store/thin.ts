/** The ledger forgets: every run for two hours, one an hour for 48 hours, one a day for 400 days. */
import type { EpochMs } from '../core/key.ts';
import { historyMs } from './documents.ts';
import type { Sql } from './sql.ts';

const rawMs = 2 * 3_600_000;
const hourlyMs = 48 * 3_600_000;

/** How much has its turn at once: some tens of milliseconds. */
const keysPerTurn = 150;
/** Within this time every key has its turn. */
const roundMs = 2 * 3_600_000;

/** Recent runs are moved an hour's worth at a time, for each key's page is written anew. */
const movingMs = 3_600_000;
const runsPerMove = 200_000;

/**
 * Moves runs that are no longer recent to where a key's runs lie together. True when there are more of
 * them than are moved at once.
 */
export function moveRecent(sql: Sql, now: EpochMs): boolean {
  const oldest = sql.get<{ at: number | null }>('SELECT min(first_at) AS at FROM recent')?.at ?? now;
  if (oldest > now - rawMs - movingMs) return false;
  const slice = sql.get<{ first_at: number }>(
    'SELECT first_at FROM recent WHERE first_at <= ? ORDER BY first_at LIMIT 1 OFFSET ?',
    now - rawMs,
    runsPerMove,
  );
  const until = slice?.first_at ?? now - rawMs;
  sql.run(
    `INSERT INTO samples (key, first_at, held_ms, cost, tokens, requests)
     SELECT key, first_at, held_ms, cost, tokens, requests FROM recent
     WHERE first_at <= ? ORDER BY key, first_at`,
    until,
  );
  sql.run('DELETE FROM recent WHERE first_at <= ?', until);
  sql.run('UPDATE ledger SET moved_until = ?', until);
  return slice !== undefined;
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
  const last = sql.get<{ at: number }>('SELECT thinned_at AS at FROM ledger')?.at ?? 0;
  sql.run('UPDATE ledger SET thinned_at = ?', now);
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
  const last = sql.get<{ key: number }>('SELECT thinned_key AS key FROM ledger')?.key ?? 0;
  const turn = keysAfter(sql, last) ?? keysAfter(sql, 0) ?? { after: 0, until: 0 };
  sql.run('UPDATE ledger SET thinned_key = ?', turn.until);
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
