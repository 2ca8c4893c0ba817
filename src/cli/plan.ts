/** `keywarden plan`: what a pass would do now, and why. Reads only. */
import { openApp } from '../app.ts';
import type { App } from '../app.ts';
import type { CaseAlert, Subject } from '../core/alert.ts';
import { keyAsSubject } from '../core/court.ts';
import type { Books } from '../core/books.ts';
import { planJson, somethingToDo } from '../core/plan-json.ts';
import type { PlanFacts } from '../core/plan-json.ts';
import type { Call, Decision, FindingView, Held, PlannedChange } from '../core/plan.ts';
import { figuresWords } from '../core/words.ts';
import type { Deliberation } from '../deliberate.ts';
import { strange, writeJson, writeTable } from './output.ts';
import type { Column } from './output.ts';
import { booksLines } from './books-lines.ts';
import { requirePolicy } from './policy-file.ts';
import { during } from './progress.ts';
import { requireAdminKey } from './session.ts';
import type { Session } from './session.ts';
import type { Screen } from './world.ts';

export async function plan(
  session: Session,
  { detailedExitcode }: { detailedExitcode: boolean },
): Promise<number> {
  const { settings, world } = session;
  const adminKey = requireAdminKey(settings);
  const policy = await requirePolicy(session);
  await using app = await openApp({ settings, adminKey, policy, readOnly: true });
  const seen = await during(world.stderr, 'Reading the account…', () => see(app, world.signal));
  const { found } = seen;
  if (settings.output === 'json') writeJson(world.stdout, planJson(factsOf(seen, policy.hash)));
  else writePlan(world.stdout, seen);
  return detailedExitcode && somethingToDo(found.decision) ? 2 : 0;
}

interface Seen {
  readonly found: Deliberation;
  readonly books: Books;
  readonly calls: readonly Call[];
}

/** The books too, in the same time: a forecast may go by the time series. */
async function see(app: App, signal: AbortSignal): Promise<Seen> {
  const reading = app.readBooks(signal);
  const found = await app.consider(signal, () => [], reading);
  const calls = await reading;
  return { found, books: app.booksOf(found), calls: [...found.sight.calls, ...calls] };
}

function factsOf({ found, books, calls }: Seen, policyHash: string): PlanFacts {
  const { decision, court } = found;
  const contradictions = contradictionsOf(found);
  return { decision, policyHash, keys: court.accountKeys, calls, contradictions, account: books };
}

interface Contradicted {
  readonly subject: Subject;
  readonly because: string;
}

/** Keys whose numbers contradict each other, now or since a pass before. */
function contradictionsOf({ court }: Deliberation): Contradicted[] {
  return court.bench.live.flatMap((record) =>
    record.conflict === null ? [] : [{ subject: keyAsSubject(record.id, record), because: record.conflict }],
  );
}

function writePlan(screen: Screen, { found, books, calls }: Seen): void {
  const { decision, court } = found;
  const { views, held, hold } = decision;
  const hint = held.some(({ because }) => because === 'mode') ? ': see what is held' : '';
  const mode = decision.mode === 'enforce' ? '' : ` (mode ${decision.mode}${hint})`;
  screen.write(
    `${count(court.accountKeys, 'key')}, ${count(views.length, 'finding')}, ${count(actionRows(decision).length, 'action')}${mode}\n`,
  );
  if (hold !== null) screen.write(`Nothing may be changed now: ${strange(hold)}\n`);
  section(screen, 'Findings', findingColumns, views);
  section(screen, 'A pass would now', actionColumns, actionRows(decision));
  section(screen, 'Held', heldColumns, held);
  section(
    screen,
    'Contradictions: numbers that are not believed',
    contradictionColumns,
    contradictionsOf(found),
  );
  if (views.length === 0 && held.length === 0) screen.write('\nNothing to do.\n');
  screen.write(`\nAccount, ${books.period.words}\n`);
  for (const line of booksLines(books)) screen.write(`  ${line}\n`);
  screen.write(`\nRead with ${count(calls.length, 'call')}:\n`);
  for (const call of tallied(calls)) screen.write(`  ${call}\n`);
}

