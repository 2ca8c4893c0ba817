/** How fast keys are used: the fastest of late, so that a pause between two bursts is not taken for the end. */
import { falls, upperCounters } from '../core/evidence.ts';
import type { Pace } from '../core/evidence.ts';
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { SampleRun } from '../core/state.ts';

export type Peaks = ReadonlyMap<KeyId | 'account', Peak>;

interface Peak {
  readonly at: EpochMs;
  readonly pace: Pace;
}

/** A pace that is not seen again counts half after so long, and nothing after five times that. */
const halfLifeMs = 180_000;
const forgottenMs = 5 * halfLifeMs;

export interface Quickening {
  /** `counters`: what they are now. */
  note(key: KeyId | 'account', run: SampleRun | null, counters: Counters): void;
  /** Of all that were used of late. */
  now(): ReadonlyMap<KeyId | 'account', Pace>;
  next(): Peaks;
}

/** Nothing depends yet on how fast a key is used that has used this much in all. */
export type IsFar = (counters: Counters, pace: Pace) => boolean;

export function quicken(before: Peaks, at: EpochMs, isFar: IsFar = () => false): Quickening {
  const peaks = new Map<KeyId | 'account', Peak>();
  for (const [key, peak] of before) if (at - peak.at < forgottenMs) peaks.set(key, peak);
  return {
    note: (key, run, counters) => {
      if (run === null || run.lastAt >= at || !falls(run.counters, counters)) return;
      const peak = peaks.get(key);
      const grown = grownPer(run, counters, at);
      const pace = peak === undefined ? grown : upperCounters(grown, fade(peak, at));
      if (key === 'account' || !isFar(counters, pace)) peaks.set(key, { at, pace });
    },
    now: () => new Map([...peaks].map(([key, peak]) => [key, fade(peak, at)])),
    next: () => peaks,
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

function fade({ at: from, pace }: Peak, at: EpochMs): Pace {
  const part = 2 ** (-Math.max(0, at - from) / halfLifeMs);
  return {
    costMicroUsd: pace.costMicroUsd * part,
    tokens: pace.tokens * part,
    requests: pace.requests * part,
  };
}
