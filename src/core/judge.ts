/**
 * Every policy's case against every subject, at one instant: which steps are surely reached, which
 * cannot be told, and what to ask the API to tell them.
 */
import { addQuestion, measured, mostUsed } from './evidence.ts';
import type { KeyEvidence, Question } from './evidence.ts';
import { expiryJudge, idleJudge } from './judge-deadlines.ts';
import { judgeGroups } from './judge-groups.ts';
import { spendJudge } from './judge-spend.ts';
import { lowestThresholds } from './spend-case.ts';
import { withoutMassIdle } from './mass-idle.ts';
import { keysWithCases } from './judgement.ts';
import type { Bench, Judge, Judged, Judgement, Selects } from './judgement.ts';
import type { Policy } from './policy.ts';

export interface Verdict {
  /** In the order of the policies, then of the subjects. */
  readonly judgements: readonly Judgement[];
  readonly questions: readonly Question[];
  /** Why keys that seem to have fallen idle are not taken for idle; null: they are. */
  readonly massIdle: string | null;
}

export function judge(policies: readonly Policy[], bench: Bench): Verdict {
  const questions = new Map<string, Question>();
  const all = judgeAll(policies, bench).map((judged): Judgement[] => {
    const judgements: Judgement[] = [];
    for (const [judgement, asked] of judged) {
      for (const question of asked) addQuestion(questions, question);
      if (judgement !== null) judgements.push(judgement);
    }
    return judgements;
  });
  const { judgements, massIdle } = withoutMassIdle(all, bench);
  return { judgements, questions: [...questions.values()], massIdle };
}

/** Key by key, then policy by policy: what is known of a key is at hand while all policies look at it. */
function judgeAll(policies: readonly Policy[], bench: Bench): Judged[][] {
  const judges = policies.map((policy) => judgeOf(policy, bench));
  const judged = judges.map((one): Judged[] => (one.of === 'groups' ? [...one.judge()] : []));
  const perKey = judges.flatMap((one, index) =>
    one.of === 'keys'
      ? [{ judge: one.judge, into: judged[index], byLevel: byLevelAlone(policies[index]) }]
      : [],
  );
  const lowest = lowestThresholds(policies.filter(byLevelAlone));
  const { epoch, now } = bench;
  const cases = keysWithCases(bench);
  for (let index = 0; index < bench.live.length; index += 1) {
    const [record, known] = [bench.live[index], bench.known[index]];
    if (record === undefined || known === undefined) continue;
    const { quiet } = known;
    if (quiet.of === policies && quiet.epoch === epoch && quiet.record === record && now < quiet.until)
      continue;
    // What a window's reading says lasts only as long as the window is about now.
    let until = known.windows.size > 0 ? now : Infinity;
    const hasCase = cases.has(record.id);
    const isFar = !hasCase && isBelow(lowest, known);
    for (const { judge, into, byLevel } of perKey) {
      if (isFar && byLevel) continue;
      const verdict = judge(record, known, hasCase);
      if (typeof verdict !== 'number') into?.push(verdict);
      until = Math.min(until, typeof verdict === 'number' ? verdict : now);
    }
    quiet.of = policies;
    quiet.epoch = epoch;
    quiet.record = record;
    quiet.until = until;
  }
  return judged;
}

/** A single key's case depends on nothing but its level. */
function byLevelAlone(policy: Policy | undefined): boolean {
  const byKey = policy?.rule.kind === 'spend' && policy.rule.across.kind === 'key';
  return byKey && policy.steps.every(({ basis }) => basis === 'level');
}

/** By all that it ever used it reaches no threshold. Most keys do not. */
function isBelow(lowest: ReturnType<typeof lowestThresholds>, known: KeyEvidence): boolean {
  const most = mostUsed(known);
  return most !== undefined && lowest.every(([measure, least]) => measured(most, measure) < least);
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
