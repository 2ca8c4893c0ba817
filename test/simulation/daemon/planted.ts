/** Each planted fault in a process of its own, for it is in the program's text there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { plantedFaults } from './planted-faults.ts';
import type { Print } from './rounds.ts';

/** By fault the seed that found it last, which is tried first: where histories are drawn in another way, it is found anew. */
const findersPath = join(import.meta.dirname, 'finders.json');
/** What is loaded is the same for all of them but for a few lines. */
const compileCache = join(import.meta.dirname, '../../../node_modules/.cache/simulation');

export interface PlantedOptions {
  /** So many are tried before a fault counts as missed. */
  readonly seeds: number;
  /** Write down which seed found what. */
  readonly remember?: boolean;
}

/** True: all of them were found. */
export async function findPlanted(
  print: Print,
  { seeds, remember = false }: PlantedOptions,
): Promise<boolean> {
  const finders = JSON.parse(await readFile(findersPath, 'utf8')) as Record<string, number>;
  const waiting = plantedFaults.map(({ name }) => name);
  let missed = 0;
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { code, text } = await lookFor(name, seeds, finders[name] ?? 1);
      if (code !== 0) missed += 1;
      print(`${code === 0 ? 'found ' : 'MISSED'} ${name}: ${text.trim()}`);
      const finder = /^found by seed (\d+)/.exec(text)?.[1];
      if (finder !== undefined) finders[name] = Number(finder);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  if (remember) await writeFile(findersPath, `${JSON.stringify(inOrder(finders), null, 2)}\n`);
  print(
    missed === 0
      ? `all ${String(plantedFaults.length)} planted faults were found`
      : `${String(missed)} were missed`,
  );
  return missed === 0;
}

/** Without those that are planted no longer. */
function inOrder(finders: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    plantedFaults.flatMap(({ name }) => (finders[name] === undefined ? [] : [[name, finders[name]]])),
  );
}

async function lookFor(
  name: string,
  seeds: number,
  first: number,
): Promise<{ code: number | null; text: string }> {
  const command = join(import.meta.dirname, 'simulate.ts');
  const args = ['--plant', name, '--from', String(first), '--seeds', String(seeds)];
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, text: text.slice(0, 600) };
}
