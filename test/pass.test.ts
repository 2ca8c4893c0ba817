/** From pass to pass: what is learnt in one serves those after it. */
import { describe, expect, test } from 'vitest';
import type { Counters, Key, Window } from '../src/core/key.ts';
import { windowMs } from '../src/core/key.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { Secret } from '../src/core/secret.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import type { PassReport } from '../src/pass.ts';
import type { PassPorts } from '../src/pass/ports.ts';
import { rowsByName } from '../src/core/rows.ts';
import type { AdminReader, Aggregate, AggregateRow, Listing } from '../src/ports.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { day, file, hour, key, minute, monday, policy } from './core/story.ts';

interface Steady extends Key {
  readonly perHour: number;
}

/** Uses so much an hour from its creation on. */
function steady(name: string, perHour: number): Steady {
  return { ...key(name, { createdAt: monday - 100 * day }), perHour };
}

function counters(amount: number): Counters {
  const whole = Math.floor(amount);
  return { costMicroUsd: whole * 1e6, tokens: whole, requests: whole };
}

function rowOf(used: Counters): AggregateRow {
  return { ...used, models: new Map([['m', used]]) };
}

const never = () => Promise.reject(new Error('never'));

/** An account read by passes a minute apart, as many calls a pass as a minute allows. */
async function account(...keys: readonly Steady[]) {
  let now = monday;
  const clock = { now: () => now, sleep: () => Promise.resolve(), monotonic: () => now };
  const store = await openSqlite(':memory:', { clock });
  const memory = await recall(store, now);
  const bursts = new Map<string, number>();
  const used = (of: Steady, window: Window | null): Counters => {
    const since = Math.max(of.createdAt, window === null ? 0 : now - windowMs[window]);
    return counters((of.perHour * (now - since)) / hour + (bursts.get(of.name) ?? 0));
  };
  const reader: AdminReader = {
    listKeys: () =>
      Promise.resolve<Listing>({
        at: now,
        serverAt: null,
        keys,
        secrets: new Map(keys.map(({ id, name }) => [id, new Secret(name)])),
      }),
    usage: (window) => {
      const rows = rowsByName(keys.map((of) => [of.name, rowOf(used(of, window))]));
      const sum = keys.reduce((all, of) => all + used(of, window).requests, 0);
      return Promise.resolve<Aggregate>({ at: now, total: counters(sum), rows });
    },
    keyUsage: (secret, window) => {
      const of = keys.find(({ name }) => name === secret.reveal());
      if (of === undefined) throw new Error('no such key');
      return Promise.resolve({ ...used(of, window), at: now, promptTokens: 0, completionTokens: 0 });
    },
    series: never,
    transactions: never,
  };
  const ports: PassPorts = {
    reader,
    clock,
    store,
    writer: { createKey: never, renameKey: never, deleteKey: never },
    route: () => ({ items: [], undeliverable: [] }),
    pace: { intervalMs: minute, minIntervalMs: 5000, usageLagMs: 2 * minute, maxCallsPerMinute: 60 },
    callBudget: () => 58,
    mode: null,
    superseded: () => false,
    closing: new AbortController().signal,
  };
  const signal = new AbortController().signal;
  return {
    /** So much at once, just now. */
    burst: (name: string, amount: number) => bursts.set(name, amount),
    async pass(policies: PolicyFile): Promise<PassReport> {
      const report = await pass(ports, memory, policies, [], signal);
      now += minute;
      return report;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const monthly = file(policy('spend: { cost: 100, per: month }', '{ at: 100%, alert: ops }'));

describe('an account that is watched from the middle of a month on', () => {
  test.each([10, 100])(
    'of %i keys far over their limit has all of them found in a few passes',
    async (many) => {
      const keys = Array.from({ length: many }, (_, index) => steady(`K${String(index)}`, 10));
      await using one = await account(...keys);
      const found = new Set<string>();
      for (let count = 0; count < 10; count += 1) {
        const { decision } = await one.pass(monthly);
        for (const { subject } of decision.alerts) found.add(subject.kind === 'key' ? subject.name : '');
      }
      expect(found.size).toBe(many);
    },
  );
});

test('more rows to be checked than there are calls for are told to be waiting, until they are checked', async () => {
  await using one = await account(
    ...Array.from({ length: 70 }, (_, index) => steady(`K${String(index)}`, 0)),
  );
  const waiting = [];
  for (let count = 0; count < 4; count += 1) waiting.push((await one.pass(monthly)).unasked);
  // Half of 58 calls a pass.
  expect(waiting).toEqual([true, true, false, false]);
});

test('a budget of one model is found to be passed, though it was not when its windows were first read', async () => {
  const models = file(policy('spend: { cost: 100, per: month, models: ["m"] }', '{ at: 100%, alert: ops }'));
  await using one = await account(steady('A', 0.5));
  for (let count = 0; count < 3; count += 1) expect((await one.pass(models)).decision.alerts).toEqual([]);
  one.burst('A', 100);
  const alerts = [];
  for (let count = 0; count < 5; count += 1) alerts.push(...(await one.pass(models)).decision.alerts);
  expect(alerts).toHaveLength(1);
});
