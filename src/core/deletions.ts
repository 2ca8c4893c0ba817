/** The deletions that a case asks for: announced, held while the notice runs, due, vetoed or cancelled. */
import type { Court } from './court.ts';
import { firstAccepted, mayComeBack, modeOf, obstacle, silenced } from './court.ts';
import type { Question } from './evidence.ts';
import { deletionGrounds } from './grounds.ts';
import type { EpochMs } from './key.ts';
import type { Judgement } from './judgement.ts';
import type { Held, PlannedChange } from './plan.ts';
import type { Policy } from './policy.ts';
import type { KeyRecord, PendingDeletion } from './state.ts';
import { picked, unclearPick } from './pick.ts';
import { confirmation, heldBack, highestReached, planned, unconfirmed } from './wish.ts';
import type { Case, Stop } from './wish.ts';
import { instantWords, minuteWords } from './words.ts';

/** A notice that no channel accepted is written anew after this long. */
const noticeRetryMs = 24 * 3_600_000;

const vetoDetail = 'a person renamed the key while its notice ran';

export interface WantedDeletions {
  readonly changes: readonly PlannedChange[];
  readonly held: readonly Held[];
  readonly questions: readonly Question[];
  /** The finding's deletions as they are from now on. */
  readonly deletions: readonly PendingDeletion[];
  /** Those that ended because their keys are gone. */
  readonly gone: readonly PendingDeletion[];
  /** Those announced in this pass. */
  readonly announced: readonly PendingDeletion[];
  readonly vetoed: readonly { readonly deletion: PendingDeletion; readonly by: string }[];
  readonly cancelled: readonly { readonly deletion: PendingDeletion; readonly because: string }[];
}

/** What becomes of one key's deletion in this pass. */
type Fate =
  | { readonly kind: 'due' }
  | { readonly kind: 'announced'; readonly notice: PendingDeletion }
  | ({ readonly kind: 'held' | 'cancelled' } & Stop)
  | { readonly kind: 'vetoed' };

interface Doom {
  readonly record: KeyRecord;
  readonly pending: PendingDeletion | null;
  /** The step that asks for it now; null: none does any more. */
  readonly step: number | null;
  readonly fate: Fate;
}

export function wantedDeletions(one: Case): WantedDeletions {
  const { court, finding } = one;
  const step = highestReached(one.judgement, ({ delete: asked }) => asked !== null);
  // Most cases have nothing to do with deletions.
  if (step === null && finding.deletions.length === 0) return nothing;
  const dooms = [...doomsOf(one, step)];
  const doomed = new Set(dooms.map(({ record }) => record.id));
  const others = finding.deletions.filter(({ keyId }) => !doomed.has(keyId));
  const stopped = others.filter((pending) => isStopped(court, pending));
  const left = others.filter((pending) => !stopped.includes(pending));
  const lost = left.filter((pending) => isListed(court, pending));
  const awaited = left.filter((pending) => isMissing(court, pending) || isStillChosen(one, pending));
  const fresh = stopped.filter(({ vetoedAt }) => vetoedAt === null);
  return {
    changes: dooms.flatMap((doom) =>
      doom.fate.kind === 'due' ? [planned(one, 'delete', doom.record, doom.step ?? 0, null)] : [],
    ),
    held: dooms.flatMap((doom) => heldOf(one, doom)),
    questions: dooms.flatMap(({ fate, record, step: of }) =>
      fate.kind === 'held' && fate.because === 'unconfirmed' ? confirmation(one, record, of ?? 0) : [],
    ),
    deletions: [
      ...dooms.flatMap((doom) => pendingAfter(one, doom)),
      ...stopped.map((pending) => ({ ...pending, vetoedAt: pending.vetoedAt ?? court.now })),
      ...awaited,
    ],
    gone: left.filter((pending) => !lost.includes(pending) && !awaited.includes(pending)),
    announced: dooms.flatMap(({ fate }) => (fate.kind === 'announced' ? [fate.notice] : [])),
    vetoed: [
      ...dooms.flatMap(({ fate, pending }) => (fate.kind === 'vetoed' && pending ? [pending] : [])),
      ...fresh,
    ].map((deletion) => ({ deletion, by: vetoDetail })),
    cancelled: [
      ...dooms.flatMap(({ fate, pending }) =>
        fate.kind === 'cancelled' && pending ? [{ deletion: pending, because: fate.detail }] : [],
      ),
      ...lost.map((deletion) => ({ deletion, because: 'the policy no longer covers the key' })),
    ],
  };
}

