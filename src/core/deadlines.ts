/** Deadlines of keys: when one expires, and when it has been idle for too long. */
import type { Evidence, KeyEvidence, Question } from './evidence.ts';
import { windowMs, windows } from './key.ts';
import type { EpochMs, Window } from './key.ts';
import type { ExpiryRule, IdleRule } from './policy.ts';
import type { Finding, KeyRecord } from './state.ts';

export interface Deadline {
  readonly at: EpochMs;
  /** In words, for people: "its expires_at", "90 d after it was created". */
  readonly why: string;
}

/** The earliest of what the rule gives; null: the key is not covered. */
export function expiryDeadline(rule: ExpiryRule, record: KeyRecord): Deadline | null {
  const candidates: Deadline[] = [];
  const { expiresAt, createdAt } = record.facts;
  if (expiresAt !== null) candidates.push({ at: expiresAt, why: 'its own expires_at' });
  if (rule.maxAgeMs !== null) {
    candidates.push({ at: createdAt + rule.maxAgeMs, why: `created more than ${days(rule.maxAgeMs)} before` });
  }
  if (rule.requireExpiresAt && expiresAt === null && rule.maxAgeMs === null) {
    candidates.push({ at: createdAt, why: 'it has no expires_at' });
  }
  return candidates.reduce<Deadline | null>((first, one) => (first === null || one.at < first.at ? one : first), null);
}

function days(ms: number): string {
  const hours = ms / 3_600_000;
  return hours % 24 === 0 ? `${String(hours / 24)} days` : `${String(Math.round(hours))} hours`;
}

/** When a key was last used, as far as it can be told. */
export interface LastUse {
  /** The key was not used after this instant; null: that cannot be told. */
  readonly latest: EpochMs | null;
  /** True when the key's own readings say so, not only the aggregate. */
  readonly individually: boolean;
  readonly why: string;
}

/**
 * The late end of the interval in which the key was last used. Zero requests in window w: before
 * now − w. An unchanged request counter since t: before t. No requests ever: when it was created.
 * `last_used_at` only ever makes it later.
 */
export function lastUse(record: KeyRecord, evidence: Evidence, remembered: Finding['idle']): LastUse {
  const known = evidence.keys.get(record.id);
  if (known === undefined) return { latest: null, individually: false, why: 'no reading' };
  const proofs = [...provenUnused(record, known, evidence.at, remembered)];
  const best = proofs.reduce<LastUse | null>((a, b) => (a === null || (b.latest ?? 0) < (a.latest ?? 0) ? b : a), null);
  if (best === null || best.latest === null) return { latest: null, individually: false, why: 'used or not known' };
  const { lastUsedAt } = record.facts;
  const latest = Math.max(best.latest, record.createdAt, lastUsedAt ?? 0);
  return { ...best, latest, individually: known.individual.size > 0 };
}

function* provenUnused(
  record: KeyRecord,
  known: KeyEvidence,
  now: EpochMs,
  remembered: Finding['idle'],
): Generator<LastUse> {
  if (known.lifetime.high?.requests === 0) {
    yield { latest: record.createdAt, individually: false, why: 'never used' };
  }
  if (known.unchangedSince !== null) {
    yield { latest: known.unchangedSince, individually: false, why: 'its request counter has not moved' };
    if (remembered !== null && known.unchangedSince <= remembered.provedAt) {
      yield { latest: remembered.unusedSince, individually: false, why: 'unused when first judged, and its counter has not moved' };
    }
  }
  for (const [window, bounds] of known.windows) {
    if (bounds.high?.requests === 0) {
      yield { latest: now - windowMs[window], individually: false, why: `no requests in the last ${window}` };
    }
  }
}

/** What would prove that a key has been unused for `ms`: the shortest window that covers it. */
export function idleQuestions(rule: IdleRule, ms: number, record: KeyRecord, evidence: Evidence): Question[] {
  const known = evidence.keys.get(record.id);
  if (known === undefined || evidence.at - record.createdAt < rule.forMs) return [];
  const window: Window = windows.find((one) => windowMs[one] >= ms) ?? '90d';
  if (known.windows.has(window)) return [];
  const question: Question = known.credited ? { kind: 'aggregate', window } : { kind: 'key', id: record.id, window };
  const key = known.credited ? `aggregate ${window}` : `key ${record.id} ${window}`;
  return evidence.unanswered.has(key) ? [] : [question];
}
