/** When a message is tried again, and when it is given up. Pure. */
import type { EpochMs } from '../core/key.ts';

export const firstDelayMs = 30_000;
const longestDelayMs = 3_600_000;
const longestRestMs = 5 * 60_000;
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

/**
 * For how long the queue behind a message rests when that has failed: until it is tried again, so
 * that the order stays and what follows does not fail as well; but not for long, for it may be that
 * message only. What the receiver asks for is kept to, an hour at most.
 */
export function restMs(waitMs: number, retryAfterMs: number | null): number {
  return Math.max(Math.min(waitMs, longestRestMs), Math.min(retryAfterMs ?? 0, longestDelayMs));
}
