/**
 * `npm run mutate`: changes the code of the rooms that must not be wrong, a little and in thousands of ways, and
 * prints how many of the changes some test notices. `npm run mutate -- 'src/act/*.ts'`: of these files only.
 *
 * It runs in a copy, with the newest vitest that Stryker's runner works with: with vitest 5 the runner finds no
 * test for a mutant, and counts it as survived (stryker-js issue 6210).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { table } from './table.ts';
import type { Report } from './table.ts';

const tools = ['@stryker-mutator/core@10.1.1', '@stryker-mutator/vitest-runner@10.1.1', 'vitest@4.1.11'];
const left = new Set(['.git', 'node_modules', 'dist', 'coverage']);

const root = resolve(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'keywarden-mutation-'));
try {
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(basename(path)) });
  run('npm', ['ci']);
  run('npm', ['install', '--no-save', ...tools]);
  const files = process.argv.slice(2);
  const only = files.length === 0 ? [] : ['--mutate', files.join(',')];
  run('npx', ['stryker', 'run', 'test/mutation/stryker.config.json', ...only]);
  const report = JSON.parse(readFileSync(join(copy, 'mutation.json'), 'utf8')) as Report;
  process.stdout.write(table(report));
} finally {
  rmSync(copy, { recursive: true });
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: copy, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
