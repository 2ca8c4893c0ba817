import type { EpochMs } from '../core/key.ts';
import type { Secret } from '../core/secret.ts';
import type { NewKey, SeriesWindow } from '../ports.ts';

export type Endpoint =
  | 'GET /api/keys'
  | 'POST /api/keys'
  | 'DELETE /api/keys/:key'
  | 'POST /api/keys/rename'
  | 'GET /api/billing/usage'
  | 'POST /api/billing/usage/key'
  | 'GET /api/billing/time-series'
  | 'GET /api/billing/transactions';

/** One request of the Admin API. */
export interface Call {
  readonly endpoint: Endpoint;
  /** With the query. It may hold a key: only for the wire. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly writes: boolean;
  /** What an answer might echo, besides the admin key. */
  readonly secrets: readonly Secret[];
}

function read(endpoint: Endpoint, path: string): Call {
  return { endpoint, path, writes: false, secrets: [] };
}

function timed(path: string, window: SeriesWindow | null): string {
  return window === null ? path : `${path}?time=${window}`;
}

export const listKeysCall: Call = read('GET /api/keys', '/api/keys');

export const transactionsCall: Call = read('GET /api/billing/transactions', '/api/billing/transactions');

/** `window` null: all time. */
export function usageCall(window: SeriesWindow | null): Call {
  return read('GET /api/billing/usage', timed('/api/billing/usage', window));
}

export function seriesCall(window: SeriesWindow): Call {
  return read('GET /api/billing/time-series', timed('/api/billing/time-series', window));
}

/** A read in spite of its POST, which keeps the key out of the URL. */
export function keyUsageCall(secret: Secret, window: SeriesWindow | null): Call {
  return {
    endpoint: 'POST /api/billing/usage/key',
    path: timed('/api/billing/usage/key', window),
    body: { key: secret.reveal() },
    writes: false,
    secrets: [secret],
  };
}

export function createCall(key: NewKey): Call {
  const { name, expiresAt, maxTokens, metadata } = key;
  return {
    endpoint: 'POST /api/keys',
    path: '/api/keys',
    body: {
      name,
      ...(expiresAt === undefined ? {} : { expires_at: isoTime(expiresAt) }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...(metadata === undefined ? {} : { metadata }),
    },
    writes: true,
    secrets: [],
  };
}

function isoTime(at: EpochMs): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

export function renameCall(secret: Secret, name: string): Call {
  return {
    endpoint: 'POST /api/keys/rename',
    path: '/api/keys/rename',
    body: { key: secret.reveal(), name },
    writes: true,
    secrets: [secret],
  };
}

export function deleteCall(secret: Secret): Call {
  return {
    endpoint: 'DELETE /api/keys/:key',
    path: `/api/keys/${encodeURIComponent(secret.reveal())}`,
    writes: true,
    secrets: [secret],
  };
}
