/** The whole simulated surroundings on loopback: Admin API, Slack, a webhook, a mail server. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import type { EpochMs } from '../core/key.ts';
import type { Clock } from '../ports.ts';
import { createAdminApi } from './api.ts';
import { createControl } from './control.ts';
import type { SandboxEnv } from './fault-middleware.ts';
import { createFaults, type Faults } from './faults.ts';
import { startInbox, type Inbox, type InboxOptions } from './inbox.ts';
import type { Population } from './population.ts';
import { createRandom } from './random.ts';
import { createSlack, type SlackReceiver } from './slack.ts';
import { createVariants, type Variants } from './variants.ts';
import { createWebhookReceiver, type WebhookReceiver } from './webhook.ts';
import { createWorld, type World } from './world.ts';

export interface SandboxOptions {
  readonly seed: string | number;
  readonly clock: Clock;
  /** When the world begins. Default: the clock's present time. */
  readonly start?: EpochMs;
  /** How fast the clock runs: a signed time is a little late by it, and Slack's limit is off beyond real time. Default 1. */
  readonly speed?: number;
  readonly population?: Population;
  readonly keys?: number;
  readonly people?: boolean;
  readonly variants?: Partial<Variants>;
  /** Ports that are to be these; the others are any free ones. */
  readonly ports?: Partial<Record<'api' | 'slack' | 'webhook' | 'smtp', number>>;
  readonly smtp?: Pick<InboxOptions, 'auth' | 'tls' | 'certificate' | 'maxBytes'>;
}

export interface Sandbox extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  readonly slackUrl: string;
  readonly webhookUrl: string;
  /** `whsec_…`; the webhook takes nothing that is not signed with it. */
  readonly webhookSecret: string;
  readonly smtpUrl: string;
  readonly adminKey: string;
  readonly world: World;
  readonly slack: SlackReceiver;
  readonly webhook: WebhookReceiver;
  readonly inbox: Inbox;
  readonly faults: Faults;
  /** May be changed while it runs. */
  readonly variants: Variants;
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { seed, clock, speed = 1, ports = {} } = options;
  const world = createWorld({ ...options, start: options.start ?? clock.now() });
  const faults = createFaults(seed);
  const variants = createVariants(options.variants);
  const random = createRandom(seed).fork('credentials');
  const adminKey = `admin_${random.text(40)}`;
  const webhookSecret = `whsec_${Buffer.from(random.text(32)).toString('base64')}`;
  const slack = createSlack({ clock, faults, rateLimit: speed === 1 });
  const toleranceMs = 300_000 * Math.max(1, speed);
  const webhook = createWebhookReceiver({ clock, faults, secret: webhookSecret, toleranceMs });
  const api = new Hono<SandboxEnv>()
    .route('/', createControl(world, clock, faults))
    .mount('/', createAdminApi(world, { clock, adminKey, variants, faults }).fetch);

  await using open = new AsyncDisposableStack();
  const apiServer = open.use(await serve(api, ports.api));
  const slackServer = open.use(await serve(slack.app, ports.slack));
  const webhookServer = open.use(await serve(webhook.app, ports.webhook));
  const inbox = open.use(await startInbox({ clock, ...options.smtp, port: ports.smtp ?? 0 }));
  const servers = open.move();
  return {
    apiUrl: apiServer.url,
    slackUrl: slackServer.url + slack.path,
    webhookUrl: webhookServer.url + webhook.path,
    webhookSecret,
    smtpUrl: inbox.url,
    adminKey,
    world,
    slack,
    webhook,
    inbox,
    faults,
    variants,
    [Symbol.asyncDispose]: () => servers.disposeAsync(),
  };
}

/** Serves an app on loopback. Rejects when the port is taken. */
export async function serve(
  app: Hono<SandboxEnv>,
  port = 0,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
