/** Why a key is, or is not, a case of each policy: every step with what it needs and what there is. */
import type { Court } from './court.ts';
import { isProtected, modeOf, silenced } from './court.ts';
import { expiryDeadline, lastUse } from './deadlines.ts';
import type { Level } from './alert.ts';
import type { KeyEvidence } from './evidence.ts';
import { judge } from './judge.ts';
import type { Verdict } from './judge.ts';
import type { Judgement } from './judgement.ts';
import { keyLevel, spanOf } from './levels.ts';
import { periodWords } from './periods.ts';
import type { Decision } from './plan.ts';
import type { Policy, SpendRule, Step } from './policy.ts';
import { atLeastProven, stepThreshold } from './spend-case.ts';
import { countedAnew } from './same-steps.ts';
import type { Finding, KeyRecord } from './state.ts';
import { amountWords, minuteWords, stepAtWords, stepDoesWords } from './words.ts';

export interface PolicyExplained {
  readonly policy: string;
  readonly mode: string;
  /** False: the selector does not hold for this key, or the rule says nothing about it. */
  readonly covered: boolean;
  /** What was measured, in words. */
  readonly measured: string;
  readonly steps: readonly StepExplained[];
  /** What is wanted for this key and held, in words. */
  readonly held: readonly string[];
  /** The id of the open finding; null: there is none. */
  readonly findingId: string | null;
}

export interface StepExplained {
  readonly at: string;
  readonly does: string;
  /** `group`: judged for the key's group, not for the key; see the plan. */
  readonly reached: 'yes' | 'no' | 'unknown' | 'group';
  /** When it was announced, RFC 3339 to the minute; null: it was not. */
  readonly firedAt: string | null;
}

export interface KeyExplained {
  readonly protected: boolean;
  /** Until when and why its alerts or actions are silenced; null: they are not. */
  readonly silenced: string | null;
  readonly policies: readonly PolicyExplained[];
}

export function explainKey(given: Court, decision: Decision, record: KeyRecord): KeyExplained {
  const court = countedAnew(given);
  const verdict = judge(court.policy.policies, court.bench);
  return {
    protected: isProtected(court, record),
    silenced: silenced(court, record, 'actions') ?? silenced(court, record, 'alerts'),
    policies: court.policy.policies.map((policy) => explainPolicy(court, decision, verdict, policy, record)),
  };
}

interface Measured {
  readonly words: string;
  readonly reached: (step: Step) => StepExplained['reached'];
}

function explainPolicy(
  court: Court,
  decision: Decision,
  verdict: Verdict,
  policy: Policy,
  record: KeyRecord,
): PolicyExplained {
  const selected = policy.select({ key: record.facts, originalName: record.originalName }, court.now);
  const finding = openFinding(court, policy, record);
  const judgement = verdict.judgements.find((one) => one.policy === policy && isAbout(one, record));
  const plain = selected ? measure(court, policy, record, finding) : null;
  const doubt = policy.rule.kind === 'idle' && judgement === undefined ? verdict.massIdle : null;
  const measured = plain && doubt !== null ? doubted(plain, policy, doubt) : plain;
  const held = decision.held.filter(
    (one) => one.policy === policy.name && one.subject.kind === 'key' && one.subject.id === record.id,
  );
  return {
    policy: policy.name,
    mode: modeOf(court, policy),
    covered: measured !== null,
    measured:
      measured?.words ??
      (selected ? 'the rule says nothing about this key' : 'the policy does not select this key'),
    steps:
      measured === null
        ? []
        : policy.steps.map((step, index) => explainStep(policy, step, index, measured, judgement, finding)),
    held: held.map((one) => `${one.kind}: ${one.because}, ${one.detail}`),
    findingId: finding?.id ?? null,
  };
}

function openFinding(court: Court, policy: Policy, record: KeyRecord): Finding | undefined {
  return court.findings.find(
    (one) => one.closedAt === null && one.policy === policy.name && isAbout(one, record),
  );
}

