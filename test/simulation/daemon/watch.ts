/**
 * Looks at what is written and sent while the program runs, not only at what is left of it: that the record's chain
 * holds, and that no secret stands anywhere. Of what only grows, the new part.
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { formsOf } from '../../e2e/leaks.ts';
import { breach } from './witnesses/witness.ts';
import type { Breach } from './witnesses/witness.ts';

export interface Watched {
  readonly log: readonly string[];
  readonly sent: readonly { readonly text: string }[];
  /** Another one where the state was lost. */
  readonly db: () => DatabaseSync;
  /** As many as there are by now. */
  readonly secrets: () => readonly string[];
}

export interface Watch {
  look(at: number): void;
  readonly found: readonly Breach[];
}

/** By the record's own description: 64 zeros stand before the first. */
const origin = { seq: 0, hash: '0'.repeat(64) };

export function createWatch({ log, sent, db: state, secrets }: Watched): Watch {
  const found: Breach[] = [];
  const known = new Map<string, readonly string[]>();
  const done = { log: 0, sent: 0 };
  let db: DatabaseSync | null = null;
  let books = { head: origin, outbox: 0 };

  function look(at: number): void {
    if (db !== state()) [db, books] = [state(), { head: origin, outbox: 0 }];
    const record = newRecord(db, books.head);
    const because = brokenAt(record, books.head);
    if (because !== null) found.push(breach(18, 'the chain is broken on the way', at, because));
    const outbox = rowsAfter(db, 'SELECT seq, body FROM outbox WHERE seq > ? ORDER BY seq', books.outbox);
    search(at, 'the log', log.slice(done.log).join(''));
    search(at, 'a message', textOf(sent.slice(done.sent)));
    search(at, 'the state', [record, outbox, ...changing(db)].map(textOf).join('\n'));
    [done.log, done.sent] = [log.length, sent.length];
    books = {
      head: record.at(-1) ?? books.head,
      outbox: Number(outbox.at(-1)?.['seq'] ?? books.outbox),
    };
  }

  function search(at: number, place: string, text: string): void {
    for (const secret of secrets()) {
      const needles = known.get(secret) ?? needlesOf(secret);
      known.set(secret, needles);
      if (needles.some((needle) => text.includes(needle)))
        found.push(breach(17, `a secret in ${place}`, at, secret.slice(0, 8)));
    }
  }

  return { look, found };
}

interface RecordLine {
  readonly seq: number;
  readonly body: string;
  readonly hash: string;
}

/** From the last one on that was looked at, which is to be as it was. */
function newRecord(db: DatabaseSync, { seq }: { readonly seq: number }): readonly RecordLine[] {
  const query = 'SELECT seq, body, hash FROM record WHERE seq >= ? ORDER BY seq';
  return rowsAfter(db, query, seq) as unknown as RecordLine[];
}

function brokenAt(lines: readonly RecordLine[], head: typeof origin): string | null {
  const [first, ...others] = head.seq === 0 ? [head, ...lines] : lines;
  if (first?.seq !== head.seq || first.hash !== head.hash)
    return `entry ${String(head.seq)} is not what it was`;
  let { seq, hash } = head;
  for (const line of others as readonly RecordLine[]) {
    const want = createHash('sha256').update(`${hash}${line.body}`).digest('hex');
    if (line.seq !== seq + 1 || line.hash !== want) return `entry ${String(line.seq)} does not follow`;
    ({ seq, hash } = line);
  }
  return null;
}

/** What may change in place. Of the tables left out, no column holds text but keys' fingerprints. */
function changing(db: DatabaseSync): readonly (readonly unknown[])[] {
  const apart = `'samples', 'recent', 'sample_keys', 'ledger', 'outbox', 'record'`;
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN (${apart})`)
    .all();
  return [
    ...tables.map(({ name }) => db.prepare(`SELECT * FROM "${String(name)}"`).all()),
    db.prepare('SELECT DISTINCT last_error FROM outbox').all(),
  ];
}

function rowsAfter(db: DatabaseSync, query: string, seq: number): readonly Record<string, unknown>[] {
  return db.prepare(query).all(seq);
}

function textOf(rows: readonly unknown[]): string {
  return rows.length === 0 ? '' : JSON.stringify(rows);
}

/** The ways it may be written, but for those that another one is a part of. */
function needlesOf(secret: string): readonly string[] {
  const forms = formsOf(secret);
  return forms.filter((form) => !forms.some((other) => other !== form && form.includes(other)));
}
