/**
 * How many calls a pass makes in steady state, and beside it what a script makes that reads each key for each
 * window. A large account with keys of every kind, a pass a minute, on a clock that takes no time.
 */
import { createCallMeter } from '../src/call-meter.ts';
import type { EpochMs, Key } from '../src/core/key.ts';
import type { Call } from '../src/core/plan.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import type { PassPorts } from '../src/pass/ports.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { createRandom } from '../src/sandbox/random.ts';
import type { Random } from '../src/sandbox/random.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { policyText } from './policies.ts';
import { keyId, meterOf, noWriter, readerOf, unhindered, virtualClock } from './traffic.ts';
import type { Use, UsedKey } from './traffic.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** A Monday, before the first offices open. */
const start: EpochMs = Date.UTC(2026, 10, 23, 5);
const perMinute = 60;
/** From a call's request to its answer. */
const callMs = 150;
/** Of ten thousand keys. */
const renamedPart = 0.002;
const sharedPart = 0.002;

export interface CallFigures {
  readonly keys: number;
  readonly policies: number;
  readonly windows: number;
  readonly passes: number;
  /** After how many passes counting began. */
  readonly warmUp: number;
  readonly calls: readonly Call[];
  readonly most: number;
  /** Open findings at the end. */
  readonly findings: number;
  readonly seconds: number;
}

export async function measureCalls(keys: number, warmUpHours: number, hours: number): Promise<CallFigures> {
  const began = performance.now();
  const policy = policyOf();
  await using store = await openSqlite(':memory:');
  const clock = virtualClock(start);
  const meter = createCallMeter(clock);
  const memory = await recall(store, start);
  const until = start + (warmUpHours + hours) * hourMs;
  const account = accountOf(keys, until);
  const ports: PassPorts = {
    ...{ writer: noWriter, clock, store, mode: null, ...unhindered },
    reader: readerOf(account, clock, callMs, () => {
      meter.count();
    }),
    pace: {
      intervalMs: minuteMs,
      minIntervalMs: 5000,
      usageLagMs: 2 * minuteMs,
      maxCallsPerMinute: perMinute,
    },
    // The first pass may read as many keys as it likes, so that the steady state is reached sooner.
    callBudget: () => (memory.trail === null ? 4 * keys : meter.left(perMinute)),
    route: () => ({ items: [], undeliverable: [] }),
  };
  const calls: Call[] = [];
  let [passes, warmUp, most] = [0, 0, 0];
  for (let at = start; at < until; at += minuteMs) {
    clock.advanceTo(at);
    const report = await pass(ports, memory, policy, [], new AbortController().signal);
    if (at < start + warmUpHours * hourMs) {
      warmUp += 1;
      continue;
    }
    passes += 1;
    calls.push(...report.calls);
    most = Math.max(most, report.calls.length);
  }
  return {
    ...{ keys, passes, warmUp, calls, most, policies: policy.policies.length },
    windows: windowsOf(policy),
    findings: [...memory.findings.values()].filter(({ closedAt }) => closedAt === null).length,
    seconds: (performance.now() - began) / 1000,
  };
}

function policyOf(): PolicyFile {
  const loaded = loadPolicy(policyText('alert'), 'bench', () => ({ value: 'https://hooks.example' }), start);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.policy;
}

/** Those that a script would have to read of each key: the rolling ones, and all time. */
function windowsOf({ policies }: PolicyFile): number {
  const periods = policies.flatMap(({ rule }) => {
    if (rule.kind !== 'spend') return [];
    return rule.period.kind === 'rolling' ? rule.period.window : rule.period.kind;
  });
  return new Set(periods).size;
}

/** What a key is for, by its name and plan; `capUsd`: the tightest limit on 30 days of it. */
interface Sort {
  readonly part: number;
  readonly name: (n: number) => string;
  readonly plan: string | null;
  readonly capUsd: number;
}

