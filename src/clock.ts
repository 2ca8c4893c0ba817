import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs } from './core/key.ts';
import type { SteadyClock } from './ports.ts';

/** The longest delay a timer takes (2³¹−1 ms, 24.8 days); longer sleeps are cut in pieces. */
const longestDelayMs = 2_147_483_647;

async function sleepFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  for (let left = Math.max(0, ms); ; left -= longestDelayMs) {
    await abortableDelay(Math.min(left, longestDelayMs), signal);
    if (left <= longestDelayMs) return;
  }
}

/** Rejects with the signal's own reason, where the timer would reject with an AbortError around it. */
async function abortableDelay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The machine's clock. */
export function systemClock(): SteadyClock {
  return { now: () => Date.now(), sleep: sleepFor, monotonic: () => performance.now() };
}

/** How a scaled clock's time follows the machine's. */
export interface ClockScale {
  /** The machine's time at which the scaled clock showed `start`. */
  readonly realStart: EpochMs;
  readonly start: EpochMs;
  /** Scaled milliseconds per real millisecond; greater than 0. */
  readonly speed: number;
}

/**
 * A clock that shows `start` at the machine's time `realStart` and runs `speed` times as fast.
 * Processes given the same scale show the same time.
 */
export function scaledClock({ realStart, start, speed }: ClockScale): SteadyClock {
  if (!(speed > 0)) throw new RangeError(`a clock's speed must be greater than 0, not ${speed}`);
  // Date.now() is whole milliseconds; at a great speed one of them is minutes, so take the finer counter.
  const realNow = () => performance.timeOrigin + performance.now();
  return {
    now: () => Math.floor(start + (realNow() - realStart) * speed),
    sleep: (ms, signal) => sleepFor(ms / speed, signal),
    monotonic: () => performance.now() * speed,
  };
}
