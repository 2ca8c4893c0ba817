/**
 * `npm run fuzz -- --runs N [--seed S] [--only TEXT]`: all subjects for longer, each in a process of its
 * own. Ends with 1 when an input does not survive, a case takes over a second, or a process over 500 MB.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { longestCaseMs, mostMemoryBytes, programBytes, stopwatch } from './subject.ts';
import { subjects } from './subjects.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' },
  },
});

interface Result {
  readonly cases: number;
  readonly slowestMs: number;
  readonly peakBytes: number;
  readonly failure: string | null;
}

if (process.send === undefined) await all();
else await one(values.only);

async function one(name: string): Promise<void> {
  const watch = stopwatch();
  const end = (): void => {
    watch.end();
    process.send?.('alive');
  };
  let failure: string | null = null;
  // What random input is made of takes twice as much as the program, and is none of it.
  globalThis.gc?.();
  const ownBytes = process.memoryUsage.rss() - programBytes;
  try {
    const found = subjects.find((subject) => subject.name === name);
    await found?.run(Number(values.runs), Number(values.seed), { ...watch, end });
  } catch (error) {
    const { message, cause } = error as Error;
    failure = `${message.slice(0, 4000)}\n${cause instanceof Error ? (cause.stack ?? '').slice(0, 2000) : ''}`;
  }
  const peakBytes = process.resourceUsage().maxRSS * 1024 - ownBytes;
  const result: Result = { cases: watch.cases(), slowestMs: watch.slowestMs(), peakBytes, failure };
  process.send?.(result, () => process.exit());
}

/** A case that hangs is ended from outside. */
async function run(name: string): Promise<Result> {
  const argv = ['--runs', values.runs, '--seed', values.seed, '--only', name];
  // What is not needed any more is given back before it looks like a need.
  const execArgv = ['--max-old-space-size=350', '--max-semi-space-size=8', '--expose-gc'];
  const child = fork(fileURLToPath(import.meta.url), argv, { execArgv });
  const hangs = setTimeout(() => void child.kill('SIGKILL'), 60_000);
  let result: Result | null = null;
  child.on('message', (message: Result | 'alive') => {
    hangs.refresh();
    if (message !== 'alive') result = message;
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(hangs);
  const died = `it ended with ${String(signal ?? code)}: a case hangs, or needs too much memory`;
  return result ?? { cases: 0, slowestMs: Infinity, peakBytes: Infinity, failure: died };
}

async function all(): Promise<void> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  print(`seed ${values.seed}, ${values.runs} runs`);
  const results: Result[] = [];
  for (const { name } of subjects.filter((subject) => subject.name.includes(values.only))) {
    const result = await run(name);
    const { cases, slowestMs, peakBytes, failure } = result;
    results.push(result);
    const figures = [
      `${String(cases)} cases`.padStart(13),
      `slowest ${slowestMs.toFixed(0)} ms`.padStart(16),
      megabytes(peakBytes).padStart(8),
    ];
    print(`${figures.join('')}  ${name}`);
    if (failure !== null) print(`FAILED  ${failure}`);
  }
  const most = (of: (result: Result) => number): number => Math.max(...results.map(of));
  const cases = results.reduce((sum, result) => sum + result.cases, 0);
  const [slowestMs, peakBytes] = [most((result) => result.slowestMs), most((result) => result.peakBytes)];
  print(
    `${String(cases)} cases, slowest ${slowestMs.toFixed(0)} ms, peak memory ${megabytes(peakBytes)}, ` +
      `failed ${String(results.filter(({ failure }) => failure !== null).length)} of ${String(results.length)}`,
  );
  const fine = results.every(({ failure }) => failure === null);
  process.exitCode = fine && slowestMs <= longestCaseMs && peakBytes <= mostMemoryBytes ? 0 : 1;
}