const sorts: readonly Sort[] = [
  { part: 0.55, name: (n) => `User ${String(n)}`, plan: 'free', capUsd: 20 },
  { part: 0.25, name: (n) => `User ${String(n)}`, plan: 'pro', capUsd: 100 },
  { part: 0.08, name: (n) => `svc-${String(n)}`, plan: null, capUsd: 300 },
  { part: 0.07, name: (n) => `dev-${String(n)}`, plan: null, capUsd: 300 },
  { part: 0.05, name: (n) => `job-${String(n)}-batch`, plan: null, capUsd: 300 },
];

/** When a key is used: so much of the minutes around the instant, compared with its busiest. */
type Habit = (at: EpochMs) => number;

const habits: readonly { readonly part: number; readonly of: (random: Random) => Habit }[] = [
  { part: 0.1, of: () => () => 1 },
  { part: 0.4, of: officeHours },
  { part: 0.05, of: nightly },
  { part: 0.2, of: () => (at) => (isWaking(at) ? 1 : 0) },
  { part: 0.15, of: pastOnly },
  { part: 0.1, of: () => () => 0 },
];

const hourOf = (at: EpochMs): number => Math.floor(at / hourMs) % 24;
const isWaking = (at: EpochMs): boolean => hourOf(at) >= 6 && hourOf(at) < 23;

/** Nine hours of a working day, somewhere; 1970 began on a Thursday. */
function officeHours(random: Random): Habit {
  const opens = random.integer(5, 16);
  return (at) => {
    const weekday = (Math.floor(at / dayMs) + 4) % 7;
    const hour = hourOf(at) - opens;
    return weekday >= 1 && weekday <= 5 && hour >= 0 && hour < 9 ? 1 : 0;
  };
}

function nightly(random: Random): Habit {
  const hour = random.integer(0, 23);
  return (at) => (hourOf(at) === hour ? 1 : 0);
}

/** Used once, and given up some time in the last three months. */
function pastOnly(random: Random): Habit {
  const end = start - random.next() * 90 * dayMs;
  return (at) => (at < end ? 1 : 0);
}

function accountOf(count: number, until: EpochMs): UsedKey[] {
  const shared = Math.round(count * sharedPart);
  const renamed = Math.round(count * renamedPart);
  return Array.from({ length: count }, (_, n) => {
    const random = createRandom(`calls ${String(n)}`);
    const sort = chosen(sorts, random);
    // Two by two, some keys share a name; others are renamed now and then.
    const name = n < shared ? `Shared ${String(n >> 1)}` : sort.name(n);
    const isRenamed = n >= shared && n < shared + renamed;
    const createdAt = start - Math.round((1 + 200 * random.next()) * dayMs);
    const uses = usesOf(random, sort, createdAt, until);
    return {
      key: keyOf(n, name, sort.plan, createdAt, random),
      meter: meterOf(uses),
      renamed: isRenamed ? [{ at: start + random.next() * (until - start), name: `${name} (new)` }] : [],
    };
  });
}

function keyOf(n: number, name: string, plan: string | null, createdAt: EpochMs, random: Random): Key {
  return {
    ...{ id: keyId(n), createdAt, name, maxTokens: null, chat: false, isAdmin: false, lastUsedAt: null },
    metadata: plan === null ? {} : { plan, email: `user${String(n)}@example.com` },
    expiresAt: random.chance(0.15) ? start + Math.round(90 * random.next() * dayMs) : null,
  };
}

/** By their parts of the whole. */
function chosen<T extends { readonly part: number }>(from: readonly T[], random: Random): T {
  let left = random.next();
  const found = from.find(({ part }) => (left -= part) < 0) ?? from[0];
  if (found === undefined) throw new Error('nothing to choose from');
  return found;
}

/**
 * The use of a key from its creation, at most 91 days ago. What is long ago is told by shares of a day, what
 * is of late by the hour, and what is to come by the request.
 */
