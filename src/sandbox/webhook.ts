/** A plain webhook that takes in JSON and, given the secret, only what is signed as Standard Webhooks has it. */
import { timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { Webhook } from 'standardwebhooks';
import type { EpochMs } from '../core/key.ts';
import type { Clock } from '../ports.ts';
import { withFaults, type SandboxEnv } from './fault-middleware.ts';
import { createFaults, type Faults } from './faults.ts';
import { createFeed, type Feed } from './feed.ts';
import { saysJson, type Received } from './receivers.ts';

export interface WebhookOptions {
  readonly clock: Clock;
  /** `whsec_…`; left out: signatures are not looked at. */
  readonly secret?: string;
  /** How far the signed time may be from the clock. Default 5 minutes, as the specification has it. */
  readonly toleranceMs?: number;
  readonly faults?: Faults;
}

export interface WebhookReceiver {
  readonly app: Hono<SandboxEnv>;
  readonly path: string;
  /** What was answered with 204. A repeat of the same `webhook-id` is here again. */
  readonly received: Feed<Received>;
}

export function createWebhookReceiver(options: WebhookOptions): WebhookReceiver {
  const { clock, secret, toleranceMs = 300_000 } = options;
  const path = '/hook';
  const received = createFeed<Received>();
  const app = new Hono<SandboxEnv>();

  app.post(path, withFaults(options.faults ?? createFaults(), clock, 'webhook'), async (c) => {
    const text = await c.req.text();
    const headers = c.req.header();
    if (secret !== undefined && !isSigned(text, headers, secret, clock.now(), toleranceMs)) {
      return c.text('signature does not verify', 401);
    }
    const body = parseJson(text);
    if (!saysJson(c) || body === undefined) return c.text('JSON expected', 400);
    received.push({ at: clock.now(), body, headers });
    return c.body(null, 204);
  });
  return { app, path, received };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The library's own `verify` reads the machine's clock; here the injected one counts. */
function isSigned(
  text: string,
  headers: Readonly<Record<string, string>>,
  secret: string,
  now: EpochMs,
  toleranceMs: number,
): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures } = headers;
  if (id === undefined || signatures === undefined || !/^\d+$/.test(seconds ?? '')) return false;
  const signedAt = Number(seconds) * 1_000;
  if (Math.abs(now - signedAt) > toleranceMs) return false;
  const expected = Buffer.from(new Webhook(secret).sign(id, new Date(signedAt), text));
  return signatures
    .split(' ')
    .map((signature) => Buffer.from(signature))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
}
