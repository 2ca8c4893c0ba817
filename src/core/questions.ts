/** What to ask the API next to tell whether a level has reached a threshold, cheapest first. */
import { questionKey } from './evidence.ts';
import type { Evidence, KeyEvidence, Motive, Question, Target } from './evidence.ts';
import { windowMs, windows } from './key.ts';
import type { KeyId, Window } from './key.ts';
import { around, inside } from './levels.ts';
import type { Span } from './levels.ts';
import type { KeyRecord } from './state.ts';

/** A window that surrounds a period is read again once it began a tenth nearer to the period's start. */
const nearerBy = 0.1;

/**
 * What would narrow a key's level. An aggregate serves all keys with one call; a key's own reading is
 * asked for when its row cannot be credited or was not checked.
 */
export function keyQuestions(
  record: KeyRecord,
  span: Span,
  known: KeyEvidence,
  evidence: Evidence,
  models: boolean,
  motive: Motive,
): Question[] {
  const { start } = span.period;
  const wanted = start === null || record.createdAt >= start ? [] : narrowing(span, evidence);
  const own = (window: Window | null): Target[] => ownReading(record.id, window, known, evidence);
  return asked(targets(), motive);

  function targets(): Target[] {
    if (!known.credited) {
      if (models) return [];
      const windowsOfItsOwn = wanted.filter(
        (window) =>
          !isRemembered(record, span, window, evidence) ||
          isNews(span, window, keyTarget(record.id, window), evidence),
      );
      return [...own(null), ...windowsOfItsOwn.flatMap(own)];
    }
    const missing = wanted.filter((window) => !known.windows.has(window));
    const unread = missing
      .filter((window) => !evidence.account.windows.has(window))
      .flatMap((window) => {
        const target: Target & { window: Window } = { kind: 'aggregate', window };
        // Of how usage was spread over models nothing is remembered.
        const untold = models || (known.checked && !isRemembered(record, span, window, evidence));
        return untold ? fresh(target, evidence) : news(span, target, evidence);
      });
    if (unread.length > 0) return unread;
    // An aggregate without any row was no answer: the key itself is asked.
    const answered = missing.filter((window) => evidence.account.windows.has(window));
    return [...(known.checked ? [] : own(null)), ...(models ? [] : answered.flatMap(own))];
  }
}

export function accountQuestions(span: Span, evidence: Evidence, motive: Motive): Question[] {
  if (span.period.start === null) return [];
  const missing = narrowing(span, evidence).filter((window) => !evidence.account.windows.has(window));
  return asked(
    missing.flatMap((window) => news(span, { kind: 'aggregate', window }, evidence)),
    motive,
  );
}

export function asked(targets: readonly Target[], motive: Motive): Question[] {
  return targets.map((target) => ({ ...target, ...motive }));
}

function keyTarget(id: KeyId, window: Window | null): Target {
  return { kind: 'key', id, window };
}

/** A key's own reading; nothing, when it was taken in this pass or could not be. */
export function ownReading(
  id: KeyId,
  window: Window | null,
  known: KeyEvidence,
  evidence: Evidence,
): Target[] {
  if (known.individual.has(window ?? 'lifetime')) return [];
  return fresh(keyTarget(id, window), evidence);
}

/** Nothing, when the question was put in this pass and could not be answered. */
export function fresh(target: Target, { unanswered }: Evidence): Target[] {
  return unanswered.has(questionKey(target)) ? [] : [target];
}

/** The windows that can narrow a level: the longest inside the period and the shortest around it. */
function narrowing(span: Span, evidence: Evidence): Window[] {
  const longest = windows.filter((window) => inside(window, span, evidence)).at(-1);
  const shortest = windows.find((window) => around(window, span, evidence));
  return [...new Set([longest, shortest].filter((window) => window !== undefined))];
}

function news(span: Span, target: Target & { readonly window: Window }, evidence: Evidence): Target[] {
  return isNews(span, target.window, target, evidence) ? fresh(target, evidence) : [];
}

/**
 * Whether an earlier reading of such a window left anything for this key: none did that was taken before its row
 * was proved.
 */
function isRemembered({ id }: KeyRecord, span: Span, window: Window, evidence: Evidence): boolean {
  const mark = span.marks?.get(id);
  return ((inside(window, span, evidence) ? mark?.after : mark?.before) ?? null) !== null;
}

/**
 * Whether a window, read again, would tell more than its last reading did, which the marks remember. Of a
 * calendar period: one that lay inside it then lies further inside now, and tells less; one around it has
 * come nearer to its start, and tells a little more. A rolling period moves on with its window.
 */
function isNews(span: Span, window: Window, target: Target, evidence: Evidence): boolean {
  const last = evidence.readAt.get(questionKey(target));
  const { start } = span.period;
  if (last === undefined || start === null || span.window !== null) return true;
  const began = last - windowMs[window];
  const begins = evidence.at - windowMs[window];
  if (begins >= start) return began < start;
  return begins - began >= nearerBy * (start - began);
}
