/** A few histories, broken off at many of the points at which the program waits: each comes to its end. */
import { expect, test } from 'vitest';
import { breakOffAll } from './daemon/crew.ts';
import { breakOffs } from './daemon/sweep.ts';

test('a program that dies anywhere goes on from there', { timeout: 300_000 }, async () => {
  const all = await breakOffs(11);
  expect(all.length).toBeGreaterThan(100);
  expect(await breakOffAll(all)).toEqual([]);
});
