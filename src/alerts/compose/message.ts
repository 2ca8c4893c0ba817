/**
 * A message before it has a format: what is said, in order. All text in it is safe to show (made so
 * by `display.ts`); a format only escapes what is special to it.
 */
import type { Alert, CaseAlert } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import type { Tone } from './gravity.ts';

export interface Fact {
  /** One of this program's own words. */
  readonly label: string;
  readonly value: string;
}

/** How far a level is towards its limit, for a bar: shares of the limit; 1 is at the limit. */
export interface Meter {
  /** What is certain. */
  readonly lowShare: number;
  /** Null: no upper end is known. */
  readonly highShare: number | null;
}

export type Part =
  | { readonly kind: 'remark'; readonly text: string }
  | { readonly kind: 'heading'; readonly text: string }
  | CasePart
  /** Cases in one line each. A format may show fewer and say how many more there are. */
  | { readonly kind: 'list'; readonly lines: readonly Line[] }
  /** For formats that show pictures; the others may tell its words. */
  | { readonly kind: 'chart'; readonly chart: Chart }
  | { readonly kind: 'advice'; readonly title: string; readonly lines: readonly string[] }
  | { readonly kind: 'small'; readonly text: string };

/** An alert in a line. */
export interface Line {
  readonly alertId: string;
  readonly text: string;
}

/** One case: what happened, its numbers, what comes next. */
export interface CasePart {
  readonly kind: 'case';
  readonly alertId: string;
  readonly tone: Tone;
  /** Null when the headline says it. */
  readonly title: string | null;
  readonly lead: readonly string[];
  /** Null when it is not about spend. */
  readonly meter: Meter | null;
  readonly facts: readonly Fact[];
  readonly next: readonly string[];
}

/** What was used day by day. */
export interface Chart {
  /** "Spend a day, last 30 days (UTC)" */
  readonly title: string;
  /** "highest $4.20 on 12 Nov; today $1.30 so far" */
  readonly summary: string;
  /** The first day: "25 Oct". */
  readonly from: string;
  readonly png: Uint8Array;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

export interface Message {
  /** The same whenever the same message is sent again. */
  readonly id: string;
  /** When it was composed. */
  readonly at: EpochMs;
  readonly headline: string;
  readonly parts: readonly Part[];
  /** The finding it is about, when it is about one only: its messages form a thread. */
  readonly thread: string | null;
  readonly alerts: readonly Alert[];
  /** What is told by one of `alerts`, which overtook it, and not by itself; oldest first. */
  readonly overtaken: readonly CaseAlert[];
  /** Why this channel stands in for others. */
  readonly remarks: readonly string[];
}
