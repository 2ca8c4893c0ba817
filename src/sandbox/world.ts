/**
 * A simulated account that knows the truth: what every key used and when, and who changed what.
 * The same seed and the same instant give the same state, however often one looks on the way.
 */
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import { createKey, totalOf, type AccountKey, type KeySpec, type WorldKey } from './account-key.ts';
import { createAgenda } from './agenda.ts';
import { createFeed, type Feed } from './feed.ts';
import { letPeopleAct } from './people.ts';
import { populate, type Population } from './population.ts';
import { createRandom, type Random } from './random.ts';
import type { Usage } from './series.ts';

export type Actor = 'person' | 'api';

/** A change of the account. `from` and `to` are names; null where there is none. */
export interface WorldEvent {
  readonly at: EpochMs;
  readonly kind: 'created' | 'renamed' | 'deleted';
  readonly by: Actor;
  readonly id: KeyId;
  readonly secret: string;
  readonly from: string | null;
  readonly to: string | null;
}

export interface WorldOptions {
  readonly seed: string | number;
  readonly start: EpochMs;
  /** Default `plain`. */
  readonly population?: Population;
  /** How many keys a population has that can be of any size. Default 40. */
  readonly keys?: number;
  /** Whether people create, rename and delete keys now and then. Default: only the demo's do. */
  readonly people?: boolean;
  /** How long before `start` the keys' traffic goes back. Default 90 days. */
  readonly historyMs?: number;
}

/** What was used, when not given in full: two of ten tokens are taken to be the answer. */
export type Spending = Counters | Usage;

export interface World {
  readonly seed: string | number;
  readonly start: EpochMs;
  readonly now: EpochMs;
  /** Lets time pass until `at`; an instant already past changes nothing. */
  advanceTo(at: EpochMs): void;
  /** The keys there are now, oldest first. */
  keys(): readonly WorldKey[];
  /** Every key there ever was, oldest first. */
  everyKey(): readonly WorldKey[];
  /** Also one that was deleted. */
  find(secret: string): WorldKey | undefined;
  /** Used after `from` and up to and including `to`, but nothing later than now. Throws for a secret that never was. */
  consumed(secret: string, from: EpochMs, to: EpochMs): Counters;
  /** As `consumed`, by model; only models that were used. */
  usage(secret: string, from: EpochMs, to: EpochMs): ReadonlyMap<string, Usage>;
  /** Since its creation. */
  lifetime(secret: string): Counters;
  /** Null: never. */
  lastUsedAt(secret: string): EpochMs | null;
  /** Everything that happened to keys since `start`, in order. */
  readonly log: Feed<WorldEvent>;

  addKey(spec: KeySpec, by?: Actor): WorldKey;
  /** False: there is no such key (any more). */
  rename(secret: string, name: string, by: Actor): boolean;
  delete(secret: string, by: Actor): boolean;
  renameByPerson(secret: string, name: string): boolean;
  deleteByPerson(secret: string): boolean;
  /** Left out: now. In the past: it was used then. In the future: it will be, if the key is still there. */
  spend(secret: string, spending: Spending, model: string, at?: EpochMs): void;
  /** Does `happen` when the time has come. */
  schedule(at: EpochMs, happen: () => void): void;
}

export function createWorld(options: WorldOptions): World {
  const random = createRandom(options.seed);
  const world = createEmptyWorld(options, random);
  const population = options.population ?? 'plain';
  populate(world, population, options.keys ?? 40, random.fork('population'));
  if (options.people ?? false) letPeopleAct(world, random.fork('people'));
  return world;
}

function createEmptyWorld({ seed, start, historyMs = 90 * 86_400_000 }: WorldOptions, random: Random): World {
  const agenda = createAgenda();
  const all = new Map<string, AccountKey>();
  const log = createFeed<WorldEvent>();
  let now = start;
  let oldestFirst: readonly AccountKey[] | null = null;

  function known(secret: string): AccountKey {
    const key = all.get(secret);
    if (key === undefined) throw new RangeError('there never was such a key');
    return key;
  }

  /** Sorted anew only after a key came: there may be very many. */
  function everyKey(): readonly AccountKey[] {
    oldestFirst ??= [...all.values()].sort((a, b) => a.createdAt - b.createdAt);
    return oldestFirst;
  }

  function live(secret: string): AccountKey | null {
    const key = all.get(secret);
    return key === undefined || key.deletedAt !== null ? null : key;
  }

  function note(kind: WorldEvent['kind'], by: Actor, key: WorldKey, names: Pick<WorldEvent, 'from' | 'to'>) {
    log.push({ at: now, kind, by, id: key.id, secret: key.secret, ...names });
  }

  function advanceTo(at: EpochMs): void {
    for (let due = agenda.takeDue(at); due !== null; due = agenda.takeDue(at)) {
      now = Math.max(now, due.at);
      due.happen();
    }
    now = Math.max(now, at);
  }

  function addKey(spec: KeySpec, by: Actor = 'person'): WorldKey {
    const chance = random.fork(`key ${all.size}`);
    const { createdAt = now, secret = `tk_${chance.text(40)}` } = spec;
    if (all.has(secret)) throw new RangeError('there is such a key already');
    const trafficFrom = Math.max(createdAt, start - historyMs);
    const key = createKey({ ...spec, createdAt, secret }, trafficFrom, chance);
    all.set(secret, key);
    oldestFirst = null;
    if (spec.createdAt === undefined) note('created', by, key, { from: null, to: key.name });
    return key;
  }

  function rename(secret: string, name: string, by: Actor): boolean {
    const key = live(secret);
    if (key === null) return false;
    const from = key.name;
    key.rename(name, now);
    note('renamed', by, key, { from, to: name });
    return true;
  }

  function remove(secret: string, by: Actor): boolean {
    const key = live(secret);
    if (key === null) return false;
    key.delete(now);
    note('deleted', by, key, { from: key.name, to: null });
    return true;
  }

  function spend(secret: string, spending: Spending, model: string, at: EpochMs = now): void {
    const key = known(secret);
    const happen = () => {
      if (key.deletedAt === null || at <= key.deletedAt) key.spend(at, now, model, inFull(spending));
    };
    if (at > now) agenda.add(at, happen);
    else happen();
  }

  const usage = (secret: string, from: EpochMs, to: EpochMs) => known(secret).used(from, Math.min(to, now));
  const consumed = (secret: string, from: EpochMs, to: EpochMs) =>
    countersOf(totalOf(usage(secret, from, to)));

  return {
    seed,
    start,
    get now() {
      return now;
    },
    advanceTo,
    keys: () => everyKey().filter((key) => key.deletedAt === null),
    everyKey,
    find: (secret) => all.get(secret),
    consumed,
    usage,
    lifetime: (secret) => consumed(secret, -Infinity, now),
    lastUsedAt: (secret) => known(secret).lastUsedAt(now),
    log,
    addKey,
    rename,
    delete: remove,
    renameByPerson: (secret, name) => rename(secret, name, 'person'),
    deleteByPerson: (secret) => remove(secret, 'person'),
    spend,
    schedule: (at, happen) => agenda.add(Math.max(at, now), happen),
  };
}

export function countersOf(usage: Usage): Counters {
  return {
    costMicroUsd: usage.costMicroUsd,
    tokens: usage.promptTokens + usage.completionTokens,
    requests: usage.requests,
  };
}

function inFull(spending: Spending): Usage {
  if ('promptTokens' in spending) return spending;
  const { costMicroUsd, tokens, requests } = spending;
  const completionTokens = Math.floor(tokens / 5);
  return { costMicroUsd, promptTokens: tokens - completionTokens, completionTokens, requests };
}
