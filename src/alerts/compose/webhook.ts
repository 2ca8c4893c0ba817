/**
 * A message for machines: type, timestamp and data as Standard Webhooks recommends. Names are as
 * they are, JSON needs no more, up to a length. Money is decimal text in dollars.
 */
import type { Alert, CaseAlert, Figures, Next, Subject } from '../../core/alert.ts';
import type { EpochMs, Measure } from '../../core/key.ts';
import { amountText } from '../../core/words.ts';
import { shorten } from './display.ts';
import { severity } from './gravity.ts';
import { headline, subjectName } from './headline.ts';
import type { Message } from './message.ts';
import { toText } from './text.ts';
import type * as schema from './webhook-schema.ts';

/** Of a name, in UTF-16 units: a stranger's is not to make a body that no receiver takes. */
const longestText = 4000;

export function toWebhook(message: Message): string {
  const body: schema.WebhookBody = {
    type: 'keywarden.alerts',
    timestamp: instant(message.at),
    data: {
      id: message.id,
      headline: message.headline,
      text: toText(message, { maxListLines: 50 }),
      remarks: [...message.remarks],
      alerts: [
        ...message.overtaken.map((alert) => overtakenJson(alert, message.at)),
        ...message.alerts.map((alert) => alertJson(alert, message.at)),
      ],
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

function alertJson(alert: Alert, now: EpochMs): schema.WebhookAlert {
  const common = {
    id: alert.id,
    at: instant(alert.at),
    severity: severity(alert),
    headline: headline(alert, now),
  };
  if (alert.topic === 'system') {
    return { ...common, topic: 'system', title: alert.title, text: alert.text };
  }
  return {
    ...common,
    topic: 'case',
    policy: alert.policy,
    description: alert.description,
    finding: alert.findingId,
    subject: subjectJson(alert.subject),
    group: alert.group ?? null,
    ...happenedJson(alert),
    figures: figuresJson(alert.figures),
    next: alert.next.map(nextJson),
  };
}

function subjectJson(subject: Subject): schema.WebhookSubject {
  if (subject.kind === 'group') return { group: subject.group };
  return { id: subject.id, name: subject.name, original_name: subject.originalName };
}

/** What it says is to come will not, or has: the alert in the same message that overtook it says so. */
function overtakenJson(alert: CaseAlert, now: EpochMs): schema.WebhookAlert {
  const json = alertJson({ ...alert, next: [] }, now);
  const was = `${subjectName(alert.subject)} was to be deleted`;
  return { ...json, headline: alert.event.kind === 'notice' ? was : `Earlier: ${json.headline}` };
}

function happenedJson({ event }: CaseAlert): schema.WebhookHappened {
  const { kind } = event;
  switch (kind) {
    case 'step':
      return { kind, event: { step: event.step, of: event.of, repeated: event.repeated } };
    case 'notice':
      return { kind, event: { step: event.step, of: event.of, notice_seconds: event.noticeMs / 1000 } };
    case 'deleted':
      return { kind, event: { notice_accepted_at: instant(event.noticeAcceptedAt) } };
    case 'vetoed':
      return { kind, event: { by: event.by } };
    case 'held': {
      const { because, announcedFor, notBefore } = event;
      const earliest = notBefore === null ? null : instant(notBefore);
      return { kind, event: { because, announced_for: instant(announcedFor), not_before: earliest } };
    }
    case 'failed':
      return { kind, event: { change: event.change, because: event.because } };
    case 'cancelled':
    case 'uncertain':
    case 'resolved':
      return { kind, event: { because: event.because } };
    default:
      return event satisfies never;
  }
}

function figuresJson(figures: Figures): schema.WebhookFigures {
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

function nextJson(next: Next): schema.WebhookNext {
  if (next.kind !== 'delete') return { ...next };
  return { kind: 'delete', notice_seconds: next.noticeMs / 1000, due_at: instant(next.dueAt) };
}
