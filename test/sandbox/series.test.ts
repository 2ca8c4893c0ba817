import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addUsage, createSeries, noUsage, type Usage } from '../../src/sandbox/series.ts';

const amount = fc.integer({ min: 0, max: 1_000_000 });
const usage: fc.Arbitrary<Usage> = fc.record({
  costMicroUsd: amount,
  promptTokens: amount,
  completionTokens: amount,
  requests: amount,
});
const entries = fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), usage), { maxLength: 40 });

describe('createSeries', () => {
  it('sums any window exactly, in whatever order the entries came', () => {
    fc.assert(
      fc.property(
        entries,
        fc.integer({ min: -1, max: 101 }),
        fc.integer({ min: -1, max: 101 }),
        (all, from, to) => {
          const series = createSeries();
          for (const [at, used] of all) series.add(at, used);
          const expected = all
            .filter(([at]) => from < at && at <= to)
            .reduce((sum, [, used]) => addUsage(sum, used), noUsage);
          expect(series.between(from, to)).toEqual(expected);
        },
      ),
    );
  });
});
