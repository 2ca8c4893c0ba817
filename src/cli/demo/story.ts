/** A round as a reader follows it: each case once, with what was done, what was said of it, and to whom. */
import type { Outcome } from '../../act/carry-out.ts';
import type { Alert, CaseAlert } from '../../core/alert.ts';
import type { Held } from '../../core/plan.ts';
import type { PolicyFile } from '../../core/policy.ts';
import type { Finding } from '../../core/state.ts';
import type { WorldEvent } from '../../sandbox/world.ts';
import type { Event, Tag } from './page.ts';
import type { Letter, Round } from './rounds.ts';
import {
  backgroundWords,
  figuresWords,
  headline,
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

/** One case within a round. */
interface Case {
  readonly alerts: CaseAlert[];
  readonly outcomes: Outcome[];
}

export function createTeller(policy: PolicyFile, findings: ReadonlyMap<string, Finding>): Teller {
  const { timeZone, channels } = policy;
  /** Holds that were told: each only when it begins. */
  const toldHolds = new Set<string>();

  const told = (alert: Alert, round: Round): string => toldWords(alert, round, channels, timeZone);

  function caseEvents(round: Round, { alerts, outcomes }: Case): Event[] {
    const { at } = round;
    const change = outcomes.find((one) => one.result === 'done');
    const main = alerts.find((one) => one.event.kind === 'notice') ?? alerts.at(-1);
    const events = alerts.filter((alert) => alert !== main).map((alert) => alertEvent(alert, round));
    if (change !== undefined && main?.event.kind !== 'notice')
      return [...events, changeEvent(change, main, round)];
    if (main !== undefined) events.push(alertEvent(main, round));
    if (change !== undefined) events.push(changeEvent(change, undefined, round));
    return [...events, ...outcomes.filter((one) => one.result !== 'done').map((one) => undone(one, at))];
  }

  function alertEvent(alert: CaseAlert, round: Round): Event {
    const { event, next } = alert;
    const text = headline(alert, round.at);
    if (event.kind === 'resolved')
      return {
        at: round.at,
        tag: 'over',
        text: `${text}: ${event.because}`,
        detail: told(alert, round),
      };
    const because =
      'because' in event ? [sentence(event.because)] : event.kind === 'vetoed' ? [sentence(event.by)] : [];
    const repeated = event.kind === 'step' && event.repeated;
    const background = repeated ? [] : [...backgroundWords(alert), ...nextWords(next, timeZone)];
    return {
      at: round.at,
      tag: tagOf(alert),
      text,
      detail: join([...because, ...background, told(alert, round)]),
    };
  }

  function changeEvent({ change }: Outcome, alert: CaseAlert | undefined, round: Round): Event {
    const { at } = round;
    const said = alert === undefined ? '' : told(alert, round);
    if (change.kind === 'delete') {
      const text = alert === undefined ? `“${change.from}” was deleted` : headline(alert, at);
      const noticed = alert?.event.kind === 'deleted' ? [noticeWords(alert.event.noticeAcceptedAt)] : [];
      return {
        at,
        tag: 'deleted',
        text,
        detail: join([...(alert ? backgroundWords(alert) : []), ...noticed, said]),
      };
    }
    if (change.kind === 'restore') {
      const why = alert?.event.kind === 'resolved' ? `: ${alert.event.because}` : '';
      return {
        at,
        tag: 'restored',
        text: `“${change.from}” is “${change.to ?? ''}” again${why}`,
        detail: said,
      };
    }
    const figures = findings.get(change.findingId)?.figures;
    const why = figures === undefined ? change.reason : figuresWords(figures, timeZone);
    const next = alert === undefined ? [] : nextWords(alert.next, timeZone);
    const text = `“${change.from}” is now “${change.to ?? ''}”`;
    return { at, tag: 'renamed', text, detail: join([sentence(why), ...next, said]) };
  }

  function noticeWords(acceptedAt: number): string {
    return `Its notice was accepted ${whenWords(acceptedAt)}.`;
  }

  function whenWords(at: number): string {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
    }).format(at);
  }

  function holds(round: Round, cases: ReadonlyMap<string, Case>): Event[] {
    return round.report.decision.held.flatMap((held) => {
      if (['notice', 'unconfirmed', 'mode'].includes(held.because)) return [];
      const id = `${held.kind} ${held.findingId ?? ''} ${subjectName(held.subject)} ${held.because}`;
      if (toldHolds.has(id)) return [];
      toldHolds.add(id);
      // An alert of the same case says it already.
      if ((cases.get(held.findingId ?? '')?.alerts.length ?? 0) > 0) return [];
      return [holdEvent(held, round)];
    });
  }

  function holdEvent(held: Held, { at }: Round): Event {
    const verb = {
      delete: 'deleted',
      rename: 'renamed',
      restore: 'given its name back',
      alert: 'told',
      notice: 'told',
    };
    const text = `${subjectName(held.subject)} would be ${verb[held.kind]}, but ${reasonWords(held.detail)}`;
    return { at, tag: held.because === 'protected' ? 'spared' : 'held', text };
  }

  function digest({ channel, alerts }: Letter, { at }: Round): Event {
    const names = alerts.map((alert) => (alert.topic === 'case' ? subjectName(alert.subject) : alert.title));
    const list = [...new Set(names)].join(', ');
    const kind = kindWords(channels.get(channel));
    return { at, tag: 'digest', text: `${channel} (${kind}) gets what the night held back: ${list}` };
  }

  return {
    person: ({ at, kind, from, to }) => {
      const texts = {
        created: `Somebody creates “${to ?? ''}” in the dashboard`,
        renamed: `Somebody renames “${from ?? ''}” to “${to ?? ''}” in the dashboard`,
        deleted: `Somebody deletes “${from ?? ''}” in the dashboard`,
      };
      return { at, tag: 'people', text: texts[kind] };
    },
    round: (round) => {
      const cases = casesOf(round);
      return [
        ...round.letters.filter((letter) => letter.digest).map((letter) => digest(letter, round)),
        ...systemAlerts(round).map((alert): Event => ({
          at: round.at,
          tag: 'failed',
          text: headline(alert, round.at),
          detail: told(alert, round),
        })),
        ...[...cases.values()].flatMap((one) => caseEvents(round, one)),
        ...holds(round, cases),
      ];
    },
  };
}

