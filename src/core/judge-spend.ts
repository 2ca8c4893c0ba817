/** Spend: a level against a limit, for a key or a group. */
import type { Figures } from './alert.ts';
import { questionKey } from './evidence.ts';
import type { Evidence, Interval, Question } from './evidence.ts';
import { caseKey, keySubject, noPeriod, openCases } from './judgement.ts';
import type { Bench, Judged, Judgement, KeyJudge, Selects } from './judgement.ts';
import { windowMs } from './key.ts';
import {
  accountLevel,
  bracketingWindows,
  fresh,
  goneLevel,
  keyLevel,
  keyQuestions,
  sumLevels,
  undecided,
} from './levels.ts';
import { periodAt, periodWords } from './periods.ts';
import type { Period } from './periods.ts';
import type { Policy, SpendRule } from './policy.ts';
import type { Finding, FindingSubject, KeyRecord } from './state.ts';

/** The level in µ$, tokens or requests from which a step fires. */
export function threshold(limit: number, atPercent: number): number {
  // The subtrahend absorbs the binary error of a decimal percentage, never a whole unit.
  return Math.ceil((limit * atPercent) / 100 - 1e-6);
}

/**
 * Consumption of the same period, measured in the same way, never falls below what was proven of
 * it; unless nothing is known now, or what is known contradicts that.
 */
function atLeastProven(
  level: Interval,
  rule: SpendRule,
  period: Period,
  existing: Finding | undefined,
): Interval {
  const proven = existing?.proven;
  if (proven?.signature !== rule.signature || proven.low <= level.low) return level;
  if (existing?.periodStart !== findingPeriod(rule, period).start) return level;
  if (level.high === null || level.high < proven.low) return level;
  return { low: proven.low, high: level.high, confirmed: true };
}

/** What of a level stays true. A group's members come and go, a rolling window moves on. */
function provenBy(
  { rule, level, subject, members }: SpendCase,
  existing: Finding | undefined,
): Judgement['proven'] {
  const stays = rule.period.kind !== 'rolling' && (subject.kind === 'key' || rule.across.kind === 'account');
  const contradicted = subject.kind === 'key' && members.some((record) => record.conflict !== null);
  if (!stays || contradicted) return null;
  return level.confirmed ? { signature: rule.signature, low: level.low } : (existing?.proven ?? null);
}

/** The calendar period a finding is for; rolling and lifetime findings have none. */
function findingPeriod(rule: SpendRule, period: Period): Period {
  return rule.period.kind === 'calendar' ? period : noPeriod;
}

export function spendJudge(policy: Policy, rule: SpendRule, bench: Bench, selects: Selects): KeyJudge {
  const period = periodAt(rule.period, bench.now);
  const lowestPercent = Math.min(...policy.steps.map((step) => step.atPercent ?? 0));
  const forecasts = policy.steps.some((step) => step.basis === 'forecast');
  const cases = openCases(policy.name, bench);
  return (record) => {
    const limit = rule.limit === 'max_tokens' ? record.facts.maxTokens : rule.limit;
    if (limit === null || !selects(record)) return null;
    const measured = keyLevel(rule, period, record, bench.evidence);
    const quiet = !forecasts && measured.high !== null && measured.high < threshold(limit, lowestPercent);
    const existing = cases(record);
    if (quiet && existing === undefined) return null;
    const subject = keySubject(record);
    const level = atLeastProven(measured, rule, period, existing);
    const ask = (): Question[] => keyQuestions(record, period, bench.evidence, rule.models !== null);
    const why = bench.evidence.keys.get(record.id)?.because ?? null;
    return spendJudgement({
      policy,
      rule,
      period,
      subject,
      members: [record],
      level,
      limit,
      why,
      ask,
      bench,
    });
  };
}

export function* judgeGroups(
  policy: Policy,
  rule: SpendRule,
  bench: Bench,
  selects: Selects,
): Generator<Judged> {
  const period = periodAt(rule.period, bench.now);
  const { limit } = rule;
  if (limit === 'max_tokens') return;
  for (const [group, members, gone] of groupsOf(rule, bench, selects)) {
    const whole = rule.across.kind === 'account' && rule.models === null;
    const subject: FindingSubject = { kind: 'group', group };
    const account = (): Interval =>
      atLeastProven(
        accountLevel(rule, period, bench.evidence),
        rule,
        period,
        bench.open.get(caseKey(policy.name, subject)),
      );
    const level = whole
      ? account()
      : sumLevels([
          ...members.map((record) => keyLevel(rule, period, record, bench.evidence)),
          ...gone.map((record) =>
            goneLevel(rule, period, record, bench.lastCounters.get(record.id) ?? null, bench.evidence),
          ),
        ]);
    const ask = (): Question[] =>
      whole
        ? accountQuestions(period, bench.evidence)
        : members.flatMap((record) => keyQuestions(record, period, bench.evidence, rule.models !== null));
    const why = whole ? bench.evidence.account.because : groupWhy(members, bench.evidence);
    yield spendJudgement({ policy, rule, period, subject, members, level, limit, why, ask, bench });
  }
}

function accountQuestions(period: Period, evidence: Evidence): Question[] {
  if (period.start === null) return [];
  return bracketingWindows(period, evidence)
    .filter((window) => !evidence.account.windows.has(window))
    .flatMap((window) => fresh({ kind: 'aggregate', window }, evidence));
}

function groupWhy(members: readonly KeyRecord[], evidence: Evidence): string | null {
  const unclear = members.filter((record) => evidence.keys.get(record.id)?.because);
  const first = unclear[0] && evidence.keys.get(unclear[0].id)?.because;
  return first ? `${String(unclear.length)} of ${String(members.length)} keys are unclear: ${first}` : null;
}

