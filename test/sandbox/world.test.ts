import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowMs, windows } from '../../src/core/key.ts';
import { demoStart } from '../../src/sandbox/demo-population.ts';
import { hostileMetadata, hostileNames } from '../../src/sandbox/hostile.ts';
import { populations } from '../../src/sandbox/population.ts';
import { createWorld, type World, type WorldOptions } from '../../src/sandbox/world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = demoStart;

/** All that can be seen of a world. */
function stateOf(world: World): string {
  const keys = world.everyKey().map((key) => ({
    ...key,
    name: key.name,
    deletedAt: key.deletedAt,
    lifetime: world.lifetime(key.secret),
    lastUsedAt: world.lastUsedAt(key.secret),
    windows: windows.map((window) => world.consumed(key.secret, world.now - windowMs[window], world.now)),
  }));
  return createHash('sha256')
    .update(JSON.stringify([world.now, keys, world.log.items]))
    .digest('hex');
}

const quiet = (more: Partial<WorldOptions> = {}): World =>
  createWorld({ seed: 'test', start, population: 'quiet', ...more });

const some = { costMicroUsd: 1_500_000, tokens: 1_001, requests: 7 };

describe('a world', () => {
  it.each(populations)(
    'is the same at an instant however often it was looked at before: %s',
    (population) => {
      const options = { start, population, keys: 12, people: population !== 'demo', historyMs: 20 * dayMs };
      fc.assert(
        fc.property(
          fc.string(),
          fc.integer({ min: 0, max: 40 * dayMs }),
          fc.array(fc.integer({ min: 0, max: 40 * dayMs }), { maxLength: 6 }),
          (seed, until, stops) => {
            const direct = createWorld({ ...options, seed });
            direct.advanceTo(start + until);
            const stepwise = createWorld({ ...options, seed });
            for (const stop of [
              ...stops.filter((one) => one <= until),
              until,
              ...stops.filter((one) => one <= until),
            ]) {
              stepwise.advanceTo(start + stop);
              // Looking works out the usage so far; that must change nothing either.
              stateOf(stepwise);
            }
            expect(stateOf(stepwise)).toBe(stateOf(direct));
          },
        ),
        { numRuns: 15 },
      );
    },
  );

  it('differs from that of another seed', () => {
    const states = ['a', 'b'].map((seed) => stateOf(createWorld({ seed, start, keys: 3 })));
    expect(states[0]).not.toBe(states[1]);
  });

  it('adds up: windows that follow one another hold what their union holds', () => {
    const world = createWorld({ seed: 'sum', start, keys: 5 });
    world.advanceTo(start + 10 * dayMs);
    const cuts = [-Infinity, start, start + 3.3 * dayMs, start + 7 * dayMs, world.now];
    for (const { secret } of world.keys()) {
      const parts = cuts.slice(1).map((to, index) => world.consumed(secret, cuts[index] ?? 0, to));
      const sum = parts.reduce((all, part) => all + part.costMicroUsd, 0);
      expect(sum).toBe(world.lifetime(secret).costMicroUsd);
    }
  });

  it('says nothing of the future', () => {
    const world = quiet();
    const { secret } = world.addKey({ name: 'a' });
    world.spend(secret, some, 'm', start + hourMs);
    expect(world.consumed(secret, -Infinity, Infinity).requests).toBe(0);
    world.advanceTo(start + hourMs);
    expect(world.consumed(secret, -Infinity, Infinity)).toEqual(some);
    expect(world.lastUsedAt(secret)).toBe(start + hourMs);
  });

  it('counts what was used after the beginning of a window and up to its end', () => {
    const world = quiet();
    const { secret } = world.addKey({ name: 'a' });
    world.advanceTo(start + 100);
    world.spend(secret, some, 'm', start + 50);
    expect(world.consumed(secret, start + 49, start + 50)).toEqual(some);
    expect(world.consumed(secret, start + 50, start + 99).requests).toBe(0);
    expect(world.usage(secret, start, world.now).get('m')).toEqual({
      costMicroUsd: 1_500_000,
      promptTokens: 801,
      completionTokens: 200,
      requests: 7,
    });
  });

  it('records who changed what, in order', () => {
    const world = quiet();
    const { secret, id } = world.addKey({ name: 'a' });
    world.addKey({ name: 'was there', createdAt: start - dayMs });
    world.advanceTo(start + 1);
    world.rename(secret, 'b', 'api');
    world.advanceTo(start + 2);
    expect(world.renameByPerson(secret, 'c')).toBe(true);
    expect(world.deleteByPerson(secret)).toBe(true);
    expect(world.log.items).toEqual([
      { at: start, kind: 'created', by: 'person', id, secret, from: null, to: 'a' },
      { at: start + 1, kind: 'renamed', by: 'api', id, secret, from: 'a', to: 'b' },
      { at: start + 2, kind: 'renamed', by: 'person', id, secret, from: 'b', to: 'c' },
      { at: start + 2, kind: 'deleted', by: 'person', id, secret, from: 'c', to: null },
    ]);
    expect([world.renameByPerson(secret, 'd'), world.deleteByPerson(secret)]).toEqual([false, false]);
    expect(world.keys().map(({ name }) => name)).toEqual(['was there']);
  });

  const always = {
    usdPerDay: 24,
    momentsPerDay: 48,
    hours: 'flat',
    weekend: 1,
    models: [['gpt-oss-120b', 1]],
  } as const;

  it('uses a key no longer once it is deleted, expired or at its cap', () => {
    const world = quiet();
    const deleted = world.addKey({ name: 'deleted', traffic: always });
    const expired = world.addKey({ name: 'expired', traffic: always, expiresAt: start + 5 * hourMs });
    const capped = world.addKey({ name: 'capped', traffic: always, maxTokens: 3_000_000 });
    world.advanceTo(start + 5 * hourMs);
    world.deleteByPerson(deleted.secret);
    world.advanceTo(start + 10 * dayMs);
    for (const { secret } of [deleted, expired]) {
      expect(world.lastUsedAt(secret)).toBeLessThanOrEqual(start + 5 * hourMs);
      expect(world.lastUsedAt(secret)).toBeGreaterThan(start + 4 * hourMs);
    }
    const { tokens } = world.lifetime(capped.secret);
    expect(tokens).toBeGreaterThanOrEqual(3_000_000);
    expect(tokens).toBeLessThan(5_000_000);
  });

  it('spends by the profile: mean, bursts and pauses', () => {
    const world = quiet();
    const from = start + 2 * dayMs;
    const { secret } = world.addKey({
      name: 'a',
      traffic: {
        ...always,
        bursts: [{ from, to: from + dayMs, factor: 20 }],
        pauses: [{ from: from + dayMs, to: from + 2 * dayMs }],
      },
    });
    world.advanceTo(start + 5 * dayMs);
    const usdOn = (day: number) =>
      world.consumed(secret, start + day * dayMs - 1, start + (day + 1) * dayMs - 1).costMicroUsd / 1e6;
    const days = [0, 1, 2, 3, 4].map(usdOn);
    [24, 24, 480, 0, 24].forEach((expected, day) => {
      expect(days[day]).toBeGreaterThanOrEqual(expected * 0.85);
      expect(days[day]).toBeLessThanOrEqual(expected * 1.15);
    });
  });

  it('makes ten thousand keys’ aggregate available quickly', () => {
    const world = createWorld({ seed: 1, start, keys: 10_000, historyMs: dayMs });
    world.advanceTo(start + dayMs);
    const read = () => {
      const from = performance.now();
      for (const { secret } of world.everyKey()) world.usage(secret, -Infinity, world.now);
      return performance.now() - from;
    };
    read();
    expect(Math.min(read(), read(), read())).toBeLessThan(500);
  });
});

describe('the hostile population', () => {
  it('has every harmful name and all harmful metadata', () => {
    const world = createWorld({ seed: 1, start, population: 'hostile', keys: 80 });
    const names = new Set(world.keys().map(({ name }) => name));
    expect(hostileNames.filter((name) => !names.has(name))).toEqual([]);
    const metadata = new Set(world.keys().map((key) => key.metadata));
    expect(hostileMetadata.filter((one) => !metadata.has(one))).toEqual([]);
  });
});
