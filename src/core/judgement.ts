/** What judging needs and what it gives. */
import type { Figures } from './alert.ts';
import type { Evidence, KeyEvidence, Question } from './evidence.ts';
import type { Counters, EpochMs, KeyId } from './key.ts';
import type { Period } from './periods.ts';
import type { Policy } from './policy.ts';
import type { Finding, FindingSubject, KeyRecord } from './state.ts';

/** What there is to judge by. Records are those of live, ordinary (non-admin) keys. */
export interface Bench {
  readonly now: EpochMs;
  readonly live: readonly KeyRecord[];
  /** What is known of each of them, in the same order. */
  readonly known: readonly (KeyEvidence | undefined)[];
  readonly record: (id: KeyId) => KeyRecord | undefined;
  readonly gone: readonly KeyRecord[];
  /** The last counters known of any key, gone ones included. */
  readonly lastCounters: ReadonlyMap<KeyId, Counters>;
  readonly evidence: Evidence;
  /** Names the periods that are current: another one, and what was not worth a word may be. */
  readonly epoch: string;
  /** Open findings by `policy subject`, see `caseKey`. */
  readonly open: ReadonlyMap<string, Finding>;
  readonly idleBefore: IdleBefore;
}

/** What earlier passes made of idleness. */
export interface IdleBefore {
  /** The rules (`idleSignature`) that the pass before judged by; a key idle by another is no news. */
  readonly judgedBy: ReadonlySet<string>;
  /** Since when too many keys fell idle at once; null: they did not. */
  readonly massSince: EpochMs | null;
}

/** A subject of a policy about which there is something to say. */
export interface Judgement {
  readonly policy: Policy;
  readonly subject: FindingSubject;
  /** The key, or the live keys of the group. */
  readonly members: readonly KeyRecord[];
  /** Start and end of the calendar period that the case belongs to; nulls for rolling, lifetime and deadlines. */
  readonly period: Period;
  /** Of the level or the deadline; of the forecast where no step but a forecast's is reached. */
  readonly figures: Figures;
  /** Of the forecast; null: there is none. */
  readonly expected: Figures | null;
  /** Positions of the steps that are reached, ascending. */
  readonly reached: readonly number[];
  /**
   * Those of them that are surely reached now. A step of a rolling period that was surely reached once counts
   * as reached until the level is surely below it, but changes nothing before it is sure again.
   */
  readonly sure: readonly number[];
  /** What would tell about the reached ones that are not sure. */
  readonly doubts: readonly Question[];
  /** Positions of those that cannot be told. */
  readonly open: readonly number[];
  /** Why they cannot be told. */
  readonly because: string | null;
  readonly idle: Finding['idle'];
  /** What a key or the account has surely consumed in its period; null: nothing that stays true. */
  readonly proven: Finding['proven'] | null;
}

/** What that step is reached by. */
export function figuresAt({ policy, figures, expected }: Judgement, step: number): Figures {
  return policy.steps[step]?.basis === 'forecast' ? (expected ?? figures) : figures;
}

/** One subject's name within a policy: at most one of its findings is open at a time. */
export function caseKey(policy: string, subject: FindingSubject): string {
  return subject.kind === 'key'
    ? `${policy} ${subject.id} ${String(subject.createdAt)}`
    : `${policy} ${subject.group}`;
}

/** The keys that any policy has an open finding about: of the others nobody needs to look for one. */
export function keysWithCases({ open }: Bench): ReadonlySet<KeyId> {
  const ids = new Set<KeyId>();
  for (const { subject } of open.values()) if (subject.kind === 'key') ids.add(subject.id);
  return ids;
}

/** A policy's open finding about a single key, quickly: a decision looks for it once a key. */
export function openCases(policy: string, { open }: Bench): (record: KeyRecord) => Finding | undefined {
  const cases = new Map<KeyId, Finding>();
  for (const finding of open.values()) {
    if (finding.policy === policy && finding.subject.kind === 'key') cases.set(finding.subject.id, finding);
  }
  return (record) => {
    const finding = cases.get(record.id);
    const same = finding?.subject.kind === 'key' && finding.subject.createdAt === record.createdAt;
    return same ? finding : undefined;
  };
}

/** A judgement, if there is anything to say, and what would tell more. */
export type Judged = readonly [Judgement | null, readonly Question[]];

/**
 * Prepared once a decision, for one policy. Of a key about which there is nothing to say, until when there will
 * be nothing, unless it changes or is used. `hasCase`: it is one of `keysWithCases`.
 */
export type KeyJudge = (record: KeyRecord, known: KeyEvidence, hasCase: boolean) => Judged | EpochMs;

export type Judge =
  | { readonly of: 'keys'; readonly judge: KeyJudge }
  | { readonly of: 'groups'; readonly judge: () => Iterable<Judged> };

export type Selects = (record: KeyRecord) => boolean;

/** When the policy may come to select a key that it does not select now: time alone can only make it older. */
export function selectionChanges({ ages }: Policy, { createdAt }: KeyRecord, now: EpochMs): EpochMs {
  let next = Infinity;
  for (const age of ages) if (createdAt + age >= now) next = Math.min(next, createdAt + age);
  return next;
}

export const noPeriod: Period = { start: null, end: null };

export function keySubject(record: KeyRecord): FindingSubject {
  return { kind: 'key', id: record.id, createdAt: record.createdAt };
}
