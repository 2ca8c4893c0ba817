/**
 * A whole pass (the answers' bytes to decided and written) beside what `JSON.parse` alone takes on the same
 * bodies, by number of keys. The account is made up: some of its keys are used within a minute, and in one
 * of the lines somebody renames one of them, too.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Secret } from '../src/core/secret.ts';
import type { EpochMs } from '../src/core/key.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import type { PassPorts } from '../src/pass/ports.ts';
import type { AdminWriter } from '../src/ports.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { createAdminClient } from '../src/tinfoil/client.ts';
import type { Fetch, Incoming } from '../src/tinfoil/transport.ts';
import { median } from './account.ts';
import { policyText } from './policies.ts';

const start: EpochMs = Date.UTC(2026, 10, 23, 10);
const minuteMs = 60_000;
const dayMs = 86_400_000;

export interface SpeedFigures {
  readonly keys: number;
  /** Medians, in milliseconds. */
  readonly passMs: number;
  readonly parseMs: number;
  /** Of a pass to the parsing of the answers that it had. */
  readonly ratio: number;
  readonly bytes: number;
  readonly residentBytes: number;
  /** Samples written in a pass. */
  readonly changed: number;
}

/** What happens within a minute. */
export interface Doings {
  /** Of all keys, used. */
  readonly activePart: number;
  /** A key's name changes: the list is not, byte for byte, the one before. */
  readonly renames: boolean;
}

