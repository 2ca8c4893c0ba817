/** Deciding with as few calls as the decision needs. */
import { describe, expect, test } from 'vitest';
import type { Counters, Key, Window } from '../src/core/key.ts';
import { windowMs } from '../src/core/key.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { Secret } from '../src/core/secret.ts';
import { deliberate } from '../src/deliberate.ts';
import { look } from '../src/ledger/look.ts';
import { sample } from '../src/ledger/samples.ts';
import { recall, remember } from '../src/memory.ts';
import type { Memory } from '../src/memory.ts';
import { rowsByName } from '../src/core/rows.ts';
import type { AdminReader, Aggregate, Listing } from '../src/ports.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { before } from '../src/pass/before.ts';
import { day, file, hour, key, minute, monday, policy, policyOf } from './core/story.ts';

/** A key that uses so many dollars, tokens and requests an hour, from its creation on. */
interface Steady extends Key {
  readonly perHour: number;
}

function steady(name: string, perHour: number, more: Partial<Key> = {}): Steady {
  return { ...key(name, { createdAt: monday - 100 * day, ...more }), perHour };
}

function counters(amount: number): Counters {
  const whole = Math.floor(amount);
  return { costMicroUsd: whole * 1e6, tokens: whole, requests: whole };
}

interface Rig extends AsyncDisposable {
  readonly memory: Memory;
  readonly store: Store;
  now: number;
  /** Every call made, in words. */
  readonly calls: string[];
  /** Calls that are answered with an error. */
  readonly failing: Set<string>;
  budget: number;
  /** How many calls may be made for what does not press. */
  spare: number;
  /** Names whose rows the account's usage lacks. */
  readonly lacking: Set<string>;
  pass(
    policies: PolicyFile,
  ): Promise<Awaited<ReturnType<typeof deliberate>> & { readonly asked: readonly string[] }>;
}

