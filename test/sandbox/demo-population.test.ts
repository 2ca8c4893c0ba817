import { describe, expect, it } from 'vitest';
import { demoStart } from '../../src/sandbox/demo-population.ts';
import { createWorld, type World } from '../../src/sandbox/world.ts';

const dayMs = 86_400_000;
const november = { from: Date.UTC(2026, 10) - 1, to: Date.UTC(2026, 11) - 1 };
const october = { from: demoStart, to: november.from };

function demoWorld(seed: string): World {
  const world = createWorld({ seed, start: demoStart, population: 'demo' });
  world.advanceTo(demoStart + 60 * dayMs);
  return world;
}

describe.each(['demo', 'another', '3'])('the demo’s sixty days with the seed %s', (seed) => {
  const world = demoWorld(seed);
  const key = (name: string) => {
    const found = world.everyKey().find((one) => one.names[0]?.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const usd = (name: string, { from, to }: typeof november) =>
    world.consumed(key(name).secret, from, to).costMicroUsd / 1e6;

  it('has a cast of thirty to forty-five and hits two month’s ends', () => {
    expect(world.everyKey().length).toBeGreaterThanOrEqual(30);
    expect(world.everyKey().length).toBeLessThanOrEqual(45);
    expect(world.now).toBeGreaterThan(november.to);
  });

  it('lets one free user pass 100 % but never 120 % of 20 dollars a month', () => {
    expect(usd('User 7', november)).toBeGreaterThan(20.5);
    expect(usd('User 7', november)).toBeLessThan(23.5);
  });

  it('lets three loop beyond 120 %: one simply, one protected, one whose owner steps in', () => {
    expect(usd('User 12', october)).toBeGreaterThan(25);
    expect(usd('User 3', november)).toBeGreaterThan(25);
    expect(key('User 3').metadata).toMatchObject({ plan: 'free', critical: 'true' });
    expect(usd('User 19', november)).toBeGreaterThan(25);
  });

  it('lets the owner rename within a day of passing 120 %, and still match the policy', () => {
    const { secret } = key('User 19');
    const renamed = world.log.items.find((event) => event.secret === secret && event.kind === 'renamed');
    expect(renamed).toMatchObject({ by: 'person', to: 'User 19 asked for more' });
    const at = renamed?.at ?? 0;
    expect(world.consumed(secret, november.from, at - 7 * 3_600_000).costMicroUsd).toBeGreaterThanOrEqual(
      24_000_000,
    );
    expect(world.consumed(secret, november.from, at - 12 * 3_600_000).costMicroUsd).toBeLessThan(24_000_000);
  });

  it('keeps the other free users within their budgets', () => {
    for (const index of [1, 2, 4, 5, 6, 8, 9]) {
      expect(usd(`User ${index}`, november)).toBeLessThan(16);
      expect(usd(`User ${index}`, october)).toBeLessThan(16);
    }
  });

  it('takes the ml team over 500 dollars in November', () => {
    const team = ['ml-train', 'ml-eval', 'ml-batch'].reduce((sum, name) => sum + usd(name, november), 0);
    expect(team).toBeGreaterThan(550);
  });

  it('has keys that expire on the way and one that has', () => {
    const days = ['Trial Acme', 'Contractor Q3', 'dev-hackathon'].map(
      (name) => ((key(name).expiresAt ?? 0) - demoStart) / dayMs,
    );
    expect(days).toEqual([-3, 12, 30.5]);
  });

  it('has keys that fall idle for good, one that comes back, and one never used', () => {
    expect(world.lastUsedAt(key('never-used').secret)).toBeNull();
    const quietFor = (name: string, from: number, to: number) =>
      world.consumed(key(name).secret, demoStart + from * dayMs, demoStart + to * dayMs).requests === 0;
    expect(quietFor('old-prototype', -20, 60)).toBe(true);
    expect(quietFor('Legacy import', -14, 33.4)).toBe(true);
    expect(quietFor('ml-notebook', -11, 60)).toBe(true);
    expect(quietFor('Legacy import', 33.4, 35)).toBe(false);
  });

  it('has a token cap that is reached, two keys of one name, an admin key, and a name no rename may use', () => {
    const harness = key('Eval harness');
    expect(world.lifetime(harness.secret).tokens).toBeGreaterThanOrEqual(harness.maxTokens ?? Infinity);
    expect(world.consumed(harness.secret, demoStart + 40 * dayMs, world.now).requests).toBe(0);
    const names = world.everyKey().map((one) => one.names[0]?.name);
    expect(names.filter((name) => name === 'dev-scratch')).toHaveLength(2);
    expect(names).toContain('User: ana@example.com');
    expect(world.everyKey().filter((one) => one.isAdmin)).toHaveLength(1);
  });

  it('has people who create, rename and delete', () => {
    const kinds = new Set(world.log.items.map(({ kind, by }) => `${kind} by ${by}`));
    expect([...kinds].sort()).toEqual(['created by person', 'deleted by person', 'renamed by person']);
  });
});
