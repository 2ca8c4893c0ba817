/**
 * Alerts of many passes on their way to receivers that cannot be relied on: the deliverer, SQLite, Slack's
 * library, nodemailer and the sockets are the real ones, the time is simulated.
 */
import { createDeliverer } from '../../../src/alerts/deliver.ts';
import type { Deliverer, Delivery } from '../../../src/alerts/deliver.ts';
import { route } from '../../../src/alerts/route.ts';
import type { Send } from '../../../src/alerts/transmit.ts';
import type { EpochMs } from '../../../src/core/key.ts';
import type { OutboxItem } from '../../../src/ports.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import { openSqlite } from '../../../src/store/sqlite.ts';
import { at as start, caseAlert, variables } from '../../alerts/build.ts';
import { createScheduler } from '../daemon/scheduler.ts';
import { hourMs, minuteMs } from '../daemon/units.ts';
import { openReceivers } from './open.ts';
import type { Acceptance } from './receivers.ts';

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
}

export async function runDelivery(options: DeliveryOptions): Promise<DeliveryFigures> {
  const { seed, hours, passMs, restartEveryMs, plant = (one) => one } = options;
  using scheduler = createScheduler();
  const now = (): EpochMs => start + scheduler.now();
  const clock = {
    now,
    monotonic: scheduler.now,
    sleep: (ms: number, signal?: AbortSignal) => scheduler.sleep(Math.ceil(ms), signal),
  };
  const random = createRandom(seed);
  await using receivers = await openReceivers(options, scheduler, now, random);
  await using store = await openSqlite(':memory:', { clock });
  const { channels, smtp } = receivers;
  const given = { delivered: 0, retry: 0, dead: 0 };
  const jitter = random.fork('jitter');
  const open = (): Process => {
    const stop = new AbortController();
    const deliverer = createDeliverer({
      ...{ outbox: store.outbox, clock, send: plant(receivers.send), receiverSleep: clock.sleep },
      jitter: () => jitter.next(),
      channels: () => ({ channels, smtp }),
      onOutcome: ({ result }) => (given[result] += 1),
    });
    return { stop, deliverer, running: deliverer.run(stop.signal) };
  };
  let current = open();
  const expected: OutboxItem[] = [];
  const drawn = random.fork('passes');

  const pass = async (): Promise<void> => {
    const count = drawn.integer(0, 4);
    const first = expected.length / channels.size;
    const alerts = Array.from({ length: count }, (_, nth) => alertOf(first + nth));
    const { items } = route(alerts, channels, { at: now(), passId: `pass-${String(now())}`, smtp });
    expected.push(...items);
    await store.commit({ outbox: items });
    current.deliverer.kick();
  };
  const stop = async (): Promise<void> => {
    current.stop.abort();
    await current.running;
  };
  const restart = async (): Promise<void> => {
    await stop();
    current = open();
  };

  const whole = hours * hourMs;
  for (let at = 0; at < whole; at += passMs) scheduler.after(at, () => void scheduler.during(pass()));
  for (let at = restartEveryMs; at < whole; at += restartEveryMs)
    scheduler.after(at, () => void scheduler.during(restart()));
  // The deliverer's look into its outbox, once a minute, waits in simulated time for something to happen.
  const beat = (): void => void scheduler.after(minuteMs / 2, beat);
  beat();
  let until = whole;
  await scheduler.run(until);
  while ((await store.outboxSummary()).pending > 0) await scheduler.run((until += minuteMs));
  await stop();
  return { ...judge(expected, receivers.accepted), given, ...paces(receivers.attemptedAt) };
}

interface Process {
  readonly stop: AbortController;
  readonly deliverer: Deliverer;
  readonly running: Promise<void>;
}

const nameOf = (n: number): string => `key-${String(n).padStart(6, '0')}`;

function alertOf(n: number) {
  const name = nameOf(n);
  return caseAlert({
    id: name,
    subject: { kind: 'key', id: 'k_0123456789abcdef', name, originalName: name },
    channels: ['ops', 'pager', 'mail', 'owner'],
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
