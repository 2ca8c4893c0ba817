/** `npm run crash -- --kills N [--seed S]`: prints figures, and every promise that was broken. */
import { parseArgs } from 'node:util';
import { killAgainAndAgain } from './kills.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: 'crash' },
    speed: { type: 'string', default: '2000' },
  },
});
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const table = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort()
    .map(([what, times]) => `  ${String(times).padStart(5)}  ${what}`)
    .join('\n');

const report = await killAgainAndAgain({
  kills: Number(values.kills),
  seed: values.seed,
  speed: Number(values.speed),
  progress: (killed) => {
    if (killed % 20 === 0) process.stderr.write(`${String(killed)} kills\n`);
  },
});
print(`${String(report.kills)} kills in ${report.days.toFixed(1)} simulated days, seed ${values.seed}`);
print(`where they fell\n${table(report.fell)}`);
print(`changes\n${table(report.changes)}`);
print(
  `alerts received by the webhook  ${String(report.alerts)}, messages repeated  ${String(report.repeats)}, mails  ${String(report.mails)}`,
);
print(
  `alerts shown as waiting  ${String(report.undelivered.pending)}, as undelivered  ${String(report.undelivered.dead)}`,
);
print(`entries of the record, its chain whole after each kill  ${String(report.recordEntries)}`);
print(`promises broken  ${String(report.broken.length)}`);
for (const line of report.broken) print(`  ${line}`);
process.exitCode = report.broken.length === 0 ? 0 : 1;
