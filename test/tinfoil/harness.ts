import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '../../src/core/secret.ts';
import type { Clock } from '../../src/ports.ts';
import { createAdminClient } from '../../src/tinfoil/client.ts';
import type { AdminClientOptions } from '../../src/tinfoil/client.ts';
import { AdminApiError } from '../../src/tinfoil/errors.ts';
import { parseKey } from '../../src/tinfoil/parse.ts';

export const adminKey = 'admin_Very+Secret/Admin=Key';
export const apiKey = 'tk_a+b/c=d%20e?f';
export const start = Date.UTC(2026, 10, 23, 10);
export const never = new AbortController().signal;

export interface TestClock extends Clock {
  readonly sleeps: number[];
}

/** Shows `start` until someone sleeps, which takes no time here. */
export function testClock(): TestClock {
  const sleeps: number[] = [];
  let now = start;
  return {
    sleeps,
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleeps.push(ms);
      now += ms;
    },
  };
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Step = Response | Error | (() => Response | Promise<Response>);

/** A `fetch` that gives these answers in turn, and an unexpected call a failure that is not of the network. */
export function scripted(steps: readonly Step[]): { fetch: typeof fetch; seen: Seen[] } {
  const seen: Seen[] = [];
  const answer = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const step = steps[seen.length];
    const url = input instanceof Request ? input.url : String(input);
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : null;
    seen.push({ method: init?.method ?? 'GET', url, headers: new Headers(init?.headers), body });
    if (step === undefined) return Response.json({ error: 'unexpected request' }, { status: 418 });
    if (step instanceof Error) throw step;
    return typeof step === 'function' ? step() : step;
  };
  return { fetch: answer, seen };
}

/** A client over a script. Pauses are 100, 200, 400 … ms. */
export function scriptedClient(steps: readonly Step[], options: Partial<AdminClientOptions> = {}) {
  const clock = testClock();
  const { fetch, seen } = scripted(steps);
  return { clock, seen, ...clientOf({ clock, fetch, ...options }) };
}

export function clientOf(options: Partial<AdminClientOptions>) {
  return createAdminClient({
    baseUrl: new URL('http://api.test'),
    adminKey: new Secret(adminKey),
    clock: testClock(),
    retries: { firstPauseMs: 100, random: () => 1 },
    ...options,
  });
}

export function row(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { key: apiKey, name: 'User 7', created_at: '2026-01-02T03:04:05Z', ...more };
}

/** The port's view of a row. */
export const listed = parseKey(row());

export function list(...rows: readonly unknown[]): Response {
  return Response.json(rows);
}

export function refused(status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ status: 'error', message: `status ${String(status)}` }, { status, headers });
}

/** As `fetch` reports a broken connection. */
export function broken(code: string): TypeError {
  return new TypeError('fetch failed', {
    cause: Object.assign(new Error(`${code} http://api.test/api/keys/${apiKey}`), { code }),
  });
}

/** The error a promise rejects with, which must be the client's own. */
export async function errorOf(promise: Promise<unknown>): Promise<AdminApiError> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in result && result.error instanceof AdminApiError) return result.error;
  throw new Error('expected an AdminApiError', { cause: 'error' in result ? result.error : undefined });
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real server on loopback. */
export async function serve(handler: Handler): Promise<{ baseUrl: URL } & AsyncDisposable> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      handler(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: new URL(`http://127.0.0.1:${String(port)}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
