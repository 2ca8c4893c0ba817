/** How many calls to the Admin API the last minute had, and so how many more it may have. */
import type { EpochMs } from './core/key.ts';
import type { Clock } from './ports.ts';

export interface CallMeter {
  count(): void;
  /** At least one: a program that may ask nothing decides nothing. */
  left(perMinute: number): number;
  /** When so many calls fit into a minute again; now, or before, if they do already. */
  freeAt(calls: number, perMinute: number): EpochMs;
}

const minuteMs = 60_000;

export function createCallMeter(clock: Pick<Clock, 'now'>): CallMeter {
  let times: EpochMs[] = [];
  const lately = (now: EpochMs): readonly EpochMs[] => {
    // Also after the clock has been set back, no call counts for longer than a minute.
    times = times.filter((at) => Math.abs(now - at) < minuteMs);
    return times;
  };
  return {
    count: () => {
      times.push(clock.now());
    },
    left: (perMinute) => Math.max(1, perMinute - lately(clock.now()).length),
    freeAt: (calls, perMinute) => {
      const now = clock.now();
      const made = lately(now);
      const last = made[made.length - 1 - Math.max(0, perMinute - calls)];
      return last === undefined ? now : last + minuteMs;
    },
  };
}
