/**
 * Requests over Node's own client for HTTP. The built-in `fetch` is a second HTTP stack beside it, and
 * a daemon that waits most of the time would hold its 10 MB and more for a few requests a minute.
 */
import type * as http from 'node:http';
import type * as https from 'node:https';
import { pipeline } from 'node:stream';
import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

export interface Outgoing {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Ends the exchange in whatever phase it is, the body of the answer included. */
  readonly signal: AbortSignal;
}

/** What is used of a `Response`. */
export interface Incoming {
  readonly status: number;
  /** The status is 2xx. */
  readonly ok: boolean;
  readonly headers: AnswerHeaders;
  /** Unpacked. To be read to its end or cancelled, or the connection stays taken. */
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null;
}

export interface AnswerHeaders {
  /** Null: the answer does not have it. */
  get(name: string): string | null;
}

/**
 * What is used of `fetch`, which is one. Must not follow redirects. Rejects, as reading the body does,
 * with errors of sockets, TLS and zlib, which tell themselves apart by their `code`.
 */
export type Fetch = (url: string, outgoing: Outgoing) => Promise<Incoming>;

/**
 * A connection that is idle for longer is closed: it serves the requests of one pass. By the next one
 * the server may have closed it, and a change sent at that moment would have an unclear outcome.
 */
const idleMs = 4000;

const unpackers: ReadonlyMap<string, () => Duplex> = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** One pool of connections. Certificates are checked; `NODE_EXTRA_CA_CERTS` adds to those trusted. */
export function createFetch(): Fetch {
  const agents = new Map<string, http.Agent>();
  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      const client = clientFor(target.protocol);
      const agent = agents.get(target.protocol) ?? new client.Agent({ keepAlive: true, timeout: idleMs });
      agents.set(target.protocol, agent);
      const options: http.RequestOptions = {
        method,
        headers: { ...headers, 'accept-encoding': 'gzip, deflate, br' },
        agent,
        signal,
      };
      const request = client.request(target, options, (message) => {
        resolve(incoming(message));
      });
      // Not only once: the rest of a body can fail to be sent after the answer has begun.
      request.on('error', reject);
      // An answer that would switch to another protocol ends without a word.
      request.on('close', () => {
        reject(new Error('closed without an answer'));
      });
      request.end(body ?? undefined);
    });
}

/** Asked for by name, since an `import` of `node:http` reads its `WebSocket`, and with it loads `fetch`. */
function clientFor(protocol: string): typeof http | typeof https {
  return protocol === 'http:'
    ? process.getBuiltinModule('node:http')
    : process.getBuiltinModule('node:https');
}

function incoming(message: http.IncomingMessage): Incoming {
  const { statusCode: status = 0, headers } = message;
  // Without a listener, an error before the first read would be lost.
  message.on('error', () => undefined);
  const body = unpacked(message, status);
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: {
      get: (name) => {
        const value = headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(', ') : (value ?? null);
      },
    },
    body: {
      [Symbol.asyncIterator]: () => body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
      cancel: async () => void body.destroy(),
    },
  };
}

/** What is packed in a way that was not offered is passed on as it came. */
function unpacked(message: http.IncomingMessage, status: number): Readable {
  const unpacker = unpackers.get(message.headers['content-encoding']?.trim().toLowerCase() ?? '');
  const empty = status === 204 || status === 304 || message.headers['content-length'] === '0';
  if (unpacker === undefined || empty) return message;
  // Each end that breaks breaks the other; the reader is told.
  return pipeline(message, unpacker(), () => undefined);
}
