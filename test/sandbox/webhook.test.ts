import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../src/sandbox/clock.ts';
import { createWebhookReceiver } from '../../src/sandbox/webhook.ts';

const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`;
const at = Date.UTC(2026, 9, 5);
const body = JSON.stringify({ type: 'alert', data: { name: 'ü' } });

function openReceiver(options: { readonly secret?: string } = { secret }) {
  const receiver = createWebhookReceiver({ clock: virtualClock(at), ...options });
  const post = async (headers: Record<string, string>, text = body) =>
    (
      await receiver.app.request(receiver.path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: text,
      })
    ).status;
  return { post, received: receiver.received };
}

function signed(signedAt = at, by = secret): Record<string, string> {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(signedAt / 1_000)),
    'webhook-signature': new Webhook(by).sign('msg_1', new Date(signedAt), body),
  };
}

describe('a webhook', () => {
  it('keeps what is signed', async () => {
    const { post, received } = openReceiver();
    expect(await post(signed())).toBe(204);
    expect(received.items).toMatchObject([
      { at, body: { type: 'alert', data: { name: 'ü' } }, headers: { 'webhook-id': 'msg_1' } },
    ]);
  });

  it('takes any one of several signatures', async () => {
    const headers = signed();
    const several = `v1,AAAA v1a,xyz ${headers['webhook-signature']}`;
    expect(await openReceiver().post({ ...headers, 'webhook-signature': several })).toBe(204);
  });

  it.each([
    ['no signature', {}],
    ['another secret', signed(at, `whsec_${Buffer.from('another').toString('base64')}`)],
    ['another id', { ...signed(), 'webhook-id': 'msg_2' }],
    ['an old time', signed(at - 300_001)],
    ['a time to come', signed(at + 301_000)],
    ['no time', { ...signed(), 'webhook-timestamp': 'now' }],
  ])('refuses %s', async (_, headers) => {
    const { post, received } = openReceiver();
    expect(await post(headers)).toBe(401);
    expect(received.items).toEqual([]);
  });

  it('refuses another body than was signed', async () => {
    expect(await openReceiver().post(signed(), `${body} `)).toBe(401);
  });

  it('without a secret takes any JSON, and nothing else', async () => {
    const { post } = openReceiver({});
    expect(await post({})).toBe(204);
    expect(await post({}, '{')).toBe(400);
    expect(await post({ 'Content-Type': 'text/plain' })).toBe(400);
  });
});
