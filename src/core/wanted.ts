/**
 * Which changes a case asks for now: a notice, a deletion whose notice has run, a rename; and what
 * holds each of them. Changes follow the state, not the moment: what a case wants is wanted until done.
 */
import type { Court } from './court.ts';
import { isProtected, keyAsSubject, modeOf, silenced, templateVariables } from './court.ts';
import { ownIdleReading } from './deadlines.ts';
import type { Question } from './evidence.ts';
import { measured, questionKey } from './evidence.ts';
import type { Judgement } from './judgement.ts';
import type { EpochMs } from './key.ts';
import type { Held, HeldBecause, PlannedChange } from './plan.ts';
import type { Step } from './policy.ts';
import type { Finding, KeyRecord, PendingDeletion } from './state.ts';
import { durationWords, figuresWords, instantWords, minuteWords } from './words.ts';

/** An idle key is changed only after two individual readings at least this far apart. */
const idleConfirmationMs = 10 * 60_000;
/** A notice that no channel accepted is written anew after this long. */
const noticeRetryMs = 24 * 3_600_000;

export interface Wanted {
  readonly changes: readonly PlannedChange[];
  readonly held: readonly Held[];
  readonly questions: readonly Question[];
  /** The finding's deletions as they are from now on. */
  readonly deletions: readonly PendingDeletion[];
  /** Those announced in this pass. */
  readonly announced: readonly PendingDeletion[];
  readonly vetoed: readonly { readonly deletion: PendingDeletion; readonly by: string }[];
  readonly cancelled: readonly { readonly deletion: PendingDeletion; readonly because: string }[];
}

/** What becomes of one key's deletion in this pass. */
type Fate =
  | { readonly kind: 'none' }
  | { readonly kind: 'due' }
  | { readonly kind: 'announce' }
  | { readonly kind: 'held'; readonly because: HeldBecause; readonly detail: string }
  | { readonly kind: 'vetoed'; readonly by: string }
  | { readonly kind: 'cancelled'; readonly because: HeldBecause; readonly detail: string };

export function wantedChanges(court: Court, judgement: Judgement, finding: Finding): Wanted {
  const changes: PlannedChange[] = [];
  const held: Held[] = [];
  const questions: Question[] = [];
  const deletions: PendingDeletion[] = [];
  const announced: PendingDeletion[] = [];
  const vetoed: Wanted['vetoed'][number][] = [];
  const cancelled: Wanted['cancelled'][number][] = [];
  const { policy, figures } = judgement;
  const hold = (
    kind: Held['kind'],
    record: KeyRecord,
    step: number,
    because: HeldBecause,
    detail: string,
  ): void => {
    held.push({
      kind,
      policy: policy.name,
      findingId: finding.id,
      subject: keyAsSubject(record.id, record),
      step,
      because,
      detail,
    });
  };
  const change = (kind: 'rename' | 'delete', record: KeyRecord, step: number, to: string | null): void => {
    const reason = `${figuresWords(figures)}`;
    changes.push({
      kind,
      policy: policy.name,
      findingId: finding.id,
      step,
      keyId: record.id,
      keyCreatedAt: record.createdAt,
      from: record.facts.name,
      to,
      reason,
    });
  };

  const renameStep = highest(judgement, (step) => step.rename !== null);
  const deleteStep = highest(judgement, (step) => step.delete !== null);
  const renamees = renameStep === null ? [] : picked(court, judgement, renameStep);
  const doomed = deleteStep === null ? [] : picked(court, judgement, deleteStep);

  for (const record of targets(judgement, finding, doomed)) {
    const pending = finding.deletions.find(
      (one) => one.keyId === record.id && one.createdAt === record.createdAt,
    );
    const step = doomed.includes(record) ? deleteStep : null;
    const fate = deletionFate(court, judgement, finding, record, pending, step);
    switch (fate.kind) {
      case 'none':
        if (pending) deletions.push(pending);
        break;
      case 'due':
        if (pending) deletions.push(pending);
        change('delete', record, step ?? 0, null);
        break;
      case 'announce': {
        const notice = announce(court, judgement, finding, record, step ?? 0);
        deletions.push(notice);
        announced.push(notice);
        break;
      }
      case 'held':
        if (pending) deletions.push(pending);
        if (fate.because === 'unconfirmed') questions.push(...ownReadings(court, record, judgement));
        hold('delete', record, step ?? pending?.step ?? 0, fate.because, fate.detail);
        break;
      case 'vetoed':
        if (pending) {
          deletions.push({ ...pending, vetoedAt: court.now });
          vetoed.push({ deletion: pending, by: fate.by });
        }
        hold('delete', record, step ?? 0, 'vetoed', fate.by);
        break;
      case 'cancelled':
        if (pending) cancelled.push({ deletion: pending, because: fate.detail });
        if (step !== null) hold('delete', record, step, fate.because, fate.detail);
        break;
      default:
        fate satisfies never;
    }
  }

  for (const record of renamees) {
    if (renameStep === null || changes.some((one) => one.keyId === record.id)) continue;
    const wish = renameWish(court, judgement, finding, record, renameStep);
    if (wish.kind === 'rename') change('rename', record, renameStep, wish.to);
    if (wish.kind === 'held') {
      if (wish.because === 'unconfirmed') questions.push(...ownReadings(court, record, judgement));
      hold('rename', record, renameStep, wish.because, wish.detail);
    }
  }
  return { changes, held, questions, deletions, announced, vetoed, cancelled };
}

