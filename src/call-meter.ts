/** How many calls to the Admin API the last minute had, and so how many more it may have. */
import type { EpochMs } from './core/key.ts';
import type { Clock } from './ports.ts';

export interface CallMeter {
  count(): void;
  /** At least one: a program that may ask nothing decides nothing. */
  left(perMinute: number): number;
}

const minuteMs = 60_000;

export function createCallMeter(clock: Pick<Clock, 'now'>): CallMeter {
  let times: EpochMs[] = [];
  return {
    count: () => {
      times.push(clock.now());
    },
    left: (perMinute) => {
      const now = clock.now();
      // Also after the clock has been set back, no call counts for longer than a minute.
      times = times.filter((at) => Math.abs(now - at) < minuteMs);
      return Math.max(1, perMinute - times.length);
    },
  };
}