const nothing: WantedDeletions = {
  changes: [],
  held: [],
  questions: [],
  deletions: [],
  gone: [],
  announced: [],
  vetoed: [],
  cancelled: [],
};

/** The keys that a deletion falls on now, and those that one is pending for though none asks for it. */
function* doomsOf(one: Case, step: number | null): Generator<Doom> {
  const { judgement, finding } = one;
  const asked = new Set(step === null ? [] : picked(one, step));
  const notices = new Map(finding.deletions.map((pending) => [pending.keyId, pending]));
  for (const record of judgement.members) {
    const notice = notices.get(record.id);
    const pending = notice?.createdAt === record.createdAt ? notice : null;
    if (step !== null && asked.has(record))
      yield { record, pending, step, fate: fateOf(one, record, pending, step) };
    else if (pending !== null) yield { record, pending, step: null, fate: unasked(one, record, pending) };
  }
}

/**
 * A person's hand counts for the whole finding, also while the key is none of its case's: its new name may be
 * what took it out, and a list may lack it for a while.
 */
export function isStopped({ records }: Pick<Court, 'records'>, pending: PendingDeletion): boolean {
  const record = records.get(pending.keyId);
  if (record?.createdAt !== pending.createdAt) return false;
  return pending.vetoedAt !== null || isRenamedByHand(record, pending);
}

/** The key is in the list, so that the case no longer having it is the policy's doing. */
function isListed(court: Court, { keyId }: PendingDeletion): boolean {
  return court.bench.evidence.keys.get(keyId) !== undefined;
}

/** The key is not in the list, but the list proves nothing. */
function isMissing(court: Court, pending: PendingDeletion): boolean {
  return !court.listTrusted && !isListed(court, pending);
}

/** The list lacks the group's highest key, for a moment perhaps: no other takes its place at once. */
function isStillChosen({ court, judgement }: Case, { keyId, createdAt, step }: PendingDeletion): boolean {
  const record = court.records.get(keyId);
  if (record?.createdAt !== createdAt || !mayComeBack(court, record)) return false;
  return judgement.policy.steps[step]?.pick === 'highest';
}

function pendingAfter({ court, judgement }: Case, { fate, pending, step }: Doom): PendingDeletion[] {
  if (fate.kind === 'announced') return [fate.notice];
  if (pending === null || fate.kind === 'cancelled') return [];
  if (fate.kind === 'vetoed') return [{ ...pending, vetoedAt: court.now }];
  if (pending.grounds !== undefined || step === null) return [pending];
  return [{ ...pending, grounds: deletionGrounds(judgement.policy, step) }];
}

function heldOf(one: Case, { fate, record, pending, step }: Doom): Held[] {
  const position = step ?? pending?.step ?? 0;
  switch (fate.kind) {
    case 'due':
    case 'announced':
      return [];
    case 'held':
      return [heldBack(one, 'delete', record, position, fate)];
    case 'cancelled':
      return step === null ? [] : [heldBack(one, 'delete', record, position, fate)];
    case 'vetoed':
      return [heldBack(one, 'delete', record, position, { because: 'vetoed', detail: vetoDetail })];
    default:
      return fate satisfies never;
  }
}

/** A deletion that is pending though no step asks for it: an undecided step neither goes on nor ends. */
function unasked({ court, judgement }: Case, record: KeyRecord, pending: PendingDeletion): Fate {
  if (pending.vetoedAt !== null) return { kind: 'held', because: 'vetoed', detail: vetoDetail };
  // A person's hand counts for the whole finding, also when the step comes back later.
  if (isRenamedByHand(record, pending)) return { kind: 'vetoed' };
  const doubt = judgement.open.length > 0 ? (judgement.because ?? 'its usage is not certain') : court.hold;
  if (doubt !== null) return { kind: 'held', because: 'unknown', detail: doubt };
  return { kind: 'cancelled', because: 'unknown', detail: 'the step that asked for it is no longer reached' };
}

/** Since the notice, also where the name has been given back. */
function isRenamedByHand({ facts, renamedByPersonAt }: KeyRecord, pending: PendingDeletion): boolean {
  const { expectedName, namedAt } = pending;
  return facts.name !== expectedName || (namedAt !== undefined && namedAt !== renamedByPersonAt);
}

