/** When to look next. */
import type { EpochMs } from './key.ts';
import { periodAt } from './periods.ts';
import type { PolicyFile } from './policy.ts';

export interface Pace {
  /** The longest pause. */
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly usageLagMs: number;
}

/**
 * The next pass: after the longest pause, or sooner where a period begins (so that the counters on
 * each side of it are known) or its usage is surely reported, or a notice has run (`dueAt`).
 */
export function nextPassAt(now: EpochMs, policy: PolicyFile, dueAt: readonly EpochMs[], pace: Pace): EpochMs {
  const boundaries = policy.policies.flatMap(({ rule }) => {
    if (rule.kind !== 'spend' || rule.period.kind !== 'calendar') return [];
    const { start, end } = periodAt(rule.period, now);
    return [end, start === null ? null : start + pace.usageLagMs].filter((at) => at !== null);
  });
  const wanted = [...boundaries, ...dueAt].filter((at) => at > now);
  const soonest = Math.min(now + pace.intervalMs, ...wanted);
  return Math.max(soonest, now + pace.minIntervalMs);
}
