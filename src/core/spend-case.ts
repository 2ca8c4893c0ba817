/** One subject's level against a limit: which steps are reached, which cannot be told, and what would tell. */
import type { SpendFigures } from './alert.ts';
import type { Estimate, Motive, Question } from './evidence.ts';
import { forecastLevel } from './forecast.ts';
import type { Measure } from './key.ts';
import { caseKey, noPeriod } from './judgement.ts';
import type { Bench, Judged, Judgement } from './judgement.ts';
import { undecided } from './levels.ts';
import type { Span } from './levels.ts';
import { periodWords } from './periods.ts';
import type { Period } from './periods.ts';
import type { Policy, SpendRule, Step } from './policy.ts';
import type { Finding, FindingSubject, KeyRecord } from './state.ts';
import { stepAtWords } from './words.ts';

/** The level in µ$, tokens or requests from which a step fires. A percentage has at most four decimals. */
export function threshold(limit: number, atPercent: number): number {
  const millionths = Math.round(atPercent * 1e4);
  const [times, part] = [Math.floor(millionths / 1e6), millionths % 1e6];
  // Taken apart so that each product is exact: one unit too few would be a key judged early.
  return limit * times + Math.floor(limit / 1e6) * part + Math.ceil(((limit % 1e6) * part) / 1e6);
}

export function stepThreshold(limit: number, step: Step): number {
  return threshold(limit, step.atPercent ?? 0);
}

/** What is below this reaches no step. */
export function lowestThreshold(policy: Policy, limit: number): number {
  return threshold(limit, Math.min(...policy.steps.map((step) => step.atPercent ?? 0)));
}

/** By measure, what is below every threshold of every one of the policies that is about single keys. */
export function lowestThresholds(policies: readonly Policy[]): (readonly [Measure, number])[] {
  const lowest = new Map<Measure, number>();
  for (const policy of policies) {
    const { rule } = policy;
    if (rule.kind !== 'spend' || rule.across.kind !== 'key') continue;
    const least = rule.limit === 'max_tokens' ? 0 : lowestThreshold(policy, rule.limit);
    lowest.set(rule.measure, Math.min(least, lowest.get(rule.measure) ?? Infinity));
  }
  return [...lowest];
}

export interface SpendCase {
  readonly policy: Policy;
  readonly rule: SpendRule;
  readonly span: Span;
  readonly subject: FindingSubject;
  readonly members: readonly KeyRecord[];
  readonly level: Estimate;
  readonly limit: number;
  readonly existing: Finding | undefined;
  /** Why the level is not exact, in words. */
  readonly why: () => string | null;
  readonly ask: (motive: Motive) => Question[];
  /** Consumption within the last day and the last week, for a forecast. */
  readonly lately: () => readonly { readonly ms: number; readonly level: Estimate }[];
  /** The rate by the vendor's series, for a forecast; null: it says nothing of this case. */
  readonly seriesRate: number | null;
  readonly bench: Bench;
}

/**
 * Consumption of the same period, measured in the same way, never falls below what was proven of
 * it; unless nothing is known now, or what is known contradicts that.
 */
export function atLeastProven(
  level: Estimate,
  rule: SpendRule,
  period: Period,
  existing: Finding | undefined,
): Estimate {
  const proven = provenBefore(rule, period, existing);
  if (proven === null || proven <= level.low) return level;
  if (level.high === null || level.high < proven) return level;
  return { ...level, low: proven };
}

/** What an earlier pass proved of the same period, measured in the same way. */
function provenBefore(rule: SpendRule, period: Period, existing: Finding | undefined): number | null {
  const proven = existing?.proven;
  if (proven?.signature !== rule.signature) return null;
  return existing?.periodStart === findingPeriod(rule, period).start ? proven.low : null;
}

/** What of a level stays true. A group's members come and go, and a rolling window moves on: nothing but how it was measured. */
function provenBy(one: SpendCase): Judgement['proven'] {
  const { rule, span, level, subject, members, existing } = one;
  const stays = rule.period.kind !== 'rolling' && (subject.kind === 'key' || rule.across.kind === 'account');
  const contradicted = subject.kind === 'key' && members.some((record) => record.conflict !== null);
  if (contradicted) return null;
  if (!stays) return { signature: rule.signature, low: 0 };
  // A pass in which nothing could be read takes nothing back.
  const before = level.high === null ? provenBefore(rule, span.period, existing) : null;
  return { signature: rule.signature, low: Math.max(level.low, before ?? 0) };
}

/** The calendar period a finding is for; rolling and lifetime findings have none. */
function findingPeriod(rule: SpendRule, period: Period): Period {
  return rule.period.kind === 'calendar' ? period : noPeriod;
}

export function existingCase(policy: Policy, subject: FindingSubject, bench: Bench): Finding | undefined {
  return bench.open.get(caseKey(policy.name, subject));
}

/** By position: what is known of each step. */
interface Standing {
  readonly reached: readonly number[];
  readonly sure: readonly number[];
  readonly open: readonly number[];
}

