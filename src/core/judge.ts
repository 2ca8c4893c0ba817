/**
 * Every policy's case against every subject, at one instant: which steps are surely reached, which
 * cannot be told, and what to ask the API to tell them.
 */
import { addQuestion } from './evidence.ts';
import type { Question } from './evidence.ts';
import { expiryJudge, idleJudge } from './judge-deadlines.ts';
import { judgeGroups } from './judge-groups.ts';
import { spendJudge } from './judge-spend.ts';
import { withoutMassIdle } from './mass-idle.ts';
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
  const all: Judgement[][] = judgeAll(policies, bench).map((judged) =>
    judged.flatMap(([judgement, asked]) => {
      for (const question of asked) addQuestion(questions, question);
      return judgement === null ? [] : [judgement];
    }),
  );
  const { judgements, massIdle } = withoutMassIdle(all, bench);
  return { judgements, questions: [...questions.values()], massIdle };
}

/** Key by key, then policy by policy: what is known of a key is at hand while all policies look at it. */
function judgeAll(policies: readonly Policy[], bench: Bench): Judged[][] {
  const judges = policies.map((policy) => judgeOf(policy, bench));
  const judged = judges.map((one): Judged[] => (one.of === 'groups' ? [...one.judge()] : []));
  const perKey = judges.flatMap((one, index) =>
    one.of === 'keys' ? [{ judge: one.judge, into: judged[index] }] : [],
  );
  const { epoch, now } = bench;
  for (let index = 0; index < bench.live.length; index += 1) {
    const [record, known] = [bench.live[index], bench.known[index]];
    if (record === undefined || known === undefined) continue;
    const { quiet } = known;
    if (quiet.of === policies && quiet.epoch === epoch && quiet.record === record && now < quiet.until)
      continue;
    // What a window's reading says lasts only as long as the window is about now.
    let until = known.windows.size > 0 ? now : Infinity;
    for (const { judge, into } of perKey) {
      const verdict = judge(record, known);
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
