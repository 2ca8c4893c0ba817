/**
 * The ledger's samples. A run is the counters of one key from `first_at` for `held_ms` without a change.
 * Of the runs of a key, none begins before the last one's end, and each ends later than the one before. A run
 * that was seen once may end a little before it begins (`held_ms` below zero): a reading takes a moment.
 */
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { SampleRun } from '../core/state.ts';
import type { Sql } from './sql.ts';

interface RunRow {
  readonly first_at: number;
  readonly held_ms: number;
  readonly cost: number;
  readonly tokens: number;
  readonly requests: number;
}

/** What a key's number is in the database, and when its newest run began. */
interface KeyNumber {
  readonly id: number;
  readonly createdAt: EpochMs;
  newestAt: EpochMs;
}

/**
 * Numbers asked for once and remembered while the database is open. To be emptied when a transaction that
 * used them failed, and when keys were forgotten: they would be of rows that are not there.
 */
export type KeyNumbers = Map<KeyId | 'account', KeyNumber>;

export function saveSamples(sql: Sql, runs: readonly SampleRun[], numbers: KeyNumbers): void {
  const movedUntil = sql.get<{ moved_until: number }>('SELECT moved_until FROM ledger')?.moved_until ?? 0;
  for (const run of runs) {
    sql.run(
      run.firstAt <= movedUntil ? saveToSamples : saveToRecent,
      numberOf(sql, run, numbers),
      run.firstAt,
      run.lastAt - run.firstAt,
      run.counters.costMicroUsd,
      run.counters.tokens,
      run.counters.requests,
    );
  }
}

const saveTo = (table: 'samples' | 'recent'): string =>
  `INSERT OR REPLACE INTO ${table} (key, first_at, held_ms, cost, tokens, requests) VALUES (?, ?, ?, ?, ?, ?)`;
const saveToSamples = saveTo('samples');
const saveToRecent = saveTo('recent');

/** The number that stands for the key, which is noted to have a run that begins then. */
function numberOf(sql: Sql, run: SampleRun, numbers: KeyNumbers): number | null {
  const known = numbers.get(run.key);
  if (known?.createdAt !== run.createdAt) return askForNumber(sql, run, numbers);
  if (run.firstAt > known.newestAt) {
    sql.run('UPDATE sample_keys SET newest_at = ? WHERE id = ?', run.firstAt, known.id);
    known.newestAt = run.firstAt;
  }
  return known.id;
}

function askForNumber(sql: Sql, { key, createdAt, firstAt }: SampleRun, numbers: KeyNumbers): number | null {
  const row = sql.get<{ id: number; newest_at: number }>(
    `INSERT INTO sample_keys (key, created_at, newest_at) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET newest_at = max(newest_at, excluded.newest_at) RETURNING id, newest_at`,
    key,
    createdAt,
    firstAt,
  );
  if (row === undefined) return null;
  numbers.set(key, { id: row.id, createdAt, newestAt: row.newest_at });
  return row.id;
}

const runColumns = 'r.first_at, r.held_ms, r.cost, r.tokens, r.requests';

export function newestSamples(sql: Sql): readonly SampleRun[] {
  const newestIn = (table: 'samples' | 'recent'): string =>
    `SELECT k.key, k.created_at, ${runColumns}
     FROM sample_keys k CROSS JOIN ${table} r ON r.key = k.id AND r.first_at = k.newest_at`;
  const rows = sql.all<RunRow & { key: KeyId | 'account'; created_at: number }>(
    `${newestIn('samples')} UNION ALL ${newestIn('recent')} ORDER BY 1, 2`,
  );
  return rows.map((row) => runOf(row, row.key, row.created_at));
}

/**
 * Looked up run by run among those that lie by key. Of the recent ones, which lie by time, those since the
 * last was moved are read backwards from the instant until the key turns up.
 */
export function lastRuns(
  sql: Sql,
  key: KeyId | 'account',
  instants: readonly EpochMs[],
): readonly (SampleRun | null)[] {
  const stored = sql.get<{ id: number; created_at: number; newest_at: number }>(
    'SELECT id, created_at, newest_at FROM sample_keys WHERE key = ? ORDER BY created_at DESC LIMIT 1',
    key,
  );
  if (stored === undefined) return instants.map(() => null);
  const { id, created_at: createdAt, newest_at: newestAt } = stored;
  const lastIn = (table: 'samples' | 'recent', at: EpochMs): RunRow | undefined =>
    sql.get<RunRow>(
      `SELECT ${runColumns} FROM ${table} r WHERE key = ? AND first_at <= ? ORDER BY first_at DESC LIMIT 1`,
      id,
      // The newest is where it is said to be, however much of others lies behind it.
      Math.min(at, newestAt),
    );
  return instants.map((at) => {
    const row = lastIn('recent', at) ?? lastIn('samples', at);
    return row === undefined ? null : runOf(row, key, createdAt);
  });
}

function runOf(row: RunRow, key: KeyId | 'account', createdAt: EpochMs): SampleRun {
  const { first_at: firstAt, held_ms: heldMs } = row;
  return { key, createdAt, firstAt, lastAt: firstAt + heldMs, counters: countersOf(row) };
}

function countersOf(row: RunRow): Counters {
  return { costMicroUsd: row.cost, tokens: row.tokens, requests: row.requests };
}

/** Without what a clock that was ahead has dated later than `now`: when that was seen is not known. */
export function rewindSamples(sql: Sql, now: EpochMs): void {
  for (const table of ['samples', 'recent']) {
    sql.run(`DELETE FROM ${table} WHERE first_at > ?`, now);
    sql.run(`UPDATE ${table} SET held_ms = min(held_ms, 0) WHERE first_at + held_ms > ?`, now);
  }
  sql.run(
    `UPDATE sample_keys SET newest_at = max(
       coalesce((SELECT max(first_at) FROM samples WHERE key = sample_keys.id), 0),
       coalesce((SELECT max(first_at) FROM recent WHERE key = sample_keys.id), 0))
     WHERE newest_at > ?`,
    now,
  );
  sql.run('UPDATE ledger SET moved_until = min(moved_until, :now), thinned_at = min(thinned_at, :now)', {
    now,
  });
}
