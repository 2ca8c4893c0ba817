/** What is going to happen, and what has. */
import type { App } from '../../app.ts';
import type { EpochMs } from '../../core/key.ts';
import type { PolicyFile } from '../../core/policy.ts';
import type { Sandbox } from '../../sandbox/serve.ts';
import { count, span } from '../output.ts';
import type { Page } from './page.ts';
import type { Done, Tally } from './tally.ts';
import { duration, figuresWords, instantWords, kindWords, reasonWords } from './words.ts';

export interface Plan {
  readonly days: number;
  readonly keepRunning: boolean;
  readonly intervalMs: number;
}

export function opening(page: Page, sandbox: Sandbox, policy: PolicyFile, plan: Plan): void {
  const { world } = sandbox;
  const howLong = plan.keepRunning ? 'until you press Ctrl-C' : `${String(plan.days)} days, a second each`;
  page.line('');
  page.line(`Keywarden polices a simulated Tinfoil account: ${howLong}.`);
  page.line('');
  page.row(
    'The account',
    `${String(world.keys().length)} API keys that people use, rename, create and forget.`,
  );
  page.row('The rules', `policies.example.yaml: ${policy.policies.map((one) => one.name).join(', ')}.`);
  page.row('In force', `mode ${policy.mode}. Real deletions, after real notices, of simulated keys.`);
  page.row(
    'The network',
    'Admin API, Slack, mail server and webhook are all on this machine; nothing leaves it.',
  );
  page.row(
    'The clock',
    `A look every ${duration(plan.intervalMs)}; in earnest it is every minute. Times are ${policy.timeZone}.`,
  );
  if (!plan.keepRunning) return;
  page.row('Admin API', `${sandbox.apiUrl}, and what happens to its keys at ${sandbox.apiUrl}/_sandbox/log`);
}

export interface Ending {
  readonly app: App;
  readonly sandbox: Sandbox;
  readonly policy: PolicyFile;
  readonly tally: Tally;
  readonly until: EpochMs;
}

export async function summary(page: Page, ending: Ending): Promise<void> {
  const { app, sandbox, policy, tally } = ending;
  const { world } = sandbox;
  page.rule(`${span(ending.until - world.start)} later`.replace(' d ', ' days '));
  const calls = tally.passes === 0 ? 0 : Math.round(tally.calls / tally.passes);
  page.row(
    'Looked',
    `${count(tally.passes)} times, with ${count(tally.calls)} calls to the Admin API (${String(calls)} each)`,
  );
  page.row('Told', `${count(tally.alerts)} alerts in ${messagesWords(tally, policy)}`);
  const of = (kind: Done['change']['kind']): readonly Done[] =>
    tally.done.filter((one) => one.change.kind === kind);
  page.row(
    'Renamed',
    `${String(of('rename').length)} keys; ${String(of('restore').length)} got their name back`,
  );
  for (const one of of('delete')) page.row('Deleted', deletionWords(one, policy.timeZone));
  for (const one of tally.spared.values()) page.row('Spared', `“${one.name}”: ${reasonWords(one.because)}`);
  for (const line of pendingWords(app, policy.timeZone)) page.row('Still to come', line);
  page.row('Never touched', untouchedWords(ending));
  page.line('');
  for (const line of await checks(ending)) page.line(line);
  page.line('');
  page.line('Where to go from here:');
  page.row(
    'npx keywarden',
    'validate FILE   check a policy file of your own; policies.example.yaml has everything once',
  );
  page.row('', 'plan            what it would do to your account now, and why; reads only');
  page.row('', 'run --dry-run   the daemon, which changes and sends nothing yet');
}

function messagesWords({ messages }: Tally, policy: PolicyFile): string {
  const total = [...messages.values()].reduce((sum, one) => sum + one, 0);
  const each = [...messages].map(
    ([name, sent]) => `${String(sent)} to ${name} (${kindWords(policy.channels.get(name))})`,
  );
  return `${count(total)} messages: ${each.join(', ')}`;
}

function deletionWords({ change, alert, at }: Done, timeZone: string): string {
  const figures = alert === null ? change.reason : figuresWords(alert.figures, timeZone);
  const notice =
    alert?.event.kind === 'deleted' ? `, after ${duration(at - alert.event.noticeAcceptedAt)} of notice` : '';
  return `“${alert?.subject.kind === 'key' ? alert.subject.originalName : change.from}” by ${change.policy}: ${figures}${notice}`;
}

function pendingWords(app: App, timeZone: string): string[] {
  return [...app.memory.findings.values()].flatMap((finding) =>
    finding.closedAt !== null
      ? []
      : finding.deletions
          .filter((one) => one.vetoedAt === null)
          .map(
            ({ expectedName, announcedAt, noticeMs }) =>
              `“${expectedName}” is to be deleted on ${instantWords(announcedAt + noticeMs, timeZone)}`,
          ),
  );
}

function untouchedWords({ app, sandbox, policy, until }: Ending): string {
  const { world } = sandbox;
  const changed = new Set(world.log.items.filter((event) => event.by === 'api').map((event) => event.id));
  const untouched = world.everyKey().filter((key) => !changed.has(key.id));
  const safe = untouched.filter((key) => {
    const record = app.memory.records.get(key.id);
    return (
      record !== undefined &&
      policy.protect.some((protects) =>
        protects({ key: record.facts, originalName: record.originalName }, until),
      )
    );
  });
  const names = safe.map((key) => `“${key.names[0]?.name ?? ''}”`).join(', ');
  return `${String(untouched.length)} of ${String(world.everyKey().length)} keys, among them the protected ones: ${names}`;
}

/** What the account says of its changes against what Keywarden says of them, and the record's own proof. */
async function checks({ app, sandbox, tally }: Ending): Promise<string[]> {
  const seen = sandbox.world.log.items
    .filter((event) => event.by === 'api')
    .map((event) => `${event.id} ${event.from ?? ''} ${event.to ?? ''}`);
  const decided = tally.done.map(({ change }) => `${change.keyId} ${change.from} ${change.to ?? ''}`);
  const same = seen.length === decided.length && seen.every((one, index) => one === decided[index]);
  const record = await app.store.verifyRecord();
  return [
    same
      ? `✓ The account was changed ${String(seen.length)} times through its API: exactly what Keywarden decided.`
      : `✗ The account was changed ${String(seen.length)} times, and Keywarden decided ${String(decided.length)} changes.`,
    record.ok
      ? `✓ The record holds ${String(record.entries)} entries, each chained to the one before, and the chain is whole.`
      : `✗ The record is broken at entry ${String(record.seq)}: ${record.because}.`,
  ];
}