function count(many: number, what: string): string {
  return `${String(many)} ${what}${many === 1 ? '' : 's'}`;
}

/** A line is too short for a table with a reason in it below so many columns. */
const tableColumns = 110;

/** A table; on a narrow terminal a block for each row, with its last column, the reason, whole. */
function section<Row>(
  screen: Screen,
  title: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  if (rows.length === 0) return;
  screen.write(`\n${title}\n`);
  if (screen.columns === null || screen.columns >= tableColumns) {
    writeTable(screen, columns, rows);
    return;
  }
  for (const row of rows) {
    const cells = columns.map((column) => column.text(row)).filter((text) => text !== '');
    const last = cells.pop() ?? '';
    screen.write(`  ${cells.join(' · ')}\n    ${last}\n`);
  }
}

/** Each with its reason; calls that differ only in the key are told as one line with their number. */
function tallied(calls: readonly Call[]): string[] {
  const groups = Map.groupBy(calls, ({ what }) => what.replace(/k_[0-9a-f]{16}/, 'single keys'));
  return [...groups].map(([what, of]) => {
    const why = strange(of[0]?.why ?? '');
    if (of.length === 1) return `${of[0]?.what ?? what}: ${why}`;
    return `${what} (${String(of.length)} calls): ${why}, and the like`;
  });
}

const contradictionColumns: readonly Column<Contradicted>[] = [
  { title: 'key', text: ({ subject }) => subjectText(subject), min: 12 },
  { title: 'why', text: ({ because }) => because, min: 20 },
];

function subjectText(subject: Subject): string {
  return strange(subject.kind === 'key' ? subject.name : subject.group);
}

const findingColumns: readonly Column<FindingView>[] = [
  { title: 'policy', text: (view) => view.policy, min: 10 },
  { title: 'key or group', text: (view) => subjectText(view.subject), min: 12 },
  { title: 'state', text: (view) => view.state },
  { title: 'step', text: (view) => (view.step === null ? '–' : String(view.step)), align: 'right' },
  {
    title: 'why',
    text: (view) =>
      `${figuresWords(view.figures)}${view.because === null ? '' : `; ${strange(view.because)}`}`,
    min: 20,
  },
];

interface ActionRow {
  readonly does: string;
  readonly subject: string;
  readonly policy: string;
  readonly to: string;
}

function actionRows(decision: Decision): ActionRow[] {
  return [...decision.alerts.map(alertRow), ...decision.changes.map(changeRow)];
}

function alertRow(alert: CaseAlert): ActionRow {
  const does = alert.event.kind === 'notice' ? 'give notice' : `alert (${alert.event.kind})`;
  return { does, subject: subjectText(alert.subject), policy: alert.policy, to: alert.channels.join(', ') };
}

function changeRow(change: PlannedChange): ActionRow {
  return {
    does: change.kind,
    subject: strange(change.from),
    policy: change.policy,
    to: strange(change.to ?? ''),
  };
}

const actionColumns: readonly Column<ActionRow>[] = [
  { title: 'policy', text: (row) => row.policy, min: 10 },
  { title: 'does', text: (row) => row.does },
  { title: 'key or group', text: (row) => row.subject, min: 12 },
  { title: 'to', text: (row) => row.to, min: 12 },
];

const heldColumns: readonly Column<Held>[] = [
  { title: 'policy', text: (held) => held.policy, min: 10 },
  { title: 'would', text: (held) => held.kind },
  { title: 'key or group', text: (held) => subjectText(held.subject), min: 12 },
  { title: 'held by', text: (held) => held.because },
  { title: 'why', text: (held) => strange(held.detail), min: 16 },
];
