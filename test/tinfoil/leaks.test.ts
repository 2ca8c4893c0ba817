/** However a call fails, its error holds no secret: not in its fields, its message, its stack or a cause. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { AdminReader, AdminWriter } from '../../src/ports.ts';
import type { AdminApiError } from '../../src/tinfoil/errors.ts';
import { adminKey, apiKey, broken, clientOf, errorOf, list, listed, never, row, serve } from './harness.ts';
import type { Step } from './harness.ts';

const secrets = [adminKey, apiKey].flatMap((value) => [value, encodeURIComponent(value)]);
const echo = `no: ${secrets.join(' ')} Bearer ${adminKey} at http://api.test/api/keys/${encodeURIComponent(apiKey)}`;

function assertClean(error: AdminApiError): void {
  const shown = [
    JSON.stringify(error),
    inspect(error, { depth: 10, showHidden: true }),
    error.stack ?? '',
    String(error),
    inspect(Object.entries(Object.getOwnPropertyDescriptors(error)), { depth: 10 }),
  ];
  for (const text of shown) for (const secret of secrets) expect(text).not.toContain(secret);
  expect(error.cause).toBeUndefined();
}

type Client = { readonly reader: AdminReader; readonly writer: AdminWriter };
const { key, secret } = listed;

const calls: readonly [string, (client: Client, signal: AbortSignal) => Promise<unknown>][] = [
  ['list', ({ reader }, signal) => reader.listKeys(signal)],
  ['aggregate', ({ reader }, signal) => reader.usage('7d', signal)],
  ['reading', ({ reader }, signal) => reader.keyUsage(secret, '7d', signal)],
  ['series', ({ reader }, signal) => reader.series('1h', signal)],
  ['transactions', ({ reader }, signal) => reader.transactions(signal)],
  ['create', ({ writer }, signal) => writer.createKey({ name: apiKey }, signal)],
  ['rename', ({ writer }, signal) => writer.renameKey(key, secret, 'x', signal)],
  ['delete', ({ writer }, signal) => writer.deleteKey(key, secret, signal)],
];

const failures: readonly [string, () => Step][] = [
  ...[301, 400, 401, 403, 404, 408, 409, 429, 500].flatMap((status): [string, () => Step][] => [
    [`${String(status)} with message`, () => Response.json({ status: 'error', message: echo }, { status })],
    [
      `${String(status)} with error`,
      () => Response.json({ error: echo }, { status, headers: { location: echo } }),
    ],
    [`${String(status)} with text`, () => new Response(echo, { status, statusText: 'tk_status' })],
  ]),
  ['a cut connection', () => broken('ECONNRESET')],
  [
    'a cause with a header',
    () => new TypeError(`Headers.append: "Bearer ${adminKey}" is invalid`, { cause: new Error(echo) }),
  ],
  ['a code that is a secret', () => Object.assign(new Error(echo), { code: apiKey })],
  ['text for JSON', () => new Response(echo)],
  ['JSON of another form', () => Response.json({ [apiKey]: echo, keys: { [apiKey]: 1 }, tokens: adminKey })],
  ['a list of another form', () => list(row(), { ...row(), name: 7, created_at: apiKey })],
  ['a list without end', () => list(row(), row())],
];

/** JSON with status 200 is all that a rename asks for. */
const accepted = /^rename after (JSON|a list)/;
const cases = calls.flatMap(([name, call]) =>
  failures.map(([how, step]) => ({ title: `${name} after ${how}`, call, step })),
);

test.each(cases.filter(({ title }) => !accepted.test(title)))('$title', async ({ call, step }) => {
  const fetch = async (): Promise<Response> => {
    const next = step();
    if (next instanceof Error) throw next;
    return typeof next === 'function' ? next() : next;
  };
  const client = clientOf({ fetch, retries: { attempts: 2, firstPauseMs: 1 } });
  assertClean(await errorOf(call(client, never)));
});

test.each(calls)('%s over real sockets: cut, slow, too large, stopped', async (_, call) => {
  await using cutting = await serve((_request, response) => response.destroy());
  await using slow = await serve(() => undefined);
  await using large = await serve((_request, response) => response.end(echo.repeat(10)));
  const retries = { attempts: 1 };
  const errors = [
    await errorOf(call(clientOf({ baseUrl: cutting.baseUrl, retries }), never)),
    await errorOf(call(clientOf({ baseUrl: slow.baseUrl, retries, timeoutMs: 30 }), never)),
    await errorOf(call(clientOf({ baseUrl: slow.baseUrl, retries }), AbortSignal.abort(new Error(echo)))),
    await errorOf(call(clientOf({ baseUrl: large.baseUrl, retries, bodyCapBytes: 20 }), never)),
  ];
  for (const error of errors) assertClean(error);
});

test('an address that no request can be made of is not told', async () => {
  const { reader } = clientOf({
    baseUrl: new URL(`http://user:${encodeURIComponent(apiKey)}@127.0.0.1:9`),
    retries: { attempts: 1 },
  });
  const error = await errorOf(reader.keyUsage(new Secret(apiKey), null, never));
  expect(error.kind).toBe('network');
  assertClean(error);
});