export function judgeSpend(one: SpendCase): Judged {
  const { policy, rule, span, existing } = one;
  const forecast = policy.steps.some((step) => step.basis === 'forecast') ? forecastLevel(one) : null;
  const { reached, sure, open } = standing(one, forecast);
  const questions = open.length > 0 ? one.ask(motiveOf(one, open)) : [];
  // An open case stays so although no step is reached, so that it does not flap.
  const lingers = existing !== undefined && isNear(one);
  if (reached.length === 0 && open.length === 0 && !lingers) return [null, questions];
  const figures = figuresOf(one, 'level', one.level);
  const expected = forecast === null ? null : figuresOf(one, 'forecast', forecast);
  const onlyExpected =
    reached.length > 0 && reached.every((index) => policy.steps[index]?.basis === 'forecast');
  const judgement: Judgement = {
    policy,
    subject: one.subject,
    members: one.members,
    period: findingPeriod(rule, span.period),
    figures: onlyExpected ? (expected ?? figures) : figures,
    expected,
    reached,
    sure,
    doubts: doubtsOf(one, reached, sure),
    open,
    because: open.length > 0 ? whyOpen(one) : null,
    idle: null,
    proven: provenBy(one),
  };
  return [judgement, questions];
}

function standing(one: SpendCase, forecast: Estimate | null): Standing {
  const { policy, level, limit } = one;
  const reached: number[] = [];
  const sure: number[] = [];
  const open: number[] = [];
  for (const [index, step] of policy.steps.entries()) {
    const at = stepThreshold(limit, step);
    const by = step.basis === 'forecast' ? forecast : level;
    if (by === null) continue;
    if (by.low >= at) {
      reached.push(index);
      sure.push(index);
      continue;
    }
    // A forecast is a warning: while it cannot be told, it is silent, not uncertain.
    if (step.basis === 'forecast' || !undecided(by, at)) continue;
    (wasSure(one, index) ? reached : open).push(index);
  }
  return { reached, sure, open };
}

/** It fired before, on the same measure of the rolling window. */
function wasSure({ rule, existing }: SpendCase, index: number): boolean {
  if (rule.period.kind !== 'rolling' || existing?.proven?.signature !== rule.signature) return false;
  return existing.fired.some(({ step }) => step === index);
}

/** Not far enough below the first step for the case to be over: a rolling level must not flap. */
function isNear({ policy, rule, level, limit }: SpendCase): boolean {
  const lowest = lowestThreshold(policy, limit);
  return level.likely === null || level.likely >= (rule.period.kind === 'rolling' ? lowest * 0.9 : lowest);
}

/** A doubt is to be cleared up before people are told of it. */
const doubtPressesAfterMs = 10 * 60_000;

function motiveOf(one: SpendCase, steps: readonly number[]): Motive {
  const { policy, level, limit, existing, bench } = one;
  const top = policy.steps[steps[0] ?? 0];
  if (top === undefined) return { why: policy.name, excess: Infinity };
  const at = stepThreshold(limit, top);
  const lasts = bench.now - (existing?.uncertainSince ?? bench.now) >= doubtPressesAfterMs;
  // A threshold of nothing is reached by any level: this one is not.
  const excess = level.likely === null || lasts ? Infinity : (level.likely - at) / at;
  return { why: `${policy.name}: ${nameOf(one)} may have reached ${stepAtWords(policy, top)}`, excess };
}

function nameOf({ subject, members }: SpendCase): string {
  return subject.kind === 'group' ? subject.group : `“${members[0]?.facts.name ?? subject.id}”`;
}

/** Only a change needs a step to be sure, so only for a step that changes something is it asked. */
function doubtsOf(one: SpendCase, reached: readonly number[], sure: readonly number[]): readonly Question[] {
  const { steps } = one.policy;
  const unsure = reached.filter((index) => !sure.includes(index));
  if (!unsure.some((index) => steps[index]?.rename ?? steps[index]?.delete)) return [];
  return one.ask({ ...motiveOf(one, unsure), excess: Infinity });
}

function figuresOf(
  { rule, span, limit }: SpendCase,
  basis: SpendFigures['basis'],
  { low, high }: Estimate,
): SpendFigures {
  return {
    kind: 'spend',
    measure: rule.measure,
    level: { low, high },
    limit,
    percent: Math.floor((100 * low) / limit),
    period: periodWords(rule.period, span.period),
    periodStart: span.period.start,
    periodEnd: span.period.end,
    basis,
  };
}

function whyOpen({ level, why, span }: SpendCase): string {
  const because = why();
  if (because !== null) return because;
  if (level.high === null) return 'its usage could not be read';
  const { start } = span.period;
  if (start === null) return 'its usage is only known between two bounds';
  if (span.marks === undefined) return 'what it had used at the period’s start is not known';
  return `its usage since ${new Date(start).toISOString().slice(0, 16)}Z is only known between two bounds`;
}