function fateOf(one: Case, record: KeyRecord, pending: PendingDeletion | null, step: number): Fate {
  const { court, judgement } = one;
  if (pending !== null && pending.vetoedAt !== null)
    return { kind: 'held', because: 'vetoed', detail: vetoDetail };
  if (pending !== null && isRenamedByHand(record, pending)) return { kind: 'vetoed' };
  const stop = obstacle(court, record, modeOf(court, judgement.policy));
  // What a person decided ends a notice, which starts anew afterwards; what cannot be told only holds it.
  if (stop !== null) return { kind: stop.because === 'unknown' ? 'held' : 'cancelled', ...stop };
  if (pending !== null && stillTrue(judgement, pending)) return pendingFate(one, record, pending, step);
  const unclear = unclearPick(one, step);
  return unclear === null ? announce(one, record, step, pending?.noticeMs) : { kind: 'held', ...unclear };
}

function pendingFate(one: Case, record: KeyRecord, pending: PendingDeletion, step: number): Fate {
  const { court } = one;
  const dueAt = noticeEnd(one, pending, step);
  if (dueAt === null) {
    if (court.now - pending.announcedAt >= noticeRetryMs)
      return announce(one, record, step, pending.noticeMs);
    return { kind: 'held', because: 'notice', detail: 'no channel of its step has accepted its notice yet' };
  }
  if (court.now < dueAt)
    return { kind: 'held', because: 'notice', detail: `its notice runs until ${minuteWords(dueAt)}` };
  const lacking = unconfirmed(one, step);
  return lacking === null ? { kind: 'due' } : { kind: 'held', ...lacking };
}

/** When a notice has run out; null: no channel of its step has accepted it. */
export function noticeEnd(
  { court, judgement: { policy } }: Case,
  pending: PendingDeletion,
  step: number,
): EpochMs | null {
  const channels = noticeChannels(policy, pending, step);
  const acceptedAt = firstAccepted(court.acceptances, pending.noticeAlertId, channels);
  if (acceptedAt === null) return null;
  return deletionDueAt(pending, acceptedAt, policy.steps[step]?.delete?.noticeMs ?? 0);
}

/** The case is what the notice said it was; that another step is reached besides changes nothing in that. */
function stillTrue({ policy, reached }: Judgement, { grounds }: PendingDeletion): boolean {
  return (
    grounds === undefined ||
    reached.some((index) => policy.steps[index]?.delete && deletionGrounds(policy, index) === grounds)
  );
}

/**
 * Whose acceptance of a notice counts: the channels, as they are now, of the step that it announced. A channel
 * that it went to for another step that fired beside it is none of these.
 */
export function noticeChannels(
  policy: Policy,
  { grounds, step }: PendingDeletion,
  asks = step,
): readonly string[] {
  const announced = policy.steps.flatMap(({ delete: asked, alert }, index) =>
    asked !== null && deletionGrounds(policy, index) === grounds ? alert : [],
  );
  return announced.length > 0 ? announced : (policy.steps[asks]?.alert ?? []);
}

/** The longer of the notice that was given and the one the policy asks for now: nothing shortens it. */
export function deletionDueAt(pending: PendingDeletion, acceptedAt: EpochMs, noticeMs: number): EpochMs {
  return Math.max(acceptedAt, pending.announcedAt) + Math.max(pending.noticeMs, noticeMs);
}

/** A notice, unless alerts are silenced: one that nobody may be sent cannot run. `leastMs`: as long as the one before. */
function announce({ court, judgement, finding }: Case, record: KeyRecord, step: number, leastMs = 0): Fate {
  const quiet = silenced(court, record, 'alerts');
  if (quiet !== null) return { kind: 'held', because: 'silenced', detail: quiet };
  const notice: PendingDeletion = {
    keyId: record.id,
    createdAt: record.createdAt,
    step,
    noticeAlertId: `${finding.id}/notice-${String(step + 1)}/${record.id}/${instantWords(court.now)}`,
    noticeMs: Math.max(leastMs, judgement.policy.steps[step]?.delete?.noticeMs ?? 0),
    announcedAt: court.now,
    expectedName: record.facts.name,
    vetoedAt: null,
    namedAt: record.renamedByPersonAt,
    grounds: deletionGrounds(judgement.policy, step),
  };
  return { kind: 'announced', notice };
}