function groupsOf(
  rule: SpendRule,
  bench: Bench,
  selects: Selects,
): (readonly [string, readonly KeyRecord[], readonly KeyRecord[]])[] {
  const { across } = rule;
  if (across.kind === 'account') return [['account', bench.live, bench.gone]];
  if (across.kind !== 'metadata')
    return [['selected', bench.live.filter(selects), bench.gone.filter(selects)]];
  const groups = new Map<string, { live: KeyRecord[]; gone: KeyRecord[] }>();
  for (const side of ['live', 'gone'] as const) {
    for (const record of bench[side]) {
      const value = record.facts.metadata[across.field];
      if (!['string', 'number', 'boolean'].includes(typeof value) || !selects(record)) continue;
      const name = `metadata.${across.field}=${String(value)}`;
      const group = groups.get(name) ?? { live: [], gone: [] };
      group[side].push(record);
      groups.set(name, group);
    }
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { live, gone }]) => [name, live, gone] as const);
}

interface SpendCase {
  readonly policy: Policy;
  readonly rule: SpendRule;
  readonly period: Period;
  readonly subject: FindingSubject;
  readonly members: readonly KeyRecord[];
  readonly level: Interval;
  readonly limit: number;
  readonly why: string | null;
  readonly ask: () => Question[];
  readonly bench: Bench;
}

function spendJudgement(one: SpendCase): Judged {
  const { policy, rule, period, level, limit, bench } = one;
  const forecast = policy.steps.some((step) => step.basis === 'forecast') ? forecastLevel(one) : null;
  const reached: number[] = [];
  const open: number[] = [];
  policy.steps.forEach((step, index) => {
    const at = threshold(limit, step.atPercent ?? 0);
    const by = step.basis === 'forecast' ? forecast?.level : level;
    if (by === undefined) return;
    if (by.low >= at && by.confirmed) reached.push(index);
    // A forecast is a warning: while it cannot be told, it is silent, not uncertain.
    else if (step.basis === 'level' && undecided(by, at)) open.push(index);
  });
  const questions = [...(open.length > 0 ? one.ask() : []), ...(forecast?.questions ?? [])];
  const lowest = threshold(limit, Math.min(...policy.steps.map((step) => step.atPercent ?? 0)));
  const floor = rule.period.kind === 'rolling' ? lowest * 0.9 : lowest;
  const lingers = level.high === null || level.high >= floor;
  const existing = bench.open.get(caseKey(policy.name, one.subject));
  if (reached.length === 0 && open.length === 0 && !(lingers && existing)) return [null, questions];
  const top = reached.at(-1);
  const basis = top === undefined ? 'level' : (policy.steps[top]?.basis ?? 'level');
  const shown = basis === 'forecast' && forecast ? forecast.level : level;
  const figures: Figures = {
    kind: 'spend',
    measure: rule.measure,
    level: { low: shown.low, high: shown.high },
    limit,
    percent: Math.floor((100 * shown.low) / limit),
    period: periodWords(rule.period, period),
    periodStart: period.start,
    periodEnd: period.end,
    basis,
  };
  const judgement: Judgement = {
    policy,
    subject: one.subject,
    members: one.members,
    period: findingPeriod(rule, period),
    figures,
    reached,
    open,
    because: open.length > 0 ? whyOpen(one) : null,
    lingers,
    idle: null,
    proven: provenBy(one, existing),
  };
  return [judgement, questions];
}

function whyOpen({ level, why, period, bench }: SpendCase): string {
  if (why !== null) return why;
  if (!level.confirmed)
    return 'its row in the account’s usage has not been checked against its own reading yet';
  if (level.high === null) return 'its usage could not be read';
  const since = period.start === null ? '' : ` since ${new Date(period.start).toISOString().slice(0, 16)}Z`;
  return bench.evidence.marks.size === 0
    ? `what it had used at the period’s start is not known`
    : `its usage${since} is only known between two bounds`;
}

const forecastHistoryMs = 48 * 3_600_000;

/** The level at the period's end at the present rate: the larger of the last day's and the last week's. */
function forecastLevel(one: SpendCase): { level: Interval; questions: Question[] } | null {
  const { period, bench, rule, level } = one;
  const { end } = period;
  if (end === null || one.members.length === 0) return null;
  if (!one.members.some((record) => record.firstSeenAt <= bench.now - forecastHistoryMs)) return null;
  const rates = (['24h', '7d'] as const).map((window) => {
    const span: Period = { start: bench.now - windowMs[window], end: null };
    const sum = sumLevels(one.members.map((record) => keyLevel(rule, span, record, bench.evidence)));
    return {
      low: sum.low / windowMs[window],
      high: (sum.high ?? Infinity) / windowMs[window],
      confirmed: sum.confirmed,
    };
  });
  const remaining = end - bench.now;
  const low = Math.max(...rates.map((rate) => rate.low));
  const high = Math.max(...rates.map((rate) => rate.high));
  const questions = (['24h', '7d'] as const)
    .map((window): Question => ({ kind: 'aggregate', window }))
    .filter(
      (question) => question.kind === 'aggregate' && !bench.evidence.account.windows.has(question.window),
    )
    .filter((question) => !bench.evidence.unanswered.has(questionKey(question)));
  return {
    level: {
      low: Math.floor(level.low + low * remaining),
      high: level.high === null || !Number.isFinite(high) ? null : Math.ceil(level.high + high * remaining),
      confirmed: level.confirmed && rates.every((rate) => rate.confirmed),
    },
    questions,
  };
}
