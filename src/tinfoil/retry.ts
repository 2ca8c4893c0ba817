import pRetry from 'p-retry';
import type { Clock } from '../ports.ts';
import type { Endpoint } from './calls.ts';
import { AdminApiError } from './errors.ts';

/** A call that is told to wait for longer gives up, with `retryAfterMs` in its error. */
const longestRetryAfterMs = 60_000;

export interface RetryPolicy {
  /** Attempts in all; at least 1. */
  readonly attempts: number;
  /** Before the second attempt; doubles each time. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** From 0 up to 1: spreads each pause over its upper half. */
  readonly random: () => number;
}

/** What one call needs to try again. */
export interface Patience {
  readonly clock: Clock;
  readonly retries: RetryPolicy;
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
}

/** Repeats `attempt` (told its number, from 1) while its errors are worth it. */
export async function retrying<T>(
  patience: Patience,
  attempt: (number: number) => Promise<T>,
  worthwhile: (error: AdminApiError) => boolean = (error) => error.retryable,
): Promise<T> {
  return pRetry(attempt, {
    retries: patience.retries.attempts - 1,
    // The pauses are taken here, on the injected clock.
    minTimeout: 0,
    shouldRetry: async ({ error, attemptNumber }) => {
      if (!(error instanceof AdminApiError) || !worthwhile(error)) return false;
      if ((error.retryAfterMs ?? 0) > longestRetryAfterMs) return false;
      await pause(patience, Math.max(backoffMs(patience.retries, attemptNumber), error.retryAfterMs ?? 0));
      return true;
    },
  });
}

/** The pause after the attempt of this number. */
export function backoffMs(policy: RetryPolicy, attempt: number): number {
  const full = Math.min(policy.longestPauseMs, policy.firstPauseMs * 2 ** (attempt - 1));
  return Math.round(full * (0.5 + policy.random() / 2));
}

/** Rejects with an `AdminApiError` of kind `aborted` when the signal says so. */
export async function pause({ clock, endpoint, signal }: Patience, ms: number): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (signal.aborted) throw new AdminApiError({ endpoint, kind: 'aborted' });
    throw error;
  }
}