function usesOf(random: Random, { capUsd }: Sort, createdAt: EpochMs, until: EpochMs): Use[] {
  const habit = chosen(habits, random).of(random);
  // Most keys use a small part of what they may; of a hundred two or three are near it, or over it.
  const share = 0.15 * Math.exp(0.8 * normal(random));
  const perRequest = Math.round(4000 * Math.exp(0.7 * normal(random)));
  const perDay = (share * capUsd * 1e6) / 30 / perRequest;
  const perHour = perDay / activeHours(habit);
  const uses: Use[] = [];
  const spread = (from: EpochMs, to: EpochMs, stepMs: number): void => {
    for (let at = from; at < to; at += stepMs) {
      const requests = poisson(random, perHour * activePart(habit, at, stepMs) * (stepMs / hourMs));
      if (requests > 0) uses.push(use(at + random.next() * stepMs, requests, perRequest));
    }
  };
  const lately = start - 2 * dayMs;
  spread(Math.max(createdAt, start - 91 * dayMs), lately, 8 * hourMs);
  spread(Math.max(createdAt, lately), start, hourMs);
  spread(start, until, minuteMs);
  return uses.sort((a, b) => a.at - b.at);
}

function activeHours(habit: Habit): number {
  // A week, long enough ago that even a key that is given up may have been in use.
  const from = start - 91 * dayMs;
  const hours = Array.from({ length: 7 * 24 }, (_, hour) => habit(from + hour * hourMs));
  return Math.max(1, hours.reduce((sum, one) => sum + one, 0) / 7);
}

function activePart(habit: Habit, at: EpochMs, ms: number): number {
  if (ms <= hourMs) return habit(at);
  const hours = Math.round(ms / hourMs);
  let sum = 0;
  for (let hour = 0; hour < hours; hour += 1) sum += habit(at + hour * hourMs);
  return sum / hours;
}

function use(at: EpochMs, requests: number, perRequest: number): Use {
  const costMicroUsd = requests * perRequest;
  return { at: Math.round(at), costMicroUsd, tokens: Math.round(costMicroUsd / 1.6), requests };
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Knuth's for few; for many, the normal distribution is near enough. */
function poisson(random: Random, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const least = Math.exp(-mean);
  let count = -1;
  for (let product = 1; product > least; product *= random.next()) count += 1;
  return count;
}

/** Keys and their names left out, so that what is asked for the same reason counts together. */
function reasonOf({ what, why }: Call): string {
  const kind = what.replace(/k_[0-9a-f]{16}/, 'one key');
  return `${kind}: ${why.replace(/“[^”]*”/, '“…”')}`;
}

export async function printCalls(
  print: (text: string) => void,
  keys = 10_000,
  warmUpHours = 2,
  hours = 4,
): Promise<void> {
  const figures = await measureCalls(keys, warmUpHours, hours);
  const { passes, calls, windows, policies, most } = figures;
  const mean = (count: number): string => (count / passes).toFixed(2);
  print(
    `${keys.toLocaleString('en')} keys, ${String(policies)} policies, a pass a minute for ${String(hours)} simulated hours after ${String(warmUpHours)} to warm up`,
  );
  print(
    `  calls a pass, cross-checks included  ${mean(calls.length)} on average, ${String(most)} at the most`,
  );
  const reasons = new Map<string, number>();
  for (const call of calls) reasons.set(reasonOf(call), (reasons.get(reasonOf(call)) ?? 0) + 1);
  for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 12))
    print(`    ${mean(count).padStart(5)}  ${reason}`);
  print(
    `  a script that reads each key for each window  ${(1 + keys * windows).toLocaleString('en')} (the list, and ${String(windows)} windows of each key)`,
  );
  print(
    `  open findings at the end  ${String(figures.findings)}; simulated in ${figures.seconds.toFixed(0)} s`,
  );
}

if (import.meta.main) {
  const [, , keys = '10000', warmUp = '2', hours = '4'] = process.argv;
  await printCalls(
    (text) => void process.stdout.write(`${text}\n`),
    Number(keys),
    Number(warmUp),
    Number(hours),
  );
}
