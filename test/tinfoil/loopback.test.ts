/** Against a real server on loopback: what only sockets can do. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { CallObserver } from '../../src/ports.ts';
import type { AdminClientOptions } from '../../src/tinfoil/client.ts';
import { apiKey, clientOf, errorOf, listed, never, row, serve } from './harness.ts';
import type { Handler } from './harness.ts';

const rows = JSON.stringify([row()]);
const once = { attempts: 1, firstPauseMs: 1, random: () => 1 };

async function against<T>(
  handler: Handler,
  use: (client: ReturnType<typeof clientOf>) => Promise<T>,
  options: Partial<AdminClientOptions> = {},
): Promise<T> {
  await using server = await serve(handler);
  return await use(clientOf({ baseUrl: server.baseUrl, retries: once, ...options }));
}

const listError = (handler: Handler, options?: Partial<AdminClientOptions>) =>
  against(handler, ({ reader }) => errorOf(reader.listKeys(never)), options);

test('the headers, the Date and a packed answer', async () => {
  let authorization: string | undefined;
  const listing = await against(
    (request, response) => {
      authorization = request.headers.authorization;
      response.setHeader('date', 'Mon, 23 Nov 2026 10:00:00 GMT');
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(rows));
    },
    ({ reader }) => reader.listKeys(never),
  );
  expect(listing.keys[0]?.name).toBe('User 7');
  expect(listing.serverAt).toBe(Date.UTC(2026, 10, 23, 10));
  expect(authorization).toMatch(/^Bearer admin_/);
});

describe('cut off', () => {
  test('before any answer', async () => {
    const error = await listError((_, response) => response.destroy());
    expect(error).toMatchObject({ kind: 'network', status: null, retryable: true });
  });

  test('amid a body of known length', async () => {
    const error = await listError((_, response) => {
      response.setHeader('content-length', 1000);
      response.write(rows, () => response.destroy());
    });
    expect(error).toMatchObject({ kind: 'network', retryable: true });
  });

  test('amid a chunked body', async () => {
    const error = await listError((_, response) => {
      response.write(rows, () => response.destroy());
    });
    expect(error).toMatchObject({ kind: 'network', retryable: true });
  });

  test('amid a packed body', async () => {
    const error = await listError((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(rows).subarray(0, 20));
    });
    expect(error.retryable).toBe(true);
  });

  test('and then whole: the second attempt is taken', async () => {
    let requests = 0;
    const listing = await against(
      (_, response) => {
        requests += 1;
        if (requests === 1) response.write(rows.slice(0, 9), () => response.destroy());
        else response.end(rows);
      },
      ({ reader }) => reader.listKeys(never),
      { retries: { attempts: 2 } },
    );
    expect(listing.keys).toHaveLength(1);
    expect(requests).toBe(2);
  });
});

describe('too slow', () => {
  test('no answer at all', async () => {
    const calls: unknown[] = [];
    const onCall: CallObserver = ({ status }) => void calls.push(status);
    const error = await listError(() => undefined, { timeoutMs: 50, onCall });
    expect(error).toMatchObject({ kind: 'timeout', status: null, retryable: true });
    expect(calls).toEqual(['timeout']);
  });

  test('a body that does not go on', async () => {
    const error = await listError((_, response) => void response.write('['), { timeoutMs: 50 });
    expect(error.kind).toBe('timeout');
  });

  test('of a write it is not known what came of it', async () => {
    const error = await against(
      () => undefined,
      ({ writer }) => errorOf(writer.createKey({ name: 'x' }, never)),
      { timeoutMs: 50 },
    );
    expect(error).toMatchObject({ kind: 'timeout', outcome: 'unknown' });
  });
});

describe('too large', () => {
  test('by its Content-Length, before a byte is read', async () => {
    const error = await listError(
      (_, response) => {
        response.setHeader('content-length', 1001);
        response.flushHeaders(); // and never a body
      },
      { bodyCapBytes: 1000 },
    );
    expect(error).toMatchObject({ kind: 'too-large', status: 200, retryable: false });
  });

  test('by counting chunks, without an end', async () => {
    const error = await listError(
      (_, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(500), more);
        };
        more();
      },
      { bodyCapBytes: 10_000 },
    );
    expect(error.kind).toBe('too-large');
  });

  test('once unpacked', async () => {
    const error = await listError(
      (_, response) => {
        response.setHeader('content-encoding', 'gzip');
        response.end(gzipSync('['.padEnd(1_000_000)));
      },
      { bodyCapBytes: 10_000 },
    );
    expect(error.kind).toBe('too-large');
  });

  test('but what fits exactly is taken', async () => {
    const { keys } = await against(
      (_, response) => response.end(rows),
      ({ reader }) => reader.listKeys(never),
      { bodyCapBytes: rows.length },
    );
    expect(keys).toHaveLength(1);
  });
});

test('a redirect is not followed, so the admin key goes nowhere else', async () => {
  let strangers = 0;
  await using elsewhere = await serve((_, response) => {
    strangers += 1;
    response.end(rows);
  });
  const error = await listError((_, response) => {
    response.writeHead(302, { location: `${elsewhere.baseUrl.href}api/keys` }).end();
  });
  expect(error).toMatchObject({ kind: 'redirect', status: 302, retryable: false });
  expect(strangers).toBe(0);
});

test('a signal amid the request ends it at once', async () => {
  const stop = new AbortController();
  const error = await against(
    () => stop.abort(new Error(`because of ${apiKey}`)),
    ({ reader }) => errorOf(reader.listKeys(stop.signal)),
  );
  expect(error).toMatchObject({ kind: 'aborted', retryable: false });
});

test('a signal amid the body ends it at once', async () => {
  const stop = new AbortController();
  const error = await against(
    (_, response) => {
      response.write('[', () => setImmediate(() => stop.abort()));
    },
    ({ reader }) => errorOf(reader.listKeys(stop.signal)),
  );
  expect(error.kind).toBe('aborted');
});

test('nobody listens', async () => {
  const server = await serve(() => undefined);
  const { baseUrl } = server;
  await server[Symbol.asyncDispose]();
  const { reader, writer } = clientOf({ baseUrl, retries: once });
  expect(await errorOf(reader.listKeys(never))).toMatchObject({ kind: 'network', detail: 'ECONNREFUSED' });
  const { key, secret } = listed;
  expect(await errorOf(writer.deleteKey(key, secret, never))).toMatchObject({
    kind: 'network',
    outcome: 'none',
  });
});

test('a server that does not speak TLS where it should', async () => {
  await using server = await serve((_, response) => response.end(rows));
  const baseUrl = new URL(server.baseUrl.href.replace('http:', 'https:'));
  const error = await errorOf(clientOf({ baseUrl, retries: once }).reader.listKeys(never));
  expect(error).toMatchObject({ kind: 'tls', status: null, retryable: false });
});

test('a deletion whose answer is lost with the connection is seen in the list', async () => {
  const paths: string[] = [];
  let keys: unknown[] = [row()];
  await against(
    (request, response) => {
      paths.push(`${request.method ?? ''} ${request.url ?? ''}`);
      if (request.method === 'DELETE') {
        keys = [];
        response.destroy();
      } else {
        response.end(JSON.stringify(keys));
      }
    },
    ({ writer }) => writer.deleteKey(listed.key, listed.secret, never),
  );
  expect(paths).toEqual([`DELETE /api/keys/${encodeURIComponent(apiKey)}`, 'GET /api/keys']);
});
