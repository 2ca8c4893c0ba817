/**
 * What happens while the program watches: people create, rename and delete keys, also under names that
 * others bear or bore, and the daemon is started anew or is down for hours, now and then over the end of
 * a month. All of it from one seed.
 */
import type { EpochMs } from '../../src/core/key.ts';
import type { KeySpec, WorldKey } from '../../src/sandbox/account-key.ts';
import type { Random } from '../../src/sandbox/random.ts';
import type { World } from '../../src/sandbox/world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The daemon ends at `from` and is started again at `until`. */
export interface Interruption {
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/** In order of time, none within another. */
export function interruptions(start: EpochMs, end: EpochMs, random: Random): Interruption[] {
  const planned: Interruption[] = [];
  const restart = (from: EpochMs): void =>
    void planned.push({ from, until: from + random.integer(1, 20_000) });
  const outage = (from: EpochMs): void => {
    planned.push({ from, until: from + Math.round((0.5 + 29.5 * random.next()) * hourMs) });
  };
  for (let at = start + dayMs; at < end; at += Math.round((1 + 4 * random.next()) * dayMs)) restart(at);
  for (let at = start + 3 * dayMs; at < end; at += Math.round((4 + 10 * random.next()) * dayMs)) outage(at);
  const lucky = random.integer(0, 1);
  monthEnds(start, end).forEach((monthEnd, index) => {
    if (index % 2 === lucky) outage(monthEnd - Math.round(20 * random.next() * hourMs));
  });
  planned.sort((a, b) => a.from - b.from);
  return planned.filter(
    ({ from }, index) => from > Math.max(0, ...planned.slice(0, index).map((one) => one.until)),
  );
}

function monthEnds(start: EpochMs, end: EpochMs): EpochMs[] {
  const ends: EpochMs[] = [];
  for (let at = start; at < end;) {
    const date = new Date(at);
    at = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
    if (at < end) ends.push(at);
  }
  return ends;
}

type Deed = (cast: Cast) => void;

interface Cast {
  readonly world: World;
  readonly random: Random;
  /** A key that people may change. */
  readonly any: () => WorldKey;
  readonly freshName: () => string;
  readonly spec: (name: string) => KeySpec;
}

const later = (world: World, ms: number, happen: () => void): void => world.schedule(world.now + ms, happen);

const deeds: readonly (readonly [weight: number, Deed])[] = [
  [4, ({ world, any, freshName }) => void world.renameByPerson(any().secret, freshName())],
  // To a name that another key bears, or bore.
  [3, ({ world, any }) => void world.renameByPerson(any().secret, any().name)],
  [1, ({ world, any, random }) => void world.renameByPerson(any().secret, random.pick(any().names).name)],
  [1, swapNames],
  [1, renameForAWhile],
  [4, ({ world, freshName, spec }) => void world.addKey(spec(freshName()))],
  [3, ({ world, any, spec }) => void world.addKey(spec(any().name))],
  [
    2,
    ({ world, random, spec }) =>
      void world.addKey(spec(random.pick(random.pick(world.everyKey()).names).name)),
  ],
  [1, createAndRename],
  [5, ({ world, any }) => void world.deleteByPerson(any().secret)],
  [2, deleteANamesake],
  [1, replace],
];

function swapNames({ world, any }: Cast): void {
  const [one, other] = [any(), any()];
  const { name } = one;
  world.renameByPerson(one.secret, other.name);
  world.renameByPerson(other.secret, name);
}

/** Perhaps so shortly that no listing shows it. */
function renameForAWhile({ world, any, freshName, random }: Cast): void {
  const { secret, name } = any();
  world.renameByPerson(secret, freshName());
  later(world, random.integer(1, 40) * minuteMs, () => world.renameByPerson(secret, name));
}

/** Perhaps so quickly that the program first sees it under its second name. */
function createAndRename({ world, freshName, spec, random }: Cast): void {
  const { secret } = world.addKey(spec(freshName()));
  later(world, random.integer(1, 30) * minuteMs, () => world.renameByPerson(secret, freshName()));
}

function deleteANamesake({ world, random, any }: Cast): void {
  const names = new Map<string, WorldKey[]>();
  for (const key of world.keys())
    if (!key.isAdmin) names.set(key.name, [...(names.get(key.name) ?? []), key]);
  const shared = [...names.values()].filter((bearers) => bearers.length > 1);
  world.deleteByPerson((shared.length > 0 ? random.pick(random.pick(shared)) : any()).secret);
}

/** Deleted, and at once another one of the same name. */
function replace({ world, any, spec }: Cast): void {
  const { secret, name } = any();
  world.deleteByPerson(secret);
  world.addKey(spec(name));
}

/** When days begin in UTC, New York (in summer and winter) and Kathmandu, after midnight UTC. */
const dayStartsMs = [0, 4 * hourMs, 5 * hourMs, 18.25 * hourMs];

/** Some keys are used within a second of each day's start, before and after: that is where usage is told apart. */
export function useAroundDayStarts(world: World, random: Random): void {
  const watch = (dayStart: EpochMs): void => {
    world.schedule(dayStart - 1000, () => {
      for (let count = 0; count < 6; count += 1) {
        const tokens = random.integer(1000, 100_000);
        const used = { costMicroUsd: tokens, tokens, requests: random.integer(1, 50) };
        world.spend(
          random.pick(world.keys()).secret,
          used,
          'gpt-oss-120b',
          dayStart + random.integer(-700, 1200),
        );
      }
      watch(dayStart + dayMs);
    });
  };
  const today = Math.floor(world.now / dayMs) * dayMs;
  for (const at of dayStartsMs) watch(today + at + (today + at - 1000 <= world.now ? dayMs : 0));
}

/** From now on, several times a day. `early`: what had happened before the program first looked. */
export function letThingsHappen(world: World, random: Random, early: number): void {
  const cast = castOf(world, random);
  const weights = deeds.flatMap(([weight, deed]) => Array.from({ length: weight }, () => deed));
  const aDay = 1 + world.keys().length / 1000;
  const happen = (): void => random.pick(weights)(cast);
  const next = (): void => {
    later(world, Math.round((2 * random.next() * dayMs) / aDay), () => {
      happen();
      next();
    });
  };
  for (let count = 0; count < early; count += 1) happen();
  next();
}

function castOf(world: World, random: Random): Cast {
  let names = 0;
  return {
    world,
    random,
    any: () => random.pick(world.keys().filter(({ isAdmin }) => !isAdmin)),
    freshName: () => `new ${String((names += 1))}`,
    spec: (name) => ({
      name,
      metadata: { team: random.pick(['web', 'data', 'ml']) },
      traffic: {
        usdPerDay: random.pick([0.3, 1, 4, 15]) * (0.5 + random.next()),
        momentsPerDay: random.pick([3, 12, 40]),
        hours: random.pick(['office', 'evening', 'flat']),
        weekend: random.pick([0.1, 1]),
        models: [
          ['gpt-oss-120b', 2],
          ['llama3-3-70b', 1],
        ],
      },
    }),
  };
}
