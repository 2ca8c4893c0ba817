/**
 * From the alerts of one message to what it says. One case is told in full; several become a digest
 * by policy, gravest first, the largest in full and the rest in one line each.
 */
import type { Alert, CaseAlert, SpendFigures } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import { overtaken, withoutOvertaken } from '../overtaken.ts';
import { advice, caseContext, casePart, systemPart } from './case.ts';
import type { Advice } from './case.ts';
import { display } from './display.ts';
import { withDueTime } from './due.ts';
import { byGravity, countWords } from './gravity.ts';
import { headline, subjectName } from './headline.ts';
import type { CasePart, Chart, Line, Message, Part } from './message.ts';
import { plural, time } from './words.ts';

/** Cases of a digest that are told in full. */
const toldInFull = 10;

export interface Occasion {
  readonly id: string;
  /** When it is sent; the times of notices count from here. */
  readonly now: EpochMs;
  /** Of the case that is `chartable`; left out: there is none, or the format shows none. */
  readonly chart?: Chart | null;
}

/** An alert and, when its channel stands in for another, why: "could not be sent to owner: …". */
export interface Entry {
  readonly alert: Alert;
  readonly remark: string | null;
  /** When any channel first took it; left out: none did. */
  readonly acceptedAt?: EpochMs | null;
}

/** `entries` must not be empty. */
export function compose(entries: readonly Entry[], { id, now, chart = null }: Occasion): Message {
  const told = withoutOvertaken(entries);
  const alerts = told.map(({ alert, acceptedAt = null }) => withDueTime(alert, now, acceptedAt));
  const [first] = alerts;
  if (first === undefined) throw new RangeError('a message needs an alert');
  const single = alerts.length === 1;
  const remarks = remarkLines(told);
  const late = overtakenIn(entries);
  return {
    id,
    at: now,
    headline: single ? headline(first, now) : countWords(alerts),
    parts: [
      ...(single ? singleParts(first, now, chart) : digestParts(alerts, now)).map((part) =>
        withOvertaken(part, late),
      ),
      ...remarks.map((text): Part => ({ kind: 'remark', text })),
    ],
    thread: single && first.topic === 'case' ? first.findingId : null,
    alerts,
    overtaken: late.map(({ alert }) => alert),
    remarks,
  };
}

interface Late {
  readonly alert: CaseAlert;
  readonly by: CaseAlert;
}

function overtakenIn(entries: readonly Entry[]): readonly Late[] {
  const found = overtaken(entries.map(({ alert }) => alert));
  return entries.flatMap(({ alert }) => {
    const by = found.get(alert.id);
    return by === undefined || alert.topic === 'system' ? [] : [{ alert, by }];
  });
}

/** Who reads that a deletion is off, or done, learns that there was a notice of it. */
function withOvertaken(part: Part, late: readonly Late[]): Part {
  if (part.kind !== 'case') return part;
  const notices = late.filter(
    ({ alert, by }) => by.id === part.alertId && alert.event.kind === 'notice' && by.event.kind !== 'notice',
  );
  const lines = notices.map(({ alert }) => {
    const what = `The notice that ${subjectName(alert.subject)} would be deleted`;
    return `${what}, of ${time(alert.at, alert.timeZone)}, waited here until now.`;
  });
  return { ...part, lead: [...part.lead, ...lines] };
}

/** The case that a message is about, if a chart can be drawn of it: one alone, with an amount. */
export function chartable(alerts: readonly Alert[]): (CaseAlert & { readonly figures: SpendFigures }) | null {
  const [alert, ...others] = alerts;
  if (alert?.topic !== 'case' || others.length > 0) return null;
  const { figures, group } = alert;
  // A key's days would stand beside what its group has used.
  if (group !== undefined) return null;
  return figures.kind === 'spend' ? { ...alert, figures } : null;
}

/** Each remark once, with how many of the alerts it concerns. */
function remarkLines(entries: readonly Entry[]): string[] {
  const counts = new Map<string, number>();
  for (const { remark } of entries) if (remark !== null) counts.set(remark, (counts.get(remark) ?? 0) + 1);
  const subject = (count: number): string =>
    entries.length === 1 ? 'This' : `${count.toLocaleString('en-US')} of these`;
  return Array.from(counts, ([remark, count]) => `${subject(count)} ${display(remark, 300)}.`);
}

function singleParts(alert: Alert, now: EpochMs, chart: Chart | null): Part[] {
  if (alert.topic === 'system') return [systemPart(alert, now, false)];
  const how = advice(alert);
  return [
    casePart(alert, now, false),
    ...(how === null ? [] : [{ kind: 'advice', ...how } as const]),
    ...(chart === null ? [] : [{ kind: 'chart', chart } as const]),
    { kind: 'small', text: caseContext(alert) },
  ];
}

function digestParts(alerts: readonly Alert[], now: EpochMs): Part[] {
  const sorted = byGravity(alerts);
  const full = new Set(sorted.slice(0, toldInFull));
  const parts: Part[] = [];
  for (const members of grouped(sorted)) {
    parts.push({ kind: 'heading', text: heading(members) });
    for (const alert of members) if (full.has(alert)) parts.push(...fullParts(alert, now));
    const rest = members.filter((alert) => !full.has(alert));
    if (rest.length > 0) parts.push({ kind: 'list', lines: rest.map((alert) => line(alert, now)) });
  }
  return [...parts, ...advices(sorted)];
}

function fullParts(alert: Alert, now: EpochMs): Part[] {
  if (alert.topic === 'system') return [systemPart(alert, now, true)];
  const part: CasePart = casePart(alert, now, true);
  // The heading names the policy already; only what the event adds is said again.
  return [
    { ...part, lead: part.lead.slice(1) },
    { kind: 'small', text: caseContext(alert) },
  ];
}

function line(alert: Alert, now: EpochMs): Line {
  const id = alert.topic === 'case' && alert.subject.kind === 'key' ? ` (${alert.subject.id})` : '';
  return { alertId: alert.id, text: `${headline(alert, now)}${id}` };
}

/** By policy, in the order of each policy's gravest case. */
function grouped(sorted: readonly Alert[]): Iterable<Alert[]> {
  return Map.groupBy(sorted, (alert) => (alert.topic === 'system' ? '' : alert.policy)).values();
}

/** "Policy free-tier-spend, 12 alerts: Free users may spend 20 dollars a month." */
function heading(members: readonly Alert[]): string {
  const [first] = members;
  const count = members.length > 1 ? `, ${plural(members.length, 'alert')}` : '';
  if (first?.topic !== 'case') return `Keywarden itself${count}`;
  const what = first.description === null ? '' : `: ${display(first.description, 200)}`;
  return `Policy ${first.policy}${count}${what}`;
}

/** Each piece of advice once, in the order of the cases that need it. */
function advices(sorted: readonly Alert[]): Part[] {
  const byTitle = new Map<string, Set<string>>();
  for (const alert of sorted) {
    const how: Advice | null = alert.topic === 'case' ? advice(alert) : null;
    if (how === null) continue;
    const lines = byTitle.get(how.title) ?? new Set();
    for (const one of how.lines) lines.add(one);
    byTitle.set(how.title, lines);
  }
  return Array.from(byTitle, ([title, lines]) => ({ kind: 'advice', title, lines: [...lines] }) as const);
}
