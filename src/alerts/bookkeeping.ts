/**
 * What became of each message: written down, reported, and remembered for as long as the queue behind it rests.
 * Instants are of the monotonic count of milliseconds, for the clock may be set.
 */
import type { EpochMs } from '../core/key.ts';
import type { Channel } from '../core/policy.ts';
import type { Failure, Outbox, SendOutcome, SteadyClock } from '../ports.ts';
import { mailboxOf } from './addresses.ts';
import { firstDelayMs, nextAttempt, restMs } from './backoff.ts';
import { itemsFor, untold } from './parcel.ts';
import type { Parcel } from './parcel.ts';
import { createUnwritten } from './unwritten.ts';

export interface Delivery {
  readonly channel: string;
  /** Null when the policy no longer has the channel. */
  readonly kind: Channel['kind'] | null;
  readonly messageId: string;
  readonly alertIds: readonly string[];
  readonly result: 'delivered' | 'retry' | 'dead';
  /** Without secrets; null when delivered. */
  readonly error: string | null;
}

export interface BookkeepingOptions {
  readonly outbox: Pick<Outbox, 'delivered' | 'failed'>;
  readonly clock: SteadyClock;
  readonly onOutcome: (delivery: Delivery) => void;
  /** In [0, 1). */
  readonly jitter: () => number;
}

export interface Bookkeeping {
  /** Rejects when the outbox does; what it could not take is kept in mind. */
  settle(parcel: Parcel, kind: Channel['kind'] | null, outcome: SendOutcome): Promise<void>;
  /** Writes what is kept in mind; resolves to the first fault, or null. */
  writeAgain(): Promise<Error | null>;
  /** What became of it is kept in mind only, so it must not be sent again. */
  isUnwritten(id: string): boolean;
  /** When neither the channel nor the recipient rests any more. */
  restsUntil(parcel: Parcel): number;
  restChannel(channel: string): void;
  /** When what failed here is due again, after `now`; the outbox tells only what is due. */
  retriesAfter(now: number): readonly number[];
}

export function createBookkeeping(options: BookkeepingOptions): Bookkeeping {
  const { outbox, clock, onOutcome, jitter } = options;
  /** Channels, and recipients within them, that rest after a failure. */
  const restingUntil = new Map<string, number>();
  const retriesAt = new Set<number>();
  const unwritten = createUnwritten();

  async function settle(parcel: Parcel, kind: Channel['kind'] | null, outcome: SendOutcome): Promise<void> {
    const now = clock.now();
    if (outcome.ok) return settleDelivered(parcel, kind, outcome, now);
    const ids = parcel.entries.map((entry) => entry.id);
    const { error, retryable, retryAfterMs } = outcome;
    const nextAttemptAt = triedAgainAt(parcel, now, outcome);
    const rest = restMs((nextAttemptAt ?? now + firstDelayMs) - now, retryAfterMs);
    if (retryable) restingUntil.set(laneOf(parcel), clock.monotonic() + rest);
    await unwritten.write(ids, async () => {
      await outbox.failed(ids, { error, nextAttemptAt });
      noteFailure(parcel, kind, { error, nextAttemptAt });
    });
  }

  async function settleDelivered(
    parcel: Parcel,
    kind: Channel['kind'] | null,
    outcome: SendOutcome & { readonly ok: true },
    now: EpochMs,
  ): Promise<void> {
    const left = new Set(untold(parcel, outcome));
    const entries = parcel.entries.filter((entry) => !left.has(entry));
    const ids = entries.map((entry) => entry.id);
    restingUntil.delete(laneOf(parcel));
    const unserved = (outcome.unserved ?? []).map((one) => {
      const failure = { error: one.error, nextAttemptAt: triedAgainAt(parcel, now, one) };
      return { items: itemsFor(parcel, one), failure };
    });
    await unwritten.write(ids, async () => {
      await outbox.delivered(ids, now, unserved);
      report({ ...parcel, entries }, kind, 'delivered', null);
      for (const { failure } of unserved) noteFailure(parcel, kind, failure);
    });
  }

  function triedAgainAt(
    { attempts, giveUpAt }: Parcel,
    now: EpochMs,
    failed: { readonly retryable: boolean; readonly retryAfterMs?: number | null },
  ): EpochMs | null {
    const { retryable, retryAfterMs = null } = failed;
    return retryable ? nextAttempt({ now, attempts, retryAfterMs, jitter: jitter(), giveUpAt }) : null;
  }

  function noteFailure(
    parcel: Parcel,
    kind: Channel['kind'] | null,
    { error, nextAttemptAt }: Failure,
  ): void {
    if (nextAttemptAt !== null) retriesAt.add(monotonicAt(clock, nextAttemptAt));
    report(parcel, kind, nextAttemptAt === null ? 'dead' : 'retry', error);
  }

  function report(
    { id, channel, entries }: Parcel,
    kind: Channel['kind'] | null,
    result: Delivery['result'],
    error: string | null,
  ): void {
    const alertIds = entries.map((entry) => entry.alert.id);
    onOutcome({ channel, kind, messageId: id, alertIds, result, error });
  }

  return {
    settle,
    writeAgain: () => unwritten.writeAgain(),
    isUnwritten: (id) => unwritten.has(id),
    restsUntil: (parcel) =>
      Math.max(restingUntil.get(parcel.channel) ?? 0, restingUntil.get(laneOf(parcel)) ?? 0),
    restChannel: (channel) => void restingUntil.set(channel, clock.monotonic() + firstDelayMs),
    retriesAfter: (now) => {
      for (const at of retriesAt) if (at <= now) retriesAt.delete(at);
      return [...retriesAt];
    },
  };
}

export function monotonicAt(clock: SteadyClock, at: EpochMs): number {
  return clock.monotonic() + (at - clock.now());
}

function laneOf({ channel, recipient }: Parcel): string {
  return JSON.stringify([channel, mailboxOf(recipient)]);
}
