/**
 * Every policy's case against every subject, at one instant: which steps are surely reached, which
 * cannot be told, and what to ask the API to tell them.
 */
import { questionKey } from './evidence.ts';
import type { Question } from './evidence.ts';
import { expiryJudge, idleJudge } from './judge-deadlines.ts';
import { judgeGroups, spendJudge } from './judge-spend.ts';
import type { Bench, Judge, Judged, Judgement, Selects } from './judgement.ts';
import type { Policy } from './policy.ts';

export interface Verdict {
  /** In the order of the policies, then of the subjects. */
  readonly judgements: readonly Judgement[];
  readonly questions: readonly Question[];
}

export function judge(policies: readonly Policy[], bench: Bench): Verdict {
  const judgements: Judgement[] = [];
  const questions = new Map<string, Question>();
  for (const [judgement, asked] of judgeAll(policies, bench).flat()) {
    if (judgement !== null) judgements.push(judgement);
    for (const question of asked) questions.set(questionKey(question), question);
  }
  return { judgements, questions: [...questions.values()] };
}

/** Key by key, then policy by policy: what is known of a key is at hand while all policies look at it. */
function judgeAll(policies: readonly Policy[], bench: Bench): Judged[][] {
  const judges = policies.map((policy) => judgeOf(policy, bench));
  const judged = judges.map((one): Judged[] => (one.of === 'groups' ? [...one.judge()] : []));
  for (const record of bench.live) {
    for (const [index, one] of judges.entries()) {
      const verdict = one.of === 'keys' ? one.judge(record) : null;
      if (verdict !== null) judged[index]?.push(verdict);
    }
  }
  return judged;
}

function judgeOf(policy: Policy, bench: Bench): Judge {
  const { rule } = policy;
  const selects: Selects = (record) =>
    policy.select({ key: record.facts, originalName: record.originalName }, bench.now);
  switch (rule.kind) {
    case 'spend':
      return rule.across.kind === 'key'
        ? { of: 'keys', judge: spendJudge(policy, rule, bench, selects) }
        : { of: 'groups', judge: () => judgeGroups(policy, rule, bench, selects) };
    case 'expiry':
      return { of: 'keys', judge: expiryJudge(policy, rule, bench, selects) };
    case 'idle':
      return { of: 'keys', judge: idleJudge(policy, rule, bench, selects) };
    default:
      return rule satisfies never;
  }
}
