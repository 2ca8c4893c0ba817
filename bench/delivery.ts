/** How alerts arrive: of ten thousand findings at once, and at receivers that cannot be relied on. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runDelivery } from '../test/simulation/delivery/run.ts';
import type { ApartFigures, BurstFigures } from './burst.ts';

const minuteMs = 60_000;
const count = (value: number): string => value.toLocaleString('en');
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;

export async function printDelivery(print: (text: string) => void): Promise<void> {
  await printBurst(print, 10_000, 500);
  print('');
  await printUnreliable(print, 12);
}

/** In a process of its own, so that the memory is nobody else's. */
async function burst<Figures>(way: 'together' | 'apart', keys: number, owners: number): Promise<Figures> {
  const script = new URL('burst.ts', import.meta.url).pathname;
  const args = [script, way, String(keys), String(owners)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Figures;
}

async function printBurst(print: (text: string) => void, keys: number, owners: number): Promise<void> {
  const ours = await burst<BurstFigures>('together', keys, owners);
  const rival = await burst<ApartFigures>('apart', keys, owners);
  print(
    `${count(ours.alerts)} findings that open in one pass, told on Slack, to a webhook, to one mailbox and to ${count(owners)} owners`,
  );
  for (const name of Object.keys(ours.channels)) {
    const [one, other] = [ours, rival].map(({ channels }) => channels[name] ?? { messages: 0, bytes: 0 });
    if (one === undefined || other === undefined) continue;
    print(
      `  ${name.padEnd(6)} ${count(one.messages).padStart(6)} messages, ${megabytes(one.bytes).padStart(8)}; ` +
        `one a finding would be ${count(other.messages)}, ${megabytes(other.bytes)}`,
    );
  }
  print(`  pass, with its write to a state in memory  ${seconds(ours.passMs)}`);
  print(`  outbox written to SQLite on disk  ${seconds(ours.writeMs)}`);
  print(
    `  read, composed, formatted and noted as taken  ${seconds(ours.deliverMs)}; one a finding, composed and formatted alone  ${seconds(rival.composeMs)}`,
  );
  const slack = rival.channels['ops']?.messages ?? 0;
  print(`  the last Slack message of one a finding, a second apart, would come after  ${count(slack - 1)} s`);
  print(
    `  peak memory  ${megabytes(ours.peakBytes)}, after ${megabytes(ours.passPeakBytes)} for the account and its passes`,
  );
}

async function printUnreliable(print: (text: string) => void, hours: number): Promise<void> {
  const began = performance.now();
  const found = await runDelivery({
    ...{ seed: 1, hours, passMs: 20 * minuteMs, failing: 0.3 },
    ...{ away: { from: 3, to: 9 }, restartEveryMs: 97 * minuteMs },
  });
  const { arrivalMs, attempts } = found;
  const at = (part: number): string => seconds(arrivalMs[Math.floor((arrivalMs.length - 1) * part)] ?? NaN);
  const tried = Object.values(attempts).reduce((sum, one) => sum + one, 0);
  print(
    `Real sockets, ${String(hours)} simulated hours: 30 % of attempts fail, a third of the others are slow, nobody answers from hour 3 to hour 9, and the program starts anew every 97 minutes`,
  );
  print(`  alerts, each at one receiver  ${count(found.alerts)}, in ${count(tried)} attempts`);
  print(`  delivered  ${count(found.delivered)}; lost  ${count(found.lost.length)}`);
  print(
    `  duplicates  ${count(found.duplicates)}; of them where the answer to the first was not lost  ${count(found.unexplained.length)}`,
  );
  print(`  from the pass to the arrival  median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`);
  print(`  two attempts at Slack, the closest  ${count(found.slackPaceMs ?? NaN)} ms`);
  print(`  simulated in  ${seconds(performance.now() - began)}`);
}

if (import.meta.main) await printDelivery((text) => void process.stdout.write(`${text}\n`));