/** Keys that a deletion concerns: those it falls on now, and those with one pending. */
function targets(judgement: Judgement, finding: Finding, doomed: readonly KeyRecord[]): readonly KeyRecord[] {
  const pending = judgement.members.filter(
    (record) => !doomed.includes(record) && finding.deletions.some((one) => one.keyId === record.id),
  );
  return [...doomed, ...pending];
}

function highest(judgement: Judgement, has: (step: Step) => boolean): number | null {
  return judgement.reached.findLast((index) => has(judgement.policy.steps[index] as Step)) ?? null;
}

/** Which keys of the case a change falls on: the key itself, the group's largest, or all of them. */
function picked(court: Court, judgement: Judgement, stepIndex: number): readonly KeyRecord[] {
  const { members, subject, policy } = judgement;
  if (subject.kind === 'key' || policy.steps[stepIndex]?.pick === 'all') return members;
  if (policy.rule.kind !== 'spend') return members;
  const { measure } = policy.rule;
  const weight = (record: KeyRecord): number => {
    const known = court.bench.evidence.keys.get(record.id);
    return known === undefined ? 0 : measured(known.lifetime.low, measure);
  };
  const first = [...members].sort((a, b) => weight(b) - weight(a) || (a.id < b.id ? -1 : 1))[0];
  return first === undefined ? [] : [first];
}

/** What stands in the way of any change to this key, gravest first. */
function obstacle(
  court: Court,
  judgement: Judgement,
  record: KeyRecord,
): { because: HeldBecause; detail: string } | null {
  if (isProtected(court, record)) return { because: 'protected', detail: 'the key is protected' };
  const silence = silenced(court, record, 'actions');
  if (silence !== null) return { because: 'silenced', detail: silence };
  const mode = modeOf(court, judgement.policy);
  if (mode !== 'enforce') return { because: 'mode', detail: `mode is ${mode}` };
  if (court.hold !== null) return { because: 'unknown', detail: court.hold };
  return null;
}

function deletionFate(
  court: Court,
  judgement: Judgement,
  finding: Finding,
  record: KeyRecord,
  pending: PendingDeletion | undefined,
  stepIndex: number | null,
): Fate {
  if (stepIndex === null) {
    // An undecided step neither goes on nor ends.
    if (pending === undefined) return { kind: 'none' };
    if (judgement.open.length > 0)
      return { kind: 'held', because: 'unknown', detail: judgement.because ?? 'its usage is not certain' };
    return {
      kind: 'cancelled',
      because: 'unknown',
      detail: 'the step that asked for it is no longer reached',
    };
  }
  if (pending !== undefined && pending.vetoedAt === null && record.facts.name !== pending.expectedName) {
    return { kind: 'vetoed', by: 'a person renamed the key while its notice ran' };
  }
  if (pending !== undefined && pending.vetoedAt !== null) {
    return { kind: 'held', because: 'vetoed', detail: 'a person renamed the key while its notice ran' };
  }
  const stop = obstacle(court, judgement, record);
  if (stop !== null) {
    const ends =
      pending !== undefined &&
      (stop.because === 'protected' || stop.because === 'silenced' || stop.because === 'mode');
    return { kind: ends ? 'cancelled' : 'held', ...stop };
  }
  if (pending === undefined) {
    const quiet = silenced(court, record, 'alerts');
    return quiet === null ? { kind: 'announce' } : { kind: 'held', because: 'silenced', detail: quiet };
  }
  return pendingFate(court, judgement, finding, pending, stepIndex);
}

