/**
 * The daemon, killed with SIGKILL again and again at moments left to chance, on one state file: with an
 * account that goes on living, real HTTP and mail, and real SQLite on disk.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { scaledClock, type ClockScale } from '../../src/clock.ts';
import { createRandom, type Random } from '../../src/sandbox/random.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/serve.ts';
import { startChild, type Child } from '../e2e/child.ts';
import { leaks } from '../e2e/leaks.ts';
import { createAccount, marker, policyText } from './account.ts';
import { brokenPromises, toldBy, undelivered, untried } from './promises.ts';

export interface KillOptions {
  readonly kills: number;
  readonly seed: string | number;
  /** Simulated seconds in a real one. */
  readonly speed: number;
  readonly progress?: (killed: number) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly days: number;
  /** Where the kills fell. */
  readonly fell: ReadonlyMap<string, number>;
  /** `renamed`, `restored`, `deleted` by the program; `by a person`. */
  readonly changes: ReadonlyMap<string, number>;
  readonly alerts: number;
  /** Messages that came once more, with the same id. */
  readonly repeats: number;
  readonly mails: number;
  readonly undelivered: { readonly pending: number; readonly dead: number };
  readonly recordEntries: number;
  /** Promises that did not hold, in words. */
  readonly broken: readonly string[];
}

export async function killAgainAndAgain(options: KillOptions): Promise<KillReport> {
  const { kills, seed, speed } = options;
  const random = createRandom(seed);
  const realStart = Math.floor(performance.timeOrigin + performance.now());
  const scale = { realStart, start: Date.parse('2026-11-03T10:00:00Z'), speed };
  const clock = scaledClock(scale);
  await using sandbox = await startSandbox({ seed, clock, speed, population: 'quiet' });
  // Else hardly a kill would fall into a request: on loopback they are over in a millisecond.
  sandbox.faults.add({ endpoint: 'any', fault: { kind: 'delay', ms: 15 * speed }, probability: 0.4 });
  const dir = mkdtempSync(join(tmpdir(), 'keywarden-kills-'));
  const account = createAccount(sandbox.world, clock, random.fork('account'));
  const stirring = setInterval(account.stir, 50);
  const requests = watchRequests(sandbox);
  try {
    writeFileSync(join(dir, 'policies.yaml'), policyText);
    const start = starter(sandbox, dir, scale);
    const broken: string[] = [];
    const fell = new Map<string, number>();
    const printed: string[] = [];
    const verify = async (when: string): Promise<number> => {
      const { code, out, err } = await start(['audit', '--verify', '--output', 'json']).ended;
      if (code !== 0) broken.push(`${when}, the record does not hold: ${out}${err}`);
      return code === 0 ? (JSON.parse(out) as { entries: number }).entries : 0;
    };
    for (let killed = 1; killed <= kills; killed += 1) {
      const child = start([
        'run',
        '--interval',
        '3m',
        '--min-interval',
        '1m',
        '--max-calls-per-minute',
        '9999',
      ]);
      await momentToKill(child, requests, sandbox, random);
      const where = requests.where(child);
      child.kill('SIGKILL');
      const ended = await child.ended;
      if (ended.signal !== 'SIGKILL')
        broken.push(`it ended by itself with ${String(ended.code)}: ${ended.err}`);
      printed.push(ended.out, ended.err);
      count(fell, where);
      await verify(`after kill ${String(killed)} (${where})`);
      options.progress?.(killed);
    }
    clearInterval(stirring);
    sandbox.faults.clear();
    const last = start(['run', '--interval', '3m', '--min-interval', '1m', '--max-calls-per-minute', '9999']);
    const dueBy = clock.now();
    await settled(join(dir, 'keywarden.db'), dueBy);
    last.kill('SIGTERM');
    printed.push((await last.ended).err);
    const recordEntries = await verify('at the end');
    const state = join(dir, 'keywarden.db');
    return {
      kills,
      days: (clock.now() - scale.start) / 86_400_000,
      fell,
      changes: changesOf(sandbox),
      ...messagesOf(sandbox),
      undelivered: undelivered(state),
      recordEntries,
      broken: [
        ...broken,
        ...brokenPromises(sandbox, state),
        ...untried(state, dueBy),
        ...secretsIn(sandbox, dir, printed),
      ],
    };
  } finally {
    clearInterval(stirring);
    requests.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function starter(sandbox: Sandbox, dir: string, { realStart, start, speed }: ClockScale) {
  const env = {
    PATH: process.env['PATH'] ?? '',
    TINFOIL_API_URL: sandbox.apiUrl,
    TINFOIL_ADMIN_KEY: sandbox.adminKey,
    SLACK_WEBHOOK_URL: sandbox.slackUrl,
    PAGER_URL: sandbox.webhookUrl,
    PAGER_SECRET: sandbox.webhookSecret,
    SMTP_URL: sandbox.smtpUrl,
    KEYWARDEN_LISTEN: '127.0.0.1:0',
    KEYWARDEN_LOG_FORMAT: 'json',
    KEYWARDEN_CLOCK: `${String(realStart)},${String(start)},${String(speed)}`,
  };
  return (args: readonly string[]): Child => startChild(args, { cwd: dir, env });
}

type Sort = 'a read' | 'a rename' | 'a deletion' | 'a message';

interface Requests {
  /** Resolves at the next request of one of these sorts. */
  readonly next: (sorts: readonly Sort[]) => Promise<void>;
  readonly where: (child: Child) => string;
  readonly stop: () => void;
}

/** What the receivers are being asked, from a request's beginning to its answer. */
function watchRequests(sandbox: Sandbox): Requests {
  const apiPort = new URL(sandbox.apiUrl).port;
  const open = new Map<IncomingMessage, Sort>();
  const waiting = new Set<(sort: Sort) => void>();
  const begun = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const sort = sortOf(request, String(request.socket.localPort) === apiPort);
    open.set(request, sort);
    response.once('close', () => open.delete(request));
    for (const hear of [...waiting]) hear(sort);
  };
  subscribe('http.server.request.start', begun);
  return {
    next: (sorts) =>
      new Promise((resolve) => {
        const hear = (sort: Sort): void => {
          if (!sorts.includes(sort)) return;
          waiting.delete(hear);
          resolve();
        };
        waiting.add(hear);
      }),
    where: (child) => whereIs(child, [...open.values()], sandbox),
    stop: () => void unsubscribe('http.server.request.start', begun),
  };
}

function sortOf({ method = '', url = '' }: IncomingMessage, isApi: boolean): Sort {
  if (!isApi) return 'a message';
  if (method === 'DELETE') return 'a deletion';
  return url.startsWith('/api/keys/rename') ? 'a rename' : 'a read';
}

function whereIs(child: Child, open: readonly Sort[], { world }: Sandbox): string {
  const change = open.find((sort) => sort === 'a rename' || sort === 'a deletion');
  if (change !== undefined) {
    const taken = world.log.items.at(-1)?.by === 'api' && world.log.items.at(-1)?.at === world.now;
    return `in ${change}, ${taken ? 'after' : 'before'} it took effect`;
  }
  if (open.length > 0) return `in ${open.includes('a message') ? 'a message' : 'a read'}`;
  return child.log.items.some(({ msg }) => msg === 'listening') ? 'between requests' : 'while starting';
}

/** By the clock alone, or as soon as something delicate is under way. */
async function momentToKill(
  child: Child,
  requests: Requests,
  sandbox: Sandbox,
  random: Random,
): Promise<void> {
  const later = delay(300 + random.integer(0, 2500));
  const roll = random.next();
  if (roll < 0.3) return void (await later);
  if (roll < 0.4) return void (await delay(random.integer(0, 600)));
  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      const stop = sandbox.world.log.subscribe(({ by }) => {
        if (by !== 'api') return;
        stop();
        resolve();
      });
    });
  const moment =
    roll < 0.6
      ? requests.next(['a rename', 'a deletion'])
      : roll < 0.8
        ? changed()
        : requests.next(['a message']);
  await Promise.race([moment, child.ended, delay(6000)]);
  // At once, or a moment later: before an answer, or just after.
  if (random.chance(0.5)) await delay(random.integer(0, 25));
}

