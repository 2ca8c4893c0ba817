/**
 * `npm run mutate`: changes the code of the rooms that must not be wrong, a little and in thousands of ways, and
 * prints how many of the changes some quick test notices. `npm run mutate -- 'src/act/*.ts'`: of these files only.
 * `--concurrency N`: in so many processes, 2 unless told.
 *
 * It runs in a copy, and what is installed for it is kept for the next time.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from './table.ts';
import type { Report } from './table.ts';

const tools = [
  '@stryker-mutator/core@10.0.0',
  '@stryker-mutator/mocha-runner@10.0.0',
  'mocha@11.8.0',
  'expect@30.5.2',
];
const left = new Set(['.git', 'node_modules', 'dist', 'coverage']);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: 'string', default: '2' } },
});
const root = resolve(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'keywarden-mutation-'));
try {
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(basename(path)) });
  symlinkSync(join(installed(), 'node_modules'), join(copy, 'node_modules'));
  const only = positionals.length === 0 ? [] : ['--mutate', positionals.join(',')];
  const config = 'test/mutation/stryker.config.json';
  run(copy, 'npx', ['stryker', 'run', config, '--concurrency', values.concurrency, ...only]);
  process.stdout.write(table(JSON.parse(readFileSync(join(copy, 'mutation.json'), 'utf8')) as Report));
} finally {
  rmSync(copy, { recursive: true });
}

/** The folder of what is installed, once for each lock file; it appears when it is whole. */
function installed(): string {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const key = createHash('sha256').update(lock).update(tools.join()).digest('hex').slice(0, 12);
  const kept = join(tmpdir(), `keywarden-mutation-tools-${key}`);
  if (existsSync(kept)) return kept;
  const fresh = mkdtempSync(join(tmpdir(), 'keywarden-mutation-install-'));
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(fresh, file));
  run(fresh, 'npm', ['ci']);
  run(fresh, 'npm', ['install', '--no-save', ...tools]);
  renameSync(fresh, kept);
  return kept;
}

function run(cwd: string, command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
