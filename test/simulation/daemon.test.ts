/** The whole program in a simulated world: every promise, checked by the world's own record. */
import { expect, test } from 'vitest';
import { wanted } from './daemon/coverage.ts';
import { liveThroughAll } from './daemon/crew.ts';
import { drawPlan } from './daemon/draw.ts';
import { notYet } from './daemon/not-yet.ts';
import { judge } from './daemon/verdict.ts';

test('a seed lived through twice is the same, to the millisecond', async () => {
  // The second has two programs on one state.
  for (const seed of [3, 8, 27]) {
    const [one, other] = [await judge(drawPlan(seed)), await judge(drawPlan(seed))];
    expect(one.stage.chronicle.entries.length).toBeGreaterThan(50);
    expect(other.stage.chronicle.entries).toEqual(one.stage.chronicle.entries);
  }
});

test(
  'in 300 seeds every promise is kept, and everything that could break one happens',
  { timeout: 300_000 },
  async () => {
    const { failures, coverage } = await liveThroughAll(1, 300);
    expect(failures.join('\n\n')).toBe('');
    expect(wanted.filter((what) => !coverage.counts.has(what))).toEqual([]);
  },
);

test('nothing is left that is known not to be kept', () => {
  expect(notYet).toEqual([]);
});
