/** What the transport does on its own account, against real servers on loopback. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createFetch } from '../../src/tinfoil/transport.ts';
import type { Incoming, Outgoing } from '../../src/tinfoil/transport.ts';
import { certificate } from '../e2e/certificate.ts';
import { clientOf, errorOf, listed, never, serve } from './harness.ts';
import type { Handler } from './harness.ts';

const get: Outgoing = { method: 'GET', headers: {}, body: null, signal: never };

/** Asks a server with this handler, with one pool of connections. */
async function pool(handler: Handler) {
  const server = await serve(handler);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const fetch = createFetch();
  return (outgoing: Partial<Outgoing> = {}) =>
    fetch(`${server.baseUrl.href}path?q=1`, { ...get, ...outgoing });
}

async function textOf({ body }: Incoming): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test.each([
  ['gzip', gzipSync],
  ['X-GZIP', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['identity', (plain: Buffer) => plain],
])('an answer in %s', async (coding, pack) => {
  const ask = await pool((_, response) => {
    response.setHeader('content-encoding', coding);
    response.end(pack(Buffer.from('the answer')));
  });
  expect(await textOf(await ask())).toBe('the answer');
});

test.each([
  ['204', 204, {}],
  ['a length of 0', 200, { 'content-length': '0' }],
])('nothing is unpacked where nothing comes: %s', async (_, status, headers) => {
  const ask = await pool((_request, response) => {
    response.writeHead(status, { 'content-encoding': 'br', ...headers }).end();
  });
  expect(await textOf(await ask())).toBe('');
});

test('what is not packed as it says', async () => {
  const ask = await pool((_, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end('plain');
  });
  await expect(textOf(await ask())).rejects.toMatchObject({ code: 'Z_DATA_ERROR' });
});

test('what is sent, and what the answer says', async () => {
  let seen: Pick<IncomingMessage, 'method' | 'url' | 'headers'> = {} as IncomingMessage;
  const ask = await pool((request, response) => {
    seen = request;
    response.writeHead(404, { 'Retry-After': '7', 'Set-Cookie': ['a', 'b'] }).end();
  });
  const answer = await ask({ method: 'POST', headers: { authorization: 'Bearer x' }, body: '{"é":1}' });
  expect(seen).toMatchObject({ method: 'POST', url: '/path?q=1' });
  expect(seen.headers).toMatchObject({ authorization: 'Bearer x', 'content-length': '8' });
  expect([answer.status, answer.ok]).toEqual([404, false]);
  const { headers } = answer;
  expect(['retry-AFTER', 'set-cookie', 'date-of-birth'].map((name) => headers.get(name))).toEqual([
    '7',
    'a, b',
    null,
  ]);
});

test('one connection serves request after request, and a cancelled body ends it', async () => {
  const ports = new Set<unknown>();
  const ask = await pool((request, response) => {
    ports.add(request.socket.remotePort);
    response.write('x'.repeat(100));
    if (request.method === 'GET') response.end();
  });
  await textOf(await ask());
  await textOf(await ask());
  expect(ports.size).toBe(1);
  const endless = await ask({ method: 'DELETE' });
  await endless.body?.cancel();
  await textOf(await ask());
  expect(ports.size).toBe(2);
});

test('a kept connection that the server closes is a broken one: nothing is sent twice by itself', async () => {
  let requests = 0;
  const ask = await pool((request, response) => {
    requests += 1;
    if (requests === 1) response.end('first');
    else request.socket.destroy();
  });
  await textOf(await ask());
  await expect(ask({ method: 'DELETE' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(requests).toBe(2);
});

test('an answer that would switch to another protocol is none', async () => {
  const ask = await pool((_, response: ServerResponse) => {
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  await expect(ask()).rejects.toThrow('closed without an answer');
});

test('a certificate that nobody trusts ends it before anything is sent', async () => {
  let requests = 0;
  const server = createServer(certificate, (_, response) => {
    requests += 1;
    response.end('[]');
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const baseUrl = new URL(`https://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  const { reader, writer } = clientOf({ baseUrl, retries: { attempts: 1 } });
  expect(await errorOf(reader.listKeys(never))).toMatchObject({
    kind: 'tls',
    detail: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    retryable: false,
  });
  const { key, secret } = listed;
  expect(await errorOf(writer.deleteKey(key, secret, never))).toMatchObject({ kind: 'tls', outcome: 'none' });
  expect(requests).toBe(0);
});
