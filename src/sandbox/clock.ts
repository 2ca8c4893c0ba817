import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EpochMs } from '../core/key.ts';
import type { SteadyClock } from '../ports.ts';

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends SteadyClock {
  /**
   * Lets `ms` pass. Sleepers wake in the order of their time (equal times: in the order they went
   * to sleep), each seeing its own instant as `now`, and what they do next, new sleeps included,
   * happens before time moves on. What waits for a socket or a file is not waited for.
   */
  advance(ms: number): Promise<void>;
  /** As `advance`, up to an instant; one already past changes nothing. */
  advanceTo(at: EpochMs): Promise<void>;
  /** Sets the clock forward or back, as an operator does: nobody wakes earlier or later for it. */
  step(ms: number): void;
  /** How many are asleep. */
  readonly sleepers: number;
  /** When the next sleeper wakes; null: nobody sleeps. */
  readonly nextWakeAt: EpochMs | null;
  /** Resolves as soon as at least `count` are asleep. */
  asleep(count: number): Promise<void>;
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

const byTime = (a: Sleeper, b: Sleeper): number => a.at - b.at || a.order - b.order;

export function virtualClock(start: EpochMs): VirtualClock {
  /** Time that has passed; the shown time differs from it by `offset`, which `step` changes. */
  let elapsed = 0;
  let offset = start;
  let order = 0;
  let sleeping: Sleeper[] = [];
  let watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  function tellWatchers(): void {
    const ready = watchers.filter(({ count }) => sleeping.length >= count);
    watchers = watchers.filter(({ count }) => sleeping.length < count);
    for (const { resolve } of ready) resolve();
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const abort = () => {
      sleeping = sleeping.filter((other) => other !== sleeper);
      reject(signal?.reason as Error);
    };
    const wake = () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    const sleeper: Sleeper = { at: elapsed + Math.max(0, ms), order: order++, wake };
    signal?.addEventListener('abort', abort, { once: true });
    sleeping = [...sleeping, sleeper].sort(byTime);
    tellWatchers();
    return promise;
  }

  async function passUntil(target: number): Promise<void> {
    await nextTurn();
    for (let next = sleeping[0]; next !== undefined && next.at <= target; next = sleeping[0]) {
      sleeping = sleeping.slice(1);
      elapsed = Math.max(elapsed, next.at);
      next.wake();
      await nextTurn();
    }
    elapsed = Math.max(elapsed, target);
  }

  return {
    now: () => offset + elapsed,
    monotonic: () => elapsed,
    sleep,
    advance: (ms) => passUntil(elapsed + ms),
    advanceTo: (at) => passUntil(at - offset),
    step: (ms) => {
      offset += ms;
    },
    get sleepers() {
      return sleeping.length;
    },
    get nextWakeAt() {
      const next = sleeping[0];
      return next === undefined ? null : offset + next.at;
    },
    asleep: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.push({ count, resolve });
      tellWatchers();
      return promise;
    },
  };
}
