/**
 * How far past its cap a key gets before the step fires: pauses as the daemon makes them, beside pauses that
 * are all alike, with as many calls a day. Bursty keys, on a clock that takes no time.
 */
import { createCallMeter } from '../src/call-meter.ts';
import { nextPassAt } from '../src/core/schedule.ts';
import type { Outlook, Pace } from '../src/core/schedule.ts';
import type { EpochMs, Key } from '../src/core/key.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import type { Finding } from '../src/core/state.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import type { PassPorts } from '../src/pass/ports.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { createRandom } from '../src/sandbox/random.ts';
import type { Random } from '../src/sandbox/random.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { keyId, meterOf, noWriter, readerOf, unhindered, virtualClock } from './traffic.ts';
import type { Meter, Use } from './traffic.ts';

const start: EpochMs = Date.UTC(2026, 10, 23);
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const capMicroUsd = 20e6;
const steps = [0.8, 1];
/** From a call's request to its answer. */
const callMs = 150;

export const pace: Pace = {
  intervalMs: minuteMs,
  minIntervalMs: 5000,
  // This account reports usage at once.
  usageLagMs: 0,
  maxCallsPerMinute: 60,
};

/** A key whose name begins so has its cap for each day; the others have it for good. */
const daily = 'day-';

const policyText = `version: 1
mode: alert
channels: { ops: { slack: { webhook_url: "https://hooks.example" } } }
protect: []
policies:
  - { name: daily, select: { name: "${daily}*" }, spend: { cost: 20, per: day }, steps: [{ at: 80%, alert: ops }, { at: 100%, alert: ops }] }
  - { name: once, select: { name: "all-*" }, spend: { cost: 20, per: lifetime }, steps: [{ at: 80%, alert: ops }, { at: 100%, alert: ops }] }
`;

export interface Overshoots {
  /** Of every step that fired: what was spent above its threshold by the end of the pass, as a share of the cap. */
  readonly shares: readonly number[];
  /** The same by the end of the request that crossed it: what nobody who looks all the time could avoid. */
  readonly floors: readonly number[];
  readonly passes: number;
  readonly calls: number;
}

interface Bursty {
  readonly key: Key;
  readonly meter: Meter;
}

/**
 * Between two requests of a loop, on the average, in milliseconds: by key from the least to the most. The longer,
 * the more of a cap is one request, and that is beyond anybody's pauses.
 */
type Spacing = readonly [least: number, most: number];

/** When to look again, after a pass. */
type Pause = (now: EpochMs, policy: PolicyFile, outlook: Outlook) => EpochMs;

const scheduled: Pause = (now, policy, outlook) => nextPassAt(now, policy, [], pace, outlook);

export async function measureOvershoot(
  keys: number,
  days: number,
  spacing: Spacing,
): Promise<[Overshoots, Overshoots, number]> {
  const accounts = Array.from({ length: keys }, (_, n) => bursty(n, days, spacing));
  const ours = await simulate(accounts, days, scheduled);
  // As many calls as ours made: the first guess is ours' calls a pass, the second its own.
  let everyMs = (days * dayMs) / ours.passes;
  let fixed = await simulate(accounts, days, every(everyMs));
  everyMs *= fixed.calls / ours.calls;
  fixed = await simulate(accounts, days, every(everyMs));
  return [ours, fixed, everyMs];
}

/** Of pauses that are all alike each begins with the pass, however long that takes. */
function every(ms: number): Pause {
  let turn = 0;
  return (now) => {
    while (start + turn * ms <= now) turn += 1;
    return Math.ceil(start + turn * ms);
  };
}

async function simulate(keys: readonly Bursty[], days: number, pause: Pause): Promise<Overshoots> {
  await using store = await openSqlite(':memory:');
  const clock = virtualClock(start);
  const meter = createCallMeter(clock);
  const memory = await recall(store, start);
  const ports: PassPorts = {
    ...{ writer: noWriter, clock, store, pace, mode: null, ...unhindered },
    reader: readerOf(keys, clock, callMs, () => {
      meter.count();
    }),
    callBudget: () => meter.left(pace.maxCallsPerMinute),
    route: () => ({ items: [], undeliverable: [] }),
  };
  const policy = policyOf();
  const told = new Set<string>();
  const found: Overshoot[] = [];
  let [passes, calls] = [0, 0];
  let thinnedAt = start;
  while (clock.now() < start + days * dayMs) {
    const report = await pass(ports, memory, policy, [], new AbortController().signal);
    passes += 1;
    calls += report.calls.length;
    for (const finding of report.decision.findings)
      found.push(...overshoots(finding, keys, clock.now(), told));
    if (clock.now() - thinnedAt > 6 * hourMs) {
      thinnedAt = clock.now();
      await store.thin(thinnedAt, [], pace.usageLagMs);
    }
    clock.advanceTo(pause(clock.now(), policy, report));
  }
  return { shares: found.map(({ share }) => share), floors: found.map(({ floor }) => floor), passes, calls };
}

/** Of the finding's steps that fired and are not told yet. */
function overshoots(
  { id, fired, subject, periodStart }: Finding,
  keys: readonly Bursty[],
  now: EpochMs,
  told: Set<string>,
): Overshoot[] {
  const one = keys.find(({ key }) => subject.kind === 'key' && subject.id === key.id);
  if (one === undefined) return [];
  const from = periodStart ?? start;
  return fired.flatMap(({ step }) => {
    const name = `${id} ${String(step)}`;
    if (told.has(name)) return [];
    told.add(name);
    const threshold = steps[step] ?? NaN;
    const past = (at: EpochMs): number => spentShare(one, from, at) - threshold;
    return [{ share: past(now), floor: past(crossing(past, from, now)) }];
  });
}

