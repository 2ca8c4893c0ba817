/** One case as people read it: what happened, its numbers, what comes next, how to stop it. */
import type { CaseAlert, Figures, Next, SpendFigures, SystemAlert } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import { display, quoted } from './display.ts';
import { toneOf } from './gravity.ts';
import { headline, subjectName } from './headline.ts';
import type { CasePart, Fact, Meter } from './message.ts';
import { duration, fromNow, levelOfLimit, time } from './words.ts';

/** Operators' and other programs' sentences: longer than a name, still bounded. */
const sentence = 500;

/** `titled`: with what happened as its title, for a message about several. */
export function casePart(alert: CaseAlert, now: EpochMs, titled: boolean): CasePart {
  return {
    kind: 'case',
    alertId: alert.id,
    tone: toneOf([alert]),
    title: titled ? headline(alert, now) : null,
    lead: [policyLine(alert), ...eventLines(alert)],
    meter: alert.figures.kind === 'spend' ? meterOf(alert.figures) : null,
    facts: [...figuresFacts(alert.figures, alert.timeZone, now), ...groupFacts(alert)],
    next: [...alert.next.map((next) => nextLine(next, alert, now)), ...againLines(alert)],
  };
}

/** The text of a message about Keywarden itself, paragraph by paragraph. */
export function systemPart(alert: SystemAlert, now: EpochMs, titled: boolean): CasePart {
  const lead = alert.text.split(/\r?\n/).flatMap((line) => (line.trim() === '' ? [] : [display(line, 1000)]));
  return {
    kind: 'case',
    alertId: alert.id,
    tone: toneOf([alert]),
    title: titled ? headline(alert, now) : null,
    lead,
    meter: null,
    facts: [],
    next: [],
  };
}

/** A reason within a sentence of ours, which brings its own full stop. */
function clause(text: string): string {
  return display(text.trim().replace(/\.$/, ''), sentence);
}

function policyLine({ policy, description, event }: CaseAlert): string {
  const step = 'step' in event ? `, step ${String(event.step)} of ${String(event.of)}` : '';
  const what = description === null ? '' : `: ${display(description, sentence)}`;
  return `Policy ${policy}${step}${what}`;
}

/** What this event adds to the headline. */
function eventLines({ event, timeZone }: CaseAlert): string[] {
  switch (event.kind) {
    case 'step':
    case 'notice':
      return [];
    case 'deleted':
      return [
        `Its notice was accepted on ${time(event.noticeAcceptedAt, timeZone)}. A deletion cannot be undone.`,
      ];
    case 'cancelled':
    case 'uncertain':
    case 'resolved':
      return [`Reason: ${clause(event.because)}.`];
    case 'vetoed':
      return [`Reason: ${clause(event.by)}. This holds until the case is over.`];
    case 'held': {
      const { announcedFor, because, notBefore } = event;
      const soonest = notBefore === null ? '' : `, not before ${time(notBefore, timeZone)}`;
      return [
        `Its deletion, announced for ${time(announcedFor, timeZone)}, is held by a limit. It happens when the limit allows it${soonest}.`,
        `Reason: ${clause(because)}.`,
      ];
    }
    case 'failed':
      return [`Reason: ${clause(event.because)}.`];
    default:
      return event satisfies never;
  }
}

function meterOf({ level, limit }: SpendFigures): Meter {
  return { lowShare: level.low / limit, highShare: level.high === null ? null : level.high / limit };
}

function figuresFacts(figures: Figures, timeZone: string, now: EpochMs): Fact[] {
  switch (figures.kind) {
    case 'spend':
      return spendFacts(figures, timeZone);
    case 'expiry':
    case 'idle': {
      const deadline = `${time(figures.deadline, timeZone)} (${fromNow(figures.deadline, now)})`;
      return [
        { label: figures.kind === 'idle' ? 'Idle from' : 'Deadline', value: deadline },
        { label: 'Because', value: display(figures.why, sentence) },
      ];
    }
    default:
      return figures satisfies never;
  }
}

