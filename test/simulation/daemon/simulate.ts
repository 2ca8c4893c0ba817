/**
 * `npm run simulate -- --seed N` replays one seed exactly; `--seeds N` lives through so many (`--from N`: from
 * that one on), with the first few failures at length; `--sweep` breaks some histories off at each of their points;
 * `--planted` shows that each of a list of planted faults is found (`--remember`: and writes down by which seed).
 * `--plant NAME` plants one of them, to replay a seed with it or to look for a seed that finds it.
 */
import { parseArgs } from 'node:util';
import { plantFault } from './plant.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    sweep: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    remember: { type: 'boolean', default: false },
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
  process.exitCode = (await findPlanted(print, {
    seeds: Number(values.seeds ?? 300),
    remember: values.remember,
  }))
    ? 0
    : 1;
} else if (values.seed !== undefined) {
  process.exitCode = (await replay(Number(values.seed), values.story, print)) ? 0 : 1;
} else if (values.plant !== undefined) {
  process.exitCode = (await hunt(Number(values.seeds ?? 300), Number(values.from), print)) ? 0 : 1;
} else if (values.sweep) {
  const { breakOffAll } = await import('./crew.ts');
  const { breakOffs } = await import('./sweep.ts');
  const { sweeps } = await import('./sweep-plans.ts');
  const all = await breakOffs(1);
  for (const [number, { name }] of sweeps.entries())
    print(`${name}: ${String(all.filter(({ sweep }) => sweep === number).length)} points`);
  const failures = await breakOffAll(all);
  failures.forEach(print);
  print(
    failures.length === 0
      ? `broken off at each of ${String(all.length)} points, every promise was kept`
      : `${String(failures.length)} of ${String(all.length)} failed`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
} else {
  const { liveThroughMany } = await import('./many.ts');
  const from = Number(values.from);
  process.exitCode = (await liveThroughMany(from, Number(values.seeds ?? 300), print)) ? 0 : 1;
}