function undone({ change, result, detail }: Outcome, at: number): Event {
  return { at, tag: 'failed', text: `${change.kind} of “${change.from}”: ${result}`, detail: detail ?? '' };
}

function tagOf({ event, next }: CaseAlert): Tag {
  switch (event.kind) {
    case 'notice':
      return 'notice';
    case 'deleted':
      return 'deleted';
    case 'vetoed':
    case 'cancelled':
      return 'spared';
    case 'failed':
      return 'failed';
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
function casesOf(round: Round): Map<string, Case> {
  const cases = new Map<string, Case>();
  const of = (findingId: string): Case => {
    const known = cases.get(findingId) ?? { alerts: [], outcomes: [] };
    cases.set(findingId, known);
    return known;
  };
  const sent = round.letters.filter((letter) => !letter.digest).flatMap((letter) => letter.alerts);
  const alerts = new Map([...round.report.decision.alerts, ...sent].map((alert) => [alert.id, alert]));
  for (const alert of alerts.values()) if (alert.topic === 'case') of(alert.findingId).alerts.push(alert);
  for (const outcome of round.report.outcomes) of(outcome.change.findingId).outcomes.push(outcome);
  return cases;
}

function systemAlerts({ letters }: Round): Alert[] {
  const all = letters.flatMap((letter) => letter.alerts).filter((alert) => alert.topic === 'system');
  return [...new Map(all.map((alert) => [alert.id, alert])).values()];
}

const join = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');
