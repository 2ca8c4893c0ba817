/**
 * Alerts of many passes on their way to receivers that cannot be relied on: the deliverer, SQLite, Slack's
 * library, nodemailer and the sockets are the real ones, the time is simulated.
 */
import { createDeliverer } from '../../../src/alerts/deliver.ts';
import type { Delivery } from '../../../src/alerts/deliver.ts';
import { route } from '../../../src/alerts/route.ts';
import { send as sendForReal } from '../../../src/alerts/transmit.ts';
import type { Send } from '../../../src/alerts/transmit.ts';
import type { EpochMs } from '../../../src/core/key.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { OutboxItem } from '../../../src/ports.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import { openSqlite } from '../../../src/store/sqlite.ts';
import { at as start, caseAlert, channelMap, email, slack, variables, webhook } from '../../alerts/build.ts';
import { createScheduler } from '../daemon/scheduler.ts';
import { createLine } from './line.ts';
import { httpReceiver, mailReceiver } from './receivers.ts';
import type { Acceptance, Surroundings } from './receivers.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export interface DeliveryOptions {
  readonly seed: number;
  readonly hours: number;
  readonly passMs: number;
  /** Of all attempts. */
  readonly failing: number;
  /** When nobody answers, in hours since the beginning. */
  readonly away: { readonly from: number; readonly to: number };
  /** A new process over the same state. */
  readonly restartEveryMs: number;
  /** A fault that is planted between the deliverer and the sockets, for a test to find. */
  readonly plant?: (send: Send) => Send;
}

/** Counts are of alerts at one receiver: an alert that goes to two is two. */
export interface DeliveryFigures {
  readonly alerts: number;
  readonly delivered: number;
  /** Those that no receiver has, in words. */
  readonly lost: readonly string[];
  readonly duplicates: number;
  /** Those that came again although the answer to the first was heard. */
  readonly unexplained: readonly string[];
  readonly attempts: Readonly<Record<string, number>>;
  readonly given: Readonly<Record<Delivery['result'], number>>;
  /** From the pass to the first arrival, ascending. */
  readonly arrivalMs: readonly number[];
  /** Of two attempts at Slack, the closest together; none: null. */
  readonly slackPaceMs: number | null;
  /** When nothing was left to deliver, since the last pass. */
  readonly endedMs: number;
}

const channelNames = ['ops', 'pager', 'mail', 'owner'] as const;

