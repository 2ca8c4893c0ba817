/** When a message is tried again, and when it is given up. Pure. */
import type { EpochMs } from '../core/key.ts';

const firstDelayMs = 30_000;
const longestDelayMs = 3_600_000;
/** Counted from when the message could first be sent. */
export const giveUpAfterMs = 24 * 3_600_000;

export interface Failure {
  readonly now: EpochMs;
  /** Attempts before the one that failed now. */
  readonly attempts: number;
  /** What the receiver asked for. */
  readonly retryAfterMs: number | null;
  /** In [0, 1): lengthens the delay by up to a tenth, the longest excepted. */
  readonly jitter: number;
  readonly giveUpAt: EpochMs;
}

/** 30 s, doubling up to an hour, or longer when the receiver asks; a last time at `giveUpAt`, then null. */
export function nextAttempt({ now, attempts, retryAfterMs, jitter, giveUpAt }: Failure): EpochMs | null {
  if (now >= giveUpAt) return null;
  const delay = firstDelayMs * 2 ** Math.min(attempts, 20) * (1 + jitter / 10);
  const wait = Math.max(Math.min(Math.round(delay), longestDelayMs), retryAfterMs ?? 0);
  return Math.min(now + wait, giveUpAt);
}

/** For how long a queue rests after a failure, so that what is behind it does not fail at once as well. */
export function restMs(retryAfterMs: number | null): number {
  return Math.min(Math.max(firstDelayMs, retryAfterMs ?? 0), longestDelayMs);
}