/** A budget that keys share is not one key's alone, though that is the one to be renamed or deleted. */
function groupFacts({ group }: CaseAlert): Fact[] {
  if (group === undefined) return [];
  return [{ label: 'Shared by', value: subjectName({ kind: 'group', group }) }];
}

function spendFacts(figures: SpendFigures, timeZone: string): Fact[] {
  const { measure, level, limit, percent, basis } = figures;
  const exact = level.high === level.low;
  // Without an upper end the level begins with these words already.
  const share = `${exact || level.high === null ? '' : 'at least '}${String(percent)}%`;
  const used = `${levelOfLimit(level, limit, measure)} (${share})`;
  const end = figures.periodEnd === null ? '' : `, until ${time(figures.periodEnd, timeZone)}`;
  return [
    { label: basis === 'forecast' ? 'Expected' : measure === 'cost' ? 'Spent' : 'Used', value: used },
    { label: 'Period', value: `${display(figures.period)}${end}` },
  ];
}

function againLines({ event }: CaseAlert): string[] {
  return event.kind === 'failed' ? ['It is tried again after an hour, if it is still called for then.'] : [];
}

function nextLine(next: Next, alert: CaseAlert, now: EpochMs): string {
  switch (next.kind) {
    case 'delete': {
      const when =
        next.dueAt <= now
          ? 'at the next check'
          : `on ${time(next.dueAt, alert.timeZone)}, in ${duration(next.dueAt - now)}`;
      return `It will be deleted ${when}, unless ${reprieve[alert.figures.kind]} or someone stops it before then.`;
    }
    case 'rename':
      return `It is being renamed to ${quoted(next.to)}.`;
    case 'would':
      return `It would be ${next.change === 'delete' ? 'deleted' : 'renamed'}, but it is not: ${clause(next.because)}.`;
    case 'step':
      return `Next (${display(next.at)}): ${clause(next.does)}.`;
    default:
      return next satisfies never;
  }
}

const reprieve = {
  spend: 'it is back within its limit',
  expiry: 'its deadline moves',
  idle: 'it is used',
} as const satisfies Record<Figures['kind'], string>;

export interface Advice {
  readonly title: string;
  readonly lines: readonly string[];
}

/** How to stop what is coming; null when nothing is. */
export function advice(alert: CaseAlert): Advice | null {
  const coming = alert.next.map((next) => next.kind);
  const whom = alert.subject.kind === 'key' ? 'the key' : 'its keys';
  const held = alert.event.kind === 'held';
  const { kind } = alert.figures;
  // Not “the limit”: to raise that of deletions would let it happen.
  const eased = held && kind === 'spend' ? ['Raise its budget or allowance.'] : easing[kind];
  const inPolicy = [`Silence or protect ${whom} in the policy file.`, ...eased];
  if (held || coming.includes('delete')) {
    const until = held ? 'before then' : 'while this notice runs';
    const byHand = `Rename the key by hand in the Tinfoil dashboard ${until}.`;
    return { title: 'To stop the deletion, any one of these is enough:', lines: [byHand, ...inPolicy] };
  }
  if (coming.includes('rename') || coming.includes('step'))
    return { title: 'To stop it from going further:', lines: inPolicy };
  return null;
}

const easing = {
  spend: ['Raise the limit.'],
  expiry: [],
  idle: ['Use the key.'],
} as const satisfies Record<Figures['kind'], readonly string[]>;

/** What identifies the case, for whoever looks into it; strangers' words come last, where a cut would fall. */
export function caseContext(alert: CaseAlert): string {
  const { subject } = alert;
  const finding = `finding ${display(alert.findingId, 200)}`;
  if (subject.kind === 'group') return `${subjectName(subject)} · ${finding}`;
  const was = subject.originalName === subject.name ? '' : `, originally ${quoted(subject.originalName)}`;
  return `Key ${subject.id} · ${finding} · ${quoted(subject.name)}${was}`;
}
