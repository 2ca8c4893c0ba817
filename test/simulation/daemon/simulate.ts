/**
 * `npm run simulate -- --seed N` replays one seed exactly; `--seeds N` lives through so many (`--from N`: from
 * that one on); `--planted` shows that each of a list of planted faults is found.
 */
import { parseArgs } from 'node:util';
import { notYet } from './not-yet.ts';
import { plantFault } from './plant.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    plant: { type: 'string' },
  },
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

// Before anything of the program is loaded.
if (values.plant !== undefined) plantFault(values.plant);
const { hunt, replay } = await import('./rounds.ts');
if (values.planted) {
  const { findPlanted } = await import('./planted.ts');
  process.exitCode = (await findPlanted(print, Number(values.seeds ?? 300))) ? 0 : 1;
} else if (values.plant !== undefined) {
  process.exitCode = (await hunt(Number(values.seeds ?? 300), print)) ? 0 : 1;
} else if (values.seed !== undefined) {
  process.exitCode = (await replay(Number(values.seed), values.story, print)) ? 0 : 1;
} else {
  const { liveThroughAll } = await import('./crew.ts');
  const { coverageText } = await import('./coverage.ts');
  const count = Number(values.seeds ?? 300);
  const report = await liveThroughAll(Number(values.from), count, ({ failures }, done) => {
    failures.forEach(print);
    if (done % 1000 === 0 && done < count) print(`${String(done)} seeds`);
  });
  print(coverageText(report.coverage));
  for (const { code, because } of notYet) {
    const seeds = report.known.filter((one) => one.code === code).map(({ seed }) => seed);
    print(
      `not yet: ${code} (${because}): in ${String(seeds.length)} seeds, such as ${seeds.slice(0, 5).join()}`,
    );
  }
  const { length } = report.failures;
  print(length === 0 ? 'every promise was kept' : `${String(length)} seeds failed`);
  process.exitCode = length === 0 ? 0 : 1;
}
