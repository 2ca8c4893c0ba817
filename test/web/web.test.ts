/** Over real sockets on loopback: what each path answers, to whom, and how the listener ends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { serveOn } from '../../src/web/listen.ts';
import { createWeb } from '../../src/web/web.ts';
import type { WebPorts } from '../../src/web/web.ts';

const token = 'a token+of/visible=characters';

async function listen(ports: Partial<WebPorts> = {}) {
  const reloads: number[] = [];
  const web = createWeb({
    health: () => ({ alive: true, ready: true }),
    metrics: async () => 'keywarden_keys 7\n',
    reload: async () => {
      reloads.push(1);
      return { ok: true };
    },
    token: null,
    ...ports,
  });
  const server = await serveOn(web, '127.0.0.1', 0);
  onTestFinished(() => server.close());
  const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, { method, headers });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { ...server, ask, reloads };
}

/** What the server says to these bytes until it hangs up. */
async function raw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  // A server that hangs up amid what it is sent resets the connection.
  socket.on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return said;
}

describe('health', () => {
  test.each([
    ['/healthz', { alive: true, ready: false }, 200, 'ok\n'],
    ['/healthz', { alive: false, ready: true }, 503, 'the loop is stuck\n'],
    ['/readyz', { alive: true, ready: true }, 200, 'ready\n'],
    ['/readyz', { alive: true, ready: false }, 503, 'the first pass has not succeeded yet\n'],
  ])('%s when %o is %i', async (path, health, status, text) => {
    const { ask } = await listen({ health: () => health });
    expect(await ask('GET', path)).toMatchObject({ status, text });
    expect(await ask('GET', `${path}?verbose=1`)).toMatchObject({ status, text });
  });

  test('a HEAD has the headers of a GET and no body', async () => {
    const { ask } = await listen();
    const { status, text, headers } = await ask('HEAD', '/healthz');
    expect([status, text, headers.get('content-length')]).toEqual([200, '', '3']);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});

describe('metrics', () => {
  test('as Prometheus reads them', async () => {
    const { ask } = await listen();
    const { status, text, headers } = await ask('GET', '/metrics');
    expect([status, text]).toEqual([200, 'keywarden_keys 7\n']);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('what goes wrong is not told', async () => {
    const { ask } = await listen({ metrics: () => Promise.reject(new Error('SQLITE_BUSY at /secret/path')) });
    expect(await ask('GET', '/metrics')).toMatchObject({ status: 500, text: 'internal error\n' });
  });
});

describe('reload', () => {
  test('when the file is good', async () => {
    const { ask, reloads } = await listen();
    expect(await ask('POST', '/-/reload')).toMatchObject({ status: 200, text: 'reloaded\n' });
    expect(reloads).toHaveLength(1);
  });

  test('when it is not, its faults', async () => {
    const { ask } = await listen({ reload: async () => ({ ok: false, message: 'policies.yaml:2:1 — é' }) });
    expect(await ask('POST', '/-/reload')).toMatchObject({ status: 422, text: 'policies.yaml:2:1 — é\n' });
  });

  test('not for a page of another origin', async () => {
    const { ask, reloads } = await listen();
    expect((await ask('POST', '/-/reload', { origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask('POST', '/-/reload', { origin: 'null' })).status).toBe(403);
    expect(reloads).toHaveLength(0);
  });

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('not by %s', async (method) => {
    const { ask, reloads } = await listen();
    expect((await ask(method, '/-/reload')).status).toBe(404);
    expect(reloads).toHaveLength(0);
  });
});

test.each([
  ['GET', '/'],
  ['GET', '/healthz/'],
  ['GET', '/HEALTHZ'],
  ['POST', '/healthz'],
  ['POST', '/metrics'],
])('%s %s is not there', async (method, path) => {
  const { ask } = await listen();
  expect((await ask(method, path)).status).toBe(404);
});

describe('with a token', () => {
  const guarded = { token: new Secret(token) };
  const others: readonly [string, string][] = [
    ['GET', '/metrics'],
    ['HEAD', '/metrics'],
    ['POST', '/-/reload'],
    ['GET', '/'],
  ];

  test('health is for everybody', async () => {
    const { ask } = await listen(guarded);
    expect((await ask('GET', '/healthz')).status).toBe(200);
    expect((await ask('HEAD', '/readyz')).status).toBe(200);
  });

  test.each(others)('%s %s is not', async (method, path) => {
    const { ask, reloads } = await listen(guarded);
    const wrong = ['', 'Bearer', `Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Basic ${token}`, token];
    for (const authorization of wrong) {
      const { status, headers, text } = await ask(
        method,
        path,
        authorization === '' ? {} : { authorization },
      );
      expect([authorization, status, headers.get('www-authenticate')]).toEqual([
        authorization,
        401,
        'Bearer',
      ]);
      expect(text).not.toContain(token);
    }
    expect(reloads).toHaveLength(0);
    expect((await ask(method, path, { authorization: `Bearer ${token}` })).status).not.toBe(401);
  });

  test('an origin is refused all the same', async () => {
    const { ask } = await listen(guarded);
    const headers = { authorization: `Bearer ${token}`, origin: 'http://evil.example' };
    expect((await ask('POST', '/-/reload', headers)).status).toBe(403);
  });
});

describe('the connection', () => {
  test('serves one request after another', async () => {
    const { url } = await listen();
    const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    const said = await raw(url, request + request.replace('Host', 'Connection: close\r\nHost'));
    expect(said.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });

  test('is not kept for a body that does not come', async () => {
    const { url } = await listen();
    const said = await raw(url, 'POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{');
    expect(said).toMatch(/^HTTP\/1\.1 200 OK[^]*connection: close[^]*reloaded\n$/i);
  });

  test.each([
    [
      'headers that are too long',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['what is not HTTP', 'hello\r\n\r\n', 400],
  ])('is closed after %s', async (_, bytes, status) => {
    const { url } = await listen();
    expect(await raw(url, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
  });

  test('idle or amid a request, it does not hold up the end', async () => {
    const server = await listen({ metrics: () => new Promise(() => undefined) });
    const { url } = server;
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    const waiting = fetch(`${url}/metrics`).then(
      () => 'answered',
      () => 'cut',
    );
    await fetch(`${url}/healthz`).then((response) => response.text());
    await server.close();
    expect(await waiting).toBe('cut');
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });
});

test('an address that is taken is told, with what to do', async () => {
  const { url } = await listen();
  const { port } = new URL(url);
  await expect(serveOn(createWeb({} as WebPorts), '127.0.0.1', Number(port))).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: another program listens there`,
  );
});
