import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/sandbox/random.ts';

const draws = (seed: string, count = 5) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('createRandom', () => {
  it('draws the same for the same seed and otherwise for another', () => {
    expect(draws('a')).toEqual(draws('a'));
    expect(draws('a')).not.toEqual(draws('b'));
  });

  it('forks by the label alone, whatever was drawn or forked before', () => {
    const fresh = createRandom('a').fork('x').next();
    const used = createRandom('a');
    used.next();
    used.fork('y').next();
    expect(used.fork('x').next()).toBe(fresh);
    expect(used.fork('y').next()).not.toBe(fresh);
  });

  it('spreads evenly', () => {
    const random = createRandom('even');
    const counts = new Map<number, number>();
    for (let i = 0; i < 60_000; i++) {
      const face = random.integer(1, 6);
      counts.set(face, (counts.get(face) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it('shuffles into another order and leaves the original as it is', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = createRandom('s').shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });

  it('has nothing to pick from nothing', () => {
    expect(() => createRandom('p').pick([])).toThrow(RangeError);
  });
});
