import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { CallObserver } from '../../src/ports.ts';
import { createAdminClient } from '../../src/tinfoil/client.ts';
import {
  adminKey,
  apiKey,
  broken,
  errorOf,
  list,
  never,
  refused,
  row,
  scriptedClient,
  start,
  testClock,
} from './harness.ts';

const reading = { prompt_tokens: 1, completion_tokens: 2, requests: 1, cost: 0.5 };
const usage = { tokens: 0, requests: 0, cost: 0, keys: {} };

describe('requests', () => {
  test('each read goes to its endpoint', async () => {
    const { reader, seen } = scriptedClient([
      list(row()),
      Response.json(usage),
      Response.json(usage),
      Response.json(reading),
      Response.json(reading),
      Response.json({ data_points: [], interval: '1m0s' }),
      Response.json([]),
    ]);
    const secret = new Secret(apiKey);
    await reader.listKeys(never);
    await reader.usage(null, never);
    await reader.usage('7d', never);
    await reader.keyUsage(secret, null, never);
    await reader.keyUsage(secret, '24h', never);
    await reader.series('5m', never);
    await reader.transactions(never);
    expect(seen.map(({ method, url, body }) => [method, url.replace('http://api.test', ''), body])).toEqual([
      ['GET', '/api/keys', null],
      ['GET', '/api/billing/usage', null],
      ['GET', '/api/billing/usage?time=7d', null],
      ['POST', '/api/billing/usage/key', { key: apiKey }],
      ['POST', '/api/billing/usage/key?time=24h', { key: apiKey }],
      ['GET', '/api/billing/time-series?time=5m', null],
      ['GET', '/api/billing/transactions', null],
    ]);
    for (const { headers } of seen) expect(headers.get('authorization')).toBe(`Bearer ${adminKey}`);
    expect(seen[3]?.headers.get('content-type')).toBe('application/json');
  });

  test('a path and a slash in the base URL are kept, and the version is told', async () => {
    const baseUrl = new URL('https://gate.test/tinfoil/?x=1#y');
    const { reader, seen } = scriptedClient([list()], { baseUrl, version: '1.2.3' });
    await reader.listKeys(never);
    expect(seen[0]?.url).toBe('https://gate.test/tinfoil/api/keys');
    expect(seen[0]?.headers.get('user-agent')).toBe('keywarden/1.2.3');
  });

  test.each(['', 'admin_x\n', 'admin_ü', 'a b'])(
    'an admin key that no header takes is refused unsaid',
    (text) => {
      const make = () =>
        createAdminClient({ baseUrl: new URL('http://x'), adminKey: new Secret(text), clock: testClock() });
      expect(make).toThrow(/^the admin key is empty or holds characters that no key has$/);
    },
  );

  test('a listing tells when it was asked for and what time the API had', async () => {
    const headers = { date: 'Mon, 23 Nov 2026 10:07:00 GMT' };
    const { reader } = scriptedClient([refused(503), Response.json([row()], { headers }), list(row())]);
    expect(await reader.listKeys(never)).toMatchObject({ at: start + 100, serverAt: start + 420_000 });
    expect(await reader.listKeys(never)).toMatchObject({ serverAt: null });
  });
});

test('an answer that somebody kept since long before the list is asked for again, and is none', async () => {
  const dated = (body: unknown, minutes: number): Response =>
    Response.json(body, { headers: { date: new Date(start + minutes * 60_000).toUTCString() } });
  const kept = (): Response => dated(usage, -6);
  const { reader } = scriptedClient([
    dated([row()], 0),
    kept(),
    dated(usage, -4),
    ...[kept, kept, kept, kept],
    () => dated(reading, -6),
    () => dated(reading, 1),
  ]);
  await reader.listKeys(never);
  await reader.usage(null, never);
  expect(await errorOf(reader.usage(null, never))).toMatchObject({
    kind: 'malformed',
    detail: 'it is from 2026-11-23T09:54:00.000Z, long before the list of keys',
  });
  expect(await reader.keyUsage(new Secret(apiKey), null, never)).toMatchObject({ requests: 1 });
});