export async function runDelivery(options: DeliveryOptions): Promise<DeliveryFigures> {
  const { seed, hours, passMs, failing, away, restartEveryMs, plant = (one) => one } = options;
  const scheduler = createScheduler();
  const now = (): EpochMs => start + scheduler.now();
  const clock = {
    now,
    monotonic: scheduler.now,
    sleep: (ms: number, signal?: AbortSignal) => scheduler.sleep(Math.ceil(ms), signal),
  };
  const random = createRandom(seed);
  const accepted: Acceptance[] = [];
  const attemptedAt: Record<string, number[]> = {};
  const lines = new Map(channelNames.map((name) => [name as string, createLine(scheduler)]));
  const around = (channel: string): Surroundings => ({
    ...{ channel, now, failing, random: random.fork(channel) },
    line: lines.get(channel) ?? createLine(scheduler),
    isAway: () => scheduler.now() >= away.from * hourMs && scheduler.now() < away.to * hourMs,
    accepted: (one) => accepted.push(one),
    attempted: () => (attemptedAt[channel] ??= []).push(scheduler.now()),
  });
  await using ops = await httpReceiver(around('ops'));
  await using pager = await httpReceiver(around('pager'));
  await using mail = await mailReceiver(around('mail'));
  await using owner = await mailReceiver(around('owner'));
  const url = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${String(port)}/`;
  const channels = channelMap(
    slack('ops', url(ops)),
    webhook('pager', url(pager)),
    email('mail', ['finance@example.com']),
    email('owner', ['{{ metadata.email }}']),
  );
  const smtpAt = ({ port }: { readonly port: number }) => ({
    url: new Secret(`smtp://127.0.0.1:${String(port)}`),
    from: 'keywarden@example.com',
  });
  const servers = new Map([['owner', smtpAt(owner)]]);
  const send: Send = (one, message, signal) => {
    const { name } = one.channel;
    const line = lines.get(name);
    if (line === undefined) throw new Error(`no line to ${name}`);
    // Each mail channel has a server of its own here, for time to stand still by channel.
    const smtp = servers.get(name) ?? one.smtp;
    return line.call(signal, () => sendForReal({ ...one, smtp }, message, signal));
  };
  await using store = await openSqlite(':memory:', { clock });
  const given = { delivered: 0, retry: 0, dead: 0 };
  const chance = random.fork('jitter');
  const open = () =>
    createDeliverer({
      ...{
        outbox: store.outbox,
        clock,
        send: plant(send),
        receiverSleep: clock.sleep,
        jitter: () => chance.next(),
      },
      channels: () => ({ channels, smtp: smtpAt(mail) }),
      onOutcome: ({ result }) => (given[result] += 1),
    });
  let stop = new AbortController();
  let deliverer = open();
  let running = deliverer.run(stop.signal);
  const expected: OutboxItem[] = [];
  const drawn = random.fork('passes');

  const pass = async (): Promise<void> => {
    const alerts = Array.from({ length: drawn.integer(0, 4) }, (_, nth) =>
      alertOf(expected.length * 10 + nth),
    );
    const passId = `pass-${String(now())}`;
    const { items } = route(alerts, channels, { at: now(), passId, smtp: smtpAt(mail) });
    expected.push(...items);
    await store.commit({ outbox: items });
    deliverer.kick();
  };
  const restart = async (): Promise<void> => {
    stop.abort();
    await running;
    stop = new AbortController();
    deliverer = open();
    running = deliverer.run(stop.signal);
  };

  for (let at = 0; at < hours * hourMs; at += passMs)
    scheduler.after(at, () => void scheduler.during(pass()));
  for (let at = restartEveryMs; at < hours * hourMs; at += restartEveryMs)
    scheduler.after(at, () => void scheduler.during(restart()));
  // The deliverer's look into its outbox, once a minute, waits in simulated time for something to happen.
  const beat = (): void => void scheduler.after(minuteMs / 2, beat);
  beat();
  let until = hours * hourMs;
  await scheduler.run(until);
  while ((await store.outboxSummary()).pending > 0) await scheduler.run((until += minuteMs));
  stop.abort();
  await running;
  return { ...judge(expected, accepted), given, endedMs: until - hours * hourMs, ...paces(attemptedAt) };
}

const nameOf = (n: number): string => `key-${String(n).padStart(6, '0')}`;

function alertOf(n: number) {
  const name = nameOf(n);
  return caseAlert({
    id: name,
    subject: { kind: 'key', id: 'k_0123456789abcdef', name, originalName: name },
    channels: channelNames,
    variables: variables({ name, metadata: { email: `owner-${String(n % 3)}@example.com` } }),
  });
}

function judge(expected: readonly OutboxItem[], accepted: readonly Acceptance[]) {
  const arrivals = Map.groupBy(
    accepted.flatMap((one) => one.names.map((name) => ({ ...one, name }))),
    ({ channel, name }) => `${name} at ${channel}`,
  );
  const found = expected.map(({ alert, channel, recipient, createdAt }) => {
    const what = `${alert.id} at ${channel}`;
    const all = arrivals.get(what) ?? [];
    const mine = all.filter((one) => one.recipient === recipient);
    return { what, createdAt, mine, astray: all.length > mine.length };
  });
  const delivered = found.filter(({ mine }) => mine.length > 0);
  return {
    alerts: expected.length,
    delivered: delivered.length,
    lost: found.filter(({ mine }) => mine.length === 0).map(({ what }) => what),
    duplicates: delivered.reduce((sum, { mine }) => sum + mine.length - 1, 0),
    unexplained: found
      .filter(({ mine, astray }) => astray || mine.slice(0, -1).some(({ heard }) => heard))
      .map(({ what }) => what),
    arrivalMs: delivered.map(({ mine, createdAt }) => (mine[0]?.at ?? 0) - createdAt).sort((a, b) => a - b),
  };
}

function paces(attemptedAt: Readonly<Record<string, readonly number[]>>) {
  const atSlack = attemptedAt['ops'] ?? [];
  const gaps = atSlack.slice(1).map((at, n) => at - (atSlack[n] ?? 0));
  return {
    attempts: Object.fromEntries(Object.entries(attemptedAt).map(([name, all]) => [name, all.length])),
    slackPaceMs: gaps.length === 0 ? null : Math.min(...gaps),
  };
}
