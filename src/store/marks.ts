/**
 * The counters on each side of an instant, of every key: of all its runs, the last that began by then, and
 * the first that was still seen when all was counted. Few runs can be either. Those that can are looked up
 * key by key among the old ones, which lie by key; the recent ones lie by time, and are read outwards from
 * the instant.
 */
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { Mark } from '../core/state.ts';
import type { Sql } from './sql.ts';

interface Instant {
  readonly at: EpochMs;
  /** By then all is counted that was used before. */
  readonly settledAt: EpochMs;
  /** As `at`; but without a lag, a run that ends at the instant matters beside one that begins at it. */
  readonly turn: EpochMs;
}

interface StoredKey {
  readonly key: KeyId | 'account';
  readonly id: number;
  readonly newestAt: EpochMs;
}

interface StoredRun {
  readonly id: number;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly counters: Counters;
}

/** The best run on each side so far, by the key's number. */
interface Found {
  readonly before: Map<number, StoredRun>;
  readonly after: Map<number, StoredRun>;
}

export function readMarks(sql: Sql, at: EpochMs, lagMs: number): ReadonlyMap<KeyId | 'account', Mark> {
  const instant = { at, settledAt: at + lagMs, turn: lagMs > 0 ? at : at - 1 };
  const keys = newestKeys(sql);
  const found: Found = { before: new Map(), after: new Map() };
  for (const runs of candidates(sql, keys, instant, found)) {
    for (const run of runs) consider(run, instant, found);
  }
  const marks = new Map<KeyId | 'account', Mark>();
  for (const { key, id } of keys) {
    const mark = {
      before: found.before.get(id)?.counters ?? null,
      after: found.after.get(id)?.counters ?? null,
    };
    if (mark.before !== null || mark.after !== null) marks.set(key, mark);
  }
  return marks;
}

function consider(run: StoredRun, { at, settledAt }: Instant, { before, after }: Found): void {
  const { id, firstAt, lastAt } = run;
  if (firstAt <= at && firstAt >= (before.get(id)?.firstAt ?? -Infinity)) before.set(id, run);
  if (lastAt >= settledAt && firstAt <= (after.get(id)?.firstAt ?? Infinity)) after.set(id, run);
}

/** A key's identity has its creation in it: of several keys under one id only the newest counts. */
function newestKeys(sql: Sql): readonly StoredKey[] {
  return sql
    .rows<[KeyId | 'account', number, number]>(
      'SELECT key, id, newest_at, max(created_at) FROM sample_keys GROUP BY key',
    )
    .map(([key, id, newestAt]) => ({ key, id, newestAt }));
}

/** Every run that can matter, and some that do not; what is `found` in the first is not looked for in the next. */
function* candidates(
  sql: Sql,
  keys: readonly StoredKey[],
  { at, settledAt, turn }: Instant,
  found: Found,
): Generator<readonly StoredRun[]> {
  const recent = extentOfRecent(sql);
  if (turn >= recent.oldestAt) {
    yield read(sql, newestByTurn, { turn, oldestAt: recent.oldestAt });
    const used = keys.filter(({ newestAt }) => newestAt > turn);
    yield* outwards(sql, lastByTurn, used, { from: turn, to: recent.oldestAt - 1 });
  }
  const older = keys.filter(({ id }) => !found.before.has(id));
  yield read(sql, aroundTurn, { at, settledAt, turn, wanted: numbersOf(older) });
  if (at > turn) yield read(sql, beginningAt, { at });
  const from = Math.max(turn, recent.oldestAt - 1);
  const open = keys.filter(({ id, newestAt }) => newestAt > from && !found.after.has(id));
  yield* outwards(sql, firstSettled, open, { from, to: recent.newestAt, settledAt });
}

/** Recent runs begin within it, all others before. */
function extentOfRecent(sql: Sql): { readonly oldestAt: EpochMs; readonly newestAt: EpochMs } {
  // Each by itself is a look at one end of the table; asked for together they are a look at all of it.
  const oldest = sql.get<{ at: number | null }>('SELECT min(first_at) AS at FROM recent')?.at;
  const newest = sql.get<{ at: number | null }>('SELECT max(first_at) AS at FROM recent')?.at;
  return { oldestAt: oldest ?? Infinity, newestAt: newest ?? -Infinity };
}

const columns = 'r.key, r.first_at, r.held_ms, r.cost, r.tokens, r.requests';
const isWanted = 'key IN (SELECT value FROM json_each(:wanted))';

const newestByTurn = `SELECT ${columns}
  FROM sample_keys k CROSS JOIN recent r ON r.first_at = k.newest_at AND r.key = k.id
  WHERE k.newest_at BETWEEN :oldestAt AND :turn`;

const lastByTurn = `SELECT key, max(first_at), held_ms, cost, tokens, requests FROM recent
  WHERE first_at > :after AND first_at <= :until AND ${isWanted} GROUP BY key`;

const beginningAt = `SELECT ${columns} FROM recent r WHERE first_at = :at`;

const firstSettled = `SELECT key, min(first_at), held_ms, cost, tokens, requests FROM recent
  WHERE first_at > :after AND first_at <= :until AND first_at + held_ms >= :settledAt AND ${isWanted}
  GROUP BY key`;

/**
 * From the last run by the turn to the first that is settled. (CROSS JOIN: key by key, each looked up.
 * The planner, left to itself, reads all samples instead.)
 */
const aroundTurn = `SELECT ${columns} FROM json_each(:wanted) k CROSS JOIN samples r
  ON r.key = k.value AND r.first_at BETWEEN
    coalesce((SELECT max(first_at) FROM samples WHERE key = k.value AND first_at <= :turn), :turn)
    AND coalesce(
      (SELECT first_at FROM samples WHERE key = k.value AND first_at > :turn AND first_at + held_ms >= :settledAt
       ORDER BY first_at LIMIT 1), :at)`;

/** The first stretch has a pass in it, if passes are a minute apart; each further one is longer. */
const stretchMs = 90_000;
const stretchFactor = 4;

/**
 * What a query finds in the recent runs, stretch by stretch from one instant towards another: a key that is
 * used all the time is found at once, and more is read only for the others.
 */
function* outwards(
  sql: Sql,
  query: string,
  keys: readonly StoredKey[],
  { from, to, settledAt }: { readonly from: EpochMs; readonly to: EpochMs; readonly settledAt?: EpochMs },
): Generator<readonly StoredRun[]> {
  const wanted = new Map(keys.map((key) => [key.id, key]));
  let length = stretchMs + Math.max(0, (settledAt ?? from) - from);
  for (let at = from; at !== to && wanted.size > 0; length *= stretchFactor) {
    const next = to > from ? Math.min(at + length, to) : Math.max(at - length, to);
    const runs = read(sql, query, {
      after: Math.min(at, next),
      until: Math.max(at, next),
      wanted: numbersOf(wanted.values()),
      ...(settledAt === undefined ? {} : { settledAt }),
    });
    yield runs;
    for (const { id } of runs) wanted.delete(id);
    at = next;
  }
}

const numbersOf = (keys: Iterable<StoredKey>): string => JSON.stringify(Array.from(keys, ({ id }) => id));

function read(sql: Sql, query: string, values: Readonly<Record<string, number | string>>): StoredRun[] {
  return sql
    .rows<[number, number, number, number, number, number]>(query, values)
    .map(([id, firstAt, heldMs, costMicroUsd, tokens, requests]) => {
      return { id, firstAt, lastAt: firstAt + heldMs, counters: { costMicroUsd, tokens, requests } };
    });
}
