/**
 * `npm run simulate -- --seed N` replays one seed exactly; `--seeds N` lives through so many (`--from N`: from
 * that one on); `--planted` shows that each of a list of planted faults is found.
 */
import { parseArgs } from 'node:util';
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
const { hunt, replay, replayAll } = await import('./rounds.ts');
if (values.planted) {
  const { findPlanted } = await import('./planted.ts');
  process.exitCode = (await findPlanted(print)) ? 0 : 1;
} else if (values.plant !== undefined) {
  process.exitCode = (await hunt(Number(values.seeds ?? 300), print)) ? 0 : 1;
} else if (values.seed !== undefined) {
  process.exitCode = (await replay(Number(values.seed), values.story, print)) ? 0 : 1;
} else {
  const from = Number(values.from);
  process.exitCode = (await replayAll(from, from + Number(values.seeds ?? 300), print)) ? 0 : 1;
}
