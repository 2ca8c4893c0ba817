/** When to look next. */
import type { EpochMs } from './key.ts';
import { periodAt } from './periods.ts';
import type { Approach } from './plan.ts';
import type { PolicyFile } from './policy.ts';

export interface Pace {
  /** The longest pause. */
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly usageLagMs: number;
  readonly maxCallsPerMinute: number;
}

/** A pass asks for the list and for the usage of all keys, and often for one thing more. */
const callsAPass = 3;

/**
 * A level may hurry on while nobody looks: the next look is when it would have come half as far as its
 * threshold at the pace of late. So the looks close in on it, and the last is as near as pauses may be short.
 */
const closingIn = 0.5;

/**
 * The next pass: after the longest pause; or sooner, where a level could reach its next threshold, a
 * period begins (so that the counters on each side of it are known) or its usage is surely reported, or a
 * notice has run (`dueAt`).
 */
export function nextPassAt(
  now: EpochMs,
  policy: PolicyFile,
  dueAt: readonly EpochMs[],
  pace: Pace,
  approach: Approach | null = null,
): EpochMs {
  const boundaries = policy.policies.flatMap(({ rule }) => {
    if (rule.kind !== 'spend' || rule.period.kind !== 'calendar') return [];
    const { start, end } = periodAt(rule.period, now);
    // The last counters before a period's beginning are to be as near to it as the first ones after.
    const eve = end === null ? null : end - eveOf(pace);
    return [eve, end, start === null ? null : start + pace.usageLagMs].filter((at) => at !== null);
  });
  const wanted = [...boundaries, ...dueAt].filter((at) => at > now);
  const near = approach === null ? Infinity : Math.ceil(now + approach.inMs * closingIn);
  const soonest = Math.min(now + pace.intervalMs, near, ...wanted);
  return Math.max(soonest, now + shortestPause(pace));
}

/** So long before a period's end a last pass is made in it: long enough that it is done by then. */
export function eveOf({ intervalMs }: Pick<Pace, 'intervalMs'>): number {
  return Math.min(intervalMs, 60_000);
}

function shortestPause({ minIntervalMs, intervalMs, maxCallsPerMinute }: Pace): number {
  return Math.min(intervalMs, Math.max(minIntervalMs, Math.ceil((callsAPass * 60_000) / maxCallsPerMinute)));
}

/** How far past a threshold the fastest level may get until it is seen, as a share of its limit. */
export interface Overshoot {
  /** If it reaches the threshold at any moment of the pause alike. */
  readonly expected: number;
  readonly worst: number;
}

export function overshootOf(approach: Approach | null, pauseMs: number): Overshoot {
  const worst = approach === null ? 0 : pauseMs * approach.sharePerMs;
  return { expected: worst / 2, worst };
}
