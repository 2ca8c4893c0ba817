/**
 * What the program claims of every key, beside what the key truly used: weeks of a simulated account, in
 * each way that the Admin API may behave. By itself: `node bench/truth.ts [--keys N] [--days N]
 * [--pause MINUTES] [--runs N] [--show N]`.
 */
import { parseArgs } from 'node:util';
import type { Variants } from '../src/sandbox/variants.ts';
import { countCauses } from '../test/simulation/causes.ts';
import type { Cause } from '../test/simulation/causes.ts';
import { missText, runTruth } from '../test/simulation/truth.ts';
import type { TruthFigures, TruthOptions } from '../test/simulation/truth.ts';
import type { Spread } from '../test/simulation/widths.ts';

export interface TruthSize {
  readonly keys: number;
  readonly days: number;
  readonly pauseMinutes: number;
  /** How many of the twelve ways; the first ones differ most. */
  readonly runs: number;
  /** How many misses of each are told in full. */
  readonly show: number;
}

/** Each way to treat a rename comes once before any comes again. */
const ways: readonly Partial<Variants>[] = (['listed', 'gone'] as const).flatMap((deletedInAggregate, one) =>
  (['merged', 'last-wins'] as const).flatMap((sharedNames, other) =>
    (['follows', 'splits', 'stays'] as const).map((renameHistory): Partial<Variants> => {
      const lateMs = (one * 2 + other) * 40_000;
      const freshness = lateMs === 0 ? 'immediate' : { lateMs };
      return { renameHistory, sharedNames, deletedInAggregate, freshness };
    }),
  ),
);

/** Prints as it goes: a large account takes a while. */
export async function compareWithTruth(size: TruthSize, print: (text: string) => void): Promise<void> {
  const { keys, days, pauseMinutes, runs, show } = size;
  print(
    `${keys.toLocaleString('en')} keys, ${String(days)} days, a pass every ${String(pauseMinutes)} minutes`,
  );
  for (const [index, variants] of ways.slice(0, runs).entries()) {
    const mode = index % 2 === 0 ? 'alert' : 'enforce';
    const options: TruthOptions = { seed: `bench ${String(index)}`, keys, days, variants, mode };
    const started = performance.now();
    const figures = await runTruth({ ...options, pauseMs: pauseMinutes * 60_000 });
    for (const line of linesOf(figures, (performance.now() - started) / 1000)) print(`  ${line}`);
    for (const miss of figures.misses.slice(0, show)) print(`    ${missText(figures, miss)}`);
  }
}

function linesOf(figures: TruthFigures, seconds: number): string[] {
  const { options, samples, missed, misses, widths, passes, calls, changes, restarts } = figures;
  const { renameHistory, sharedNames, deletedInAggregate, freshness } = options.variants ?? {};
  const late = typeof freshness === 'object' && 'lateMs' in freshness ? freshness.lateMs / 1000 : 0;
  return [
    `${options.mode ?? ''}, renames: ${renameHistory ?? ''}, shared names: ${sharedNames ?? ''}, deleted: ${deletedInAggregate ?? ''}, ${String(late)} s late`,
    `  compared ${samples.toLocaleString('en')}, outside ${String(missed)} (${String(misses.length)} levels${byCause(misses)})`,
    `  width, up over the start        ${spreadText(widths.up)}`,
    `  width, just back from an outage ${spreadText(widths.back)}`,
    `  width, down over the start      ${spreadText(widths.down)}`,
    `  wider than what was used between the passes around the start ${String(widths.wide.length)}${byCause(widths.wide)}`,
    `  and than what was used within one pause plus the lag         ${String(widths.tooWide.length)}${byCause(widths.tooWide)}`,
    `  not read in all their period  ${String(widths.unread.length)}${byCause(widths.unread)}`,
    `  ${String(passes)} passes, ${(calls / passes).toFixed(1)} calls a pass, ${String(restarts)} restarts, ${String(changes)} renames of its own, ${seconds.toFixed(0)} s`,
  ];
}

function byCause(items: readonly { readonly cause: Cause }[]): string {
  const counts = Object.entries(countCauses(items)).filter(([, count]) => count > 0);
  return counts.length === 0
    ? ''
    : `: ${counts.map(([cause, count]) => `${cause} ${String(count)}`).join(', ')}`;
}

function spreadText({ count, share, usd }: Spread): string {
  const percent = share.map((one) => `${(100 * one).toFixed(2)} %`).join(' / ');
  const dollars = usd.map((one) => `$${one.toFixed(2)}`).join(' / ');
  return `median / p99 / max ${percent} of the limit, ${dollars} (${count.toLocaleString('en')})`;
}

if (import.meta.main) {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { keys: option, days: option, pause: option, runs: option, show: option },
  });
  const { keys = '200', days = '60', pause = '15', runs = '12', show = '0' } = values;
  await compareWithTruth(
    {
      keys: Number(keys),
      days: Number(days),
      pauseMinutes: Number(pause),
      runs: Number(runs),
      show: Number(show),
    },
    (text) => void process.stdout.write(`${text}\n`),
  );
}