test('a byte order mark before an answer is no part of it, and broken UTF-8 is shown as such', async () => {
  const start = Buffer.from('\uFEFF[{"key":"tk_a","created_at":"2026-01-02T03:04:05Z","name":"');
  const body = Buffer.concat([start, Buffer.from([0x41, 0xff]), Buffer.from('"}]')]);
  const { reader } = scriptedClient([new Response(body)]);
  const { keys } = await reader.listKeys(never);
  expect(keys.map(({ name }) => name)).toEqual(['A\uFFFD']);
});

describe('refusals', () => {
  test.each([
    [400, 'bad-request'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [405, 'bad-request'],
    [409, 'conflict'],
    [301, 'redirect'],
    [307, 'redirect'],
  ])('%d is %s and asked once', async (status, kind) => {
    const { reader, seen } = scriptedClient([() => refused(status, { location: 'http://elsewhere.test/' })]);
    const error = await errorOf(reader.listKeys(never));
    expect(error).toMatchObject({
      endpoint: 'GET /api/keys',
      kind,
      status,
      retryable: false,
      outcome: 'none',
    });
    expect(error.serverMessage).toBe(`status ${String(status)}`);
    expect(seen).toHaveLength(1);
  });

  test.each([
    ['{"status":"error","message":"Invalid admin API key"}', 'Invalid admin API key'],
    ['{"error":"Invalid admin API key"}', 'Invalid admin API key'],
    ['<html><body>401</body></html>', null],
    ['{"status":"err', '{"status":"err'],
    ['', null],
  ])('401 with the body %s', async (body, serverMessage) => {
    const { reader } = scriptedClient([new Response(body, { status: 401 })]);
    expect(await errorOf(reader.listKeys(never))).toMatchObject({
      kind: 'unauthorized',
      status: 401,
      serverMessage,
    });
  });

  test('an error’s body that breaks off or never ends leaves the status', async () => {
    const breaks = new ReadableStream({
      pull: (controller) => controller.error(new TypeError('terminated')),
    });
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    const { reader } = scriptedClient([
      new Response(breaks, { status: 403 }),
      new Response(endless, { status: 403 }),
    ]);
    expect(await errorOf(reader.listKeys(never))).toMatchObject({ kind: 'forbidden', serverMessage: null });
    expect(await errorOf(reader.listKeys(never))).toMatchObject({ kind: 'forbidden' });
  });
});

describe('trying again', () => {
  test.each([
    ['500', () => refused(500)],
    ['503', () => refused(503)],
    ['408', () => refused(408)],
    ['429 without a word', () => refused(429)],
    ['a reset connection', () => Promise.reject(broken('ECONNRESET'))],
    ['half an answer', () => new Response('[{"key":"tk_')],
    ['a page', () => new Response('<!doctype html><title>Hello</title>')],
    ['nothing', () => new Response('')],
  ])('after %s, four times in all, with growing pauses', async (_, answer) => {
    const { reader, seen, clock } = scriptedClient([answer, answer, answer, answer, list()]);
    const error = await errorOf(reader.listKeys(never));
    expect(error.retryable).toBe(true);
    expect(seen).toHaveLength(4);
    expect(clock.sleeps).toEqual([100, 200, 400]);
  });

  test('and then it may succeed', async () => {
    const { reader } = scriptedClient([refused(502), broken('ECONNREFUSED'), new Response('{'), list(row())]);
    expect((await reader.listKeys(never)).keys).toHaveLength(1);
  });

  test('a well-formed answer of the wrong form is final', async () => {
    const { reader, seen } = scriptedClient([list(row({ name: null }))]);
    const error = await errorOf(reader.listKeys(never));
    expect(error).toMatchObject({
      kind: 'malformed',
      status: 200,
      retryable: false,
      detail: 'row 1: name is not text',
    });
    expect(seen).toHaveLength(1);
  });

  test.each([
    ['7', [7000]],
    ['Mon, 23 Nov 2026 10:00:09 GMT', [9000]],
    ['0', [100]],
    ['60', [60_000]],
    ['soon', [100]],
  ])('429 with Retry-After: %s is waited for', async (text, sleeps) => {
    const { reader, clock } = scriptedClient([refused(429, { 'retry-after': text }), list()]);
    await reader.listKeys(never);
    expect(clock.sleeps).toEqual(sleeps);
  });

  test('but not for longer than a minute', async () => {
    const { reader, seen } = scriptedClient([refused(429, { 'retry-after': '61' })]);
    expect(await errorOf(reader.listKeys(never))).toMatchObject({
      kind: 'rate-limited',
      retryAfterMs: 61_000,
    });
    expect(seen).toHaveLength(1);
  });

  test('pauses are spread over their upper half and bounded', async () => {
    const answers = Array.from({ length: 5 }, () => () => refused(500));
    const retries = { attempts: 5, firstPauseMs: 4000, longestPauseMs: 10_000, random: () => 0 };
    const { reader, clock } = scriptedClient(answers, { retries });
    await errorOf(reader.listKeys(never));
    expect(clock.sleeps).toEqual([2000, 4000, 5000, 5000]);
  });
});

describe('failures on the way', () => {
  test.each([
    ['ECONNRESET', 'network'],
    ['ENOTFOUND', 'network'],
    ['UND_ERR_SOCKET', 'network'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['ETIMEDOUT', 'timeout'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
  ])('%s is %s', async (code, kind) => {
    const { reader } = scriptedClient([broken(code)], { retries: { attempts: 1 } });
    expect(await errorOf(reader.listKeys(never))).toMatchObject({ kind, detail: code, status: null });
  });

  test('several addresses that all fail give the first one’s code', async () => {
    const all = new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]);
    const { reader } = scriptedClient([new TypeError('fetch failed', { cause: all })], {
      retries: { attempts: 1 },
    });
    expect(await errorOf(reader.listKeys(never))).toMatchObject({ kind: 'network', detail: 'ECONNREFUSED' });
  });

  test('something thrown that is no error at all', async () => {
    const odd = (): Promise<Response> => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- a stranger's fetch may
      throw 'tk_thrown';
    };
    const { reader } = scriptedClient([odd], { retries: { attempts: 1 } });
    expect(await errorOf(reader.listKeys(never))).toMatchObject({ kind: 'network', detail: null });
  });

  test('a signal that was given before is heeded before anything is sent', async () => {
    const { reader, seen } = scriptedClient([]);
    expect(await errorOf(reader.listKeys(AbortSignal.abort()))).toMatchObject({
      kind: 'aborted',
      retryable: false,
    });
    expect(seen).toHaveLength(0);
  });

  test('a signal in a pause ends it', async () => {
    const stop = new AbortController();
    const stopping = () => {
      stop.abort(new Error(apiKey));
      return refused(500);
    };
    const { reader, seen } = scriptedClient([stopping, list()]);
    expect(await errorOf(reader.listKeys(stop.signal))).toMatchObject({ kind: 'aborted' });
    expect(seen).toHaveLength(1);
  });
});

test('every attempt is observed, by its template and what came of it', async () => {
  const calls: Parameters<CallObserver>[0][] = [];
  const onCall: CallObserver = (call) => void calls.push(call);
  const answers = [
    refused(500),
    broken('ECONNRESET'),
    broken('UND_ERR_HEADERS_TIMEOUT'),
    Response.json(reading),
  ];
  const { reader } = scriptedClient(answers, { onCall });
  await reader.keyUsage(new Secret(apiKey), '7d', never);
  const endpoint = 'POST /api/billing/usage/key';
  expect(calls).toEqual([
    { endpoint, status: 500, ms: 0 },
    { endpoint, status: 'network', ms: 0 },
    { endpoint, status: 'timeout', ms: 0 },
    { endpoint, status: 200, ms: 0 },
  ]);
});
