/** Each planted fault in a process of its own, for it is in the program's text there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { plantedFaults } from './plant.ts';
import type { Print } from './rounds.ts';

/** True: all of them were found. */
export async function findPlanted(print: Print, seeds = 300): Promise<boolean> {
  const waiting = plantedFaults.map(({ name }) => name);
  let missed = 0;
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { code, text } = await lookFor(name, seeds);
      if (code !== 0) missed += 1;
      print(`${code === 0 ? 'found ' : 'MISSED'} ${name}: ${text.trim()}`);
    }
  };
  await Promise.all([work(), work()]);
  print(
    missed === 0
      ? `all ${String(plantedFaults.length)} planted faults were found`
      : `${String(missed)} were missed`,
  );
  return missed === 0;
}

async function lookFor(name: string, seeds: number): Promise<{ code: number | null; text: string }> {
  const command = join(import.meta.dirname, 'simulate.ts');
  const child = spawn(process.execPath, [command, '--plant', name, '--seeds', String(seeds)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, text: text.slice(0, 600) };
}
