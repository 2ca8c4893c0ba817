/** How the state grows: a year of the ledger of some keys, in SQLite on disk. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counters, EpochMs, KeyId } from '../src/core/key.ts';
import { periodAt } from '../src/core/periods.ts';
import type { PeriodSpec } from '../src/core/policy.ts';
import type { SampleRun } from '../src/core/state.ts';
import { sample } from '../src/ledger/samples.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const lagMs = 2 * minuteMs;
/**
 * For most of the year passes and thinnings are far apart, which leaves the same behind: of an hour, later of
 * a day, one sample is kept. For as long as more are kept, and a day longer, they are as the daemon has them.
 */
const coarse = { passMs: 10 * minuteMs, thinMs: 12 * hourMs };
const fine = { passMs: minuteMs, thinMs: hourMs };
const fineDays = 3;
/** From the request of a pass to its answer. */
const takesMs = 300;
const start = Date.UTC(2026, 0, 1);
const createdAt = start - hourMs;

/** What the design allows 10,000 active keys for a year. */
const budgetBytes = 500e6;
const budgetKeys = 10_000;

export interface StateFigures {
  readonly keys: number;
  readonly days: number;
  readonly passes: number;
  /** Samples that the passes wrote; most are thinned by now. */
  readonly samples: number;
  readonly fileBytes: number;
  /** The write-ahead log beside it, whose size has nothing to do with how many keys there are. */
  readonly logBytes: number;
  /** Without what an empty file takes. */
  readonly bytesAKey: number;
  readonly seconds: number;
  readonly longestCommitMs: number;
  readonly longestThinMs: number;
}

