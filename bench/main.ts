/**
 * `npm run bench`: prints figures; it judges nothing, but says where an oracle disagrees. `-- --full`: compares a large
 * account with the truth, which takes most of an hour for each way that the Admin API may behave, in all twelve.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { median, startAccount } from './account.ts';
import { printCalls } from './calls.ts';
import { printDecision } from './decision.ts';
import { printDelivery } from './delivery.ts';
import { printOvershoot } from './overshoot.ts';
import { timeToFirstPass, watchDaemon } from './process.ts';
import type { DaemonFigures } from './process.ts';
import { printSpeed } from './speed.ts';
import { printState } from './state.ts';
import { measureCommit } from './store.ts';
import { compareWithTruth } from './truth.ts';

const { full } = parseArgs({ options: { full: { type: 'boolean', default: false } } }).values;
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const memory = ({ residentBytes, peakBytes }: DaemonFigures): string =>
  `${megabytes(residentBytes)} waiting, ${megabytes(peakBytes)} at the most`;

print(
  `Node.js ${process.version}, ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown processor'}; medians\n`,
);

{
  await using account = await startAccount(100);
  const times: number[] = [];
  for (let run = 0; run < 7; run += 1) times.push(await timeToFirstPass(account));
  const spread = `${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)}`;
  print('100 keys, 20 policies, simulated account on loopback');
  print(`  process start to the end of the first pass  ${median(times).toFixed(0)} ms  (${spread}, of 7)`);
  const daemon = await watchDaemon(account, 8);
  print(`  resident memory of the daemon after 8 passes  ${memory(daemon)}\n`);
}

{
  await using account = await startAccount(10_000);
  const daemon = await watchDaemon(account, 8);
  print('10,000 keys, 20 policies');
  print(`  resident memory of the daemon after 8 passes  ${memory(daemon)}`);
  print(`  calls a pass, a second apart, within 60 a minute  ${daemon.callsAPass.join(', ')}`);
  await printDecision(print, account);
  print(
    `  a pass's write of 10,000 changed samples to SQLite on disk  ${(await measureCommit(10_000, 9)).toFixed(0)} ms\n`,
  );
}

// Each needs nothing but this process, and can be run by itself.
await printCalls(print);
print('');
await printSpeed(print);
print('');
await printState(print);
print('');
await printOvershoot(print);
print('');
await printDelivery(print);
print('');
await compareWithTruth(
  full
    ? { keys: 2000, days: 120, pauseMinutes: 15, runs: 12, show: 20 }
    : { keys: 100, days: 40, pauseMinutes: 60, runs: 3, show: 20 },
  print,
);
