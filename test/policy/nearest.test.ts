import fc from 'fast-check';
import { expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/policy/nearest.ts';

it.each([
  ['spned', 'spend', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['same', 'same', 0],
])('%s and %s are %i apart', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

it('is a distance: symmetric, at most the longer length, at least the difference of lengths', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});

it.each([
  ['polices', 'policies'],
  ['ALERT', 'alert'],
  ['delte', 'delete'],
  ['at', 'at'],
  ['xyz', null],
  ['', null],
  ['x'.repeat(1000), null],
])('%j means %j', (word, meant) => {
  expect(nearest(word, ['policies', 'alert', 'delete', 'at'])).toBe(meant);
});
