/** A round as a reader follows it: each case once, with what was done, what was said of it, and to whom. */
import type { Alert, CaseAlert } from '../../core/alert.ts';
import type { Held } from '../../core/plan.ts';
import type { PolicyFile } from '../../core/policy.ts';
import type { Finding } from '../../core/state.ts';
import type { PassReport } from '../../pass.ts';
import type { WorldEvent } from '../../sandbox/world.ts';
import type { Event, Tag } from './page.ts';
import type { Letter, Round } from './rounds.ts';
import {
  figuresWords,
  headline,
  instantWords,
  kindWords,
  nextWords,
  reasonWords,
  sentence,
  subjectName,
  toldWords,
} from './words.ts';

export interface Teller {
  /** What a person did in the dashboard. */
  person(event: WorldEvent): Event;
  round(round: Round): Event[];
}

type Outcome = PassReport['outcomes'][number];

/** One case within a round. */
interface Case {
  readonly alerts: CaseAlert[];
  readonly outcomes: Outcome[];
}

export function createTeller(policy: PolicyFile, findings: ReadonlyMap<string, Finding>): Teller {
  const { timeZone, channels } = policy;
  /** Holds that were told: each only when it begins. */
  const toldHolds = new Set<string>();
  /** Findings with a deletion announced. */
  const noticed = new Set<string>();

  const told = (alert: Alert | undefined, round: Round): string =>
    alert === undefined ? '' : toldWords(alert, round, channels, timeZone);

  function caseEvents(round: Round, { alerts, outcomes }: Case): Event[] {
    const events: Event[] = [];
    const untold = new Set(alerts);
    for (const outcome of outcomes) {
      // A change and what was said of it are one event; but a notice is more than the rename beside it.
      const alert = [...untold].find((one) => one.event.kind !== 'notice');
      if (alert !== undefined) untold.delete(alert);
      events.push(
        outcome.result === 'done' ? changeEvent(outcome, alert, round) : undoneEvent(outcome, round),
      );
    }
    return [...[...untold].map((alert) => alertEvent(alert, round)), ...events];
  }

  function alertEvent(alert: CaseAlert, round: Round): Event {
    const { at } = round;
    const { event, policy: name } = alert;
    const text = headline(alert, at);
    const to = told(alert, round);
    switch (event.kind) {
      case 'resolved':
        return { at, tag: 'over', text: `${text}: ${event.because}`, detail: to };
      case 'step':
      case 'notice':
      case 'deleted': {
        if (event.kind === 'notice') noticed.add(alert.findingId);
        const figures = numbers(alert, round);
        const next = event.kind === 'step' && event.repeated ? [] : nextWords(alert.next, timeZone);
        return { at, tag: tagOf(alert), text, detail: join([`${name}${figures}.`, ...next, to]) };
      }
      case 'vetoed':
        return { at, tag: 'spared', text, detail: join([sentence(event.by), to]) };
      case 'cancelled':
      case 'held':
      case 'failed':
      case 'uncertain':
        return { at, tag: tagOf(alert), text, detail: join([sentence(event.because), to]) };
      default:
        return event satisfies never;
    }
  }

  /** ": $24.06 of $20.00", or nothing where the headline says it. */
  function numbers(alert: CaseAlert, { at }: Round): string {
    const said = alert.event.kind === 'step' && alert.figures.kind !== 'spend';
    return said ? '' : `: ${figuresWords(alert.figures, at, timeZone)}`;
  }

  function changeEvent({ change }: Outcome, alert: CaseAlert | undefined, round: Round): Event {
    const { at } = round;
    const figures = alert?.figures ?? findings.get(change.findingId)?.figures;
    const why = figures === undefined ? change.reason : figuresWords(figures, at, timeZone);
    const because = `${change.policy}: ${why}.`;
    const to = told(alert, round);
    switch (change.kind) {
      case 'delete': {
        const text = alert === undefined ? `“${change.from}” was deleted` : headline(alert, at);
        const notice =
          alert?.event.kind === 'deleted'
            ? `Its notice was accepted on ${instantWords(alert.event.noticeAcceptedAt, timeZone)}.`
            : '';
        return { at, tag: 'deleted', text, detail: join([because, notice, to]) };
      }
      case 'rename': {
        const next = alert === undefined ? [] : nextWords(alert.next, timeZone);
        const text = `“${change.from}” is now “${change.to ?? ''}”`;
        return { at, tag: 'renamed', text, detail: join([because, ...next, to]) };
      }
      case 'restore': {
        const over = alert?.event.kind === 'resolved' ? `: ${alert.event.because}` : '';
        const text = `“${change.from}” is “${change.to ?? ''}” again${over}`;
        return { at, tag: noticed.has(change.findingId) ? 'spared' : 'restored', text, detail: to };
      }
      default:
        return change.kind satisfies never;
    }
  }

  /** Holds that begin; an alert of the same case says so itself. */
  function holdEvents(round: Round, cases: ReadonlyMap<string, Case>): Event[] {
    return round.report.decision.held.flatMap((held) => {
      if (['notice', 'unconfirmed', 'mode'].includes(held.because)) return [];
      const id = `${held.kind} ${held.findingId ?? ''} ${subjectName(held.subject)} ${held.because}`;
      const known = toldHolds.has(id) || (cases.get(held.findingId ?? '')?.alerts.length ?? 0) > 0;
      toldHolds.add(id);
      return known ? [] : [holdEvent(held, round)];
    });
  }

  function holdEvent({ kind, subject, because, detail }: Held, { at }: Round): Event {
    const text = `${subjectName(subject)} would be ${wanted[kind]}, but ${reasonWords(detail, timeZone)}`;
    return { at, tag: because === 'protected' ? 'spared' : 'held', text };
  }

  function digestEvent({ channel, alerts }: Letter, { at }: Round): Event {
    const names = alerts.map((alert) => (alert.topic === 'case' ? subjectName(alert.subject) : alert.title));
    const what = [...new Set(names)].join(', ');
    const where = `${channel} (${kindWords(channels.get(channel))})`;
    return { at, tag: 'digest', text: `${where} gets what quiet hours held back: ${what}` };
  }

  return {
    person: ({ at, kind, from, to }) => ({ at, tag: 'people', text: deeds[kind](from ?? '', to ?? '') }),
    round: (round) => {
      const cases = casesOf(round);
      return [
        ...round.letters.filter((letter) => letter.digest).map((letter) => digestEvent(letter, round)),
        ...systemAlerts(round).map((alert): Event => {
          return { at: round.at, tag: 'failed', text: headline(alert, round.at), detail: told(alert, round) };
        }),
        ...[...cases.values()].flatMap((one) => caseEvents(round, one)),
        ...holdEvents(round, cases),
      ];
    },
  };
}

