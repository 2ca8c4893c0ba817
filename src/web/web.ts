/** HTTP: health, readiness, metrics, reload. A web is a function from a request to an answer. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.ts';

export interface WebPorts {
  health(): { readonly alive: boolean; readonly ready: boolean };
  metrics(): Promise<string>;
  reload(): Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }>;
  /** Null on loopback: no token is asked for. */
  readonly token: Secret | null;
}

export interface WebRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** By lower-case names. */
  readonly headers: { readonly authorization?: string | undefined; readonly origin?: string | undefined };
}

export interface WebAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** May reject: an internal error, whose words are nobody's business. */
export type Web = (request: WebRequest) => Promise<WebAnswer>;

export function createWeb(ports: WebPorts): Web {
  return async ({ method, path, headers }) => {
    // A HEAD is answered as a GET, and the body left out where it is sent.
    const route = `${method === 'HEAD' ? 'GET' : method} ${path}`;
    if (route === 'GET /healthz') return ports.health().alive ? text('ok') : text('the loop is stuck', 503);
    if (route === 'GET /readyz')
      return ports.health().ready ? text('ready') : text('the first pass has not succeeded yet', 503);
    if (ports.token !== null && !bears(headers.authorization, ports.token))
      return { ...text('unauthorized', 401), headers: { 'www-authenticate': 'Bearer' } };
    if (route === 'GET /metrics') return metrics(ports);
    if (route === 'POST /-/reload') return reload(ports, headers.origin);
    return text('not found', 404);
  };
}

function text(line: string, status = 200): WebAnswer {
  return { status, body: `${line}\n` };
}

async function metrics(ports: WebPorts): Promise<WebAnswer> {
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  return { status: 200, body: await ports.metrics(), headers };
}

async function reload(ports: WebPorts, origin: string | undefined): Promise<WebAnswer> {
  // A page of another origin must not be able to make a browser on this machine reload.
  if (origin !== undefined) return text('cross-origin requests are refused', 403);
  const result = await ports.reload();
  return result.ok ? text('reloaded') : text(result.message, 422);
}

/** Compared by hash, so that neither length nor content shows in the time it takes. */
function bears(header: string | undefined, token: Secret): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token.reveal()}`));
}
