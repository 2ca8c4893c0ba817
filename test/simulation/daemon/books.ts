/** What the state says at the end: the program's own word, for witnesses to hold against the world's. */
import type { DatabaseSync } from 'node:sqlite';

/** An alert on its way to one channel. */
export interface OutboxRow {
  readonly alert: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly notBefore: number;
  readonly channel: string;
  /** All that the alert is for. */
  readonly channels: readonly string[];
  /** What is told with it of the others. */
  readonly remark: string | null;
}

export interface RecordRow {
  readonly at: number;
  readonly kind: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Books {
  readonly outbox: readonly OutboxRow[];
  readonly record: readonly RecordRow[];
}

interface Item {
  readonly alert: { readonly channels: readonly string[] };
  readonly channel: string;
  readonly remark: string | null;
}

export function booksOf(db: DatabaseSync): Books {
  const outbox = db.prepare('SELECT alert, state, not_before, body FROM outbox ORDER BY seq').all();
  const record = db.prepare('SELECT body FROM record ORDER BY seq').all();
  return {
    outbox: outbox.map(({ alert, state, not_before: notBefore, body }) => {
      const { alert: told, channel, remark } = JSON.parse(String(body)) as Item;
      return {
        alert: String(alert),
        state: state as OutboxRow['state'],
        notBefore: Number(notBefore),
        ...{ channel, remark, channels: told.channels },
      };
    }),
    record: record.map(({ body }) => JSON.parse(String(body)) as RecordRow),
  };
}
