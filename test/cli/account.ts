/** An account in memory and a terminal that remembers what was written to it. */
import { createHash } from 'node:crypto';
import type { Guarded } from '../../src/cli/by-hand.ts';
import type { Screen, World } from '../../src/cli/world.ts';
import type { Counters, Key, KeyId } from '../../src/core/key.ts';
import { Secret } from '../../src/core/secret.ts';
import { rowsByName } from '../../src/core/rows.ts';
import type {
  AdminReader,
  AdminWriter,
  AggregateRow,
  NewKey,
  SeriesPoint,
  Transaction,
} from '../../src/ports.ts';

export const now = Date.parse('2026-11-23T10:00:00Z');

export const idOf = (secret: string): KeyId =>
  `k_${createHash('sha256').update(secret).digest('hex').slice(0, 16)}`;

export interface Row {
  readonly secret: string;
  readonly key: Key;
}

export function row(secret: string, facts: Partial<Key> = {}): Row {
  const key: Key = {
    id: idOf(secret),
    createdAt: Date.parse('2026-01-05T08:00:00Z'),
    name: 'User 7',
    metadata: {},
    expiresAt: null,
    maxTokens: null,
    chat: false,
    isAdmin: false,
    lastUsedAt: null,
    ...facts,
  };
  return { secret, key };
}

export interface FakeScreen extends Screen {
  readonly text: () => string;
}

export function screen(columns: number | null = null, colour = false): FakeScreen {
  let text = '';
  return {
    write: (more) => {
      text += more;
    },
    columns,
    colour,
    text: () => text,
  };
}

export interface Scene {
  rows?: Row[];
  usage?: Record<string, AggregateRow>;
  points?: SeriesPoint[];
  transactions?: Transaction[];
  columns?: number;
  output?: 'table' | 'json';
  dryRun?: boolean;
  policy?: Guarded['policy'];
  originalNameOf?: Guarded['originalNameOf'];
  /** What the person answers; undefined: there is none. */
  answer?: string;
  /** Happens while the question is on the screen. */
  meanwhile?: () => void;
  keyUsageFails?: boolean;
}

/** The commands' dependencies over an account; `sent` lists every change that was asked of it. */
export function scene({ rows = [], columns, output = 'table', ...given }: Scene = {}) {
  const sent: string[] = [];
  const recorded: Record<string, unknown>[] = [];
  const counters: Counters = { costMicroUsd: 21_400_000, tokens: 1_234_567, requests: 89 };
  const reader: AdminReader = {
    listKeys: async () => ({
      at: now,
      serverAt: now,
      keys: rows.map(({ key }) => key),
      secrets: new Map(rows.map(({ key, secret }) => [key.id, new Secret(secret)])),
    }),
    usage: async () => ({ at: now, total: counters, rows: rowsByName(Object.entries(given.usage ?? {})) }),
    keyUsage: async () => {
      if (given.keyUsageFails === true) throw new Error('no answer');
      return { at: now, ...counters, promptTokens: 1_000_000, completionTokens: 234_567 };
    },
    series: async () => ({ interval: '1h0m0s', points: given.points ?? [] }),
    transactions: async () => given.transactions ?? [],
  };
  const writer: AdminWriter = {
    createKey: async (wanted: NewKey) => {
      sent.push(`create ${JSON.stringify(wanted)}`);
      const secret = 'tk_freshlyMadeSecret';
      return { key: row(secret, { name: wanted.name }).key, secret: new Secret(secret) };
    },
    renameKey: async (key, secret, name) => void sent.push(`rename ${key.id} ${secret.reveal()} ${name}`),
    deleteKey: async (key, secret) => void sent.push(`delete ${key.id} ${secret.reveal()}`),
  };
  const stdout = screen(columns ?? null);
  const stderr = screen(null);
  const { answer } = given;
  const ask = async (question: string) => {
    stderr.write(question);
    given.meanwhile?.();
    return answer ?? '';
  };
  const world: World = {
    env: {},
    stdout,
    stderr,
    ask: answer === undefined ? null : ask,
    signal: new AbortController().signal,
  };
  const by: Guarded = {
    reader,
    writer: given.dryRun === true ? null : writer,
    policy: given.policy ?? null,
    originalNameOf: given.originalNameOf ?? ((key) => key.name),
    world,
    output,
    now: () => now,
    record: async (kind, facts) => void recorded.push({ kind, ...facts }),
  };
  return { by, sent, rows, recorded, out: stdout.text, err: stderr.text };
}
