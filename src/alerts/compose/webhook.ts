/**
 * A message for machines: type, timestamp and data as Standard Webhooks recommends. Names are as
 * they are, JSON needs no more, up to a length. Money is decimal text in dollars.
 */
import type { Alert, CaseAlert, Figures, Next, Subject } from '../../core/alert.ts';
import type { EpochMs, Measure } from '../../core/key.ts';
import { amountText } from '../../core/words.ts';
import { upcoming } from './case.ts';
import { shorten } from './display.ts';
import type { Message } from './message.ts';
import { toText } from './text.ts';

/** Of a name, in UTF-16 units: a stranger's is not to make a body that no receiver takes. */
const longestText = 4000;

export function toWebhook(message: Message): string {
  const body = {
    type: 'keywarden.alerts',
    timestamp: instant(message.at),
    data: {
      id: message.id,
      headline: message.headline,
      text: toText(message, { maxListLines: 50 }),
      remarks: message.remarks,
      alerts: message.alerts.map((alert) => alertJson(alert, message.at)),
    },
  };
  return JSON.stringify(body, bounded);
}

/** The message's words are bounded already. */
function bounded(field: string, value: unknown): unknown {
  return typeof value === 'string' && field !== 'text' ? shorten(value, longestText, longestText) : value;
}

function instant(at: EpochMs): string {
  return new Date(at).toISOString();
}

function alertJson(alert: Alert, now: EpochMs): Record<string, unknown> {
  const { id, topic } = alert;
  const common = { id, topic, at: instant(alert.at) };
  if (alert.topic === 'system') {
    return { ...common, severity: alert.severity, title: alert.title, text: alert.text };
  }
  return {
    ...common,
    kind: alert.event.kind,
    policy: alert.policy,
    description: alert.description,
    finding: alert.findingId,
    subject: subjectJson(alert.subject),
    event: eventJson(alert),
    figures: figuresJson(alert.figures),
    next: upcoming(alert, now).map(nextJson),
  };
}

function subjectJson(subject: Subject): Record<string, unknown> {
  if (subject.kind === 'group') return { group: subject.group };
  return { id: subject.id, name: subject.name, original_name: subject.originalName };
}

function eventJson({ event }: CaseAlert): Record<string, unknown> {
  switch (event.kind) {
    case 'notice':
      return { step: event.step, of: event.of, notice_seconds: event.noticeMs / 1000 };
    case 'deleted':
      return { notice_accepted_at: instant(event.noticeAcceptedAt) };
    case 'step':
    case 'cancelled':
    case 'vetoed':
    case 'failed':
    case 'uncertain':
    case 'resolved': {
      const { kind: _, ...facts } = event;
      return facts;
    }
    default:
      return event satisfies never;
  }
}

function figuresJson(figures: Figures): Record<string, unknown> {
  if (figures.kind !== 'spend') {
    return { kind: figures.kind, deadline: instant(figures.deadline), why: figures.why };
  }
  const { measure, level, limit, percent, basis } = figures;
  const text = (value: number, by: Measure = measure): string => amountText(value, by);
  return {
    kind: 'spend',
    measure,
    level: { low: text(level.low), high: level.high === null ? null : text(level.high) },
    limit: text(limit),
    percent,
    basis,
    period: {
      name: figures.period,
      start: figures.periodStart === null ? null : instant(figures.periodStart),
      end: figures.periodEnd === null ? null : instant(figures.periodEnd),
    },
  };
}

function nextJson(next: Next): Record<string, unknown> {
  if (next.kind !== 'delete') return { ...next };
  return { kind: 'delete', notice_seconds: next.noticeMs / 1000, due_at: instant(next.dueAt) };
}
