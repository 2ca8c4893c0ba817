/**
 * What is to be told, as facts. `alerts/` makes words, messages and deliveries of it.
 */
import type { EpochMs, KeyId, Measure } from './key.ts';
import type { TemplateVariables } from './policy.ts';

export type Subject =
  | { readonly kind: 'key'; readonly id: KeyId; readonly name: string; readonly originalName: string }
  | { readonly kind: 'group'; readonly group: string };

/** An interval in micro-dollars, tokens or requests; `high` null: no upper bound is known. */
export interface Level {
  readonly low: number;
  readonly high: number | null;
}

/** A spend case's numbers. `limit` and `level` in micro-dollars, tokens or requests by `measure`. */
export interface SpendFigures {
  readonly kind: 'spend';
  readonly measure: Measure;
  readonly level: Level;
  readonly limit: number;
  /** floor(100 × level.low / limit) */
  readonly percent: number;
  /** In words: "month from 1 Nov 2026", "last 24 hours", "lifetime". */
  readonly period: string;
  readonly periodStart: EpochMs | null;
  readonly periodEnd: EpochMs | null;
  readonly basis: 'level' | 'forecast';
}

export interface DeadlineFigures {
  readonly kind: 'expiry' | 'idle';
  readonly deadline: EpochMs;
  /** Why that deadline, in words: "expires_at", "older than 90 d", "unused since 3 Sep". */
  readonly why: string;
}

export type Figures = SpendFigures | DeadlineFigures;

/** What is to become of the key after this alert, gravest first. */
export type Next =
  | { readonly kind: 'delete'; readonly noticeMs: number; readonly dueAt: EpochMs }
  | { readonly kind: 'rename'; readonly to: string }
  | { readonly kind: 'would'; readonly change: 'rename' | 'delete'; readonly because: string }
  | { readonly kind: 'step'; readonly at: string; readonly does: string };

export type CaseEvent =
  /** A step was reached (or repeats). `step` counts from 1. */
  | { readonly kind: 'step'; readonly step: number; readonly of: number; readonly repeated: boolean }
  /** A deletion is coming; must be accepted by a channel before its time starts to run. */
  | { readonly kind: 'notice'; readonly step: number; readonly of: number; readonly noticeMs: number }
  | { readonly kind: 'deleted'; readonly noticeAcceptedAt: EpochMs }
  | { readonly kind: 'cancelled'; readonly because: string }
  | { readonly kind: 'vetoed'; readonly by: string }
  /** Its notice has run out, and a limit holds it. `notBefore`: when the limit will allow it at the soonest; null: not as it stands. */
  | {
      readonly kind: 'held';
      readonly announcedFor: EpochMs;
      readonly because: string;
      readonly notBefore: EpochMs | null;
    }
  | { readonly kind: 'failed'; readonly change: 'rename' | 'restore' | 'delete'; readonly because: string }
  | { readonly kind: 'uncertain'; readonly because: string }
  | { readonly kind: 'resolved'; readonly because: string };

/** About one finding. */
export interface CaseAlert {
  readonly topic: 'case';
  /** Stable: the same decision always has the same id, across retries and restarts. */
  readonly id: string;
  readonly at: EpochMs;
  readonly findingId: string;
  readonly policy: string;
  readonly description: string | null;
  readonly subject: Subject;
  readonly figures: Figures;
  /** Whose figures they are, where it is about one key of a group; left out: the subject's own. */
  readonly group?: string;
  readonly event: CaseEvent;
  readonly next: readonly Next[];
  /** IANA zone to tell times in. */
  readonly timeZone: string;
  /** Names of channels, each once. */
  readonly channels: readonly string[];
  readonly variables: TemplateVariables;
}

/** About Keywarden itself: a bad policy file, an API that refuses, a limit that held. */
export interface SystemAlert {
  readonly topic: 'system';
  readonly id: string;
  readonly at: EpochMs;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly text: string;
  readonly timeZone: string;
  readonly channels: readonly string[];
}

export type Alert = CaseAlert | SystemAlert;
