/** The outbox on its way: each channel at its own pace, none waiting for another. */
import type { EpochMs } from '../core/key.ts';
import type { Channel, Smtp } from '../core/policy.ts';
import type { Clock, DailyUseOf, Outbox, SendOutcome, SteadyClock } from '../ports.ts';
import { createBookkeeping, monotonicAt } from './bookkeeping.ts';
import type { Delivery } from './bookkeeping.ts';
import { halvesOf, parcelsOf, untold } from './parcel.ts';
import type { Parcel } from './parcel.ts';
import { heldUntil } from './quiet.ts';
import { createSlackPace } from './slack-pace.ts';
import { machineSleep, send as sendForReal, transmit } from './transmit.ts';
import type { Send } from './transmit.ts';

export type { Delivery } from './bookkeeping.ts';

/** The longest sleep without looking into the outbox again. */
export const longestSleepMs = 60_000;
/** So many recipients of one channel failing in a row mean that the channel fails. */
const failuresOfAChannel = 3;
/** Made once: an abort without a reason makes one, and its stack, each time. */
const wokenEarlier = new Error('woken earlier');

export interface DelivererOptions {
  readonly outbox: Outbox;
  /** As they are now: asked before every message. */
  readonly channels: () => { readonly channels: ReadonlyMap<string, Channel>; readonly smtp: Smtp | null };
  readonly clock: SteadyClock;
  /** Nothing may be sent: what waits stays as it is. Asked before every message. Left out: never. */
  readonly isDry?: () => boolean;
  /** What people's clocks show, for quiet hours; left out: as `clock`. */
  readonly timeOfDay?: () => EpochMs;
  readonly onOutcome?: (delivery: Delivery) => void;
  /** In [0, 1). */
  readonly jitter?: () => number;
  readonly send?: Send;
  /** For the pictures of mails; left out: they have none. */
  readonly dailyUse?: DailyUseOf;
  /** How it waits for what comes next; left out: by `clock`. */
  readonly sleep?: Clock['sleep'];
  /** Measures how long a receiver takes to answer; the machine's own time. */
  readonly receiverSleep?: Clock['sleep'];
}

/** Messages, not alerts. */
export interface Tally {
  readonly delivered: number;
  readonly failed: number;
}

export interface Deliverer {
  /** One round: every channel's due messages. Rejects when the outbox does. */
  deliverDue(signal: AbortSignal): Promise<Tally>;
  /** Delivers what is due whenever it is due, until aborted. Rejects when the outbox does. */
  run(signal: AbortSignal): Promise<void>;
  /** There may be something new in the outbox. */
  kick(): void;
}

