/**
 * The whole program in whole surroundings: `keywarden` as processes of its own, against a simulated
 * account with its Slack, webhook and mail receivers, on a clock that a test moves. When a test is
 * over, everything that was printed, kept and sent is searched for secrets.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi, type TestContext } from 'vitest';
import { scaledClock } from '../../src/clock.ts';
import type { Clock } from '../../src/ports.ts';
import type { KeySpec, WorldKey } from '../../src/sandbox/account-key.ts';
import { createFeed, type Feed } from '../../src/sandbox/feed.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/serve.ts';
import { certificate } from './certificate.ts';
import { patience, startChild, type Child, type Ended } from './child.ts';
import { leaks, type Trace } from './leaks.ts';

// Many processes share few processors.
vi.setConfig({ testTimeout: 180_000 });

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** A Tuesday. */
export const start = Date.parse('2026-11-03T10:00:00Z');

/** The account's and the program's clock: runs as the machine's, from wherever it was moved to. */
export interface MovableClock {
  readonly now: Clock['now'];
  readonly sleep: Clock['sleep'];
  readonly advance: (ms: number) => void;
  /** From now on so many times as fast. */
  readonly speed: (times: number) => void;
  /** As KEYWARDEN_CLOCK has it, for a process that is to show the same time from now on. */
  readonly asVariable: () => string;
}

function movableClock(speed: number): MovableClock {
  const real = (): number => performance.timeOrigin + performance.now();
  let scale = { realStart: Math.floor(real()), start, speed };
  const now = (): number => scaledClock(scale).now();
  const rescale = (at: number, times: number): void => {
    scale = { realStart: Math.floor(real()), start: at, speed: times };
  };
  return {
    now,
    sleep: (ms, signal) => scaledClock(scale).sleep(ms, signal),
    advance: (ms) => rescale(now() + ms, scale.speed),
    speed: (times) => rescale(now(), times),
    asVariable: () => `${scale.realStart},${scale.start},${scale.speed}`,
  };
}

/** One alert as the webhook got it, with the message it came in. */
export interface PagerAlert {
  readonly message: string;
  readonly id: string;
  readonly topic: string;
  readonly kind?: string;
  readonly policy?: string;
  readonly title?: string;
  readonly text?: string;
  readonly subject?: { readonly id?: string; readonly name?: string };
  readonly event?: Readonly<Record<string, unknown>>;
  readonly figures?: { readonly level: { readonly low: string; readonly high: string | null } };
}

export interface Request {
  readonly method: string;
  /** Keys in it are replaced by `:key`. */
  readonly path: string;
}

export interface Stage {
  readonly clock: MovableClock;
  readonly sandbox: Sandbox;
  /** What the Admin API was asked for, in order. */
  readonly requests: Feed<Request>;
  /** Conversations of the sandbox that a fault makes wait: for how long. */
  readonly hanging: Feed<number>;
  /** An empty folder: the working folder of every process. */
  readonly dir: string;
  readonly env: Record<string, string>;
  file(name: string, content: string | Buffer): string;
  /** What the program is told to ask callers for, off loopback. */
  readonly token: string;
  /** A policy file: `body` under a usual head with channels `ops`, `owner` and `pager`. */
  readonly policyText: (body: string, head?: Head) => string;
  /** Writes it as policies.yaml. */
  policy(body: string, head?: Head): void;
  key(name: string, spec?: Partial<KeySpec>): WorldKey;
  /** So many dollars, in one request now. */
  spend(key: WorldKey, dollars: number): void;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Child;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** `keywarden run --once`, which must end well. */
  pass(...args: readonly string[]): Promise<Ended>;
  /** Everything the pager was told, in order. */
  pager(): readonly PagerAlert[];
  /** `kind policy name`, of a system alert its title: what the pager was told from the `since`-th alert on. */
  told(since?: number): readonly string[];
  /** Null: it is gone. */
  readonly nameOf: (key: WorldKey) => string | null;
}

