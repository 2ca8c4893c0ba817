/** How fast keys are used: the fastest of late, so that a pause between two bursts is not taken for the end. */
import { falls, upperCounters } from '../core/evidence.ts';
import type { Pace } from '../core/evidence.ts';
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { SampleRun } from '../core/state.ts';

export type Paces = ReadonlyMap<KeyId | 'account', Peak>;

interface Peak {
  readonly at: EpochMs;
  readonly pace: Pace;
}

/** A pace that is not seen again counts half after so long, and nothing after ten times that. */
const halfLifeMs = 5 * 60_000;
const forgottenMs = 10 * halfLifeMs;

export interface Quickening {
  /** `sampled`: its counters now; null: not known in this pass. */
  of(key: KeyId | 'account', run: SampleRun | null, sampled: Counters | null): Pace | null;
  next(): Paces;
}

export function quicken(before: Paces, at: EpochMs): Quickening {
  const after = new Map<KeyId | 'account', Peak>();
  return {
    of: (key, run, sampled) => {
      const peak = before.get(key);
      const moved = sampled !== null && run !== null && run.lastAt < at && falls(run.counters, sampled);
      if (peak === undefined && !moved) return null;
      const faded = peak === undefined ? null : fade(peak, at);
      if (moved) {
        const pace = fastest(grownPer(run, sampled, at), faded);
        after.set(key, { at, pace });
        return pace;
      }
      if (faded !== null && peak !== undefined) after.set(key, peak);
      return faded;
    },
    next: () => after,
  };
}

function grownPer(run: SampleRun, now: Counters, at: EpochMs): Pace {
  const ms = at - run.lastAt;
  const per = (grown: number): number => Math.max(0, grown) / ms;
  return {
    costMicroUsd: per(now.costMicroUsd - run.counters.costMicroUsd),
    tokens: per(now.tokens - run.counters.tokens),
    requests: per(now.requests - run.counters.requests),
  };
}

/** Null: so long ago that it is forgotten. */
function fade({ at: from, pace }: Peak, at: EpochMs): Pace | null {
  const ms = Math.max(0, at - from);
  if (ms >= forgottenMs) return null;
  const part = 2 ** (-ms / halfLifeMs);
  return {
    costMicroUsd: pace.costMicroUsd * part,
    tokens: pace.tokens * part,
    requests: pace.requests * part,
  };
}

function fastest(a: Pace, b: Pace | null): Pace {
  return b === null ? a : upperCounters(a, b);
}
