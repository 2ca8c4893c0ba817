import type { EpochMs } from '../core/key.ts';

/** What was used of one model. Cost in whole micro-dollars. */
export interface Usage {
  readonly costMicroUsd: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly requests: number;
}

export const noUsage: Usage = { costMicroUsd: 0, promptTokens: 0, completionTokens: 0, requests: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    costMicroUsd: a.costMicroUsd + b.costMicroUsd,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    requests: a.requests + b.requests,
  };
}

export function subtractUsage(a: Usage, b: Usage): Usage {
  return {
    costMicroUsd: a.costMicroUsd - b.costMicroUsd,
    promptTokens: a.promptTokens - b.promptTokens,
    completionTokens: a.completionTokens - b.completionTokens,
    requests: a.requests - b.requests,
  };
}

/**
 * Usage over time as running totals, so that any window is two look-ups. Columns instead of objects:
 * ten thousand keys over months are millions of entries.
 */
export interface UsageSeries {
  /** Any order; in order of time is quick. */
  add(at: EpochMs, usage: Usage): void;
  /** Used after `from` and up to and including `to`. */
  between(from: EpochMs, to: EpochMs): Usage;
}

export function createSeries(): UsageSeries {
  const at: number[] = [];
  const cost: number[] = [];
  const prompt: number[] = [];
  const completion: number[] = [];
  const requests: number[] = [];

  /** How many entries lie at or before `time`. */
  function countUntil(time: EpochMs): number {
    let low = 0;
    let high = at.length;
    if (high > 0 && (at[high - 1] ?? 0) <= time) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((at[middle] ?? 0) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function insert(column: number[], index: number, amount: number): void {
    const before = column[index - 1] ?? 0;
    if (index === column.length) {
      column.push(before + amount);
      return;
    }
    column.splice(index, 0, before);
    for (let i = index; i < column.length; i++) column[i] = (column[i] ?? 0) + amount;
  }

  function add(time: EpochMs, usage: Usage): void {
    const index = countUntil(time);
    if (index === at.length) at.push(time);
    else at.splice(index, 0, time);
    insert(cost, index, usage.costMicroUsd);
    insert(prompt, index, usage.promptTokens);
    insert(completion, index, usage.completionTokens);
    insert(requests, index, usage.requests);
  }

  function between(from: EpochMs, to: EpochMs): Usage {
    const last = countUntil(to) - 1;
    const before = from === -Infinity ? -1 : countUntil(from) - 1;
    if (last <= before) return noUsage;
    const used = (column: number[]) => (column[last] ?? 0) - (column[before] ?? 0);
    return {
      costMicroUsd: used(cost),
      promptTokens: used(prompt),
      completionTokens: used(completion),
      requests: used(requests),
    };
  }

  return { add, between };
}
