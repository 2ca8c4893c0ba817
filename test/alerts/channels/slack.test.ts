import { describe, expect, test } from 'vitest';
import { sendSlack } from '../../../src/alerts/channels/slack.ts';
import { compose } from '../../../src/alerts/compose/compose.ts';
import type { SlackPayload } from '../../../src/alerts/compose/slack.ts';
import { sampleCaseAlerts, sampleSystemAlert } from '../../../src/alerts/samples.ts';
import type { SendOutcome } from '../../../src/ports.ts';
import { createFaults } from '../../../src/sandbox/faults.ts';
import { serve } from '../../../src/sandbox/serve.ts';
import { createSlack } from '../../../src/sandbox/slack.ts';
import { at, caseAlert, slack, virtualClock } from '../build.ts';
import { httpReceiver, respond } from './servers.ts';
import type { HttpReceiver } from './servers.ts';

const message = compose([{ alert: caseAlert(), remark: null }], { id: 'msg_1', now: at });

async function sendTo(
  { url }: Pick<HttpReceiver, 'url'>,
  signal = new AbortController().signal,
  what = message,
): Promise<SendOutcome> {
  const channel = slack('ops', url);
  if (channel.kind !== 'slack') throw new TypeError();
  return sendSlack(channel, what, signal);
}

test('a message arrives as blocks with a fallback', async () => {
  await using receiver = await httpReceiver(respond(200, 'ok'));
  expect(await sendTo(receiver)).toEqual({ ok: true, told: ['alert-1'] });
  const [request] = receiver.requests;
  expect(request?.headers['content-type']).toMatch(/^application\/json/);
  const payload = JSON.parse(request?.body ?? '') as SlackPayload;
  expect(payload.text).toMatch(/^🟧 Warning: “User 7” has used 107% of its \$20 budget\n/u);
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
    [400, 'no_text', {}, { retryable: false, retryAfterMs: null, error: 'answered 400 (no_text)' }],
    [
      400,
      'invalid_payload',
      {},
      { retryable: false, retryAfterMs: null, error: 'answered 400 (invalid_payload)' },
    ],
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

describe('the receiver that refuses what Slack refuses', () => {
  const options = { at, timeZone: 'Europe/Berlin', channels: ['ops'] } as const;
  const samples = [sampleSystemAlert(options), ...sampleCaseAlerts(options)];

  async function slackServer() {
    const clock = virtualClock();
    const faults = createFaults();
    const receiver = createSlack({ clock, faults });
    const server = await serve(receiver.app);
    return {
      ...{ clock, faults, received: receiver.received, url: server.url + receiver.path },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }

  test('takes every sample as blocks, and all of them as a digest, at one a second', async () => {
    await using server = await slackServer();
    for (const alerts of [...samples.map((alert) => [alert]), samples]) {
      const entries = alerts.map((alert) => ({ alert, remark: null }));
      expect(await sendTo(server, undefined, compose(entries, { id: 'msg_1', now: at }))).toMatchObject({
        ok: true,
      });
      await server.clock.advance(1000);
    }
    const blocks = server.received.items.map(({ body }) => (body as SlackPayload).blocks);
    expect(blocks).toHaveLength(samples.length + 1);
    expect(blocks.every((one) => one !== undefined)).toBe(true);
  });

  test('asks for patience, and takes the message after it', async () => {
    await using server = await slackServer();
    expect(await sendTo(server)).toMatchObject({ ok: true });
    const refusal = { ok: false, error: 'answered 429 (rate_limited)', retryable: true, retryAfterMs: 1000 };
    expect(await sendTo(server)).toEqual(refusal);
    await server.clock.advance(1000);
    expect(await sendTo(server)).toMatchObject({ ok: true });
  });

  test.each([
    [400, 'user_not_found', false],
    [403, 'action_prohibited', false],
    [404, 'channel_not_found', false],
    [410, 'channel_is_archived', false],
    [500, 'rollup_error', true],
    [503, 'service_unavailable', true],
  ])('says %d %s', async (status, text, retryable) => {
    await using server = await slackServer();
    server.faults.add({ endpoint: 'slack', fault: { kind: 'status', status, text } });
    const error = `answered ${String(status)} (${text})`;
    expect(await sendTo(server)).toEqual({ ok: false, error, retryable, retryAfterMs: null });
  });

  test('knows no other address', async () => {
    await using server = await slackServer();
    const error = 'answered 404 (no_service)';
    expect(await sendTo({ url: `${server.url}-revoked` })).toMatchObject({ error, retryable: false });
  });
});

test.each(['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long'])(
  'blocks that are refused as %s are left out',
  async (reason) => {
    await using receiver = await httpReceiver((response, count) => {
      respond(count === 1 ? 400 : 200, count === 1 ? reason : 'ok')(response);
    });
    expect(await sendTo(receiver)).toMatchObject({ ok: true });
    expect(JSON.parse(receiver.requests[1]?.body ?? '')).not.toHaveProperty('blocks');
  },
);

test('what goes without its blocks waits for its turn, and is sent no more when stopped meanwhile', async () => {
  await using receiver = await httpReceiver((response, count) => {
    respond(count % 2 === 1 ? 400 : 200, count % 2 === 1 ? 'invalid_blocks' : 'ok')(response);
  });
  const channel = slack('ops', receiver.url);
  if (channel.kind !== 'slack') throw new TypeError();
  const before: number[] = [];
  const turn = (): Promise<void> => {
    before.push(receiver.requests.length);
    return Promise.resolve();
  };
  expect(await sendSlack(channel, message, new AbortController().signal, turn)).toMatchObject({ ok: true });
  expect([before, receiver.requests.length]).toEqual([[1], 2]);
  const stopped = (): Promise<void> => Promise.reject(new Error('stopped'));
  expect(await sendSlack(channel, message, new AbortController().signal, stopped)).toEqual({
    ok: false,
    error: 'stopped',
    retryable: true,
    retryAfterMs: null,
  });
  expect(receiver.requests).toHaveLength(3);
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
