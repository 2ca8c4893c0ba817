/**
 * The record: append-only, each entry chained to the one before. An entry's hash is the hex SHA-256 of the
 * previous entry's hash followed by the entry as canonical JSON; 64 zeros stand before the first.
 */
import { createHash } from 'node:crypto';
import type { EpochMs } from '../core/key.ts';
import type { RecordEntry } from '../core/state.ts';
import { type Sql, comparable } from './sql.ts';
import type { RecordCheck, StoredRecordEntry } from './store.ts';

interface Head {
  readonly seq: number;
  readonly hash: string;
}

interface RecordRow extends Head {
  readonly finding: string | null;
  readonly body: string;
}

interface RecordBody {
  readonly at: EpochMs;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly kind: string;
  readonly seq: number;
}

const origin: Head = { seq: 0, hash: '0'.repeat(64) };

export function appendRecord(sql: Sql, entries: readonly RecordEntry[]): void {
  if (entries.length === 0) return;
  const head = entries.reduce((previous, entry) => append(sql, previous, entry), readHead(sql));
  sql.run('INSERT OR REPLACE INTO record_head (only, seq, hash) VALUES (1, ?, ?)', head.seq, head.hash);
}

function readHead(sql: Sql): Head {
  return sql.get<Head>('SELECT seq, hash FROM record_head') ?? origin;
}

function append(sql: Sql, previous: Head, { at, kind, facts }: RecordEntry): Head {
  const seq = previous.seq + 1;
  const body = canonicalJson({ seq, at, kind, facts });
  const hash = chain(previous.hash, body);
  const insert = 'INSERT INTO record (seq, finding, body, hash) VALUES (?, ?, ?, ?)';
  sql.run(insert, seq, findingOf(facts), body, hash);
  return { seq, hash };
}

function chain(previous: string, body: string): string {
  return createHash('sha256').update(previous).update(body).digest('hex');
}

function findingOf(facts: RecordEntry['facts']): string | null {
  return typeof facts.findingId === 'string' ? comparable(facts.findingId) : null;
}

/** JSON with the names of every object in order of their UTF-16 code units, and no white space. */
export function canonicalJson(value: unknown): string {
  // Through JSON once, for what it leaves out or writes in its own way.
  return ordered(JSON.parse(JSON.stringify(value)));
}

function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${ordered(field)}`).join(',')}}`;
}

/** Newest last. */
export function readRecord(
  sql: Sql,
  { limit, findingId }: { readonly limit: number; readonly findingId?: string },
): readonly StoredRecordEntry[] {
  const some = findingId === undefined ? '' : 'WHERE finding = ?';
  const rows = sql.all<RecordRow>(
    `SELECT seq, body, hash FROM record ${some} ORDER BY seq DESC LIMIT ?`,
    ...(findingId === undefined ? [limit] : [comparable(findingId), limit]),
  );
  return rows.reverse().map(({ seq, body, hash }) => {
    const { at, kind, facts } = JSON.parse(body) as RecordBody;
    return { seq, at, kind, facts, hash };
  });
}

/** Follows the chain from the first entry to the head; tells the first place where it does not hold. */
export function verifyChain(sql: Sql): RecordCheck {
  let previous = origin;
  for (const row of sql.each<RecordRow>('SELECT seq, finding, body, hash FROM record ORDER BY seq')) {
    const because = faultIn(row, previous);
    if (because !== null) return { ok: false, seq: previous.seq + 1, because };
    previous = row;
  }
  const head = readHead(sql);
  if (head.seq > previous.seq) {
    const because = `the record ends at ${previous.seq}, but ${head.seq} entries were written`;
    return { ok: false, seq: previous.seq + 1, because };
  }
  if (head.seq < previous.seq || head.hash !== previous.hash) {
    return { ok: false, seq: previous.seq, because: 'the last entry is not the one last written' };
  }
  return { ok: true, entries: head.seq };
}

function faultIn(row: RecordRow, previous: Head): string | null {
  if (row.seq !== previous.seq + 1) return 'an entry is missing';
  if (row.hash !== chain(previous.hash, row.body)) return 'its content does not match its hash';
  const { seq, facts } = JSON.parse(row.body) as RecordBody;
  if (seq !== row.seq) return 'it was written as another entry';
  return findingOf(facts) === row.finding ? null : 'it was filed under another finding';
}
