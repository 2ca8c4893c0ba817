/**
 * What the counters of keys were around the instants that matter: the beginnings of calendar periods,
 * and the ever-moving beginnings of rolling windows. From the ledger's samples, and from what a window's
 * reading tells of its own beginning: the lifetime counter less what was used in the window.
 */
import { lowerCounters, subtractCounters, upperCounters } from '../core/evidence.ts';
import type { Marks } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { Mark, SampleRun } from '../core/state.ts';

export type Subject = KeyId | 'account';
type Runs = ReadonlyMap<Subject, SampleRun>;

const unknown: Mark = { before: null, after: null };

/** A mark as it is once `runs` are known too: a later run may be the first after the boundary. */
export function advanceMarks(marks: Marks, runs: Runs, boundary: EpochMs, lagMs: number): Marks {
  let result: Map<Subject, Mark> | null = null;
  for (const [key, run] of runs) {
    const mark = marks.get(key) ?? unknown;
    const before = run.firstAt <= boundary ? run.counters : mark.before;
    const after = mark.after ?? (run.lastAt >= boundary + lagMs ? run.counters : null);
    if (before === mark.before && after === mark.after) continue;
    result ??= new Map(marks);
    result.set(key, { before: higher(before, mark.before), after });
  }
  return result ?? marks;
}

/** The instant around which a rolling window's marks are read from the ledger, and for how long they serve. */
export interface Grid {
  readonly at: EpochMs;
  readonly stepMs: number;
}

const dayMs = 86_400_000;
/** To read them takes a while in a large account. */
const quarterMs = 15 * 60_000;

/** As fine as the ledger itself keeps samples of that age, or a part of the window that matters little. */
export function gridOf(window: Window, now: EpochMs): Grid {
  const stepMs = Math.min(dayMs, Math.max(quarterMs, windowMs[window] / 24));
  const start = now - windowMs[window];
  return { at: Math.floor(start / stepMs) * stepMs, stepMs };
}

/**
 * A rolling window's marks, read anew from the ledger. What was known to have been used by an earlier instant
 * was used by a later one too; what had not been passed by then may have been passed since.
 */
export function renewed(earlier: Marks | undefined, stored: Marks): Marks {
  if (earlier === undefined) return stored;
  const result = new Map(stored);
  for (const [key, { before }] of earlier) {
    if (before === null) continue;
    const mark = stored.get(key) ?? unknown;
    result.set(key, { before: higher(before, mark.before), after: mark.after });
  }
  return result;
}

/** Readings of one window in one pass, by key. */
export interface WindowReading {
  readonly window: Window;
  /** Between which two instants the window began. */
  readonly earliestStart: EpochMs;
  readonly latestStart: EpochMs;
  /** What was used in it, and counters that had been reached when it was read. */
  readonly used: ReadonlyMap<Subject, { readonly used: Counters; readonly reached: Counters }>;
}

/** What had been used by the beginning of the window is a lower bound for any later instant. */
export function raiseMarks(marks: Marks, { used }: WindowReading): Marks {
  const result = new Map(marks);
  for (const [key, one] of used) {
    const mark = marks.get(key) ?? unknown;
    const before = higher(mark.before, positive(subtractCounters(one.reached, one.used)));
    if (before !== mark.before) result.set(key, { before, after: mark.after });
  }
  return result;
}

/**
 * What had not been used by the beginning of the window is an upper bound for any earlier instant. `now`:
 * counters read after the window was.
 */
export function lowerMarks(
  marks: Marks,
  { used }: WindowReading,
  now: (key: Subject) => Counters | null,
): Marks {
  const result = new Map(marks);
  for (const [key, one] of used) {
    const counters = now(key);
    if (counters === null) continue;
    const mark = marks.get(key) ?? unknown;
    const most = positive(subtractCounters(counters, one.used));
    result.set(key, {
      before: mark.before,
      after: mark.after === null ? most : lowerCounters(mark.after, most),
    });
  }
  return result;
}

function higher(a: Counters | null, b: Counters | null): Counters | null {
  if (a === null || b === null || a === b) return a ?? b;
  return upperCounters(a, b);
}

function positive({ costMicroUsd, tokens, requests }: Counters): Counters {
  return {
    costMicroUsd: Math.max(0, costMicroUsd),
    tokens: Math.max(0, tokens),
    requests: Math.max(0, requests),
  };
}

/** Without what was believed of keys whose samples may hold someone else's usage. */
export function forgetMarks(marks: Marks, doubted: ReadonlySet<KeyId>): Marks {
  const known = [...doubted].filter((id) => marks.has(id));
  if (known.length === 0) return marks;
  const result = new Map(marks);
  for (const id of known) result.delete(id);
  return result;
}