export interface Head {
  readonly mode?: string;
  readonly protect?: string;
  readonly limits?: string;
}

export interface StageOptions extends Pick<SandboxOptions, 'variants' | 'population' | 'keys'> {
  /** Of the clock. Default 1. */
  readonly speed?: number;
}

const smtpLogin = { user: 'keywarden@mail.example', password: 'p@ss/w:rd+7%Zq' };

/** For one test; goes with it. */
export async function stage(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options: StageOptions = {},
): Promise<Stage> {
  const { speed = 1, ...population } = options;
  const clock = movableClock(speed);
  const dir = mkdtempSync(join(tmpdir(), 'keywarden-e2e-'));
  const hanging = createFeed<number>();
  const sandbox = await startSandbox({
    seed: 'e2e',
    clock: {
      now: clock.now,
      sleep: (ms, signal) => {
        hanging.push(ms);
        return clock.sleep(ms, signal);
      },
    },
    // Above real time Slack's limit of a message a second is off.
    speed: Math.max(speed, 2),
    population: 'quiet',
    ...population,
    smtp: { auth: smtpLogin, tls: 'starttls', certificate },
  });
  const requests = recordRequests(new URL(sandbox.apiUrl).port);
  const children: { readonly args: string; readonly child: Child }[] = [];
  const env = surroundings(sandbox, dir);
  const token = 'token-tJ4k9Qw2';

  onTestFinished(async () => {
    for (const { child } of children) child.kill('SIGKILL');
    const printed = await Promise.all(children.map(({ args, child }) => printedBy(args, child)));
    requests.stop();
    await sandbox[Symbol.asyncDispose]();
    const kept = filesIn(dir);
    rmSync(dir, { recursive: true, force: true });
    const secrets = { ...secretsOf(sandbox), 'login token': token };
    expect(leaks([...printed.flat(), ...kept, ...sentBy(sandbox)], secrets)).toEqual([]);
  });

  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const startOne: Stage['start'] = (args, more = {}) => {
    const child = startChild(args, {
      cwd: dir,
      env: { ...env, KEYWARDEN_CLOCK: clock.asVariable(), KEYWARDEN_TOKEN: token, ...more },
    });
    children.push({ args: args.join(' '), child });
    return child;
  };
  const run: Stage['run'] = (args, more) => startOne(args, more).ended;
  const pager = (): PagerAlert[] => sandbox.webhook.received.items.flatMap(alertsOf);

  return {
    clock,
    sandbox,
    requests: requests.feed,
    hanging,
    dir,
    env,
    file,
    token,
    policyText,
    policy: (body, head) => void file('policies.yaml', policyText(body, head)),
    key: (name, spec = {}) =>
      sandbox.world.addKey({
        name,
        createdAt: start - 60 * dayMs,
        metadata: { plan: 'free', email: 'ana@example.com' },
        ...spec,
      }),
    spend: (key, dollars) => {
      sandbox.world.advanceTo(clock.now());
      const counters = { costMicroUsd: Math.round(dollars * 1_000_000), tokens: 1000, requests: 1 };
      sandbox.world.spend(key.secret, counters, 'gpt-oss-120b');
    },
    start: startOne,
    run,
    pass: async (...args) => {
      const ended = await run(['run', '--once', ...args]);
      expect(ended).toMatchObject({ code: 0, signal: null });
      return ended;
    },
    pager,
    told: (since = 0) =>
      pager()
        .slice(since)
        .map(({ kind, policy, subject, title }) =>
          kind === undefined ? (title ?? '') : `${kind} ${policy ?? ''} ${subject?.name ?? ''}`,
        ),
    nameOf: (key) => sandbox.world.keys().find(({ secret }) => secret === key.secret)?.name ?? null,
  };
}

/** The first item, past or to come, that is wanted; rejects when it is too long in coming. */
export function arrival<T>(feed: Feed<T>, wanted: (item: T) => boolean = () => true): Promise<T> {
  return feed.first(wanted, patience());
}

