/** What a pass will do, and what it will not and why: data that can be printed, stored, tested and refused. */
import type { CaseAlert, Figures, Subject } from './alert.ts';
import type { EpochMs, KeyId } from './key.ts';
import type { Question } from './evidence.ts';
import type { Mode } from './policy.ts';
import type { Finding } from './state.ts';

export type HeldBecause =
  'mode' | 'protected' | 'limit' | 'unknown' | 'notice' | 'silenced' | 'vetoed' | 'unconfirmed';

/** One change to one key: decided, not yet done. */
export interface PlannedChange {
  readonly kind: 'rename' | 'restore' | 'delete';
  readonly policy: string;
  readonly findingId: string;
  /** Position of the step (from 0); null for a restore. */
  readonly step: number | null;
  readonly keyId: KeyId;
  readonly keyCreatedAt: EpochMs;
  /** The name the key bears now. */
  readonly from: string;
  /** The new name; null for a deletion. */
  readonly to: string | null;
  readonly reason: string;
}

/** Something wanted that is not done in this pass. */
export interface Held {
  readonly kind: 'alert' | 'rename' | 'restore' | 'delete';
  readonly policy: string;
  readonly findingId: string | null;
  readonly subject: Subject;
  readonly step: number | null;
  readonly because: HeldBecause;
  readonly detail: string;
  /** Why it is wanted, with the numbers it was judged by. */
  readonly reason: string;
}

export interface FindingView {
  readonly policy: string;
  readonly subject: Subject;
  readonly state: 'open' | 'uncertain';
  readonly period: { readonly start: EpochMs | null; readonly end: EpochMs | null } | null;
  readonly figures: Figures;
  /** The highest step reached, counted from 1; null while none is. */
  readonly step: number | null;
  readonly because: string | null;
}

/** A condition of the whole program that people are told of once, and once when it is over. */
export interface Trouble {
  readonly code: string;
  readonly severity: 'warning' | 'critical';
  readonly title: string;
  readonly text: string;
  /** The channel that cannot be told of it, for it is about that one. */
  readonly notBy?: string;
}

export interface Decision {
  readonly now: EpochMs;
  readonly mode: Mode;
  /** Why nothing at all may be changed now; null: nothing stands in the way. */
  readonly hold: string | null;
  /** Too many keys fell idle at once to be believed. */
  readonly massIdle: boolean;
  /** Changed or new documents. */
  readonly findings: readonly Finding[];
  readonly alerts: readonly CaseAlert[];
  readonly changes: readonly PlannedChange[];
  readonly held: readonly Held[];
  readonly views: readonly FindingView[];
  readonly questions: readonly Question[];
  readonly troubles: readonly Trouble[];
}

/** A call to the API that was made, and what for. */
export interface Call {
  readonly what: string;
  readonly why: string;
}

/** A level on its way to a threshold. */
export interface Approach {
  readonly policy: string;
  readonly subject: Subject;
  /** How long until it could be there, at the pace of late. */
  readonly inMs: number;
  /** What it moves a millisecond, as a share of the limit: by so much it may be past it when that is seen. */
  readonly sharePerMs: number;
}