function pendingFate(
  court: Court,
  judgement: Judgement,
  finding: Finding,
  pending: PendingDeletion,
  stepIndex: number,
): Fate {
  const acceptedAt = court.acceptances.get(pending.noticeAlertId);
  if (acceptedAt === undefined) {
    if (court.now - pending.announcedAt >= noticeRetryMs) return { kind: 'announce' };
    return { kind: 'held', because: 'notice', detail: 'no channel has accepted its notice yet' };
  }
  const dueAt = deletionDueAt(pending, acceptedAt, judgement.policy.steps[stepIndex]?.delete?.noticeMs ?? 0);
  if (court.now < dueAt)
    return { kind: 'held', because: 'notice', detail: `its notice runs until ${minuteWords(dueAt)}` };
  const unconfirmed = idleUnconfirmed(judgement, finding);
  return unconfirmed === null
    ? { kind: 'due' }
    : { kind: 'held', because: 'unconfirmed', detail: unconfirmed };
}

/** The longer of the notice that was given and the one the policy asks for now: nothing shortens it. */
export function deletionDueAt(pending: PendingDeletion, acceptedAt: EpochMs, noticeMs: number): EpochMs {
  return Math.max(acceptedAt, pending.announcedAt) + Math.max(pending.noticeMs, noticeMs);
}

function idleUnconfirmed(judgement: Judgement, finding: Finding): string | null {
  if (judgement.policy.rule.kind !== 'idle') return null;
  const first = finding.idle?.confirmedFirstAt ?? null;
  const last = judgement.idle?.confirmedLastAt ?? null;
  if (first !== null && last !== null && last - first >= idleConfirmationMs) return null;
  return `its idleness needs two readings of its own, ${durationWords(idleConfirmationMs)} apart`;
}

/** An idle key's own reading, unless the first of the two was taken too recently for another to count. */
function ownReadings(court: Court, record: KeyRecord, judgement: Judgement): Question[] {
  const { rule } = judgement.policy;
  const first = judgement.idle?.confirmedFirstAt ?? null;
  if (rule.kind !== 'idle' || (first !== null && court.now - first < idleConfirmationMs)) return [];
  const question = ownIdleReading(rule.forMs, record);
  const { evidence } = court.bench;
  const window = question.kind === 'key' ? question.window : null;
  if (evidence.keys.get(record.id)?.individual.has(window ?? 'lifetime')) return [];
  return evidence.unanswered.has(questionKey(question)) ? [] : [question];
}

function announce(
  court: Court,
  judgement: Judgement,
  finding: Finding,
  record: KeyRecord,
  step: number,
): PendingDeletion {
  return {
    keyId: record.id,
    createdAt: record.createdAt,
    step,
    noticeAlertId: `${finding.id}/notice-${String(step + 1)}/${record.id}/${instantWords(court.now)}`,
    noticeMs: judgement.policy.steps[step]?.delete?.noticeMs ?? 0,
    announcedAt: court.now,
    expectedName: record.facts.name,
    vetoedAt: null,
  };
}

type RenameWish =
  | { readonly kind: 'none' }
  | { readonly kind: 'rename'; readonly to: string }
  | { readonly kind: 'held'; readonly because: HeldBecause; readonly detail: string };

function renameWish(
  court: Court,
  judgement: Judgement,
  finding: Finding,
  record: KeyRecord,
  stepIndex: number,
): RenameWish {
  const wish = judgement.policy.steps[stepIndex]?.rename ?? null;
  if (wish === null) return { kind: 'none' };
  if (finding.renamed.some((one) => one.step >= stepIndex && one.keyId === record.id))
    return { kind: 'none' };
  const touched = finding.renamed.some((one) => one.keyId === record.id);
  if (touched && (record.renamedByPersonAt ?? 0) >= finding.openedAt) return { kind: 'none' };
  const name = wish.template.renderName(
    templateVariables(judgement.policy.name, judgement.figures, record, ''),
  );
  if (!name.ok) return { kind: 'held', because: 'unknown', detail: `${name.missing} is missing` };
  if (name.text === record.facts.name) return { kind: 'none' };
  const stop = obstacle(court, judgement, record);
  if (stop !== null) return { kind: 'held', ...stop };
  const unconfirmed = idleUnconfirmed(judgement, finding);
  if (unconfirmed !== null) return { kind: 'held', because: 'unconfirmed', detail: unconfirmed };
  return { kind: 'rename', to: name.text };
}
