/** When to look next. */
import type { EpochMs } from './key.ts';
import { periodAt } from './periods.ts';
import type { Approach } from './plan.ts';
import type { PolicyFile } from './policy.ts';

export interface Pace {
  /** The longest pause. */
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly usageLagMs: number;
  readonly maxCallsPerMinute: number;
}

/** What a pass leaves to the next one. */
export interface Outlook {
  /** When it began. */
  readonly at: EpochMs;
  /** What reaches its next threshold first, at the present pace; null: nothing moves. */
  readonly approach: Approach | null;
  /** There was more to ask than there were calls left, or what became of a change. */
  readonly unasked: boolean;
  /** How many keys no row speaks for: each costs a call to know it. */
  readonly rowless: number;
}

interface Calls {
  /** When there are enough for a pass that only an approach asks for, and for another at an instant of its own. */
  readonly callsFreeAt: EpochMs;
}

const minuteMs = 60_000;

/** A pass asks for the list and for the usage of all keys, and often for one thing more. */
export const callsAPass = 3;

/**
 * A level may hurry on while nobody looks: the next look is when it would have come half as far as its
 * threshold at the pace of late. So the looks close in on it, and the last is as near as pauses may be short.
 */
const closingIn = 0.5;

/**
 * The next pass: after the longest pause; or sooner, where a level could reach its next threshold, a
 * period begins (so that the counters on each side of it are known) or its usage is surely reported, a
 * notice has run (`dueAt`), or there are calls again for what was left unasked. An instant that passed while the
 * last pass was under way is due at once. Only an approach waits for calls.
 */
export function nextPassAt(
  now: EpochMs,
  policy: PolicyFile,
  dueAt: readonly EpochMs[],
  pace: Pace,
  {
    at: lastAt = now,
    approach = null,
    unasked = false,
    rowless = 0,
    callsFreeAt = now,
  }: Partial<Outlook & Calls> = {},
): EpochMs {
  const boundaries = policy.policies.flatMap(({ rule }) => {
    if (rule.kind !== 'spend' || rule.period.kind !== 'calendar') return [];
    const { start, end } = periodAt(rule.period, lastAt);
    // The last counters before a period's beginning are to be as near to it as the first ones after.
    const eves = end === null ? [] : [end - eveOf(pace, rowless), end - eveOf(pace), end];
    return start === null ? eves : [...eves, start + pace.usageLagMs];
  });
  const refilled = unasked ? [now + minuteMs] : [];
  const wanted = [...boundaries, ...dueAt, ...refilled].filter((at) => at > lastAt);
  const near =
    approach === null ? Infinity : Math.max(Math.ceil(now + approach.inMs * closingIn), callsFreeAt);
  const soonest = Math.min(now + pace.intervalMs, near, ...wanted);
  return Math.max(soonest, now + shortestPause(pace));
}

/** Of the calls of a minute, those that are sure to be there for keys that are read by themselves. */
const readingPart = 0.8;
/** A pass that uses up the calls of a minute, and the minute until there are as many again. */
const readingMs = 75_000;
/** Earlier, a reading tells little of a period's start; but where passes are rarer, none is too early. */
const longEveMs = 10 * minuteMs;

/**
 * So long before a period's end a last pass is made in it: long enough that it is done by then, as a rule. Keys
 * that are `rowless` are read in a pass before that, too, lest that one is slow and done too late; where they are
 * more than a minute has calls for, in several.
 */
export function eveOf(
  { intervalMs, maxCallsPerMinute }: Pick<Pace, 'intervalMs' | 'maxCallsPerMinute'>,
  rowless = 0,
): number {
  if (rowless === 0) return Math.min(intervalMs, minuteMs);
  const passes = 1 + Math.ceil(rowless / (maxCallsPerMinute * readingPart));
  return Math.min(Math.max(intervalMs, longEveMs), passes * readingMs);
}

function shortestPause({ minIntervalMs, intervalMs, maxCallsPerMinute }: Pace): number {
  return Math.min(
    intervalMs,
    Math.max(minIntervalMs, Math.ceil((callsAPass * minuteMs) / maxCallsPerMinute)),
  );
}

/** How far past a threshold the fastest level may get until it is seen, as a share of its limit. */
export interface Overshoot {
  /** If it reaches the threshold at any moment of the pause alike. */
  readonly expected: number;
  readonly worst: number;
}

export function overshootOf(approach: Approach | null, pauseMs: number): Overshoot {
  const worst = approach === null ? 0 : pauseMs * approach.sharePerMs;
  return { expected: worst / 2, worst };
}
