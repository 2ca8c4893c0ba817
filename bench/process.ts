/** Whole processes: how long until the first pass is done, how much memory a daemon keeps. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from './account.ts';
import { program } from './account.ts';
import { policyText } from './policies.ts';

/** By then a daemon that is done with a pass has delivered its alerts and gone to rest. */
const restMs = 700;

/** Milliseconds from the start of the process to the line that says that its first pass is done. */
export async function timeToFirstPass(account: Account): Promise<number> {
  return inFolder(async (folder) => {
    const started = performance.now();
    const child = start(folder, account, ['run', '--once']);
    await passes(child.stderr, 1);
    const elapsed = performance.now() - started;
    await once(child, 'exit');
    return elapsed;
  });
}

export interface DaemonFigures {
  /** Resident memory while it waits after the last pass, in bytes. */
  readonly residentBytes: number;
  /** The most it ever had. */
  readonly peakBytes: number;
  readonly callsAPass: readonly number[];
}

/** A daemon for `count` passes. */
export async function watchDaemon(account: Account, count: number): Promise<DaemonFigures> {
  return inFolder(async (folder) => {
    const child = start(folder, account, [
      'run',
      '--interval',
      '1s',
      '--min-interval',
      '1s',
      '--listen',
      'off',
    ]);
    const lines = await passes(child.stderr, count);
    await delay(restMs);
    const status = await readFile(`/proc/${String(child.pid)}/status`, 'utf8');
    const bytesOf = (field: string): number =>
      1024 * Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    return {
      residentBytes: bytesOf('VmRSS'),
      peakBytes: bytesOf('VmHWM'),
      callsAPass: lines.map((line) => line.calls),
    };
  });
}

function start(folder: string, account: Account, args: readonly string[]) {
  return spawn(process.execPath, [program, ...args, '--log-format', 'json'], {
    cwd: folder,
    env: { ...process.env, ...account.env, KEYWARDEN_STATE: join(folder, 'state.db') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-bench-'));
  try {
    await writeFile(join(folder, 'policies.yaml'), policyText('alert'));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function passes(log: NodeJS.ReadableStream, count: number): Promise<{ calls: number }[]> {
  const done: { calls: number }[] = [];
  for await (const line of createInterface({ input: log })) {
    const entry = JSON.parse(line) as { msg?: string; calls?: number };
    if (entry.msg?.startsWith('pass done')) done.push({ calls: entry.calls ?? NaN });
    if (entry.msg === 'pass failed') throw new Error(`a pass failed: ${line}`);
    if (done.length === count) break;
  }
  return done;
}
