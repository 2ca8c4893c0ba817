import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, MiddlewareHandler } from 'hono';
import type { Clock } from '../ports.ts';
import type { Endpoint, Fault, Faults } from './faults.ts';

/** Served on a socket, the app has these; run by `app.request` it has not. */
export interface SandboxEnv {
  Bindings: Partial<HttpBindings>;
}

/** Lets the ordered faults strike the requests of an endpoint. */
export function withFaults(faults: Faults, clock: Clock, endpoint: Endpoint): MiddlewareHandler<SandboxEnv> {
  return async (c, next) => {
    const struck = faults.strike(endpoint);
    for (const fault of struck) if (fault.kind === 'delay') await clock.sleep(fault.ms);
    const fault = struck.find(({ kind }) => kind !== 'delay');
    if (fault !== undefined && comesBefore(fault)) return instead(c, fault);
    await next();
    if (fault === undefined) return undefined;
    const answer = await spoiled(c, fault);
    // Only an unset answer is replaced; a set one would give its headers to the new one.
    c.res = undefined;
    c.res = answer;
    return undefined;
  };
}

function comesBefore(fault: Fault): boolean {
  return (
    (fault.kind === 'status' && fault.after !== true) || (fault.kind === 'cut' && fault.when === 'before')
  );
}

function instead(c: Context<SandboxEnv>, fault: Fault): Response {
  return fault.kind === 'status' ? errorStatus(fault) : cut(c, '', 0);
}

async function spoiled(c: Context<SandboxEnv>, fault: Fault): Promise<Response> {
  const answer = c.res;
  if (fault.kind === 'delay') return answer;
  if (fault.kind === 'status') return errorStatus(fault);
  const text = await answer.text();
  if (fault.kind === 'cut') return fault.when === 'mid-body' ? cutAmid(c, text) : cut(c, '', 0);
  const type = fault.kind === 'html' ? 'text/html' : 'application/json';
  return withBody(answer, spoil(text, fault), type);
}

/** Faults of the body. */
type Spoiling = Exclude<Fault, { kind: 'status' } | { kind: 'cut' } | { kind: 'delay' }>;

function spoil(text: string, fault: Spoiling): string {
  switch (fault.kind) {
    case 'malformed':
      return `${text.slice(0, -1)},}`;
    case 'truncated':
      return text.slice(0, Math.floor(text.length / 2));
    case 'html':
      return '<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>';
    case 'empty':
      return '';
    case 'body':
      return fault.text;
    case 'missing-field':
      return change(text, (name) => (name === fault.field ? { drop: true } : null));
    case 'set-field':
      return change(text, (name) => (name === fault.field ? { value: fault.value } : null));
    case 'empty-list':
      return JSON.stringify(shrunk(JSON.parse(text), 0));
    case 'shrunk-list':
      return JSON.stringify(shrunk(JSON.parse(text), fault.keep));
    default:
      return fault satisfies never;
  }
}

function errorStatus(fault: Extract<Fault, { kind: 'status' }>): Response {
  const body = fault.text ?? JSON.stringify({ status: 'error', message: 'Something went wrong' });
  const headers = { 'Content-Type': fault.text === undefined ? 'application/json' : 'text/plain' };
  return new Response(body, {
    status: fault.status,
    headers: fault.retryAfter === undefined ? headers : { ...headers, 'Retry-After': fault.retryAfter },
  });
}

function withBody(answer: Response, body: string, type: string): Response {
  const headers = new Headers(answer.headers);
  headers.set('Content-Type', type);
  headers.delete('Content-Length');
  return new Response(body, { status: 200, headers });
}

const cutAmid = (c: Context<SandboxEnv>, body: string): Response =>
  cut(c, body.slice(0, Math.ceil(body.length / 2)), Buffer.byteLength(body));

/** Sends `sent` of a body said to be `length` bytes long, then breaks the connection. Without a socket: a body that fails. */
function cut(c: Context<SandboxEnv>, sent: string, length: number): Response {
  // Hono leaves it undefined when it is given none.
  const { incoming, outgoing } = (c.env as SandboxEnv['Bindings'] | undefined) ?? {};
  if (incoming === undefined || outgoing === undefined) return new Response(failingBody(sent));
  if (length === 0) {
    incoming.socket.destroy();
  } else {
    outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': length });
    outgoing.write(sent, () => incoming.socket.destroy());
  }
  return RESPONSE_ALREADY_SENT;
}

function failingBody(sent: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      if (sent !== '') controller.enqueue(new TextEncoder().encode(sent));
      controller.error(new TypeError('terminated'));
    },
  });
}

type Edit = { readonly drop: true } | { readonly value: unknown };

/** Changes fields wherever they are; `edit` returns null for one that stays as it is. */
function change(text: string, edit: (name: string) => Edit | null): string {
  return JSON.stringify(
    JSON.parse(text, (name, value: unknown) => {
      const how = name === '' ? null : edit(name);
      if (how === null) return value;
      return 'drop' in how ? undefined : how.value;
    }),
  );
}

/** Keeps the first part of a list, of an aggregate's rows, or of a series' points. */
function shrunk(value: unknown, keep: number): unknown {
  if (Array.isArray(value)) return value.slice(0, Math.floor(value.length * keep)) as unknown[];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [name, shrunkPart(name, inner, keep)]),
  );
}

function shrunkPart(name: string, inner: unknown, keep: number): unknown {
  if (name === 'data_points') return shrunk(inner, keep);
  if (name !== 'keys' || typeof inner !== 'object' || inner === null) return inner;
  const rows = Object.entries(inner);
  return Object.fromEntries(rows.slice(0, Math.floor(rows.length * keep)));
}