function surroundings(sandbox: Sandbox, dir: string): Record<string, string> {
  const trusted = join(dir, 'mail-server.pem');
  writeFileSync(trusted, certificate.cert);
  return {
    PATH: process.env['PATH'] ?? '',
    TINFOIL_API_URL: sandbox.apiUrl,
    TINFOIL_ADMIN_KEY: sandbox.adminKey,
    SLACK_WEBHOOK_URL: sandbox.slackUrl,
    PAGER_URL: `${sandbox.webhookUrl}?who=verySecretCaller`,
    PAGER_SECRET: sandbox.webhookSecret,
    SMTP_URL: sandbox.smtpUrl,
    NODE_EXTRA_CA_CERTS: trusted,
    KEYWARDEN_LISTEN: '127.0.0.1:0',
    KEYWARDEN_LOG_FORMAT: 'json',
  };
}

function policyText(body: string, { mode = 'enforce', protect = '[]', limits = '' }: Head = {}): string {
  return `version: 1
mode: ${mode}
smtp: { url: "\${SMTP_URL}", from: "Keywarden <keywarden@example.com>" }
channels:
  ops: { slack: { webhook_url: "\${SLACK_WEBHOOK_URL}" } }
  owner: { email: { to: "{{ metadata.email }}" } }
  pager: { webhook: { url: "\${PAGER_URL}", secret: "\${PAGER_SECRET}", allow_private: true } }
protect: ${protect}
${limits === '' ? '' : `limits: ${limits}\n`}${body.replace(/^\n/, '')}`;
}

function recordRequests(port: string): { readonly feed: Feed<Request>; stop(): void } {
  const feed = createFeed<Request>();
  const hear = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (String(request.socket.localPort) !== port) return;
    const path = (request.url ?? '').replace(/tk_[^/?]+/, ':key');
    feed.push({ method: request.method ?? '', path });
  };
  subscribe('http.server.request.start', hear);
  return { feed, stop: () => void unsubscribe('http.server.request.start', hear) };
}

function alertsOf({
  headers,
  body,
}: {
  headers: Readonly<Record<string, string>>;
  body: unknown;
}): PagerAlert[] {
  const { data } = body as { readonly data: { readonly alerts: readonly Omit<PagerAlert, 'message'>[] } };
  return data.alerts.map((alert) => ({ ...alert, message: headers['webhook-id'] ?? '' }));
}

function secretsOf(sandbox: Sandbox): Record<string, string> {
  const keys = sandbox.world.everyKey().map(({ name, secret }) => [`the key ${name}`, secret] as const);
  return {
    ...Object.fromEntries(keys),
    'admin key': sandbox.adminKey,
    'path of the Slack webhook': new URL(sandbox.slackUrl).pathname,
    'query of the webhook': 'verySecretCaller',
    'secret of the webhook': sandbox.webhookSecret.replace('whsec_', ''),
    'password of the mail server': smtpLogin.password,
  };
}

async function printedBy(args: string, child: Child): Promise<Trace[]> {
  const { out, err } = await child.ended;
  return [
    { where: `stdout of ${args}`, bytes: Buffer.from(out) },
    { where: `stderr of ${args}`, bytes: Buffer.from(err) },
  ];
}

function filesIn(dir: string): Trace[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, path: join(dir, name) }))
    .filter(({ path }) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map(({ name, path }) => ({ where: `file ${name}`, bytes: readFileSync(path) }));
}

function sentBy({ inbox, slack, webhook }: Sandbox): Trace[] {
  const text = (item: unknown): Buffer => Buffer.from(JSON.stringify(item));
  return [
    ...inbox.mails.items.map((mail) => ({ where: 'a mail', bytes: text(mail) })),
    ...slack.received.items.map(({ body }) => ({ where: 'a Slack message', bytes: text(body) })),
    ...webhook.received.items.map(({ body, headers }) => {
      // The address is what it was sent to.
      const { host: _, ...others } = headers;
      return { where: 'a webhook', bytes: text({ body, others }) };
    }),
  ];
}
