/** Spend of single keys: each key's level against the limit, or against its own cap. */
import { mostUsed } from './evidence.ts';
import type { KeyEvidence } from './evidence.ts';
import { consumedLately } from './forecast.ts';
import { keySubject, openCases, selectionChanges } from './judgement.ts';
import type { Bench, KeyJudge, Selects } from './judgement.ts';
import { keyLevel, meters, spanOf } from './levels.ts';
import type { Policy, SpendRule } from './policy.ts';
import { keyQuestions } from './questions.ts';
import { atLeastProven, judgeSpend, lowestThreshold } from './spend-case.ts';

export function spendJudge(policy: Policy, rule: SpendRule, bench: Bench, selects: Selects): KeyJudge {
  const { evidence } = bench;
  const span = spanOf(rule.period, bench.now, evidence);
  const meter = meters[rule.measure];
  const lowest = rule.limit === 'max_tokens' ? null : lowestThreshold(policy, rule.limit);
  const forecasts = policy.steps.some((step) => step.basis === 'forecast');
  const cases = openCases(policy.name, bench);
  /** No period has more than the lifetime: that alone settles it for most keys. */
  const isFar = (known: KeyEvidence, least: number): boolean => {
    const most = mostUsed(known);
    return !forecasts && most !== undefined && meter(most) < least;
  };

  return (record, known, hasCase) => {
    const existing = hasCase ? cases(record) : undefined;
    if (existing === undefined && lowest !== null && isFar(known, lowest)) return Infinity;
    const limit = rule.limit === 'max_tokens' ? record.facts.maxTokens : rule.limit;
    if (limit === null) return Infinity;
    if (!selects(record)) return selectionChanges(policy, record, bench.now);
    const measured = keyLevel(rule, span, record, known, evidence);
    if (existing === undefined && !forecasts && measured.likely !== null) {
      if (measured.likely < (lowest ?? lowestThreshold(policy, limit))) return Infinity;
    }
    return judgeSpend({
      policy,
      rule,
      span,
      subject: keySubject(record),
      members: [record],
      level: atLeastProven(measured, rule, span.period, existing),
      limit,
      existing,
      why: () => whyInexact(known),
      ask: (motive) => keyQuestions(record, span, known, evidence, rule.models !== null, motive),
      lately: () => consumedLately(bench, (lately) => keyLevel(rule, lately, record, known, evidence)),
      seriesRate: null,
      bench,
    });
  };
}

/** Why a key's numbers are not exact, in words; null: they are. */
export function whyInexact({ because, checked }: KeyEvidence): string | null {
  if (because !== null) return because;
  return checked ? null : 'its row in the account’s usage has not been checked against its own reading yet';
}
