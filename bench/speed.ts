/**
 * A whole pass (the answers' bytes to decided and written) beside what `JSON.parse` alone takes on the same
 * bodies, by number of keys. The account is made up; of its keys every twentieth is used within a minute.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../src/core/secret.ts';
import type { EpochMs } from '../src/core/key.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import type { PassPorts } from '../src/pass.ts';
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
  readonly bytes: number;
  readonly residentBytes: number;
  /** Samples written in a pass. */
  readonly changed: number;
}

/** `activePart`: of all keys, used within a minute. */
export async function measureSpeed(keys: number, passes: number, activePart = 0.05): Promise<SpeedFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-bench-'));
  try {
    await using store = await openSqlite(join(folder, 'state.db'));
    const account = madeUp(keys, activePart);
    let now = start;
    const clock = { now: () => now, sleep: () => Promise.resolve(), monotonic: () => now };
    const adminKey = new Secret('admin_bench');
    const baseUrl = new URL('http://127.0.0.1');
    const { reader } = createAdminClient({
      baseUrl,
      adminKey,
      clock,
      fetch: account.fetch,
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
    // The first passes see every key for the first time, and warm up.
    for (let turn = -4; turn < passes; turn += 1) {
      now += minuteMs;
      account.advance(now);
      const started = performance.now();
      await pass(ports, memory, policy, [], new AbortController().signal);
      if (turn >= 0) times.push(performance.now() - started);
      if (turn >= 0) parses.push(timeOf(() => account.bodies().map((body) => JSON.parse(body) as unknown)));
    }
    return {
      keys,
      passMs: median(times),
      parseMs: median(parses),
      bytes: account.bodies().reduce((sum, body) => sum + body.length, 0),
      residentBytes: process.memoryUsage.rss(),
      changed: Math.round(keys * activePart),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

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
  advance(now: EpochMs): void;
  /** The list and the usage of all keys, as the API would send them. */
  bodies(): readonly [list: string, usage: string];
  readonly fetch: Fetch;
}

interface Used {
  cost: number;
  tokens: number;
  requests: number;
}

/** Most keys have used little and are far from every limit, one in a hundred is near one. */
function madeUp(keys: number, activePart: number): MadeUp {
  const list = JSON.stringify(Array.from({ length: keys }, (_, n) => listed(n)));
  const used: Used[] = Array.from({ length: keys }, (_, n) => {
    const requests = n % 100 === 0 ? 900 + (n % 97) : n % 900;
    return { cost: requests * 0.004, tokens: requests * 2500, requests };
  });
  const every = Math.round(1 / activePart);
  let usage = usageText(used);
  let windows = usageText(used.map(lately));
  let turn = 0;
  return {
    advance: () => {
      turn += 1;
      for (let n = turn % every; n < keys; n += every) use(used[n]);
      usage = usageText(used);
      windows = usageText(used.map(lately));
    },
    bodies: () => [list, usage],
    fetch: async (url, { body }) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === '/api/keys') return answer(list);
      if (pathname === '/api/billing/usage') return answer(searchParams.has('time') ? windows : usage);
      const { key } = JSON.parse(body ?? '{}') as { key: string };
      const one = used[Number(key.slice(-8))] ?? { cost: 0, tokens: 0, requests: 0 };
      const { cost, tokens, requests } = searchParams.has('time') ? lately(one) : one;
      return answer(JSON.stringify({ prompt_tokens: tokens, completion_tokens: 0, requests, cost }));
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

function usageText(used: readonly Used[]): string {
  const rows = used.map(({ cost, tokens, requests }, n): [string, object] => {
    const row = { tokens, requests, cost: Number(cost.toFixed(6)) };
    const models = { 'gpt-oss-120b': row };
    const name = n % 20 === 0 ? `svc-${String(n)}` : `User ${String(n)}`;
    return [name, { total_tokens: tokens, total_requests: requests, cost: row.cost, models }];
  });
  const sum = (of: (one: Used) => number): number => used.reduce((total, one) => total + of(one), 0);
  return JSON.stringify({
    tokens: sum((one) => one.tokens),
    requests: sum((one) => one.requests),
    cost: Number(sum((one) => one.cost).toFixed(6)),
    keys: Object.fromEntries(rows),
  });
}

async function answer(text: string): Promise<Incoming> {
  const bytes = Buffer.from(text);
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

/** A line for each number of keys. */
export async function printSpeed(print: (text: string) => void): Promise<void> {
  print(
    'A whole pass: answers’ bytes → seen → decided → written to SQLite on disk; 20 policies, steady state',
  );
  for (const [keys, passes] of [
    [1_000, 15],
    [10_000, 9],
    [100_000, 5],
  ] as const) {
    const { passMs, parseMs, bytes, residentBytes, changed } = await measureSpeed(keys, passes);
    const perKey = ((passMs * 1000) / keys).toFixed(2);
    print(
      `  ${keys.toLocaleString('en').padStart(7)} keys  ${passMs.toFixed(0).padStart(5)} ms, ${perKey} µs a key, ` +
        `${(passMs / parseMs).toFixed(1)} times JSON.parse alone (${parseMs.toFixed(0)} ms for ${(bytes / 1e6).toFixed(1)} MB); ` +
        `${String(changed)} keys used, ${(residentBytes / 1e6).toFixed(0)} MB resident`,
    );
  }
}

if (import.meta.main) await printSpeed((text) => void process.stdout.write(`${text}\n`));
