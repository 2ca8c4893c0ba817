/** An account whose usage is known beforehand, request by request, and the API's read side over it, without a wire. */
import type { Counters, EpochMs, Key, KeyId } from '../src/core/key.ts';
import { windowMs } from '../src/core/key.ts';
import { rowsByName } from '../src/core/rows.ts';
import { Secret } from '../src/core/secret.ts';
import type { AdminReader, Aggregate, AggregateRow, AdminWriter, SteadyClock } from '../src/ports.ts';

/** What was used at one instant: one request, or many that are taken together. */
export interface Use extends Counters {
  readonly at: EpochMs;
}

/** Everything that a key ever uses: running totals, in the order of time. */
export interface Meter {
  /** Up to and including this instant. Quickest when asked in the order of time. */
  used(until: EpochMs): Counters;
}

const nothing: Counters = { costMicroUsd: 0, tokens: 0, requests: 0 };

/** `uses`: in the order of time. */
export function meterOf(uses: readonly Use[]): Meter {
  const times = Float64Array.from(uses, ({ at }) => at);
  const sums = (of: (one: Use) => number): Float64Array => {
    let sum = 0;
    return Float64Array.from(uses, (one) => (sum += of(one)));
  };
  const cost = sums((one) => one.costMicroUsd);
  const tokens = sums((one) => one.tokens);
  const requests = sums((one) => one.requests);
  const totalOf = (count: number): Counters => {
    if (count === 0) return nothing;
    return {
      costMicroUsd: cost[count - 1] ?? 0,
      tokens: tokens[count - 1] ?? 0,
      requests: requests[count - 1] ?? 0,
    };
  };
  let [last, total] = [0, nothing];
  return {
    used: (until) => {
      const count = isBetween(times, last, until) ? last : countUntil(times, until);
      if (count !== last) [last, total] = [count, totalOf(count)];
      return total;
    },
  };
}

function isBetween(times: Float64Array, count: number, until: EpochMs): boolean {
  return (times[count - 1] ?? -Infinity) <= until && until < (times[count] ?? Infinity);
}

function countUntil(times: Float64Array, until: EpochMs): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= until) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface UsedKey {
  readonly key: Key;
  readonly meter: Meter;
  /** Changes of its name, in the order of time. */
  readonly renamed?: readonly { readonly at: EpochMs; readonly name: string }[];
}

/** A pass of a bench is left alone. */
export const unhindered = { superseded: () => false, closing: new AbortController().signal };

/** A clock that only moves when it is told to. */
export interface VirtualClock extends SteadyClock {
  advanceTo(at: EpochMs): void;
}

export function virtualClock(start: EpochMs): VirtualClock {
  let now = start;
  return {
    now: () => now,
    sleep: () => Promise.resolve(),
    monotonic: () => now,
    advanceTo: (at) => void (now = Math.max(now, at)),
  };
}

export function keyId(n: number): KeyId {
  return `k_${n.toString(16).padStart(16, '0')}`;
}

/** Every answer is exact at the instant of its call, and takes so long. `onCall`: before each. */
export function readerOf(
  keys: readonly UsedKey[],
  clock: VirtualClock,
  takesMs: number,
  onCall: () => void = () => undefined,
): AdminReader {
  const secrets = new Map(keys.map(({ key }) => [key.id, new Secret(key.id)]));
  const byId = new Map<string, UsedKey>(keys.map((one) => [one.key.id, one]));
  const listed = listOf(keys);
  const begin = (): EpochMs => {
    onCall();
    const at = clock.now();
    clock.advanceTo(at + takesMs);
    return at;
  };
  const unasked = (): Promise<never> => Promise.reject(new Error('nobody asks for this here'));
  return {
    listKeys: async () => {
      const at = begin();
      return { at, serverAt: at, keys: listed(at), secrets };
    },
    usage: async (window) => {
      const at = begin();
      return aggregate(keys, listed(at), at, window === null ? -Infinity : at - windowMs[window]);
    },
    keyUsage: async (secret, window) => {
      const at = begin();
      const from = window === null ? -Infinity : at - windowMs[window];
      const used = usedBetween(byId.get(secret.reveal())?.meter, from, at);
      return { at, ...used, promptTokens: used.tokens, completionTokens: 0 };
    },
    series: unasked,
    transactions: unasked,
  };
}

/** The very same objects for as long as nobody is renamed. */
function listOf(keys: readonly UsedKey[]): (at: EpochMs) => readonly Key[] {
  const renames = keys.flatMap(({ renamed = [] }) => renamed.map(({ at }) => at)).sort((a, b) => a - b);
  let list = keys.map(({ key }) => key);
  let done = 0;
  return (at) => {
    if (at >= (renames[done] ?? Infinity)) {
      while (at >= (renames[done] ?? Infinity)) done += 1;
      list = keys.map(({ key, renamed = [] }, place) => {
        const name = renamed.findLast((one) => one.at <= at)?.name ?? key.name;
        return list[place]?.name === name ? list[place] : { ...key, name };
      });
    }
    return list;
  };
}

function usedBetween(meter: Meter | undefined, from: EpochMs, until: EpochMs): Counters {
  if (meter === undefined) return nothing;
  if (from === -Infinity) return meter.used(until);
  const before = meter.used(from);
  return less(meter.used(until), before);
}

function less(a: Counters, b: Counters): Counters {
  return {
    costMicroUsd: a.costMicroUsd - b.costMicroUsd,
    tokens: a.tokens - b.tokens,
    requests: a.requests - b.requests,
  };
}

const noModels: AggregateRow['models'] = new Map();

/** By name, as the API has it: keys that share one share a row, and one that was not used has none. */
function aggregate(keys: readonly UsedKey[], list: readonly Key[], at: EpochMs, from: EpochMs): Aggregate {
  const rows = new Map<string, AggregateRow>();
  let [costMicroUsd, tokens, requests] = [0, 0, 0];
  for (const [place, { meter }] of keys.entries()) {
    const used = usedBetween(meter, from, at);
    if (used.requests === 0) continue;
    costMicroUsd += used.costMicroUsd;
    tokens += used.tokens;
    requests += used.requests;
    const name = list[place]?.name ?? '';
    const shared = rows.get(name) ?? nothing;
    rows.set(name, {
      costMicroUsd: used.costMicroUsd + shared.costMicroUsd,
      tokens: used.tokens + shared.tokens,
      requests: used.requests + shared.requests,
      models: noModels,
    });
  }
  return { at, total: { costMicroUsd, tokens, requests }, rows: rowsByName(rows) };
}

const refused = (): Promise<never> => Promise.reject(new Error('nothing is changed here'));
export const noWriter: AdminWriter = { createKey: refused, renameKey: refused, deleteKey: refused };
