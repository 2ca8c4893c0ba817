/** What the program claims of a key's consumption holds what the key truly used, whatever happens to names. */
import { expect, test } from 'vitest';
import type { Variants } from '../../src/sandbox/variants.ts';
import type { Cause } from './causes.ts';
import { missText, runTruth } from './truth.ts';
import type { TruthOptions } from './truth.ts';

/**
 * A key that is used under a name which it bore before it was first seen cannot be told from an unused one
 * until its own reading shows it: what it used around a period's start is then known from windows only.
 */
const unknowable: readonly Cause[] = ['renamed unseen'];

const lateness: readonly Variants['freshness'][] = [
  'immediate',
  { lateMs: 20_000 },
  { lateMs: 119_999 },
  { lateMs: 120_000 },
];

/** Every combination, with how late usage is and who renames spread over them. */
const runs: readonly (TruthOptions & { readonly variants: Partial<Variants> })[] = (
  ['follows', 'splits', 'stays'] as const
)
  .flatMap((renameHistory) =>
    (['merged', 'last-wins'] as const).flatMap((sharedNames) =>
      (['listed', 'gone'] as const).map((deletedInAggregate) => {
        return { renameHistory, sharedNames, deletedInAggregate };
      }),
    ),
  )
  .map((combination, index) => ({
    seed: `truth ${String(index)}`,
    variants: {
      ...combination,
      freshness: lateness[index % lateness.length] ?? 'immediate',
      noUsageRows: index % 3 === 0 ? 'zeros' : 'absent',
    },
    mode: index % 3 === 1 ? 'enforce' : 'alert',
  }));

const size = { keys: 40, days: 38, pauseMs: 8 * 3_600_000, callsPerMinute: 60, every: 4 };

/** By far too few to read in one pass all the keys that no row speaks for. */
const scarce = { ...size, days: 20, pauseMs: 3_600_000, callsPerMinute: 12 };

test.for(['a', 'b'])(
  'with few calls a minute, what has to be read is read within a pause: %s',
  { timeout: 60_000 },
  async (seed) => {
    const { misses, widths } = await runTruth({ seed, ...scarce });
    expect(misses).toEqual([]);
    expect(widths.up.count).toBeGreaterThan(1000);
    expect(widths.tooWide.filter(({ cause }) => !unknowable.includes(cause))).toEqual([]);
  },
);

test.for(runs.map((run) => [JSON.stringify(run.variants), run] as const))(
  '%s',
  { timeout: 60_000 },
  async ([, run]) => {
    const figures = await runTruth({ ...run, ...size });
    const { misses, widths, samples } = figures;
    expect(samples).toBeGreaterThan(20_000);
    expect(misses.map((miss) => missText(figures, miss))).toEqual([]);
    expect(widths.up.count).toBeGreaterThan(1000);
    expect(widths.down.count).toBeGreaterThan(0);
    expect(widths.wide.filter(({ cause }) => !unknowable.includes(cause))).toEqual([]);
    expect(widths.up.share[0]).toBe(0);
  },
);
