import type { EpochMs } from '../core/key.ts';

const minuteMs = 60_000;

/** Counts requests over a sliding minute. */
export interface RateLimit {
  /** Milliseconds to wait before the next request is let through; 0: this one is, and is counted. */
  take(now: EpochMs, perMinute: number): number;
}

export function createRateLimit(): RateLimit {
  let taken: EpochMs[] = [];
  return {
    take: (now, perMinute) => {
      taken = taken.filter((at) => at > now - minuteMs);
      if (taken.length < perMinute) {
        taken.push(now);
        return 0;
      }
      const oldest = taken[taken.length - perMinute];
      return oldest === undefined ? minuteMs : oldest + minuteMs - now;
    },
  };
}
