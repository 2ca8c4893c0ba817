import type { Alert } from '../core/alert.ts';
import { acceptanceKey } from '../core/court.ts';
import type { EpochMs } from '../core/key.ts';
import type { Failure, OutboxEntry, OutboxItem } from '../ports.ts';
import { bare, historyMs } from './documents.ts';
import type { RecordEntry } from '../core/state.ts';
import { appendRecord } from './record.ts';
import { type Sql, comparable } from './sql.ts';
import type { DeadChannel, OutboxSummary } from './store.ts';

const deliveredMs = 30 * 86_400_000;

interface OutboxRow extends OutboxFacts {
  readonly body: string;
}

interface OutboxFacts {
  readonly attempts: number;
  readonly next_attempt_at: number;
  readonly state: OutboxEntry['state'];
  readonly settled_at: number | null;
  readonly last_error: string | null;
  readonly accepted_at: number | null;
}

const facts = `attempts, next_attempt_at, state, settled_at, last_error,
  (SELECT min(accepted_at) FROM acceptances WHERE acceptances.alert = outbox.alert) AS accepted_at`;
const columns = `body, ${facts}`;

/** What waits, by its id in the database: while a channel is down, the same is read over and over. */
export type Waiting = Map<string, OutboxItem>;

/** An item that is there already stays as it is: the same decision twice is one alert. */
export function enqueue(sql: Sql, items: readonly OutboxItem[]): void {
  for (const item of items) {
    sql.run(
      `INSERT INTO outbox (id, alert, finding, created_at, not_before, next_attempt_at, body)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      comparable(item.id),
      comparable(item.alert.id),
      item.alert.topic === 'case' ? comparable(item.alert.findingId) : null,
      item.createdAt,
      item.notBefore,
      item.notBefore,
      JSON.stringify(item),
    );
  }
}

/** The clock by which they were dated was set: they stay as old as they are, and wait for as long as they did. */
export function datePending(sql: Sql, laterMs: number): void {
  sql.run(
    `UPDATE outbox SET created_at = created_at + :later, not_before = not_before + :later,
       next_attempt_at = next_attempt_at + :later,
       body = json_set(body, '$.createdAt', created_at + :later, '$.notBefore', not_before + :later)
     WHERE state = 'pending'`,
    { later: Math.round(laterMs) },
  );
}

/**
 * In the order in which they were made. What was to go out at once does so also when it was made later than
 * `now`: a process may begin by a clock that is a little behind the one before it. `waiting` then holds these.
 */
export function pendingEntries(sql: Sql, now: EpochMs, waiting: Waiting): readonly OutboxEntry[] {
  const rows = sql.all<OutboxFacts & { id: string; created_at: number; not_before: number }>(
    `SELECT id, created_at, not_before, ${facts} FROM outbox
     WHERE state = 'pending' AND not_before <= max(:now, created_at) AND next_attempt_at <= max(:now, created_at)
     ORDER BY created_at, seq`,
    { now },
  );
  const before = new Map(waiting);
  waiting.clear();
  return rows.map((row) => {
    const known = before.get(row.id);
    // Only these two ever change in an item.
    const same = known?.createdAt === row.created_at && known.notBefore === row.not_before;
    const item = same ? known : readItem(sql, row.id);
    waiting.set(row.id, item);
    return entryOf(item, row);
  });
}

function readItem(sql: Sql, id: string): OutboxItem {
  const row = sql.get<{ body: string }>('SELECT body FROM outbox WHERE id = ?', id);
  if (row === undefined) throw new Error(`no entry ${id} in the outbox`);
  return itemOf(row.body);
}

function readEntry(row: OutboxRow): OutboxEntry {
  return entryOf(itemOf(row.body), row);
}

function itemOf(body: string): OutboxItem {
  const item = JSON.parse(body) as OutboxItem;
  return { ...item, alert: alertOf(item.alert) };
}

function entryOf(item: OutboxItem, row: OutboxFacts): OutboxEntry {
  return {
    ...item,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    state: row.state,
    settledAt: row.settled_at,
    lastError: row.last_error,
    acceptedAt: row.accepted_at,
  };
}

function alertOf(alert: Alert): Alert {
  if (alert.topic === 'system') return alert;
  return { ...alert, variables: { ...alert.variables, metadata: bare(alert.variables.metadata) } };
}

/** Also remembers that the channel accepted the alert: at the earliest instant at which any receiver took it. */
export function markDelivered(sql: Sql, ids: readonly string[], at: EpochMs): void {
  for (const id of ids.map(comparable)) {
    sql.run(
      `UPDATE outbox SET state = 'delivered', settled_at = ?, attempts = attempts + 1, last_error = NULL
       WHERE id = ? AND state <> 'delivered'`,
      at,
      id,
    );
    sql.run(
      `INSERT INTO acceptances (alert, channel, finding, accepted_at)
       SELECT alert, json_extract(body, '$.channel'), finding, ? FROM outbox WHERE id = ?
       ON CONFLICT DO UPDATE SET accepted_at = min(accepted_at, excluded.accepted_at)`,
      at,
      id,
    );
  }
}

/** `now`: when an item that is not to be tried again died. */
export function markFailed(sql: Sql, ids: readonly string[], failure: Failure, now: EpochMs): void {
  const { error, nextAttemptAt } = failure;
  if (nextAttemptAt === null) recordDead(sql, ids, error, now);
  for (const id of ids.map(comparable)) {
    sql.run(
      `UPDATE outbox SET attempts = attempts + 1, last_error = :error,
         next_attempt_at = coalesce(:next, next_attempt_at),
         state = iif(:next IS NULL, 'dead', 'pending'), settled_at = iif(:next IS NULL, :now, NULL)
       WHERE id = :id AND state = 'pending'`,
      { id, error, next: nextAttemptAt, now },
    );
  }
}

/** An alert that never arrived is on record. */
function recordDead(sql: Sql, ids: readonly string[], error: string, at: EpochMs): void {
  const rows = ids.flatMap((id) => {
    const query = `SELECT ${columns} FROM outbox WHERE id = ? AND state = 'pending'`;
    return sql.get<OutboxRow>(query, comparable(id)) ?? [];
  });
  const entries = rows.map(readEntry).map(({ alert, channel, attempts }): RecordEntry => {
    const about = alert.topic === 'case' ? { findingId: alert.findingId } : {};
    const facts = { alert: alert.id, ...about, channel, attempts: attempts + 1, because: error };
    return { at, kind: 'alert-undelivered', facts };
  });
  appendRecord(sql, entries);
}

export function readAcceptances(sql: Sql, alertIds: readonly string[]): ReadonlyMap<string, EpochMs> {
  const accepted = new Map<string, EpochMs>();
  for (const id of alertIds) {
    const rows = sql.all<{ channel: string; accepted_at: number }>(
      'SELECT channel, accepted_at FROM acceptances WHERE alert = ? ORDER BY channel',
      comparable(id),
    );
    for (const { channel, accepted_at: at } of rows) accepted.set(acceptanceKey(id, channel), at);
  }
  return accepted;
}

export function summarise(sql: Sql): OutboxSummary {
  const pending = sql.get<{ count: number; oldest: number | null }>(
    `SELECT count(*) AS count, min(created_at) AS oldest FROM outbox WHERE state = 'pending'`,
  );
  const dead = sql.all<OutboxRow>(
    `SELECT ${columns} FROM outbox WHERE state = 'dead' ORDER BY created_at, seq`,
  );
  return {
    pending: pending?.count ?? 0,
    oldestPendingAt: pending?.oldest ?? null,
    dead: dead.map(readEntry),
  };
}

export function readDeadChannels(sql: Sql, since: EpochMs): readonly DeadChannel[] {
  const dead = sql.all<{ channel: string; alerts: number; at: number; error: string | null }>(
    // Of a row that has the maximum SQLite takes the other columns, too.
    `SELECT json_extract(body, '$.channel') AS channel, count(*) AS alerts, max(settled_at) AS at,
       last_error AS error
     FROM outbox WHERE state = 'dead' AND settled_at > ? GROUP BY channel ORDER BY channel`,
    since,
  );
  const works = ({ channel, at }: { channel: string; at: number }): boolean =>
    sql.get(
      `SELECT 1 FROM outbox
       WHERE state = 'delivered' AND settled_at > ? AND json_extract(body, '$.channel') = ? LIMIT 1`,
      at,
      channel,
    ) !== undefined;
  return dead
    .filter((one) => !works(one))
    .map(({ channel, alerts, error }) => ({ channel, alerts, lastError: error ?? 'no reason was given' }));
}

/** An acceptance stays as long as its finding is open, for a deletion may still count on it. */
export function pruneOutbox(sql: Sql, now: EpochMs): void {
  sql.run(`DELETE FROM outbox WHERE state = 'delivered' AND settled_at < ?`, now - deliveredMs);
  sql.run(`DELETE FROM outbox WHERE state = 'dead' AND settled_at < ?`, now - historyMs);
  sql.run(
    `DELETE FROM acceptances WHERE accepted_at < ?
       AND NOT EXISTS (SELECT 1 FROM findings WHERE id = acceptances.finding AND closed_at IS NULL)`,
    now - historyMs,
  );
}
