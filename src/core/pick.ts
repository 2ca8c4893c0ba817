/** Which keys of its case a step falls on. */
import type { Estimate, Question } from './evidence.ts';
import { fellOnAll } from './grounds.ts';
import type { KeyId } from './key.ts';
import { memberLevel, spanOf } from './levels.ts';
import type { Span } from './levels.ts';
import type { SpendRule } from './policy.ts';
import { asked, keyQuestions, ownReading } from './questions.ts';
import type { KeyRecord } from './state.ts';
import type { Case, Stop } from './wish.ts';

/** What a key of a group used in the rule's period. */
interface Share {
  readonly record: KeyRecord;
  readonly level: Estimate;
}

/** The key itself, all of the group's, or the one that has surely used most of its period's level. */
export function picked(one: Case, stepIndex: number): readonly KeyRecord[] {
  const { members } = one.judgement;
  const rule = highestOf(one, stepIndex);
  if (rule === null) return members;
  const fell = fellOn(one, stepIndex);
  if (fell !== null) return members.filter((record) => record.id === fell);
  return shares(one, rule)
    .slice(0, 1)
    .map(({ record }) => record);
}

/** Null: it is known which key of the group the step falls on, or it falls on no single one. */
export function unclearPick(one: Case, stepIndex: number): Stop | null {
  const { first, rivals } = contest(one, stepIndex);
  if (first === null) return null;
  if (rivals.length > 0) {
    const detail = `which of its keys has used most is not known: ${String(rivals.length)} may have used more`;
    return { because: 'unconfirmed', detail };
  }
  // What the level is made of was used by keys that are gone, or by none that is known.
  if (first.level.low <= 0)
    return { because: 'unconfirmed', detail: 'none of its keys has surely used anything of it' };
  return null;
}

/** What would tell which key of the group the step falls on. */
export function pickQuestions(one: Case, stepIndex: number): readonly Question[] {
  const { first, rivals, span } = contest(one, stepIndex);
  const { policy } = one.judgement;
  const { evidence } = one.court.bench;
  if (first === null || span === null || policy.rule.kind !== 'spend') return [];
  const models = policy.rule.models !== null;
  const unsure = first.level.low <= 0 ? [first, ...rivals] : rivals;
  return unsure.flatMap(({ record, level }) => {
    const known = evidence.keys.get(record.id);
    if (known === undefined || level.high === level.low) return [];
    const why = `${policy.name}: “${record.facts.name}” may have used most of its group`;
    const motive = { why, excess: Infinity };
    const own = asked(ownReading(record.id, null, known, evidence), motive);
    return [...own, ...keyQuestions(record, span, known, evidence, models, motive)];
  });
}

interface Contest {
  readonly span: Span | null;
  /** Null: the step falls on no single key that is to be found. */
  readonly first: Share | null;
  /** Other keys that may have used more. */
  readonly rivals: readonly Share[];
}

function contest(one: Case, stepIndex: number): Contest {
  const rule = highestOf(one, stepIndex);
  if (rule === null || fellOn(one, stepIndex) !== null) return { span: null, first: null, rivals: [] };
  const [first, ...others] = shares(one, rule);
  const rivals = others.filter(({ level: { high } }) => high === null || high > (first?.level.low ?? 0));
  return { span: spanOfCase(one, rule), first: first ?? null, rivals };
}

/** The rule of a group of which such a step falls on the highest alone. */
function highestOf({ judgement: { subject, policy } }: Case, stepIndex: number): SpendRule | null {
  const { rule } = policy;
  if (subject.kind !== 'group' || rule.kind !== 'spend') return null;
  return policy.steps[stepIndex]?.pick === 'all' ? null : rule;
}

/**
 * The key it fell on once stays the one, though another may be larger by now, or it is gone: nobody pays for
 * what that one has used.
 */
function fellOn({ finding }: Case, stepIndex: number): KeyId | null {
  const chosen = finding.deletions.filter((one) => !fellOnAll(one));
  const marks = [...chosen, ...finding.renamed, ...(finding.fellOn ?? [])];
  return marks.find(({ step }) => step === stepIndex)?.keyId ?? null;
}

function spanOfCase({ court: { bench } }: Case, rule: SpendRule): Span {
  return spanOf(rule.period, bench.now, bench.evidence);
}

/** Who has surely used most comes first. */
function shares(one: Case, rule: SpendRule): readonly Share[] {
  const span = spanOfCase(one, rule);
  const { evidence } = one.court.bench;
  return one.judgement.members
    .map((record) => ({ record, level: memberLevel(rule, span, record, evidence) }))
    .sort((a, b) => b.level.low - a.level.low || (a.record.id < b.record.id ? -1 : 1));
}
