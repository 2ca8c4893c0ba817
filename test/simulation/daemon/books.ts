/** What the state says at the end: the program's own word, for witnesses to hold against the world's. */
import type { DatabaseSync } from 'node:sqlite';

/** An alert on its way to one channel. */
export interface OutboxRow {
  readonly alert: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly notBefore: number;
  /** When it was delivered or given up. */
  readonly settledAt: number | null;
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

/** A case that the state knows. */
export interface FindingRow {
  readonly id: string;
  readonly subject: { readonly kind: 'key' | 'group' };
  readonly closedAt: number | null;
  readonly deletions: readonly { readonly keyId: string; readonly vetoedAt: number | null }[];
}

export interface Books {
  readonly outbox: readonly OutboxRow[];
  readonly record: readonly RecordRow[];
  readonly findings: readonly FindingRow[];
}

interface Item {
  readonly alert: { readonly channels: readonly string[] };
  readonly channel: string;
  readonly remark: string | null;
}

export function booksOf(db: DatabaseSync): Books {
  const outbox = db
    .prepare('SELECT alert, state, not_before, settled_at, body FROM outbox ORDER BY seq')
    .all();
  const record = db.prepare('SELECT body FROM record ORDER BY seq').all();
  const findings = db.prepare('SELECT body FROM findings ORDER BY id').all();
  return {
    outbox: outbox.map(({ alert, state, not_before: notBefore, settled_at: settledAt, body }) => {
      const { alert: told, channel, remark } = JSON.parse(String(body)) as Item;
      return {
        alert: String(alert),
        state: state as OutboxRow['state'],
        notBefore: Number(notBefore),
        settledAt: settledAt === null ? null : Number(settledAt),
        ...{ channel, remark, channels: told.channels },
      };
    }),
    record: record.map(({ body }) => JSON.parse(String(body)) as RecordRow),
    findings: findings.map(({ body }) => JSON.parse(String(body)) as FindingRow),
  };
}
