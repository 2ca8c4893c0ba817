/** What the deletions and the renames that a case asks for have in common. */
import type { Court } from './court.ts';
import { keyAsSubject } from './court.ts';
import { ownIdleWindow } from './deadlines.ts';
import type { Question } from './evidence.ts';
import { measured, mostUsed } from './evidence.ts';
import { fellOnAll } from './grounds.ts';
import { asked, ownReading } from './questions.ts';
import type { Judgement } from './judgement.ts';
import type { Held, HeldBecause, PlannedChange } from './plan.ts';
import type { Step } from './policy.ts';
import type { KeyId } from './key.ts';
import type { Finding, KeyRecord } from './state.ts';
import { durationWords, figuresWords } from './words.ts';

/** A judgement, the finding that it continues, and all else there is to know. */
export interface Case {
  readonly court: Court;
  readonly judgement: Judgement;
  readonly finding: Finding;
}

/** What holds a change back, in one word and in many. */
export interface Stop {
  readonly because: HeldBecause;
  readonly detail: string;
}

/** An idle key is changed only after two individual readings at least this far apart. */
const idleConfirmationMs = 10 * 60_000;

/** The highest step reached that does such a thing, by position; null: none. */
export function highestReached(judgement: Judgement, does: (step: Step) => boolean): number | null {
  const { reached, policy } = judgement;
  return (
    reached.findLast((index) => {
      const step = policy.steps[index];
      return step !== undefined && does(step);
    }) ?? null
  );
}

/** Which keys of the case a step falls on: the key itself, all of the group's, or its largest. */
export function picked(one: Case, stepIndex: number): readonly KeyRecord[] {
  const { members } = one.judgement;
  if (!fallsOnHighest(one, stepIndex)) return members;
  const fell = fellOn(one, stepIndex);
  if (fell !== null) return members.filter((record) => record.id === fell);
  const first = byUse(one)[0];
  return first === undefined ? [] : [first];
}

function fallsOnHighest({ judgement: { subject, policy } }: Case, stepIndex: number): boolean {
  return subject.kind === 'group' && policy.steps[stepIndex]?.pick !== 'all' && policy.rule.kind === 'spend';
}

/** The key it fell on once stays the one, though another may be larger by now. */
function fellOn({ finding }: Case, stepIndex: number): KeyId | null {
  const chosen = finding.deletions.filter((one) => !fellOnAll(one));
  const fell = [...chosen, ...finding.renamed].find((one) => one.step === stepIndex);
  return fell?.keyId ?? null;
}

/** By what each has surely used in its lifetime, the largest first. */
function byUse({ court, judgement }: Case): readonly KeyRecord[] {
  const { members, policy } = judgement;
  const weight = (record: KeyRecord): number => {
    const known = court.bench.evidence.keys.get(record.id);
    return known === undefined || policy.rule.kind !== 'spend'
      ? 0
      : measured(known.lifetime.low, policy.rule.measure);
  };
  return [...members].sort((a, b) => weight(b) - weight(a) || (a.id < b.id ? -1 : 1));
}

/** Other keys of the group that may have used more than the one that a step would fall on. */
function rivals(one: Case, stepIndex: number): readonly KeyRecord[] {
  const { court, judgement } = one;
  const { rule } = judgement.policy;
  if (rule.kind !== 'spend' || !fallsOnHighest(one, stepIndex) || fellOn(one, stepIndex) !== null) return [];
  const [first, ...others] = byUse(one);
  const surely = first && court.bench.evidence.keys.get(first.id);
  if (surely === undefined) return others;
  const least = measured(surely.lifetime.low, rule.measure);
  return others.filter(({ id }) => {
    const known = court.bench.evidence.keys.get(id);
    const most = known && mostUsed(known);
    return most === undefined || measured(most, rule.measure) > least;
  });
}

/** Null: it is known which key of the group the step falls on. */
export function unclearPick(one: Case, stepIndex: number): Stop | null {
  const { length } = rivals(one, stepIndex);
  if (length === 0) return null;
  const detail = `which of its keys has used most is not known: ${String(length)} may have used more`;
  return { because: 'unconfirmed', detail };
}

export function planned(
  { judgement, finding }: Case,
  kind: 'rename' | 'delete',
  record: KeyRecord,
  step: number,
  to: string | null,
): PlannedChange {
  return {
    kind,
    policy: judgement.policy.name,
    findingId: finding.id,
    step,
    keyId: record.id,
    keyCreatedAt: record.createdAt,
    from: record.facts.name,
    to,
    reason: figuresWords(judgement.figures),
  };
}

export function heldBack(
  { judgement, finding }: Case,
  kind: 'rename' | 'delete',
  record: KeyRecord,
  step: number,
  { because, detail }: Stop,
): Held {
  return {
    kind,
    policy: judgement.policy.name,
    findingId: finding.id,
    subject: keyAsSubject(record.id, record),
    step,
    because,
    detail,
    reason: figuresWords(judgement.figures),
  };
}

/** What a case still lacks before it may change a key: certainty, or an idle key's second reading; null: nothing. */
export function unconfirmed(one: Case, step: number): Stop | null {
  const { judgement, finding } = one;
  if (!judgement.sure.includes(step)) {
    return { because: 'unconfirmed', detail: 'it is not certain that its level is still so high' };
  }
  if (judgement.policy.rule.kind !== 'idle') return unclearPick(one, step);
  const first = finding.idle?.confirmedFirstAt ?? null;
  const last = judgement.idle?.confirmedLastAt ?? null;
  if (first !== null && last !== null && last - first >= idleConfirmationMs) return null;
  const detail = `its idleness needs two readings of its own, ${durationWords(idleConfirmationMs)} apart`;
  return { because: 'unconfirmed', detail };
}

/** What would confirm it. An idle key's own reading, unless the first of two was taken too recently for another to count. */
export function confirmation(one: Case, record: KeyRecord, step: number): readonly Question[] {
  const { court, judgement } = one;
  const { rule } = judgement.policy;
  const { evidence } = court.bench;
  if (rule.kind !== 'idle') return [...judgement.doubts, ...rivals(one, step).flatMap(ofRival)];
  const first = judgement.idle?.confirmedFirstAt ?? null;
  if (first !== null && court.now - first < idleConfirmationMs) return [];
  const known = evidence.keys.get(record.id);
  if (known === undefined) return [];
  const why = `${judgement.policy.name}: “${record.facts.name}” is to be changed for being idle`;
  // Where the ledger has seen its counter stand still for long enough, the counter itself says it all.
  const still = known.unchangedSince !== null && court.now - known.unchangedSince >= rule.forMs;
  const window = still ? null : ownIdleWindow(rule.forMs);
  return asked(ownReading(record.id, window, known, evidence), { why, excess: Infinity });

  function ofRival({ id, facts }: KeyRecord): Question[] {
    const known = evidence.keys.get(id);
    const why = `${judgement.policy.name}: “${facts.name}” may have used most of its group`;
    return known === undefined ? [] : asked(ownReading(id, null, known, evidence), { why, excess: Infinity });
  }
}
