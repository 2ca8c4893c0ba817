/** What happened to which key, in one line: a message's subject, a case's title, a line of a digest. */
import type { Alert, CaseAlert, DeadlineFigures, SpendFigures, Subject } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import { display, shorten } from './display.ts';
import { deletionDueAt } from './due.ts';
import { duration, shortAmount } from './words.ts';

/** In characters as shown: a longer name would push the verb off a phone's screen. */
const longestName = 60;

export function headline(alert: Alert, now: EpochMs): string {
  return alert.topic === 'system' ? display(alert.title, 140) : caseHeadline(alert, now);
}

function caseHeadline(alert: CaseAlert, now: EpochMs): string {
  const { event } = alert;
  const who = subjectName(alert.subject, brief);
  switch (event.kind) {
    case 'step':
      return `${who} ${stateWords(alert, now, event.repeated)}`;
    case 'notice':
      return `${who} will be deleted ${noticeWords(alert, now, event.noticeMs)}`;
    case 'deleted':
      return `${who} was deleted`;
    case 'cancelled':
      return `${who} will not be deleted after all`;
    case 'vetoed':
      return `${who} will not be deleted: a person stopped it`;
    case 'held':
      return `${who} is not deleted yet: a limit holds it`;
    case 'failed':
      return `${who} could not be ${changeWords[event.change]}`;
    case 'uncertain':
      return `${who} cannot be judged for now`;
    case 'resolved':
      return `Resolved: ${who} ${resolvedWords(alert)}`;
    default:
      return event satisfies never;
  }
}

/** What is left of a notice. */
function noticeWords(alert: CaseAlert, now: EpochMs, noticeMs: number): string {
  const left = (deletionDueAt(alert) ?? now + noticeMs) - now;
  return left <= 0 ? 'at the next check' : `in ${duration(left)}`;
}

const changeWords = { rename: 'renamed', restore: 'given its name back', delete: 'deleted' } as const;

/** “User 7”, or the group as the policy divides: metadata.team=ml. */
export function subjectName(subject: Subject, show: (text: string) => string = display): string {
  if (subject.kind === 'key') return `“${show(subject.name)}”`;
  if (subject.group === 'account') return 'The whole account';
  if (subject.group === 'selected') return 'The selected keys together';
  return show(subject.group);
}

/** An emoji of one place can have many characters, and one that is spelled out has eight. */
function brief(text: string): string {
  return shorten(display(text, longestName), longestName, longestName);
}

function stateWords(alert: CaseAlert, now: EpochMs, repeated: boolean): string {
  const { figures } = alert;
  const still = repeated ? ' still' : '';
  switch (figures.kind) {
    case 'spend':
      return spendWords(figures, repeated);
    case 'expiry':
      return expiryWords(figures, now, still);
    case 'idle':
      return figures.deadline > now
        ? `will count as idle in ${duration(figures.deadline - now)}`
        : `is${still} idle`;
    default:
      return figures satisfies never;
  }
}

function spendWords(figures: SpendFigures, repeated: boolean): string {
  const exact = figures.level.high === figures.level.low;
  const percent = `${String(figures.percent)}%`;
  const budget = budgetWords(figures);
  if (repeated) return `is still at ${percent}${exact ? '' : ' or more'} of its ${budget}`;
  const share = `${exact ? '' : 'at least '}${percent} of its ${budget}`;
  if (figures.basis === 'forecast') return `is heading for ${share}`;
  return `has used ${share}`;
}

/** "$20 budget", "allowance of 1.2M tokens" */
function budgetWords({ limit, measure }: SpendFigures): string {
  const size = shortAmount(limit, measure);
  return measure === 'cost' ? `${size} budget` : `allowance of ${size}`;
}

function expiryWords({ deadline }: DeadlineFigures, now: EpochMs, still: string): string {
  const left = deadline - now;
  if (left >= 60_000) return `reaches its expiry deadline in ${duration(left)}`;
  return left > -60_000
    ? 'has reached its expiry deadline'
    : `is${still} ${duration(-left)} past its expiry deadline`;
}

function resolvedWords({ figures }: CaseAlert): string {
  switch (figures.kind) {
    case 'spend':
      return `(${budgetWords(figures)})`;
    case 'expiry':
      return '(expiry)';
    case 'idle':
      return '(idleness)';
    default:
      return figures satisfies never;
  }
}