/** So many looks at the state are taken in vain at most, four a second. */
const patience = { untried: 240, pending: 60 };

/**
 * Until what was due was tried, and nothing waits to be sent any more; not for ever. Hundreds of mails may have been
 * left by lives that were too short for them, so it goes on for as long as they become fewer.
 */
async function settled(stateFile: string, dueBy: number): Promise<void> {
  let left = Infinity;
  for (let [looks, vain] = [0, 0]; vain < patience.untried; looks += 1) {
    await delay(250);
    const { length } = untried(stateFile, dueBy);
    vain = length < left ? 0 : vain + 1;
    left = length;
    const isDone = looks > 8 && undelivered(stateFile).pending === 0;
    if (length === 0 && (isDone || looks >= patience.pending)) return;
  }
}

const count = (counts: Map<string, number>, what: string): void =>
  void counts.set(what, (counts.get(what) ?? 0) + 1);

function changesOf({ world }: Sandbox): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { by, kind, to } of world.log.items) {
    if (kind === 'created') continue;
    const restored = kind === 'renamed' && to?.startsWith(marker) === false;
    count(counts, by === 'person' ? `${kind} by a person` : restored ? 'restored' : kind);
  }
  return counts;
}

function messagesOf(sandbox: Sandbox): Pick<KillReport, 'alerts' | 'repeats' | 'mails'> {
  const messages = sandbox.webhook.received.items.map(({ headers }) => headers['webhook-id']);
  return {
    alerts: new Set(toldBy(sandbox).map(({ id }) => id)).size,
    repeats: messages.length - new Set(messages).size,
    mails: sandbox.inbox.mails.items.length,
  };
}

function secretsIn(sandbox: Sandbox, dir: string, printed: readonly string[]): readonly string[] {
  const keys = sandbox.world.everyKey().map(({ id, secret }) => [`the key ${id}`, secret] as const);
  const secrets = {
    ...Object.fromEntries(keys),
    'admin key': sandbox.adminKey,
    'secret of the webhook': sandbox.webhookSecret,
    'path of the Slack webhook': new URL(sandbox.slackUrl).pathname,
  };
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ where: path.slice(dir.length + 1), bytes: readFileSync(path) }));
  return leaks([...files, { where: 'the log', bytes: Buffer.from(printed.join('')) }], secrets);
}