export async function measureSpeed(keys: number, passes: number, doings: Doings): Promise<SpeedFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-bench-'));
  try {
    await using store = await openSqlite(join(folder, 'state.db'));
    const account = madeUp(keys, doings);
    let now = start;
    const clock = { now: () => now, sleep: () => Promise.resolve(), monotonic: () => now };
    const adminKey = new Secret('admin_bench');
    const baseUrl = new URL('http://127.0.0.1');
    const { reader } = createAdminClient({
      baseUrl,
      adminKey,
      clock,
      fetch: account.fetch,
      // The first pass asks for every key; what watches over each of those calls is to be gone soon.
      timeoutMs: 2000,
      wantsModels: () => false,
    });
    const memory = await recall(store, now);
    const ports: PassPorts = {
      ...{ reader, writer: noWriter, clock, store, mode: null, superseded: () => false, closing: never },
      pace: { intervalMs: minuteMs, minIntervalMs: 5000, usageLagMs: 120_000, maxCallsPerMinute: 60 },
      // So that the steady state is reached at once: every row is checked in the first pass.
      callBudget: () => (memory.trail === null ? 4 * keys : 58),
      route: () => ({ items: [], undeliverable: [] }),
    };
    const policy = policies(now);
    const times: number[] = [];
    const parses: number[] = [];
    const ratios: number[] = [];
    const bytes: number[] = [];
    // The first passes see every key for the first time, and warm up.
    for (let turn = -4; turn < passes; turn += 1) {
      now += minuteMs;
      account.advance();
      collectGarbage();
      const started = performance.now();
      await pass(ports, memory, policy, [], new AbortController().signal);
      const passed = performance.now() - started;
      const bodies = account.answered().map((body) => body.toString());
      collectGarbage();
      const parsed = timeOf(() => bodies.map((body) => JSON.parse(body) as unknown));
      if (turn < 0) continue;
      times.push(passed);
      parses.push(parsed);
      ratios.push(passed / parsed);
      bytes.push(bodies.reduce((sum, body) => sum + body.length, 0));
    }
    return {
      keys,
      passMs: median(times),
      parseMs: median(parses),
      ratio: median(ratios),
      bytes: median(bytes),
      residentBytes: process.memoryUsage.rss(),
      changed: Math.round(keys * doings.activePart),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

setFlagsFromString('--expose-gc');
/** What the account's own doings left over is not to be cleared away in the time that is measured. */
const collectGarbage = runInNewContext('gc') as () => void;

function timeOf(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const refused = (): Promise<never> => Promise.reject(new Error('nothing is changed here'));
const never = new AbortController().signal;
const noWriter: AdminWriter = { createKey: refused, renameKey: refused, deleteKey: refused };

function policies(now: EpochMs): PolicyFile {
  const loaded = loadPolicy(policyText('alert'), 'bench', () => ({ value: 'https://hooks.example' }), now);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.policy;
}

interface MadeUp {
  /** A minute later. */
  advance(): void;
  /** The answers given since, as they were sent. */
  answered(): readonly Buffer[];
  readonly fetch: Fetch;
}

interface Used {
  cost: number;
  tokens: number;
  requests: number;
}

/** Most keys have used little and are far from every limit, one in a hundred is near one. */
function madeUp(keys: number, { activePart, renames }: Doings): MadeUp {
  const rows = Array.from({ length: keys }, (_, n) => listed(n));
  let list = Buffer.from(JSON.stringify(rows));
  const used: Used[] = Array.from({ length: keys }, (_, n) => {
    const requests = n % 100 === 0 ? 900 + (n % 97) : n % 900;
    return { cost: requests * 0.004, tokens: requests * 2500, requests };
  });
  const every = Math.round(1 / activePart);
  let usage = usageBody(used);
  let windows = usageBody(used.map(lately));
  let turn = 0;
  let answered: Buffer[] = [];
  const answer = async (bytes: Buffer): Promise<Incoming> => {
    answered.push(bytes);
    return incoming(bytes);
  };
  return {
    advance: () => {
      turn += 1;
      answered = [];
      for (let n = turn % every; n < keys; n += every) use(used[n]);
      usage = usageBody(used);
      windows = usageBody(used.map(lately));
      if (!renames) return;
      rows[turn % keys] = { ...listed(turn % keys), name: `renamed ${String(turn)}` };
      list = Buffer.from(JSON.stringify(rows));
    },
    answered: () => answered,
    fetch: async (url, { body }) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === '/api/keys') return answer(list);
      if (pathname === '/api/billing/usage') return answer(searchParams.has('time') ? windows : usage);
      const { key } = JSON.parse(body ?? '{}') as { key: string };
      const one = used[Number(key.slice(-8))] ?? { cost: 0, tokens: 0, requests: 0 };
      const { cost, tokens, requests } = searchParams.has('time') ? lately(one) : one;
      return answer(
        Buffer.from(JSON.stringify({ prompt_tokens: tokens, completion_tokens: 0, requests, cost })),
      );
    },
  };
}

function use(used: Used | undefined): void {
  if (used === undefined) return;
  used.requests += 1;
  used.tokens += 2500;
  used.cost += 0.004;
}

function lately({ cost, tokens, requests }: Used): Used {
  return { cost: cost / 4, tokens: Math.floor(tokens / 4), requests: Math.floor(requests / 4) };
}

function listed(n: number): object {
  const plan = n % 5 === 0 ? 'pro' : 'free';
  return {
    key: `tk_benchBenchBenchBenchBenchBench${String(n).padStart(8, '0')}`,
    name: n % 20 === 0 ? `svc-${String(n)}` : `User ${String(n)}`,
    clerk_user_id: 'user_0123456789abcdef01234567',
    created_at: new Date(start - dayMs * (1 + (n % 200))).toISOString(),
    ...(n % 7 === 0 && { expires_at: new Date(start + dayMs * (1 + (n % 90))).toISOString() }),
    chat: false,
    is_admin: false,
    metadata: { plan, email: `user${String(n)}@example.com` },
  };
}

function usageBody(used: readonly Used[]): Buffer {
  const rows = used.map(({ cost, tokens, requests }, n): [string, object] => {
    const row = { tokens, requests, cost: Number(cost.toFixed(6)) };
    const models = { 'gpt-oss-120b': row };
    const name = n % 20 === 0 ? `svc-${String(n)}` : `User ${String(n)}`;
    return [name, { total_tokens: tokens, total_requests: requests, cost: row.cost, models }];
  });
  const sum = (of: (one: Used) => number): number => used.reduce((total, one) => total + of(one), 0);
  const body = {
    tokens: sum((one) => one.tokens),
    requests: sum((one) => one.requests),
    cost: Number(sum((one) => one.cost).toFixed(6)),
    keys: Object.fromEntries(rows),
  };
  return Buffer.from(JSON.stringify(body));
}

function incoming(bytes: Buffer): Incoming {
  return {
    status: 200,
    ok: true,
    headers: { get: () => null },
    body: {
      async *[Symbol.asyncIterator]() {
        yield bytes;
      },
      cancel: () => Promise.resolve(),
    },
  };
}

/** A line for each number of keys, and for how many of them are used within a minute. */
export async function printSpeed(print: (text: string) => void): Promise<void> {
  print(
    'A whole pass: answers’ bytes → seen → decided → written to SQLite on disk; 20 policies, steady state',
  );
  for (const [keys, passes, activePart, renames] of [
    [1_000, 25, 0.05, false],
    [10_000, 15, 0.05, false],
    [100_000, 9, 0.05, false],
    [100_000, 9, 0.01, false],
    [100_000, 9, 0.05, true],
  ] as const) {
    const { passMs, parseMs, ratio, bytes, residentBytes, changed } = await measureSpeed(keys, passes, {
      activePart,
      renames,
    });
    const perKey = ((passMs * 1000) / keys).toFixed(2);
    print(
      `  ${keys.toLocaleString('en').padStart(7)} keys, ${String(changed)} of them used since the last${renames ? ', one renamed' : ''}  ${passMs.toFixed(0).padStart(5)} ms, ${perKey} µs a key, ` +
        `${ratio.toFixed(1)} times JSON.parse alone (${parseMs.toFixed(0)} ms for ${(bytes / 1e6).toFixed(1)} MB); ` +
        `${(residentBytes / 1e6).toFixed(0)} MB resident`,
    );
  }
}

if (import.meta.main) await printSpeed((text) => void process.stdout.write(`${text}\n`));