/** Passes for `days` days, committed together from one thinning to the next: so many syncs would measure the disk. */
export async function measureState(keys: number, days: number): Promise<StateFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-bench-'));
  const path = join(folder, 'state.db');
  try {
    const emptyBytes = await sizeOfEmpty(path);
    const began = performance.now();
    const found = await simulate(path, keys, days);
    const fileBytes = (await stat(path)).size;
    const bytesAKey = (fileBytes - emptyBytes) / keys;
    return {
      ...{ keys, days, fileBytes, bytesAKey, ...found },
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sizeOfEmpty(path: string): Promise<number> {
  await (await openSqlite(path))[Symbol.asyncDispose]();
  return (await stat(path)).size;
}

type Year = Pick<StateFigures, 'passes' | 'samples' | 'logBytes' | 'longestCommitMs' | 'longestThinMs'>;

async function simulate(path: string, keys: number, days: number): Promise<Year> {
  await using store = await openSqlite(path);
  const ledger = openLedger(keys);
  let [passes, samples, longestCommitMs, longestThinMs] = [0, 0, 0, 0];
  const end = start + days * 24 * hourMs;
  for (let at = start; at < end;) {
    const { passMs, thinMs } = at < end - fineDays * 24 * hourMs ? coarse : fine;
    const write: SampleRun[] = [];
    for (const until = at + thinMs; at < until; at += passMs, passes += 1) {
      write.push(...ledger.pass(at, passMs));
    }
    samples += write.length;
    longestCommitMs = Math.max(longestCommitMs, await timed(() => store.commit({ samples: write })));
    longestThinMs = Math.max(longestThinMs, await timed(() => tidy(store, at)));
  }
  return { passes, samples, longestCommitMs, longestThinMs, logBytes: (await stat(`${path}-wal`)).size };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const tidy = (store: Store, now: EpochMs): Promise<number> => store.thin(now, startsOfPeriods(now), lagMs);

const calendars = ['America/Los_Angeles', 'Europe/Berlin'].flatMap((timeZone) =>
  (['day', 'month'] as const).map((unit): PeriodSpec => ({ kind: 'calendar', unit, startsOn: 1, timeZone })),
);

/** In these zones, every period begins on the hour in UTC too. */
function startsOfPeriods(at: EpochMs): EpochMs[] {
  return [...new Set(calendars.map((period) => periodAt(period, at).start ?? 0))];
}

/** What the program remembers of the ledger between two passes, and the account it looks at. */
function openLedger(count: number): {
  /** What is to be written after a pass that comes so long after the one before. */
  pass(at: EpochMs, sinceMs: number): readonly SampleRun[];
} {
  const users = Array.from({ length: count }, (_, n) => userOf(n));
  const counters = new Map<KeyId | 'account', Counters>();
  const runs = new Map<KeyId | 'account', SampleRun>();
  let boundaries: readonly EpochMs[] = [];
  const created = (key: KeyId | 'account'): EpochMs => (key === 'account' ? 0 : createdAt);
  return {
    pass: (at, sinceMs) => {
      if (at % hourMs === 0) boundaries = startsOfPeriods(at).flatMap((one) => [one, one + lagMs]);
      for (const { key, chance } of users) {
        if (!counters.has(key)) counters.set(key, { costMicroUsd: 0, tokens: 0, requests: 0 });
        const unused = (1 - chance(at)) ** (sinceMs / minuteMs);
        if (random() >= unused)
          for (const one of ['account', key] as const) counters.set(one, more(counters.get(one)));
      }
      const sampling = sample(
        runs,
        counters,
        created,
        { sentAt: at, doneAt: () => at + takesMs },
        boundaries,
      );
      for (const [key, run] of sampling.runs) runs.set(key, run);
      return sampling.write;
    },
  };
}

function more(counters: Counters = { costMicroUsd: 0, tokens: 0, requests: 0 }): Counters {
  const { costMicroUsd, tokens, requests } = counters;
  const used = 1 + Math.floor(random() * 2000);
  return { costMicroUsd: costMicroUsd + used * 7, tokens: tokens + used, requests: requests + 1 };
}

interface User {
  readonly key: KeyId;
  /** That the key is used in a minute around the instant. */
  readonly chance: (at: EpochMs) => number;
}

/** Of ten keys one serves day and night, five are people at work, one is a nightly batch, three are quiet. */
function userOf(n: number): User {
  const key: KeyId = `k_${n.toString(16).padStart(16, '0')}`;
  const kind = n % 10;
  if (kind === 0) return { key, chance: () => 0.9 };
  if (kind <= 5) return { key, chance: (at) => (isOfficeHour(at, n) ? 0.3 : 0) };
  if (kind === 6) return { key, chance: (at) => (hourOf(at) === n % 6 ? 1 : 0) };
  return { key, chance: () => 3 / 1440 };
}

const hourOf = (at: EpochMs): number => Math.floor(at / hourMs) % 24;

/** Nine hours from some morning hour; 1970 began on a Thursday. */
function isOfficeHour(at: EpochMs, n: number): boolean {
  const weekday = (Math.floor(at / (24 * hourMs)) + 4) % 7;
  const hour = hourOf(at) - 7 - (n % 4);
  return weekday >= 1 && weekday <= 5 && hour >= 0 && hour < 9;
}

/** The same sequence every time: xorshift. */
let seed = 0x2545f491;
function random(): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) / 2 ** 32;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export async function printState(print: (text: string) => void, keys = 120, days = 365): Promise<void> {
  const figures = await measureState(keys, days);
  const expected = figures.bytesAKey * budgetKeys;
  const count = (value: number): string => value.toLocaleString('en');
  print(`${count(keys)} active keys for ${count(days)} days`);
  print(
    `  passes  ${count(figures.passes)}: ten minutes apart, in the last ${String(fineDays)} days a minute`,
  );
  print(`  samples written  ${count(figures.samples)}`);
  print(`  state file, and its log  ${megabytes(figures.fileBytes)}, ${megabytes(figures.logBytes)}`);
  print(`  bytes a key in that time  ${figures.bytesAKey.toFixed(0)}`);
  print(
    `  the same of 10,000 keys  ${megabytes(expected)}, ${((expected / budgetBytes) * 100).toFixed(0)} % of what is allowed`,
  );
  print(`  longest write of all samples between two thinnings  ${figures.longestCommitMs.toFixed(0)} ms`);
  print(`  longest thinning  ${figures.longestThinMs.toFixed(0)} ms`);
  print(`  simulated in  ${figures.seconds.toFixed(0)} s`);
}

if (import.meta.main) {
  const [, , keys = '120', days = '365'] = process.argv;
  await printState((text) => void process.stdout.write(`${text}\n`), Number(keys), Number(days));
}
