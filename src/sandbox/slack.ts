/** A Slack incoming webhook that refuses what Slack refuses. */
import { Hono } from 'hono';
import type { Clock } from '../ports.ts';
import { withFaults, type SandboxEnv } from './fault-middleware.ts';
import { createFaults, type Faults } from './faults.ts';
import { createFeed, type Feed } from './feed.ts';
import { saysJson, type Received } from './receivers.ts';
import { refusalOf } from './slack-limits.ts';

export interface SlackOptions {
  readonly clock: Clock;
  /** Default `/services/T0000000/B0000000/sandbox`. Any other path is `no_service`. */
  readonly path?: string;
  /** Whether more than one message a second is answered with 429, as Slack does. Default true. */
  readonly rateLimit?: boolean;
  readonly faults?: Faults;
}

export interface SlackReceiver {
  readonly app: Hono<SandboxEnv>;
  readonly path: string;
  /** What was answered with `ok`. */
  readonly received: Feed<Received>;
}

export function createSlack(options: SlackOptions): SlackReceiver {
  const { clock, path = '/services/T0000000/B0000000/sandbox', rateLimit = true } = options;
  const received = createFeed<Received>();
  const app = new Hono<SandboxEnv>();
  let lastAt = -Infinity;

  app.post(path, withFaults(options.faults ?? createFaults(), clock, 'slack'), async (c) => {
    const now = clock.now();
    if (rateLimit && now < lastAt + 1_000) return c.text('rate_limited', 429, { 'Retry-After': '1' });
    if (!saysJson(c)) return c.text('invalid_payload', 400);
    const body = await c.req.json<unknown>().catch(() => null);
    const refusal = refusalOf(body);
    if (refusal !== null) return c.text(refusal, 400);
    lastAt = now;
    received.push({ at: now, body, headers: c.req.header() });
    return c.text('ok');
  });
  app.notFound((c) => c.text('no_service', 404));
  return { app, path, received };
}
