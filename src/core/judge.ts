/**
 * Every policy's case against every subject, at one instant: which steps are surely reached, which
 * cannot be told, and what to ask the API to tell them.
 */
import { questionKey } from './evidence.ts';
import type { Question } from './evidence.ts';
import { judgeExpiry, judgeIdleness } from './judge-deadlines.ts';
import { judgeSpend } from './judge-spend.ts';
import type { Bench, Judged, Judgement, Selects } from './judgement.ts';
import type { Policy } from './policy.ts';

export interface Verdict {
  /** In the order of the policies, then of the subjects. */
  readonly judgements: readonly Judgement[];
  readonly questions: readonly Question[];
}

export function judge(policies: readonly Policy[], bench: Bench): Verdict {
  const judgements: Judgement[] = [];
  const questions = new Map<string, Question>();
  for (const policy of policies) {
    for (const [judgement, asked] of judgePolicy(policy, bench)) {
      if (judgement !== null) judgements.push(judgement);
      for (const question of asked) questions.set(questionKey(question), question);
    }
  }
  return { judgements, questions: [...questions.values()] };
}

function judgePolicy(policy: Policy, bench: Bench): Iterable<Judged> {
  const { rule } = policy;
  const selects: Selects = (record) =>
    policy.select({ key: record.facts, originalName: record.originalName }, bench.now);
  switch (rule.kind) {
    case 'spend':
      return judgeSpend(policy, rule, bench, selects);
    case 'expiry':
      return judgeExpiry(policy, rule, bench, selects);
    case 'idle':
      return judgeIdleness(policy, rule, bench, selects);
    default:
      return rule satisfies never;
  }
}