export function createDeliverer(options: DelivererOptions): Deliverer {
  const { outbox, clock, onOutcome = () => {}, jitter = Math.random } = options;
  const { send = sendForReal, receiverSleep = machineSleep, timeOfDay = () => clock.now() } = options;
  const { sleep = (ms, signal) => clock.sleep(ms, signal), isDry = () => false } = options;
  const drawing = options.dailyUse === undefined ? {} : { dailyUse: options.dailyUse };
  /** Channels at work. */
  const working = new Map<string, Promise<Tally>>();
  const slackTurn = createSlackPace(clock);
  const books = createBookkeeping({ outbox, clock, onOutcome, jitter });
  let bell = Promise.withResolvers<undefined>();

  const kick = (): void => {
    bell.resolve(undefined);
  };

  /** By the monotonic count of milliseconds, as all instants here: the clock may be set. */
  const readyAt = (parcel: Parcel): number =>
    Math.max(monotonicAt(clock, parcel.dueAt), books.restsUntil(parcel), quietEnd(parcel) ?? 0);

  /** Of what was to go before the quiet hours began, and could not. */
  const quietEnd = ({ channel, entries }: Parcel): number | null => {
    const quiet = options.channels().channels.get(channel)?.quiet ?? null;
    const alerts = entries.map(({ alert }) => alert);
    const now = timeOfDay();
    const until = heldUntil(quiet, alerts, now);
    return until === null ? null : clock.monotonic() + (until - now);
  };

  /**
   * Sets idle channels to work; says when the next message is ready. `fault`: what became of others could again
   * not be written down. These still wait, for nothing may be sent once more for want of a note.
   */
  async function startDue(signal: AbortSignal): Promise<{ wakeAt: number; fault: Error | null }> {
    const fault = await books.writeAgain();
    const now = clock.monotonic();
    const busy = new Set(working.keys());
    const pending = isDry() ? [] : await outbox.pending(clock.now());
    const parcels = parcelsOf(pending.filter(({ id }) => !books.isUnwritten(id)));
    const idle = ({ channel }: Parcel): boolean => !busy.has(channel) && !working.has(channel);
    const ready = Map.groupBy(
      parcels.filter((parcel) => readyAt(parcel) <= now && idle(parcel)),
      (parcel) => parcel.channel,
    );
    for (const [channel, due] of ready) {
      working.set(
        channel,
        work(channel, due, signal).finally(() => working.delete(channel)),
      );
    }
    const later = [...parcels.map(readyAt), ...books.retriesAfter(now)].filter((at) => at > now);
    return { wakeAt: later.reduce((min, at) => Math.min(min, at), now + longestSleepMs), fault };
  }

  /** One channel's messages, one after another. */
  async function work(channel: string, due: readonly Parcel[], signal: AbortSignal): Promise<Tally> {
    const tally = { delivered: 0, failed: 0 };
    let failures = 0;
    const queue = [...due];
    for (let parcel = queue.shift(); parcel !== undefined; parcel = queue.shift()) {
      if (signal.aborted) break;
      if (readyAt(parcel) > clock.monotonic()) continue;
      const outcome = await deliver(parcel, signal);
      if (outcome === null) break;
      const halves = halvesOf(parcel, outcome);
      if (halves !== null) {
        queue.unshift(...halves);
        continue;
      }
      if (outcome.ok) {
        tally.delivered += 1;
        queue.unshift(...parcelsOf(untold(parcel, outcome)));
      } else tally.failed += 1;
      failures = !outcome.ok && outcome.retryable ? failures + 1 : 0;
      if (failures === failuresOfAChannel) books.restChannel(channel);
    }
    return tally;
  }

  /** Null: stopped before the receiver answered, or a dry run has begun; the message stays as it is. */
  async function deliver(parcel: Parcel, signal: AbortSignal): Promise<SendOutcome | null> {
    const { channels, smtp } = options.channels();
    const channel = channels.get(parcel.channel);
    const outcome = channel === undefined ? gone(parcel) : await tryOnce(parcel, channel, smtp, signal);
    if (outcome === null) return null;
    if (halvesOf(parcel, outcome) === null) await books.settle(parcel, channel?.kind ?? null, outcome);
    return outcome;
  }

  async function tryOnce(
    parcel: Parcel,
    channel: Channel,
    smtp: Smtp | null,
    signal: AbortSignal,
  ): Promise<SendOutcome | null> {
    const nextTurn = async (by: AbortSignal): Promise<void> => {
      if (channel.kind === 'slack') await slackTurn(channel.webhookUrl.reveal(), by);
    };
    try {
      await nextTurn(signal);
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
    if (isDry()) return null;
    const { recipient, cc, id, entries } = parcel;
    const route = { channel, smtp, recipient, cc, nextTurn };
    const outcome = await transmit(
      { by: send, route, id, entries, now: clock.now(), sleep: receiverSleep, ...drawing },
      signal,
    );
    return !outcome.ok && signal.aborted ? null : outcome;
  }

  async function deliverDue(signal: AbortSignal): Promise<Tally> {
    const { fault } = await startDue(signal);
    const tallies = await Promise.all(working.values());
    if (fault !== null) throw fault;
    return tallies.reduce(
      (sum, one) => ({ delivered: sum.delivered + one.delivered, failed: sum.failed + one.failed }),
      { delivered: 0, failed: 0 },
    );
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      bell = Promise.withResolvers();
      const { wakeAt, fault } = await startDue(signal);
      if (fault !== null) {
        await Promise.allSettled(working.values());
        throw fault;
      }
      // A channel that is done may have more to do; one that failed to write fails the loop.
      const done = [...working.values()];
      await sleepOr(wakeAt - clock.monotonic(), [bell.promise, ...done], signal);
    }
    await Promise.all(working.values());
  }

  /** Until the time is up, one of `events` happens, or the signal. */
  async function sleepOr(
    ms: number,
    events: readonly Promise<unknown>[],
    signal: AbortSignal,
  ): Promise<void> {
    const stop = new AbortController();
    const slept = sleep(Math.max(ms, 0), AbortSignal.any([signal, stop.signal])).catch(() => {});
    try {
      await Promise.race([slept, ...events]);
    } finally {
      stop.abort(wokenEarlier);
    }
  }

  return { deliverDue, run, kick };
}

function gone({ channel }: Parcel): SendOutcome {
  return {
    ok: false,
    error: `the policy has no channel ${channel} any more`,
    retryable: false,
    retryAfterMs: null,
  };
}
