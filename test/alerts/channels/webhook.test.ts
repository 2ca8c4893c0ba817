import { Webhook } from 'standardwebhooks';
import { describe, expect, test, vi } from 'vitest';
import { sendWebhook } from '../../../src/alerts/channels/webhook.ts';
import { compose } from '../../../src/alerts/compose/compose.ts';
import type { SendOutcome } from '../../../src/ports.ts';
import { at, caseAlert, webhook } from '../build.ts';
import { httpReceiver, respond } from './servers.ts';

const message = compose([{ alert: caseAlert(), remark: null }], { id: 'msg_1', now: at });
const secret = `whsec_${Buffer.from('a secret of twenty-four b').toString('base64')}`;

async function sendTo(
  url: string,
  options: { secret?: string; allowPrivate?: boolean; signal?: AbortSignal } = {},
): Promise<SendOutcome> {
  const channel = webhook('pager', url, options.secret ?? null, options.allowPrivate ?? true);
  if (channel.kind !== 'webhook') throw new TypeError();
  return sendWebhook(channel, message, options.signal ?? new AbortController().signal);
}

describe('a message arrives', () => {
  test('as JSON, with its id and time', async () => {
    await using receiver = await httpReceiver(respond(204));
    expect(await sendTo(receiver.url)).toEqual({ ok: true });
    const [request] = receiver.requests;
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(at / 1000),
    });
    expect(request?.headers).not.toHaveProperty('webhook-signature');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ type: 'keywarden.alerts' });
  });

  test.each([
    ['with the prefix', secret, (text: string) => new Webhook(text)],
    ['without the prefix', secret.slice('whsec_'.length), (text: string) => new Webhook(text)],
    ['as any text', 'correct horse!', (text: string) => new Webhook(text, { format: 'raw' })],
    [
      'as any text beyond ASCII',
      'geheimnisvöll',
      (text: string) => new Webhook(Buffer.from(text), { format: 'raw' }),
    ],
  ])('signed with a secret %s', async (_name, value, receiverOf) => {
    await using receiver = await httpReceiver(respond(200));
    expect(await sendTo(receiver.url, { secret: value })).toEqual({ ok: true });
    const [request] = receiver.requests;
    vi.useFakeTimers({ now: at, toFake: ['Date'] });
    try {
      const headers = request?.headers as Record<string, string>;
      expect(receiverOf(value).verify(request?.body ?? '', headers)).toMatchObject({ data: { id: 'msg_1' } });
      expect(() => receiverOf(value).verify(`${request?.body ?? ''} `, headers)).toThrow(
        'No matching signature',
      );
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a message does not arrive', () => {
  test.each([
    [429, { 'retry-after': '120' }, { retryable: true, retryAfterMs: 120_000 }],
    [500, {}, { retryable: true, retryAfterMs: null }],
    [408, {}, { retryable: true, retryAfterMs: null }],
    [400, {}, { retryable: false, retryAfterMs: null }],
    [410, {}, { retryable: false, retryAfterMs: null }],
    [413, {}, { retryable: false, retryAfterMs: null, isTooLarge: true }],
  ])('when the answer is %d', async (status, headers, outcome) => {
    await using receiver = await httpReceiver(respond(status, 'no', headers));
    expect(await sendTo(receiver.url)).toEqual({
      ok: false,
      error: `answered ${String(status)}`,
      ...outcome,
    });
  });

  test('by way of a redirect', async () => {
    await using elsewhere = await httpReceiver(respond(200));
    await using receiver = await httpReceiver(respond(307, '', { location: elsewhere.url }));
    expect(await sendTo(receiver.url)).toEqual({
      ok: false,
      error: 'answered 307: redirects are not followed',
      retryable: false,
      retryAfterMs: null,
    });
    expect(elsewhere.requests).toEqual([]);
  });

  test('when the connection is cut, or nobody listens', async () => {
    const receiver = await httpReceiver((response) => response.destroy());
    expect(await sendTo(receiver.url)).toMatchObject({
      ok: false,
      error: 'the connection was cut',
      retryable: true,
    });
    await receiver[Symbol.asyncDispose]();
    expect(await sendTo(receiver.url)).toMatchObject({
      ok: false,
      error: 'the connection was refused',
      retryable: true,
    });
  });

  test('when it is stopped while the receiver is silent', async () => {
    const stop = new AbortController();
    await using receiver = await httpReceiver(() => {
      stop.abort();
    });
    expect(await sendTo(receiver.url, { signal: stop.signal })).toMatchObject({ ok: false, retryable: true });
  });

  test('with a secret that cannot be one', async () => {
    await using receiver = await httpReceiver(respond(200));
    const outcome = await sendTo(receiver.url, { secret: 'whsec_!SECRET!' });
    expect(outcome).toEqual({
      ok: false,
      error: 'its secret is not valid base64 after whsec_',
      retryable: false,
      retryAfterMs: null,
    });
    expect(receiver.requests).toEqual([]);
  });
});

test('a receiver that never stops talking is not listened to', async () => {
  await using receiver = await httpReceiver((response) => {
    response.writeHead(200).write('x'.repeat(100_000));
  });
  expect(await sendTo(receiver.url)).toEqual({ ok: true });
});

describe('private addresses', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '0'])(
    '%s is not reached',
    async (host) => {
      await using receiver = await httpReceiver(respond(200));
      const url = receiver.url.replace('127.0.0.1', host);
      const outcome = await sendTo(url, { allowPrivate: false });
      expect(outcome).toMatchObject({
        ok: false,
        retryable: false,
        error: expect.stringContaining('not public') as string,
      });
      expect(receiver.requests).toEqual([]);
    },
  );

  test('are where the operator says so', async () => {
    await using receiver = await httpReceiver(respond(200));
    expect(
      await sendTo(receiver.url.replace('127.0.0.1', 'localhost'), { allowPrivate: true }),
    ).toMatchObject({ ok: true });
  });
});

test('no error holds the URL', async () => {
  for (const url of [
    'http://user:SECRET@127.0.0.1:1/SECRET',
    'https://127.0.0.1:1/SECRET',
    'not a url SECRET',
    'ftp://127.0.0.1/SECRET',
  ]) {
    for (const allowPrivate of [true, false]) {
      const outcome = await sendTo(url, { allowPrivate });
      expect(outcome.ok).toBe(false);
      expect(JSON.stringify(outcome)).not.toMatch(/SECRET|127\.0\.0\.1/);
    }
  }
});