async function rig(...keys: readonly Steady[]): Promise<Rig> {
  const clock = { now: () => one.now, sleep: () => Promise.resolve(), monotonic: () => one.now };
  const store = await openSqlite(':memory:', { clock });
  const memory = await recall(store, monday);
  const calls: string[] = [];
  const failing = new Set<string>();
  const lacking = new Set<string>();
  const note = (call: string): void => {
    calls.push(call);
    if (failing.has(call)) throw new Error('the API is tired');
  };
  const used = (of: Steady, window: Window | null): Counters => {
    const since = Math.max(of.createdAt, window === null ? 0 : one.now - windowMs[window]);
    return counters((of.perHour * (one.now - since)) / hour);
  };
  const reader: AdminReader = {
    listKeys: () =>
      Promise.resolve<Listing>({
        at: one.now,
        serverAt: null,
        keys,
        secrets: new Map(keys.map(({ id, name }) => [id, new Secret(name)])),
      }),
    usage: async (window) => {
      await Promise.resolve();
      note(`usage ${window ?? 'all'}`);
      const shown = keys.filter(({ name }) => !lacking.has(name));
      const rows = rowsByName(
        shown.map((of) => [of.name, { ...used(of, window), models: new Map<string, Counters>() }]),
      );
      return { at: one.now, total: counters(0), rows } satisfies Aggregate;
    },
    keyUsage: async (secret, window) => {
      await Promise.resolve();
      note(`key ${secret.reveal()} ${window ?? 'all'}`);
      const of = keys.find(({ name }) => name === secret.reveal());
      if (of === undefined) throw new Error('no such key');
      return { ...used(of, window), at: one.now, promptTokens: 0, completionTokens: 0 };
    },
    series: () => Promise.reject(new Error('never')),
    transactions: () => Promise.reject(new Error('never')),
  };
  const signal = new AbortController().signal;
  const one: Rig = {
    memory,
    store,
    now: monday,
    calls,
    failing,
    lacking,
    budget: 50,
    spare: Infinity,
    async pass(policies) {
      calls.length = 0;
      const sight = await look(reader, clock, before(memory), { intervalMs: minute }, signal);
      const ports = {
        reader,
        clock,
        store,
        pace: { intervalMs: minute, minIntervalMs: 5000, usageLagMs: 2 * minute, maxCallsPerMinute: 60 },
        callBudget: () => one.budget,
        mode: null,
      };
      const found = await deliberate(
        ports,
        memory,
        policies,
        sight,
        { questions: [], alone: new Set(), spare: one.spare },
        signal,
      );
      const { attribution, decision } = found;
      const taken = sample(
        memory.runs,
        attribution.counters,
        () => monday - 100 * day,
        { sentAt: sight.at, doneAt: () => sight.doneAt },
        [],
      );
      const records = new Map(
        [...sight.registry.changed, ...attribution.changed].map((record) => [record.id, record]),
      );
      await remember(store, memory, {
        keys: [...records.values()],
        findings: decision.findings,
        samples: taken.write,
      });
      for (const [of, run] of taken.runs) memory.runs.set(of, run);
      return { ...found, asked: calls.slice(1) };
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  return one;
}

const monthly = file(policy('spend: { cost: 100, per: month }', '{ at: 100%, alert: ops }'));

describe('a pass', () => {
  test('asks nothing more while no threshold is near', async () => {
    await using one = await rig(steady('A', 0.01));
    expect((await one.pass(monthly)).asked).toEqual([]);
  });

  test('asks windows first, for they serve every key, then a key whose row was never checked', async () => {
    // $240 a day: certainly over by now, but how much of it was used before November is not known at first.
    await using one = await rig(steady('A', 10), steady('B', 10));
    const { asked, decision } = await one.pass(monthly);
    expect(asked).toEqual(['usage 7d', 'usage 30d', 'key A all', 'key B all']);
    expect(decision.alerts).toHaveLength(2);
  });

  test('asks no more in the next, once it knows', async () => {
    await using one = await rig(steady('A', 10));
    await one.pass(monthly);
    one.now += minute;
    const { asked, decision } = await one.pass(monthly);
    expect([asked, decision.alerts]).toEqual([[], []]);
    expect(decision.views).toMatchObject([{ state: 'open', step: 1 }]);
  });

  test('asks no more than it may, windows before keys, the key that was read longest ago first', async () => {
    await using one = await rig(steady('A', 10), steady('B', 10), steady('C', 10));
    one.budget = 3;
    const first = await one.pass(monthly);
    expect(first.asked).toHaveLength(3);
    expect(first.decision.alerts).toHaveLength(1);
    one.now += minute;
    const second = await one.pass(monthly);
    expect(second.decision.alerts).toHaveLength(1);
    expect(second.asked.slice(0, 2)).toEqual(['usage 7d', 'usage 30d']);
    expect(second.asked[2]).not.toBe(first.asked[2]);
  });

  test('does not ask again in the same pass what could not be answered', async () => {
    await using one = await rig(steady('A', 10));
    one.failing.add('usage 7d').add('usage 30d').add('key A all');
    const { asked, decision } = await one.pass(monthly);
    expect(asked).toEqual(['usage 7d', 'usage 30d', 'key A all']);
    expect(decision.views).toMatchObject([{ state: 'uncertain' }]);
    expect(decision.alerts).toEqual([]);
  });

  test('reads a key of a shared name by itself', async () => {
    await using one = await rig(steady('A', 10), { ...steady('B', 0), name: 'A' });
    const { asked } = await one.pass(
      file(policy('spend: { cost: 100, per: lifetime }', '{ at: 100%, alert: ops }')),
    );
    expect(asked).toEqual(['key A all', 'key A all']);
  });

  test('asks once whether keys are idle, and then knows for weeks that they are not', async () => {
    const idle = file(policyOf('idle', 'idle: { for: 60d }', '{ alert: ops }'));
    await using one = await rig(steady('A', 1), steady('B', 2));
    expect((await one.pass(idle)).asked).toEqual(['usage 30d']);
    for (const after of [minute, day, 20 * day]) {
      one.now += after;
      expect((await one.pass(idle)).asked).toEqual([]);
    }
  });

  test('proves by its own reading that a key is idle whose row was never checked', async () => {
    const idle = file(policyOf('idle', 'idle: { for: 60d }', '{ alert: ops }'));
    await using one = await rig(steady('A', 0), steady('B', 2));
    const { asked, decision } = await one.pass(idle);
    expect(asked).toEqual(['usage 30d', 'key A all']);
    expect(decision.alerts).toMatchObject([{ subject: { name: 'A' } }]);
  });
});

describe('what does not press', () => {
  /** Just past its limit by what a row says, if by anything: $241.92 in ten days and two hours. */
  const barely = file(policy('spend: { cost: 2419, per: lifetime }', '{ at: 100%, alert: ops }'));
  const pressing = file(policy('spend: { cost: 100, per: lifetime }', '{ at: 100%, alert: ops }'));
  const one = (name: string) => steady(name, 1, { createdAt: monday - 100.8 * day });

  test('is asked as far as there are calls to spare', async () => {
    for (const [spare, asked] of [
      [0, 0],
      [1, 1],
      [2, 2],
      [9, 3],
    ] as const) {
      await using account = await rig(one('A'), one('B'), one('C'));
      account.spare = spare;
      expect((await account.pass(barely)).asked).toHaveLength(asked);
    }
  });

  test('is asked in a later pass, the key that was read longest ago first', async () => {
    await using account = await rig(one('A'), one('B'), one('C'));
    account.spare = 1;
    const asked: string[] = [];
    for (let pass = 0; pass < 3; pass += 1) {
      asked.push(...(await account.pass(barely)).asked);
      account.now += minute;
    }
    expect(new Set(asked)).toEqual(new Set(['key A all', 'key B all', 'key C all']));
  });

  test('does not keep from being asked what does', async () => {
    await using account = await rig(one('A'), one('B'));
    account.spare = 0;
    const { asked, decision } = await account.pass(pressing);
    expect(asked).toEqual(['key A all', 'key B all']);
    expect(decision.alerts).toHaveLength(2);
  });

  test('is asked no further than the budget goes, and neither is what presses', async () => {
    await using account = await rig(one('A'), one('B'));
    account.budget = 1;
    expect((await account.pass(pressing)).asked).toHaveLength(1);
    account.budget = 0;
    account.now += minute;
    expect((await account.pass(pressing)).asked).toEqual([]);
  });

  test.each([
    ['is left unasked for lack of calls', 1, Infinity, true],
    ['can be asked', 2, Infinity, false],
    ['is not to be asked, for no call can be spared', 1, 0, false],
  ])('is told to be waiting if it %s', async (_what, budget, spare, unasked) => {
    await using account = await rig(one('A'), one('B'));
    Object.assign(account, { budget, spare });
    expect((await account.pass(barely)).unasked).toBe(unasked);
  });
});

describe('at the end of a period', () => {
  const daily = file(policy('spend: { cost: 1000, per: day }', '{ at: 100%, alert: ops }'));
  const bearers = () => ['A', 'B', 'C'].map((name) => ({ ...steady(name, 1), name: 'shared' }));

  test('those keys are read first that were read longest ago, and the others are said to wait', async () => {
    await using account = await rig(...bearers());
    await account.pass(daily);
    account.now = Date.parse('2026-11-24T00:00:00Z') - minute;
    const hoursAgo = [2, 3, 1];
    for (const [index, record] of [...account.memory.records.values()].entries()) {
      const at = account.now - (hoursAgo[index] ?? 0) * hour;
      account.memory.records.set(record.id, { ...record, check: { at, counters: counters(0) } });
    }
    account.budget = 1;
    const { unasked, rowless } = await account.pass(daily);
    expect([unasked, rowless]).toEqual([true, 3]);
    const read = [...account.memory.records.values()].map(({ check }) => check?.at === account.now);
    expect(read).toEqual([false, true, false]);
  });
});

describe('an aggregate that lost many rows at once', () => {
  const names = ['A', 'B', 'C', 'D', 'E'];
  const renaming = file(
    policy('spend: { cost: 100, per: lifetime }', '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }'),
  );

  test('holds every change, and leaves no key in conflict once it is back', async () => {
    await using one = await rig(...names.map((name) => steady(name, 1)));
    await one.pass(renaming);
    one.now += minute;
    for (const name of names.slice(0, 3)) one.lacking.add(name);
    const { decision, attribution } = await one.pass(renaming);
    expect(attribution.doubt).toContain('the account’s usage shrank');
    expect([decision.hold, decision.changes]).toEqual([attribution.doubt, []]);
    expect(decision.held).not.toEqual([]);
    one.lacking.clear();
    one.now += minute;
    const back = await one.pass(renaming);
    expect([back.decision.hold, back.attribution.contradictions]).toEqual([null, []]);
    expect([...one.memory.records.values()].map(({ conflict }) => conflict)).toEqual(names.map(() => null));
  });

  test('is believed of all but the few that it lacks, where they are few', async () => {
    await using one = await rig(...names.map((name) => steady(name, 1)));
    await one.pass(renaming);
    one.now += minute;
    one.lacking.add('A');
    const { decision, attribution } = await one.pass(renaming);
    expect([attribution.doubt, decision.hold]).toEqual([null, null]);
    expect(attribution.contradictions).toHaveLength(1);
  });
});

test('what is remembered survives a new start', async () => {
  await using one = await rig(steady('A', 10));
  await one.pass(monthly);
  const again = await recall(one.store, one.now);
  expect([...again.records.values()]).toEqual([...one.memory.records.values()]);
  expect([...again.findings.values()]).toEqual([...one.memory.findings.values()]);
  expect(again.runs).toEqual(one.memory.runs);
});