function isAbout({ subject }: Pick<Finding, 'subject'>, { id, createdAt }: KeyRecord): boolean {
  return subject.kind === 'key' && subject.id === id && subject.createdAt === createdAt;
}

function explainStep(
  policy: Policy,
  step: Step,
  index: number,
  measured: Measured,
  judgement: Judgement | undefined,
  finding: Finding | undefined,
): StepExplained {
  const fired = finding?.fired.find((one) => one.step === index);
  return {
    at: stepAtWords(policy, step),
    does: stepDoesWords(step),
    reached: decided(judgement, index) ?? measured.reached(step),
    firedAt: fired === undefined ? null : minuteWords(fired.at),
  };
}

/** By the case as it was decided, and so by what earlier passes have proven, too; null: by what is measured now. */
function decided(judgement: Judgement | undefined, index: number): 'yes' | 'unknown' | null {
  if (judgement?.reached.includes(index)) return 'yes';
  return judgement?.open.includes(index) ? 'unknown' : null;
}

/** Of a key that is not taken for idle for now, though it seems to be. */
function doubted({ words, reached }: Measured, { steps }: Policy, doubt: string): Measured {
  if (!steps.some((step) => reached(step) === 'yes')) return { words, reached };
  return { words: `${words}; but ${doubt}`, reached: (step) => (reached(step) === 'yes' ? 'unknown' : 'no') };
}

/** Null: the rule does not cover the key. */
function measure(
  court: Court,
  policy: Policy,
  record: KeyRecord,
  finding: Finding | undefined,
): Measured | null {
  const { rule } = policy;
  const known = court.bench.evidence.keys.get(record.id);
  if (known === undefined) return null;
  switch (rule.kind) {
    case 'spend':
      return measureSpend(court, rule, record, known, finding);
    case 'expiry': {
      const deadline = expiryDeadline(rule, record);
      return (
        deadline && byDeadline(court, deadline.at, `deadline ${minuteWords(deadline.at)}: ${deadline.why}`)
      );
    }
    case 'idle': {
      const use = lastUse(record, known, court.now, finding?.idle ?? null);
      if (use.latest === null)
        return { words: 'used lately, or it cannot be told when last', reached: () => 'no' };
      return byDeadline(
        court,
        use.latest + rule.forMs,
        `not used after ${minuteWords(use.latest)}: ${use.why}`,
      );
    }
    default:
      return rule satisfies never;
  }
}

function byDeadline(court: Court, deadline: number, words: string): Measured {
  return { words, reached: (step) => (court.now >= deadline + step.offsetMs ? 'yes' : 'no') };
}

function measureSpend(
  court: Court,
  rule: SpendRule,
  record: KeyRecord,
  known: KeyEvidence,
  finding: Finding | undefined,
): Measured | null {
  const limit = rule.limit === 'max_tokens' ? record.facts.maxTokens : rule.limit;
  if (limit === null) return null;
  const { evidence } = court.bench;
  const span = spanOf(rule.period, court.now, evidence);
  const level = atLeastProven(keyLevel(rule, span, record, known, evidence), rule, span.period, finding);
  const own = rule.across.kind === 'key';
  const share = own ? '' : ' (this key’s share; the limit is the group’s)';
  const words = `${intervalWords(level, rule)} of ${amountWords(limit, rule.measure)}, ${periodWords(rule.period, span.period)}${share}`;
  return {
    words,
    reached: (step) => {
      if (!own) return 'group';
      return step.basis === 'level' ? reachedBy(level, stepThreshold(limit, step)) : 'unknown';
    },
  };
}

function intervalWords(level: Level, rule: SpendRule): string {
  const low = amountWords(level.low, rule.measure);
  if (level.high === null) return `at least ${low}`;
  return level.high === level.low ? low : `between ${low} and ${amountWords(level.high, rule.measure)}`;
}

function reachedBy(level: Level, at: number): StepExplained['reached'] {
  if (level.low >= at) return 'yes';
  return level.high !== null && level.high < at ? 'no' : 'unknown';
}
