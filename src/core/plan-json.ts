/** The plan as JSON, version 1. Its order is stable; money is decimal text in dollars. */
import type { Figures, Subject } from './alert.ts';
import type { Books, Rate } from './books.ts';
import { formatUsd } from './money.ts';
import type { Call, Decision, FindingView } from './plan.ts';
import { amountText, figuresWords, instantWords } from './words.ts';
import type { EpochMs } from './key.ts';

export interface PlanFacts {
  readonly decision: Decision;
  readonly policyHash: string;
  readonly keys: number;
  readonly calls: readonly Call[];
  readonly contradictions: readonly { readonly subject: Subject; readonly because: string }[];
  readonly account: Books;
}

export function planJson(facts: PlanFacts): object {
  const { decision, policyHash, keys, calls, contradictions, account } = facts;
  return {
    version: 1,
    generated_at: instantWords(decision.now),
    mode: decision.mode,
    policy_hash: policyHash,
    keys,
    calls: calls.length,
    calls_made: calls.map(({ what, why }) => ({ call: what, why })),
    hold: decision.hold,
    contradictions: contradictions.map(({ subject, because }) => ({
      subject: subjectJson(subject),
      because,
    })),
    account: accountJson(account),
    findings: decision.views.map(findingJson),
    actions: actionsJson(decision),
    held: decision.held.map((held) => ({
      kind: held.kind,
      policy: held.policy,
      subject: subjectJson(held.subject),
      step: held.step === null ? null : held.step + 1,
      because: held.because,
      detail: held.detail,
    })),
  };
}

/** What is not known is null, with its reason in `unknown`. */
function accountJson({ period, spent, billed, rates }: Books): object {
  const latest = rates.known ? rates.value.latest : null;
  const sums = billed.known ? billed.value : null;
  return {
    period: { start: instantWords(period.start), end: instantWords(period.end) },
    spent: spent.known ? { low: formatUsd(spent.value.low), high: usdOrNull(spent.value.high) } : null,
    invoiced: usdOrNull(sums?.invoiced),
    charged: usdOrNull(sums?.charged),
    other: usdOrNull(sums?.other),
    pending: usdOrNull(sums?.pending),
    last_24h: rates.known ? rateJson(rates.value.lastDay) : null,
    latest:
      latest === null
        ? null
        : { from: instantWords(latest.from), to: instantWords(latest.to), ...rateJson(latest) },
    unknown: [spent, billed, rates].flatMap((fact) => (fact.known ? [] : [fact.because])),
  };
}

function usdOrNull(micro: number | null | undefined): string | null {
  return micro === null || micro === undefined ? null : formatUsd(micro);
}

function rateJson({ tokensPerHour, requestsPerHour }: Rate): object {
  return { tokens_per_hour: hundredths(tokensPerHour), requests_per_hour: hundredths(requestsPerHour) };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

/** True when a pass would do something, or would if the mode let it. */
export function somethingToDo(decision: Decision): boolean {
  return (
    decision.alerts.length + decision.changes.length > 0 ||
    decision.held.some((held) => held.because === 'mode')
  );
}

export function subjectJson(subject: Subject): object {
  return subject.kind === 'key' ? { id: subject.id, name: subject.name } : { group: subject.group };
}

function findingJson(view: FindingView): object {
  return {
    policy: view.policy,
    subject: subjectJson(view.subject),
    state: view.state,
    period: periodJson(view.figures),
    ...figuresJson(view.figures),
    step: view.step,
    because: view.because,
  };
}

function periodJson(figures: Figures): object | null {
  if (figures.kind !== 'spend' || (figures.periodStart === null && figures.periodEnd === null)) return null;
  return { start: instantOrNull(figures.periodStart), end: instantOrNull(figures.periodEnd) };
}

function instantOrNull(at: EpochMs | null): string | null {
  return at === null ? null : instantWords(at);
}

function figuresJson(figures: Figures): object {
  if (figures.kind !== 'spend') {
    return {
      measure: null,
      level: null,
      limit: null,
      percent: null,
      deadline: instantWords(figures.deadline),
    };
  }
  const { measure, level, limit, percent } = figures;
  return {
    measure,
    level: {
      low: amountText(level.low, measure),
      high: level.high === null ? null : amountText(level.high, measure),
    },
    limit: amountText(limit, measure),
    percent,
    deadline: null,
  };
}

function actionsJson(decision: Decision): object[] {
  const alerts = decision.alerts.map((alert) => {
    const due = alert.next.find((next) => next.kind === 'delete');
    return {
      kind: alert.event.kind === 'notice' ? 'notice' : 'alert',
      policy: alert.policy,
      subject: subjectJson(alert.subject),
      step: 'step' in alert.event ? alert.event.step : null,
      to: alert.channels.join(', '),
      due_at: due === undefined ? null : instantWords(due.dueAt),
      reason: `${alert.event.kind}: ${'because' in alert.event ? alert.event.because : figuresWords(alert.figures)}`,
    };
  });
  const changes = decision.changes.map((change) => ({
    kind: change.kind,
    policy: change.policy,
    subject: { id: change.keyId, name: change.from },
    step: change.step === null ? null : change.step + 1,
    to: change.to,
    due_at: instantWords(decision.now),
    reason: change.reason,
  }));
  return [...alerts, ...changes];
}
