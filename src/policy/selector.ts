/**
 * Selectors, judged in three values: what cannot be judged is neither true nor false, also under `not`.
 * A policy then does not select the key, and a protection does protect it.
 */
import type { EpochMs } from '../core/key.ts';
import type { ProtectSelector, Selectable, Selector } from '../core/policy.ts';
import { globMatcher } from './glob.ts';

export type Truth = 'yes' | 'no' | 'unknown';

export type Judge = (subject: Selectable, now: EpochMs) => Truth;

/** For a policy: unknown does not select. */
export function selects(judge: Judge): Selector {
  return (subject, now) => judge(subject, now) === 'yes';
}

/** For a protection, or a silence that holds actions back: unknown counts as covered. */
export function guards(judge: Judge): ProtectSelector {
  return (subject, now) => judge(subject, now) !== 'no';
}

export const everyKey: Judge = () => 'yes';

/** Kleene's "and": one "no" settles it, whatever is unknown. */
export function allOf(judges: readonly Judge[]): Judge {
  return (subject, now) => strongest(judges, subject, now, 'no', 'yes');
}

/** Kleene's "or": one "yes" settles it. */
export function anyOf(judges: readonly Judge[]): Judge {
  return (subject, now) => strongest(judges, subject, now, 'yes', 'no');
}

export function not(judge: Judge): Judge {
  return (subject, now) => {
    const truth = judge(subject, now);
    return truth === 'unknown' ? truth : ofBoolean(truth === 'no');
  };
}

export function nameMatches(patterns: readonly string[]): Judge {
  const matchers = patterns.map(globMatcher);
  return ({ originalName }) => ofBoolean(matchers.some((matches) => matches(originalName)));
}

/**
 * `patterns`: any of these. Text, numbers and booleans are compared as text; missing metadata never
 * matches; anything else (null, a list, an object) can be present, but not be compared.
 */
export function metadataMatches(field: string, patterns: readonly string[]): Judge {
  const matchers = patterns.map(globMatcher);
  const presenceIsEnough = patterns.includes('*');
  return ({ key }) => {
    if (!Object.hasOwn(key.metadata, field)) return 'no';
    const value = key.metadata[field];
    if (value === null || value === undefined) return 'unknown';
    if (presenceIsEnough) return 'yes';
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return 'unknown';
    const text = String(value);
    return ofBoolean(matchers.some((matches) => matches(text)));
  };
}

/** Whether the key has `expires_at`, has `max_tokens`, is a chat key. */
export function has(trait: 'expires' | 'token_limit' | 'chat', wanted: boolean): Judge {
  return ({ key }) => {
    switch (trait) {
      case 'expires':
        return ofBoolean((key.expiresAt !== null) === wanted);
      case 'token_limit':
        return ofBoolean((key.maxTokens !== null) === wanted);
      case 'chat':
        return ofBoolean(key.chat === wanted);
      default:
        return trait satisfies never;
    }
  };
}

export function olderThan(ageMs: number): Judge {
  return ({ key }, now) => ofBoolean(now - key.createdAt > ageMs);
}

function ofBoolean(holds: boolean): Truth {
  return holds ? 'yes' : 'no';
}

function strongest(
  judges: readonly Judge[],
  subject: Selectable,
  now: EpochMs,
  settles: Truth,
  otherwise: Truth,
): Truth {
  let result = otherwise;
  for (const judge of judges) {
    const truth = judge(subject, now);
    if (truth === settles) return settles;
    if (truth === 'unknown') result = 'unknown';
  }
  return result;
}
