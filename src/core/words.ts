/** Reasons in words, for the plan, the record and the log. Messages to people are composed in `alerts/`. */
import type { Figures, SpendFigures } from './alert.ts';
import type { EpochMs, Measure } from './key.ts';
import { formatUsd } from './money.ts';
import type { Policy, Step } from './policy.ts';

/** "$20.00", "1234 tokens", "17 requests". */
export function amountWords(value: number, measure: Measure): string {
  return measure === 'cost' ? `$${formatUsd(value)}` : `${String(value)} ${measure}`;
}

/** Decimal text: dollars for cost, a whole number otherwise. */
export function amountText(value: number, measure: Measure): string {
  return measure === 'cost' ? formatUsd(value) : String(value);
}

/** "90 d", "36 h", "15 min", "30 s": the largest unit that leaves no fraction. */
export function durationWords(ms: number): string {
  for (const [unit, name] of [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ] as const) {
    if (ms >= unit && ms % unit === 0) return `${String(ms / unit)} ${name}`;
  }
  return ms === 0 ? '0 s' : `${String(ms)} ms`;
}

export function instantWords(at: EpochMs): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** To the minute, for reading: "2026-11-23 10:00Z". */
export function minuteWords(at: EpochMs): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

function levelWords(figures: SpendFigures): string {
  const low = amountWords(figures.level.low, figures.measure);
  if (figures.level.high === null) return `at least ${low}`;
  if (figures.level.high === figures.level.low) return low;
  return `between ${low} and ${amountWords(figures.level.high, figures.measure)}`;
}

export function figuresWords(figures: Figures): string {
  switch (figures.kind) {
    case 'spend': {
      const expected = figures.basis === 'forecast' ? ' expected at the period’s end' : '';
      const limit = amountWords(figures.limit, figures.measure);
      return `${levelWords(figures)}${expected} of ${limit} (${String(figures.percent)}%), ${figures.period}`;
    }
    case 'expiry':
      return `deadline ${minuteWords(figures.deadline)}: ${figures.why}`;
    case 'idle':
      return `idle since ${minuteWords(figures.deadline)}: ${figures.why}`;
    default:
      return figures satisfies never;
  }
}

/** When a step fires: "100%", "7 d after the deadline". */
export function stepAtWords(policy: Policy, step: Step): string {
  if (policy.rule.kind === 'spend') {
    return `${String(step.atPercent ?? 0)}%${step.basis === 'forecast' ? ' by forecast' : ''}`;
  }
  if (step.offsetMs === 0) return 'the deadline';
  const side = step.offsetMs < 0 ? 'before' : 'after';
  return `${durationWords(Math.abs(step.offsetMs))} ${side} the deadline`;
}

/** What a step does besides alerting: "renames it", "deletes it after 1 d of notice". */
export function stepDoesWords(step: Step): string {
  if (step.delete !== null) return `deletes it after ${durationWords(step.delete.noticeMs)} of notice`;
  if (step.rename !== null) return 'renames it';
  return 'alerts';
}
