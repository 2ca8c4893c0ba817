/** A little of `npm run fuzz`, always with the same inputs. */
import { expect, test } from 'vitest';
import { longestCaseMs, stopwatch } from './subject.ts';
import { subjects } from './subjects.ts';

test.each(subjects)('$name', { timeout: 60_000 }, async ({ run }) => {
  const watch = stopwatch();
  await run(150, 7, watch);
  expect(watch.cases()).toBeGreaterThan(0);
  // Only to find what hangs: other tests run beside this one.
  expect(watch.slowestMs()).toBeLessThan(5 * longestCaseMs);
});