interface Overshoot {
  readonly share: number;
  readonly floor: number;
}

function spentShare({ meter }: Bursty, from: EpochMs, at: EpochMs): number {
  return (meter.used(at).costMicroUsd - meter.used(from - 1).costMicroUsd) / capMicroUsd;
}

/** The first millisecond at which the threshold is reached; at `until` it is. */
function crossing(past: (at: EpochMs) => number, from: EpochMs, until: EpochMs): EpochMs {
  let [low, high] = [from, until];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (past(middle) >= 0) high = middle;
    else low = middle;
  }
  return high;
}

function policyOf(): PolicyFile {
  const loaded = loadPolicy(policyText, 'bench', () => ({ value: '' }), start);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.policy;
}

/** Two of three keys have their cap for each day. A key is mostly quiet, and on some days it loops for a while. */
function bursty(n: number, days: number, spacing: Spacing): Bursty {
  const random = createRandom(`overshoot ${String(n)}`);
  const uses: Use[] = [];
  for (let day = 0; day < days; day += 1) {
    const from = start + day * dayMs;
    quietUse(random, from, from + dayMs, uses);
    if (random.chance(0.6)) burst(random, from + random.next() * 20 * hourMs, spacing, uses);
  }
  uses.sort((a, b) => a.at - b.at);
  return {
    meter: meterOf(uses),
    key: {
      ...{ id: keyId(n), createdAt: start - hourMs, metadata: {}, expiresAt: null, maxTokens: null },
      ...{ chat: false, isAdmin: false, lastUsedAt: null },
      name: `${n % 3 < 2 ? daily : 'all-'}${String(n)}`,
    },
  };
}

/** A request every half hour or so, for a cent. */
function quietUse(random: Random, from: EpochMs, until: EpochMs, into: Use[]): void {
  for (let at = from; ;) {
    at += exponential(random) * 30 * minuteMs;
    if (at >= until) return;
    into.push(request(at, 10_000 * logNormal(random, 0.5)));
  }
}

/** How long the loop takes to spend the cap: twenty minutes to three hours, on the whole. */
function burst(random: Random, from: EpochMs, [least, most]: Spacing, into: Use[]): void {
  const wholeMs = 20 * minuteMs * 9 ** random.next();
  const everyMs = least + (most - least) * random.next();
  const until = from + wholeMs * 1.4;
  const meanMicroUsd = (capMicroUsd * everyMs) / wholeMs;
  for (let at = from; at < until;) {
    // A few minutes at one speed, then at another.
    const speed = 0.6 + 0.8 * random.next();
    const phaseEnds = at + (3 + 12 * random.next()) * minuteMs;
    for (; at < Math.min(until, phaseEnds); at += (everyMs / speed) * exponential(random))
      into.push(request(at, meanMicroUsd * logNormal(random, 0.5)));
  }
}

function request(at: EpochMs, microUsd: number): Use {
  return {
    at: Math.round(at),
    costMicroUsd: Math.round(microUsd),
    tokens: Math.round(microUsd / 2),
    requests: 1,
  };
}

function exponential(random: Random): number {
  return -Math.log(1 - random.next());
}

/** With a mean of 1. */
function logNormal(random: Random, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.exp(sigma * normal - (sigma * sigma) / 2);
}

function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? NaN;
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

export async function printOvershoot(print: (text: string) => void, keys = 60, days = 6): Promise<void> {
  print(
    `How far past a step a key got before it fired, as a share of its cap; ${String(keys)} bursty keys, ${String(days)} days`,
  );
  for (const spacing of [
    [1000, 3000],
    [2000, 5000],
  ] as const) {
    print(`  loops with a request every ${spacing.map((ms) => String(ms / 1000)).join(' to ')} seconds`);
    printBoth(print, days, ...(await measureOvershoot(keys, days, spacing)));
  }
}

function printBoth(
  print: (text: string) => void,
  days: number,
  ours: Overshoots,
  fixed: Overshoots,
  everyMs: number,
): void {
  const figures = (shares: readonly number[]): string =>
    `median ${percent(quantile(shares, 0.5))}, 99th percentile ${percent(quantile(shares, 0.99))}`;
  const line = (what: string, { shares, passes, calls }: Overshoots): void => {
    print(
      `    ${what.padEnd(30)} ${figures(shares)}, most ${percent(Math.max(...shares))}; ${String(shares.length)} steps, ` +
        `${(passes / days).toFixed(0)} passes and ${(calls / days).toFixed(0)} calls a day`,
    );
  };
  line('pauses as scheduled', ours);
  line(`a pass every ${(everyMs / 1000).toFixed(1)} s`, fixed);
  print(`    ${'the request itself, of this'.padEnd(30)} ${figures(ours.floors)}`);
  const ratio = (part: number): string =>
    (quantile(fixed.shares, part) / quantile(ours.shares, part)).toFixed(1);
  print(`    ratio at the median ${ratio(0.5)}, at the 99th percentile ${ratio(0.99)}`);
}

if (import.meta.main) await printOvershoot((text) => void process.stdout.write(`${text}\n`));
