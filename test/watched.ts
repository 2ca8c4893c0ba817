/**
 * A small account and the real pass over it, on clocks that a test sets: time as it really passes, the
 * machine's clock, and the API's. For stories of what a clock does, and of what happens in the middle of a pass.
 */
import type { Alert } from '../src/core/alert.ts';
import type { Counters, EpochMs, Key, KeyId, Window } from '../src/core/key.ts';
import { windowMs } from '../src/core/key.ts';
import type { Trouble } from '../src/core/plan.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { rowsByName } from '../src/core/rows.ts';
import { Secret } from '../src/core/secret.ts';
import { route } from '../src/alerts/route.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import { postClock } from '../src/post-clock.ts';
import type { PassReport } from '../src/pass.ts';
import type { PassPorts } from '../src/pass/ports.ts';
import type { AdminReader, AdminWriter } from '../src/ports.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { day, key, minute, monday } from './core/story.ts';

/** A key that is a hundred days old. */
export function old(name: string, more: Partial<Key> = {}): Key {
  return key(name, { createdAt: monday - 100 * day, ...more });
}

export interface Watched extends AsyncDisposable {
  readonly store: Store;
  policy: PolicyFile;
  /** What the API sends as its Date: the true time, or none. */
  date: boolean;
  /** How far the machine's clock is off. */
  skewMs: number;
  /** True time. */
  now(): EpochMs;
  readonly account: Map<KeyId, Key>;
  /** Renames and deletions that were asked of the API. */
  readonly log: string[];
  /** All that was told, newest last. */
  readonly told: Alert[];
  /** Happens before the account is listed; `nth`: the first look of a pass is 1. */
  beforeLook: (nth: number) => void | Promise<void>;
  /** What is asked of the API is neither answered nor done. */
  unanswered: boolean;
  /** Happens on both sides of each call that a pass makes; what it throws takes the answer's place. */
  crossing: (side: 'before' | 'after', call: string) => void;
  /** The batch of the pass under way. */
  openBatch(): string | null;
  /** Another policy file came. */
  superseded: boolean;
  /** So many dollars, tokens and requests, now. */
  spend(of: Key, amount: number): void;
  change(of: Key, more: Partial<Key>): void;
  /** Time passes; nobody looks. */
  wait(ms: number): void;
  pass(after?: number, troubles?: readonly Trouble[]): Promise<PassReport>;
  /** So many passes, a minute apart. */
  passes(count: number): Promise<void>;
  /** Every channel accepts what waits for it. */
  deliver(): Promise<number>;
  /** A new process over the same state. */
  restart(): Promise<void>;
  /** What was told of cases, by kind. */
  kinds(): string[];
}

const never = () => Promise.reject(new Error('never'));

const noAnswer = (): Error =>
  Object.assign(new Error('no answer'), {
    kind: 'timeout',
    retryable: true,
    outcome: 'unknown',
    status: null,
  });

type Methods = Readonly<Record<string, unknown>>;

/** The same port, on both sides of whose calls `crossing` happens. */
function crossed<T extends object>(port: T, names: readonly (keyof T & string)[], one: () => Watched): T {
  const methods = names.map((name) => {
    const call = (port as Methods)[name] as (...given: unknown[]) => Promise<unknown>;
    const crossing = async (...given: unknown[]): Promise<unknown> => {
      one().crossing('before', name);
      const answer = await call(...given);
      one().crossing('after', name);
      return answer;
    };
    return [name, crossing];
  });
  return { ...port, ...(Object.fromEntries(methods) as Partial<T>) };
}

