import type { Endpoint } from './calls.ts';

export type AdminErrorKind =
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  /** Somebody changed the key's name while the change was under way. */
  | 'overtaken'
  | 'bad-request'
  | 'rate-limited'
  | 'server'
  | 'network'
  | 'tls'
  | 'timeout'
  | 'aborted'
  | 'malformed'
  | 'too-large'
  | 'redirect';

export interface AdminErrorFacts {
  /** A template such as `DELETE /api/keys/:key`; never the real path, which may hold a key. */
  readonly endpoint: Endpoint;
  readonly kind: AdminErrorKind;
  /** Null when there was no answer, or it was given up on. */
  readonly status: number | null;
  /** The same request may succeed later. */
  readonly retryable: boolean;
  /** What `Retry-After` asked for. */
  readonly retryAfterMs: number | null;
  /** The API's own words: one short line without control characters and secrets. */
  readonly serverMessage: string | null;
  /** Of a write: `unknown` when it may have taken effect. Always `none` for a read. */
  readonly outcome: 'none' | 'unknown';
  /** The API accepted the change, but the list does not show it. */
  readonly unconfirmed: boolean;
  /** In our words: a system's error code, or what is wrong with the answer. */
  readonly detail: string | null;
}

type FactsGiven = Pick<AdminErrorFacts, 'endpoint' | 'kind'> & Partial<AdminErrorFacts>;

const retryableKinds: ReadonlySet<AdminErrorKind> = new Set(['rate-limited', 'server', 'network', 'timeout']);

/**
 * The only thing the Admin API client rejects with. It has no `cause`: what a request throws can
 * hold the URL or a header, and with it a key.
 */
export class AdminApiError extends Error implements AdminErrorFacts {
  readonly endpoint: Endpoint;
  readonly kind: AdminErrorKind;
  readonly status: number | null;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly serverMessage: string | null;
  readonly outcome: 'none' | 'unknown';
  readonly unconfirmed: boolean;
  readonly detail: string | null;

  constructor(facts: FactsGiven) {
    super(inWords(facts));
    this.name = 'AdminApiError';
    this.endpoint = facts.endpoint;
    this.kind = facts.kind;
    this.status = facts.status ?? null;
    this.retryable = facts.retryable ?? retryableKinds.has(facts.kind);
    this.retryAfterMs = facts.retryAfterMs ?? null;
    this.serverMessage = facts.serverMessage ?? null;
    this.outcome = facts.outcome ?? 'none';
    this.unconfirmed = facts.unconfirmed ?? false;
    this.detail = facts.detail ?? null;
  }

  /** The same error with some facts replaced. */
  with(facts: Partial<AdminErrorFacts>): AdminApiError {
    return new AdminApiError({ ...this.#facts(), ...facts });
  }

  #facts(): AdminErrorFacts {
    const { endpoint, kind, status, retryable, retryAfterMs } = this;
    const { serverMessage, outcome, unconfirmed, detail } = this;
    return { endpoint, kind, status, retryable, retryAfterMs, serverMessage, outcome, unconfirmed, detail };
  }
}

const kindWords: Readonly<Record<AdminErrorKind, string>> = {
  unauthorized: 'the admin key was refused',
  forbidden: 'not allowed',
  'not-found': 'not found',
  conflict: 'conflict',
  overtaken: 'a person came first',
  'bad-request': 'the request was refused',
  'rate-limited': 'too many requests',
  server: 'the server failed',
  network: 'the connection failed',
  tls: 'no trusted connection',
  timeout: 'no answer in time',
  aborted: 'stopped',
  malformed: 'the answer cannot be understood',
  'too-large': 'the answer is too large',
  redirect: 'redirected, which is not followed',
};

function inWords(facts: FactsGiven): string {
  const { endpoint, kind, status = null, detail = null, serverMessage = null, outcome } = facts;
  const said = serverMessage === null ? '' : `: "${serverMessage}"`;
  const what = `${kindWords[kind]}${detail === null ? '' : ` (${detail})`}`;
  const effect = outcome === 'unknown' ? '; it may have taken effect all the same' : '';
  return `${endpoint}: ${status === null ? '' : `${String(status)}, `}${what}${said}${effect}`;
}
