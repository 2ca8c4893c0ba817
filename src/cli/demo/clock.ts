import type { EpochMs } from '../../core/key.ts';
import type { SteadyClock } from '../../ports.ts';

/** A clock that moves in steps. Between two of them it stands still, and nobody waits for anything. */
export interface SteppedClock extends SteadyClock {
  stepTo(at: EpochMs): void;
}

/**
 * The same steps show the same times to everybody, however fast the machine is: so a story told by it is
 * the same each time.
 */
export function steppedClock(start: EpochMs): SteppedClock {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async (_ms, signal) => signal?.throwIfAborted(),
    stepTo: (at) => {
      now = Math.max(now, at);
    },
  };
}