export async function watched(policy: PolicyFile, ...keys: readonly Key[]): Promise<Watched> {
  let truth = monday;
  let booted = 0;
  let looks = 0;
  const clock = {
    now: () => truth + one.skewMs,
    sleep: () => Promise.resolve(),
    monotonic: () => truth - booted,
  };
  const store = await openSqlite(':memory:', { clock });
  let memory = await recall(store, monday);
  const spends: { readonly id: KeyId; readonly at: EpochMs; readonly amount: number }[] = [];
  const used = (id: KeyId, window: Window | null): Counters => {
    const from = window === null ? -Infinity : truth - windowMs[window];
    const mine = spends.filter((spend) => spend.id === id && spend.at > from);
    const amount = mine.reduce((sum, spend) => sum + spend.amount, 0);
    return { costMicroUsd: Math.round(amount * 1e6), tokens: amount, requests: amount };
  };
  const reader: AdminReader = {
    listKeys: async () => {
      looks += 1;
      await one.beforeLook(looks);
      const listed = [...one.account.values()];
      const secrets = new Map(listed.map(({ id }) => [id, new Secret(id)]));
      return { at: clock.now(), serverAt: one.date ? truth : null, keys: listed, secrets };
    },
    usage: async (window) => {
      const listed = [...one.account.values()];
      const rows = rowsByName(
        listed.map(({ id, name }) => [
          name,
          { ...used(id, window), models: new Map([['gpt-oss-120b', used(id, window)]]) },
        ]),
      );
      const total = { costMicroUsd: 0, tokens: 0, requests: 0 };
      for (const { id } of listed) total.requests += used(id, window).requests;
      return Promise.resolve({
        at: clock.now(),
        total: { ...total, tokens: total.requests, costMicroUsd: total.requests * 1e6 },
        rows,
      });
    },
    keyUsage: (secret, window) =>
      Promise.resolve({
        ...used(secret.reveal() as KeyId, window),
        at: clock.now(),
        promptTokens: 0,
        completionTokens: 0,
      }),
    series: never,
    transactions: never,
  };
  const writer: AdminWriter = {
    createKey: never,
    renameKey: async (of, _secret, name) => {
      one.log.push(`rename ${of.name} → ${name}`);
      if (one.unanswered) throw noAnswer();
      one.change(of, { name });
      return Promise.resolve();
    },
    deleteKey: async (of) => {
      one.log.push(`delete ${of.name}`);
      if (one.unanswered) throw noAnswer();
      one.account.delete(of.id);
      return Promise.resolve();
    },
  };
  const ports: PassPorts = {
    reader: crossed(reader, ['listKeys', 'usage', 'keyUsage'], () => one),
    writer: crossed(writer, ['renameKey', 'deleteKey'], () => one),
    store: crossed(store, ['acceptances', 'commit', 'marks'], () => one),
    ...{ clock, mode: null },
    pace: { intervalMs: minute, minIntervalMs: 5000, usageLagMs: 2 * minute, maxCallsPerMinute: 60 },
    callBudget: () => 58,
    superseded: () => one.superseded,
    closing: new AbortController().signal,
    route: (alerts, { channels, smtp }, passId) => {
      one.told.push(...alerts);
      return route(alerts, channels, { at: posting.now(), passId, smtp });
    },
  };
  const signal = new AbortController().signal;
  const one: Watched = {
    store,
    policy,
    date: true,
    skewMs: 0,
    now: () => truth,
    account: new Map(keys.map((of) => [of.id, of])),
    log: [],
    told: [],
    beforeLook: () => undefined,
    unanswered: false,
    crossing: () => undefined,
    openBatch: () => memory.openBatch,
    superseded: false,
    spend: ({ id }, amount) => void spends.push({ id, at: truth, amount }),
    change: ({ id }, more) => {
      const before = one.account.get(id);
      if (before === undefined) throw new Error('no such key');
      one.account.set(id, { ...before, ...more });
    },
    wait: (ms) => void (truth += ms),
    pass: async (after = minute, troubles = []) => {
      truth += after;
      looks = 0;
      return pass(ports, memory, one.policy, troubles, signal);
    },
    passes: async (count) => {
      for (let nth = 0; nth < count; nth += 1) await one.pass();
    },
    deliver: async () => {
      const waiting = await store.outbox.pending(posting.now());
      const ids = waiting.map((entry) => entry.id);
      if (ids.length > 0) await store.outbox.delivered(ids, posting.now());
      return ids.length;
    },
    restart: async () => {
      booted = truth;
      memory = await recall(store, clock.now());
      posting = postClock(clock, memory);
    },
    kinds: () => one.told.map((alert) => (alert.topic === 'case' ? alert.event.kind : alert.title)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  let posting = postClock(clock, memory);
  // Every row is checked, and the ledger has a little history.
  await one.passes(15);
  return one;
}
