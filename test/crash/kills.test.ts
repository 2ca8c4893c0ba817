/** A little of `npm run crash`. */
import { expect, test } from 'vitest';
import { killAgainAndAgain } from './kills.ts';

test('killed four times at moments left to chance, it keeps its promises', { timeout: 90_000 }, async () => {
  const report = await killAgainAndAgain({ kills: 4, seed: 'test', speed: 2000 });
  expect(report.broken).toEqual([]);
  expect([...report.fell.values()].reduce((sum, times) => sum + times, 0)).toBe(4);
  expect(report.recordEntries).toBeGreaterThan(0);
  expect(report.undelivered.dead).toBe(0);
});
