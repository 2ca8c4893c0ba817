/** Keys, findings and changes as JSON beside the columns they are found by, and the small facts of `meta`. */
import type { EpochMs } from '../core/key.ts';
import { requestLimitMs } from '../core/limits.ts';
import type { Change, Finding, KeyRecord } from '../core/state.ts';
import { type Sql, comparable } from './sql.ts';
import type { Batch, StoredState } from './store.ts';

const dayMs = 86_400_000;
/** How long what is over is kept: as long as the ledger. */
export const historyMs = 400 * dayMs;

interface Body {
  readonly body: string;
}

export function saveDocuments(sql: Sql, batch: Batch): void {
  for (const key of batch.keys ?? []) saveKey(sql, key);
  for (const finding of batch.findings ?? []) saveFinding(sql, finding);
  for (const change of batch.changes ?? []) saveChange(sql, change);
  for (const [name, value] of Object.entries(batch.meta ?? {})) {
    sql.run('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)', name, value);
  }
}

function saveKey(sql: Sql, key: KeyRecord): void {
  sql.run(
    'INSERT OR REPLACE INTO keys (id, created_at, gone_at, body) VALUES (?, ?, ?, ?)',
    key.id,
    key.createdAt,
    key.goneAt,
    JSON.stringify(key),
  );
}

function saveFinding(sql: Sql, finding: Finding): void {
  sql.run(
    'INSERT OR REPLACE INTO findings (id, closed_at, needed_until, body) VALUES (?, ?, ?, ?)',
    comparable(finding.id),
    finding.closedAt,
    finding.closedAt === null || finding.owed ? null : (finding.periodEnd ?? finding.closedAt),
    JSON.stringify(finding),
  );
}

function saveChange(sql: Sql, change: Change): void {
  sql.run(
    'INSERT OR REPLACE INTO changes (id, intent_at, settled_at, body) VALUES (?, ?, ?, ?)',
    comparable(change.id),
    change.intentAt,
    change.settledAt,
    JSON.stringify(change),
  );
}

export function loadDocuments(sql: Sql, now: EpochMs): Omit<StoredState, 'samples'> {
  const meta = Object.fromEntries(
    sql
      .all<{ name: string; value: string }>('SELECT name, value FROM meta ORDER BY name')
      .map(({ name, value }) => [name, value]),
  );
  // The clock may be ahead, and then nothing that still matters may be left out for it.
  const since = Math.min(now, Number(meta['lastPassAt'] ?? now));
  // Of two under one fingerprint the one that was seen later is the key that there is, whenever it was created.
  const keys = sql.all<Body>(
    `SELECT body FROM keys WHERE gone_at IS NULL OR gone_at > ?
     ORDER BY id, json_extract(body, '$.firstSeenAt'), created_at`,
    now - historyMs,
  );
  const findings = sql.all<Body>(
    'SELECT body FROM findings WHERE needed_until IS NULL OR needed_until > ? ORDER BY id',
    since,
  );
  const changes = sql.all<Body>(
    'SELECT body FROM changes WHERE settled_at IS NULL OR intent_at >= ? ORDER BY intent_at, id',
    since - dayMs - requestLimitMs,
  );
  return {
    keys: keys.map(keyOf),
    findings: findings.map(({ body }) => JSON.parse(body) as Finding),
    changes: changes.map(({ body }) => JSON.parse(body) as Change),
    meta,
  };
}

function keyOf({ body }: Body): KeyRecord {
  const key = JSON.parse(body) as KeyRecord;
  return { ...key, facts: { ...key.facts, metadata: bare(key.facts.metadata) } };
}

/** As the types promise of metadata: without a prototype, so that any name in it is an ordinary one. */
export function bare(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.assign(Object.create(null) as Record<string, unknown>, metadata);
}

/** Forgets what has been over for longer than the ledger remembers. */
export function pruneDocuments(sql: Sql, now: EpochMs): void {
  const before = now - historyMs;
  sql.run('DELETE FROM findings WHERE closed_at < ?', before);
  sql.run('DELETE FROM changes WHERE intent_at < ? AND settled_at IS NOT NULL', before);
  forgetSamples(sql, before);
  sql.run('DELETE FROM keys WHERE gone_at < ?', before);
}

function forgetSamples(sql: Sql, goneBefore: EpochMs): void {
  const gone = sql.all<{ id: number }>(
    `SELECT s.id FROM keys k JOIN sample_keys s ON s.key = k.id AND s.created_at = k.created_at
     WHERE k.gone_at < ?`,
    goneBefore,
  );
  for (const { id } of gone) {
    sql.run('DELETE FROM samples WHERE key = ?', id);
    sql.run('DELETE FROM recent WHERE key = ?', id);
    sql.run('DELETE FROM sample_keys WHERE id = ?', id);
  }
}