const deeds = {
  created: (_from: string, to: string) => `Somebody creates “${to}”`,
  renamed: (from: string, to: string) => `Somebody renames “${from}” to “${to}” by hand`,
  deleted: (from: string) => `Somebody deletes “${from}” by hand`,
} as const;

const wanted = {
  delete: 'deleted',
  rename: 'renamed',
  restore: 'given its name back',
  alert: 'told of',
} as const satisfies Record<Held['kind'], string>;

function undoneEvent({ change, result, detail }: Outcome, { at }: Round): Event {
  return { at, tag: 'failed', text: `${change.kind} of “${change.from}”: ${result}`, detail: detail ?? '' };
}

function tagOf({ event, next }: CaseAlert): Tag {
  switch (event.kind) {
    case 'notice':
    case 'deleted':
    case 'failed':
    case 'held':
      return event.kind;
    case 'vetoed':
    case 'cancelled':
      return 'spared';
    case 'uncertain':
      return 'unsure';
    case 'resolved':
      return 'over';
    case 'step': {
      const would = next.find((one) => one.kind === 'would');
      if (would === undefined) return 'alert';
      return would.because.includes('protected') ? 'spared' : 'held';
    }
    default:
      return event satisfies never;
  }
}

/** By finding, in the order in which they were decided. */
function casesOf({ letters, report }: Round): Map<string, Case> {
  const cases = new Map<string, Case>();
  const of = (findingId: string): Case => {
    const known = cases.get(findingId) ?? { alerts: [], outcomes: [] };
    cases.set(findingId, known);
    return known;
  };
  const sent = letters.filter((letter) => !letter.digest).flatMap((letter) => letter.alerts);
  const alerts = new Map([...report.decision.alerts, ...sent].map((alert) => [alert.id, alert]));
  for (const alert of alerts.values()) if (alert.topic === 'case') of(alert.findingId).alerts.push(alert);
  for (const outcome of report.outcomes) of(outcome.change.findingId).outcomes.push(outcome);
  return cases;
}

function systemAlerts({ letters }: Round): Alert[] {
  const all = letters.flatMap((letter) => letter.alerts).filter((alert) => alert.topic === 'system');
  return [...new Map(all.map((alert) => [alert.id, alert])).values()];
}

const join = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');
