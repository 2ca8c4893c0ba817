/** What is going to happen, and what has. */
import type { App } from '../../app.ts';
import type { EpochMs } from '../../core/key.ts';
import type { PolicyFile } from '../../core/policy.ts';
import type { Sandbox } from '../../sandbox/serve.ts';
import type { WorldKey } from '../../sandbox/account-key.ts';
import { count } from '../output.ts';
import type { Page } from './page.ts';
import type { Done, Tally } from './tally.ts';
import { duration, figuresWords, instantWords, kindWords, plural, reasonWords } from './words.ts';

const dayMs = 86_400_000;

export interface Plan {
  /** Null: until it is stopped. */
  readonly days: number | null;
  /** Simulated seconds in a real one. */
  readonly speed: number;
  readonly intervalMs: number;
}

export function opening(page: Page, sandbox: Sandbox, policy: PolicyFile, plan: Plan): void {
  const howLong = plan.days === null ? 'until you press Ctrl-C' : `${plural(plan.days, 'day')} of its life`;
  const dayLength = plan.speed === 86_400 ? ', about a second each' : '';
  const keys = String(sandbox.world.keys().length);
  page.line('');
  page.line(`Keywarden polices a simulated Tinfoil account: ${howLong}${dayLength}.`);
  page.line('');
  page.row('The account', `${keys} API keys that people use, forget, and sometimes change.`);
  page.row(
    'The rules',
    `policies.example.yaml: ${String(policy.policies.length)} policies, mode ${policy.mode}.`,
  );
  page.row('The network', 'API, Slack, mail, webhook: on this machine. Nothing leaves it.');
  page.row(
    'The clock',
    `A look every ${duration(plan.intervalMs)}, not every minute. Times: ${policy.timeZone}.`,
  );
  if (plan.days !== null) return;
  page.row('Have a look', `What happened to the keys so far: ${sandbox.apiUrl}/_sandbox/log`);
}

export interface Ending {
  readonly app: App;
  readonly sandbox: Sandbox;
  readonly policy: PolicyFile;
  readonly tally: Tally;
  readonly until: EpochMs;
}

export async function summary(page: Page, ending: Ending): Promise<void> {
  const { app, sandbox, policy, tally, until } = ending;
  const { timeZone } = policy;
  const days = Math.floor((until - sandbox.world.start) / dayMs);
  page.rule(`${plural(days, 'day')} later`);
  page.row('Looked', lookedWords(tally));
  page.row('Told', `${plural(tally.alerts, 'alert')} in ${messagesWords(tally, policy)}`);
  const of = (kind: Done['change']['kind']): readonly Done[] =>
    tally.done.filter((one) => one.change.kind === kind);
  page.row(
    'Renamed',
    `${plural(of('rename').length, 'time')}, and back again ${plural(of('restore').length, 'time')}`,
  );
  headed(
    page,
    'Deleted',
    of('delete').map((one) => deletionWords(one, timeZone)),
  );
  const spared = [...tally.spared.values()];
  headed(
    page,
    'Spared',
    spared.map((one) => `“${one.name}”: ${reasonWords(one.because, timeZone)}`),
  );
  headed(page, 'Still to come', pendingWords(app, timeZone));
  page.row('Never touched', untouchedWords(ending));
  page.line('');
  for (const line of await checks(ending)) page.line(line);
  page.line('');
  page.line('Where to go from here:');
  page.row(
    'npx keywarden validate FILE',
    'check a policy file of your own; begin with policies.example.yaml',
    27,
  );
  page.row('npx keywarden plan', 'what it would do to your account now, and why; reads only', 27);
  page.row('npx keywarden run --dry-run', 'the daemon, which sends and changes nothing yet', 27);
}

/** Rows of which only the first bears the name. */
function headed(page: Page, name: string, texts: readonly string[]): void {
  texts.forEach((text, index) => page.row(index === 0 ? name : '', text));
}

function lookedWords({ passes, calls }: Tally): string {
  const each = passes === 0 ? 0 : Math.round(calls / passes);
  return `${plural(passes, 'time')}, with ${count(calls)} calls to the Admin API (${String(each)} each time)`;
}

function messagesWords({ messages }: Tally, { channels }: PolicyFile): string {
  const total = [...messages.values()].reduce((sum, one) => sum + one, 0);
  const each = [...messages]
    .sort(([, a], [, b]) => b - a)
    .map(([name, sent]) => `${String(sent)} to ${name} (${kindWords(channels.get(name))})`);
  return `${plural(total, 'message')}: ${each.join(', ')}`;
}

function deletionWords({ change, alert, at }: Done, timeZone: string): string {
  const figures = alert === null ? change.reason : figuresWords(alert.figures, at, timeZone);
  const name = alert?.subject.kind === 'key' ? alert.subject.originalName : change.from;
  const notice =
    alert?.event.kind === 'deleted' ? `; ${duration(at - alert.event.noticeAcceptedAt)} of notice` : '';
  return `“${name}” by ${change.policy}: ${figures}${notice}`;
}

function pendingWords(app: App, timeZone: string): string[] {
  const open = [...app.memory.findings.values()].filter((finding) => finding.closedAt === null);
  return open
    .flatMap((finding) => finding.deletions.filter((one) => one.vetoedAt === null))
    .map(({ expectedName, announcedAt, noticeMs }) => {
      return `“${expectedName}” will be deleted on ${instantWords(announcedAt + noticeMs, timeZone)}`;
    });
}

function untouchedWords(ending: Ending): string {
  const { world } = ending.sandbox;
  const changed = new Set(world.log.items.filter((event) => event.by === 'api').map((event) => event.id));
  const untouched = world.everyKey().filter((key) => !changed.has(key.id));
  const names = untouched.filter((key) => isProtected(key, ending)).map((key) => `“${key.name}”`);
  const all = String(world.everyKey().length);
  return `${String(untouched.length)} of ${all} keys, all protected ones among them: ${names.join(', ')}`;
}

function isProtected({ id }: WorldKey, { app, policy, until }: Ending): boolean {
  const record = app.memory.records.get(id);
  if (record === undefined) return false;
  const subject = { key: record.facts, originalName: record.originalName };
  return policy.protect.some((protects) => protects(subject, until));
}

/** The account's own book of changes against Keywarden's decisions; and the record's chain. */
async function checks({ app, sandbox, tally }: Ending): Promise<string[]> {
  const seen = sandbox.world.log.items
    .filter((event) => event.by === 'api')
    .map(({ id, from, to }) => `${id} ${from ?? ''} ${to ?? ''}`);
  const decided = tally.done.map(({ change }) => `${change.keyId} ${change.from} ${change.to ?? ''}`);
  const same = seen.length === decided.length && seen.every((one, index) => one === decided[index]);
  const record = await app.store.verifyRecord();
  return [
    same
      ? `✓ The account saw ${plural(seen.length, 'change')} through its API: just what Keywarden decided.`
      : `✗ The account saw ${plural(seen.length, 'change')}; Keywarden decided ${String(decided.length)}.`,
    record.ok
      ? `✓ The record has ${String(record.entries)} entries, each chained to the one before, and the chain holds.`
      : `✗ The record is broken at entry ${String(record.seq)}: ${record.because}.`,
  ];
}
