import { describe, expect, test } from 'vitest';
import { sendSlack } from '../../../src/alerts/channels/slack.ts';
import { compose } from '../../../src/alerts/compose/compose.ts';
import type { SlackPayload } from '../../../src/alerts/compose/slack.ts';
import type { SendOutcome } from '../../../src/ports.ts';
import { at, caseAlert, slack } from '../build.ts';
import { httpReceiver, respond } from './servers.ts';
import type { HttpReceiver } from './servers.ts';

const message = compose([{ alert: caseAlert(), remark: null }], { id: 'msg_1', now: at });

async function sendTo(
  { url }: Pick<HttpReceiver, 'url'>,
  signal = new AbortController().signal,
): Promise<SendOutcome> {
  const channel = slack('ops', url);
  if (channel.kind !== 'slack') throw new TypeError();
  return sendSlack(channel, message, signal);
}

test('a message arrives as blocks with a fallback', async () => {
  await using receiver = await httpReceiver(respond(200, 'ok'));
  expect(await sendTo(receiver)).toEqual({ ok: true });
  const [request] = receiver.requests;
  expect(request?.headers['content-type']).toMatch(/^application\/json/);
  const payload = JSON.parse(request?.body ?? '') as SlackPayload;
  expect(payload.text).toMatch(/^“User 7” has used 107% of its \$20 budget\n/);
  expect(payload.blocks?.[0]).toMatchObject({ type: 'header' });
});

describe('a message does not arrive', () => {
  test.each([
    [
      429,
      'rate_limited',
      { 'retry-after': '7' },
      { retryable: true, retryAfterMs: 7000, error: 'answered 429 (rate_limited)' },
    ],
    [429, '', {}, { retryable: true, retryAfterMs: null, error: 'answered 429' }],
    [500, '<html>', {}, { retryable: true, retryAfterMs: null, error: 'answered 500' }],
    [
      503,
      '',
      { 'retry-after': 'Mon, 23 Nov 2026 09:01:00 GMT' },
      { retryable: true, retryAfterMs: 60_000, error: 'answered 503' },
    ],
    [404, 'no_service', {}, { retryable: false, retryAfterMs: null, error: 'answered 404 (no_service)' }],
    [
      410,
      'channel_is_archived',
      {},
      { retryable: false, retryAfterMs: null, error: 'answered 410 (channel_is_archived)' },
    ],
    [
      403,
      'invalid_token',
      {},
      { retryable: false, retryAfterMs: null, error: 'answered 403 (invalid_token)' },
    ],
  ])('when the answer is %d %s', async (status, body, headers, outcome) => {
    await using receiver = await httpReceiver(respond(status, body, headers));
    expect(await sendTo(receiver)).toEqual({ ok: false, ...outcome });
    expect(receiver.requests).toHaveLength(1);
  });

  test('by way of a redirect', async () => {
    await using elsewhere = await httpReceiver(respond(200, 'ok'));
    await using receiver = await httpReceiver(respond(302, '', { location: elsewhere.url }));
    expect(await sendTo(receiver)).toMatchObject({ ok: false });
    expect(elsewhere.requests).toEqual([]);
  });

  test('when the connection is cut', async () => {
    await using receiver = await httpReceiver((response) => response.destroy());
    expect(await sendTo(receiver)).toEqual({
      ok: false,
      error: 'the connection was cut',
      retryable: true,
      retryAfterMs: null,
    });
  });

  test('when nobody listens', async () => {
    const receiver = await httpReceiver(respond(200));
    await receiver[Symbol.asyncDispose]();
    expect(await sendTo(receiver)).toMatchObject({
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
    expect(await sendTo(receiver, stop.signal)).toMatchObject({ ok: false, retryable: true });
  });
});

test('blocks that cannot be read are left out', async () => {
  await using receiver = await httpReceiver((response, count) => {
    respond(count === 1 ? 400 : 200, count === 1 ? 'invalid_blocks' : 'ok')(response);
  });
  expect(await sendTo(receiver)).toEqual({ ok: true });
  expect(JSON.parse(receiver.requests[1]?.body ?? '')).not.toHaveProperty('blocks');
});

test('no error holds the URL, whatever the receiver says', async () => {
  for (const [status, echo] of [
    [500, true],
    [404, true],
    [302, true],
    [200, false],
  ] as const) {
    await using receiver = await httpReceiver((response) => {
      if (!echo) response.destroy();
      else response.writeHead(status, { location: receiver.url }).end(receiver.url);
    });
    expect(JSON.stringify(await sendTo(receiver))).not.toMatch(/SECRET|127\.0\.0\.1|services/);
  }
  expect(JSON.stringify(await sendTo({ url: 'not a url SECRET' }))).not.toMatch(/SECRET/);
});
