/**
 * The ledger's samples. A run is the counters of one key from `first_at` for `held_ms` without a change.
 * Of the runs of a key, none begins before the last one's end, and each ends later than the one before. A run
 * that was seen once may end a little before it begins (`held_ms` below zero): a reading takes a moment.
 */
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { Mark, SampleRun } from '../core/state.ts';
import type { Sql } from './sql.ts';

interface RunRow {
  readonly first_at: number;
  readonly held_ms: number;
  readonly cost: number;
  readonly tokens: number;
  readonly requests: number;
}

export function saveSamples(sql: Sql, runs: readonly SampleRun[]): void {
  const movedUntil = sql.get<{ moved_until: number }>('SELECT moved_until FROM ledger')?.moved_until ?? 0;
  for (const run of runs) {
    sql.run(
      run.firstAt <= movedUntil ? saveTo('samples') : saveTo('recent'),
      numberOf(sql, run),
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

/** The number that stands for the key, which is noted to have a run that begins then. */
function numberOf(sql: Sql, { key, createdAt, firstAt }: SampleRun): number | null {
  const row = sql.get<{ id: number }>(
    `INSERT INTO sample_keys (key, created_at, newest_at) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET newest_at = max(newest_at, excluded.newest_at) RETURNING id`,
    key,
    createdAt,
    firstAt,
  );
  return row?.id ?? null;
}

const runColumns = 'r.first_at, r.held_ms, r.cost, r.tokens, r.requests';

export function newestSamples(sql: Sql): readonly SampleRun[] {
  const newestIn = (table: 'samples' | 'recent'): string =>
    `SELECT k.key, k.created_at, ${runColumns}
     FROM sample_keys k CROSS JOIN ${table} r ON r.key = k.id AND r.first_at = k.newest_at`;
  const rows = sql.all<RunRow & { key: KeyId | 'account'; created_at: number }>(
    `${newestIn('samples')} UNION ALL ${newestIn('recent')} ORDER BY 1, 2`,
  );
  return rows.map((row) => ({
    key: row.key,
    createdAt: row.created_at,
    firstAt: row.first_at,
    lastAt: row.first_at + row.held_ms,
    counters: countersOf(row),
  }));
}

function countersOf(row: RunRow): Counters {
  return { costMicroUsd: row.cost, tokens: row.tokens, requests: row.requests };
}

type Found = RunRow & { readonly id: number };

/**
 * The last run that began by the instant, in each of the places where it may be. (CROSS JOIN: key by key,
 * each looked up. The planner, left to itself, reads all samples instead.)
 */
const before = [
  `SELECT k.id, ${runColumns} FROM sample_keys k CROSS JOIN recent r ON r.key = k.id AND r.first_at = k.newest_at
   WHERE k.newest_at <= :at`,
  `SELECT r.key AS id, max(r.first_at) AS first_at, r.held_ms, r.cost, r.tokens, r.requests FROM recent r
   WHERE r.first_at <= :at AND r.key IN (SELECT id FROM sample_keys WHERE newest_at > :at) GROUP BY r.key`,
  `SELECT k.id, ${runColumns} FROM sample_keys k CROSS JOIN samples r
     ON r.key = k.id AND r.first_at = (SELECT max(first_at) FROM samples WHERE key = k.id AND first_at <= :at)`,
];

/** The first run that was still seen at the instant or later: it spans it, or comes after it. */
const after = [
  `SELECT k.id, ${runColumns} FROM sample_keys k CROSS JOIN samples r
     ON r.key = k.id AND r.first_at = coalesce(
       (SELECT first_at FROM
         (SELECT first_at, held_ms FROM samples WHERE key = k.id AND first_at < :at
          ORDER BY first_at DESC LIMIT 1)
        WHERE first_at + held_ms >= :at),
       (SELECT first_at FROM samples
        WHERE key = k.id AND first_at >= :at AND first_at + held_ms >= :at ORDER BY first_at LIMIT 1))`,
  // Only of those keys that have none above.
  `SELECT r.key AS id, min(r.first_at) AS first_at, r.held_ms, r.cost, r.tokens, r.requests FROM recent r
   WHERE r.first_at + r.held_ms >= :at AND r.key IN (
     SELECT id FROM sample_keys k WHERE coalesce(
       (SELECT first_at + held_ms < :at FROM samples WHERE key = k.id ORDER BY first_at DESC LIMIT 1), TRUE))
   GROUP BY r.key`,
];

export function readMarks(sql: Sql, at: EpochMs, lagMs: number): ReadonlyMap<KeyId | 'account', Mark> {
  const earlier = find(sql, before, at, (one, other) => one.first_at > other.first_at);
  const later = find(sql, after, at + lagMs, (one, other) => one.first_at < other.first_at);
  const marks = new Map<KeyId | 'account', Mark>();
  for (const { key, id } of newestKeys(sql)) {
    const mark = { before: earlier.get(id) ?? null, after: later.get(id) ?? null };
    if (mark.before !== null || mark.after !== null) marks.set(key, mark);
  }
  return marks;
}

/** Of what the queries find of a key, the one that is better than the others. */
function find(
  sql: Sql,
  queries: readonly string[],
  at: EpochMs,
  better: (one: RunRow, other: RunRow) => boolean,
): ReadonlyMap<number, Counters> {
  const best = new Map<number, Found>();
  for (const row of queries.flatMap((query) => sql.all<Found>(query, { at }))) {
    const rival = best.get(row.id);
    if (rival === undefined || better(row, rival)) best.set(row.id, row);
  }
  return new Map([...best].map(([id, row]) => [id, countersOf(row)]));
}

/** A key's identity has its creation in it: of several keys under one id only the newest counts. */
function newestKeys(sql: Sql): readonly { readonly key: KeyId | 'account'; readonly id: number }[] {
  return sql.all('SELECT key, id, max(created_at) FROM sample_keys GROUP BY key');
}
