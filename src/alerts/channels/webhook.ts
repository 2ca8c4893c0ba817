/** To any HTTP endpoint, signed as Standard Webhooks has it (https://www.standardwebhooks.com). */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Channel } from '../../core/policy.ts';
import type { Secret } from '../../core/secret.ts';
import type { SendOutcome } from '../../ports.ts';
import type { Message } from '../compose/message.ts';
import { toWebhook } from '../compose/webhook.ts';
import { assertPublicHost, PrivateAddressError, publicLookup } from './destination.ts';
import { httpOutcome, networkOutcome, refused } from './outcome.ts';

type WebhookChannel = Extract<Channel, { kind: 'webhook' }>;

export async function sendWebhook(
  channel: WebhookChannel,
  message: Message,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const body = toWebhook(message);
  try {
    const headers = await signedHeaders(channel.secret, message, body);
    const response = await post(channel, headers, body, signal);
    return httpOutcome(
      { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null },
      message.at,
    );
  } catch (error) {
    if (error instanceof PrivateAddressError)
      return refused(`${error.message} (allow_private would permit it)`);
    if (error instanceof SecretError) return refused(error.message);
    return networkOutcome(error);
  }
}

class SecretError extends Error {
  override readonly name = 'SecretError';
}

async function signedHeaders(
  secret: Secret | null,
  message: Message,
  body: string,
): Promise<OutgoingHttpHeaders> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'keywarden',
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(message.at / 1000)),
  };
  if (secret === null) return headers;
  const signature = (await signer(secret)).sign(message.id, new Date(message.at), body);
  return { ...headers, 'webhook-signature': signature };
}

/** As receivers with the same library read the same secret: base64, with or without `whsec_`; any other text as its bytes. */
async function signer(secret: Secret): Promise<{ sign(id: string, at: Date, body: string): string }> {
  const { Webhook } = await import('standardwebhooks');
  const value = secret.reveal();
  try {
    return new Webhook(value);
  } catch {
    if (value.startsWith('whsec_') || value === '')
      throw new SecretError('its secret is not valid base64 after whsec_');
    return new Webhook(Buffer.from(value), { format: 'raw' });
  }
}

/**
 * By `node:http`, which follows no redirect and lets the address be judged where the socket is
 * opened; the built-in `fetch` offers no hook there. What the receiver says beside its status is not read.
 */
async function post(
  { url: secretUrl, allowPrivate }: WebhookChannel,
  headers: OutgoingHttpHeaders,
  body: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(secretUrl.reveal());
  if (!allowPrivate) assertPublicHost(url.hostname);
  const { request } = url.protocol === 'http:' ? await import('node:http') : await import('node:https');
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', headers, agent: false, signal, ...(allowPrivate ? {} : { lookup: publicLookup }) },
      (response) => {
        resolve(response);
        response.destroy();
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
