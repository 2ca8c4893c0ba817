/** Deadlines of keys: when one expires, and when it has been idle for too long. */
import { questionKey } from './evidence.ts';
import type { Evidence, KeyEvidence, Question, Target } from './evidence.ts';
import { asked, fresh, ownReading } from './questions.ts';
import { windowMs, windows } from './key.ts';
import type { EpochMs, Window } from './key.ts';
import type { ExpiryRule } from './policy.ts';
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
    candidates.push({
      at: createdAt + rule.maxAgeMs,
      why: `created more than ${days(rule.maxAgeMs)} before`,
    });
  }
  if (rule.requireExpiresAt && expiresAt === null && rule.maxAgeMs === null) {
    candidates.push({ at: createdAt, why: 'it has no expires_at' });
  }
  return candidates.reduce<Deadline | null>(
    (first, one) => (first === null || one.at < first.at ? one : first),
    null,
  );
}

function days(ms: number): string {
  const hours = ms / 3_600_000;
  return hours % 24 === 0 ? `${String(hours / 24)} days` : `${String(Math.round(hours))} hours`;
}

/** When a key was last used, as far as it can be told. */
export interface LastUse {
  /** The key was not used after this instant; null: that cannot be told. */
  readonly latest: EpochMs | null;
  /** As `latest`, by the key's own readings of this pass alone. */
  readonly ownLatest: EpochMs | null;
  readonly why: string;
}

interface Proof {
  readonly latest: EpochMs;
  /** True when it rests on the key's own reading, not on the aggregate. */
  readonly own: boolean;
  readonly why: string;
}

/**
 * The late end of the interval in which the key was last used. Zero requests in window w: before
 * now − w. An unchanged request counter since t: before t. No requests ever: when it was created.
 * `last_used_at` only ever makes it later.
 */
export function lastUse(
  record: KeyRecord,
  known: KeyEvidence,
  now: EpochMs,
  remembered: Finding['idle'],
): LastUse {
  const proofs = [...provenUnused(record, known, now, remembered)];
  const best = earliest(proofs);
  if (best === null) return { latest: null, ownLatest: null, why: 'used, or not known' };
  const floor = usedAtEarliest(record);
  const own = earliest(proofs.filter((proof) => proof.own));
  return {
    latest: Math.max(best.latest, floor),
    ownLatest: own === null ? null : Math.max(own.latest, floor),
    why: best.why,
  };
}

/** It was not last used, or created, before this. */
export function usedAtEarliest({ createdAt, facts, usedAfter }: KeyRecord): EpochMs {
  return Math.max(createdAt, facts.lastUsedAt ?? 0, usedAfter ?? 0);
}

function earliest(proofs: readonly Proof[]): Proof | null {
  return proofs.reduce<Proof | null>(
    (first, one) => (first === null || one.latest < first.latest ? one : first),
    null,
  );
}

function* provenUnused(
  record: KeyRecord,
  known: KeyEvidence,
  now: EpochMs,
  remembered: Finding['idle'],
): Generator<Proof> {
  // A row that was never checked against the key's own reading proves nothing.
  if (!known.checked) return;
  const own = known.individual.has('lifetime');
  if (known.lifetime.high?.requests === 0) yield { latest: record.createdAt, own, why: 'never used' };
  if (known.unchangedSince !== null) {
    yield { latest: known.unchangedSince, own, why: 'its request counter has not moved' };
    if (remembered !== null && known.unchangedSince <= remembered.provedAt) {
      yield {
        latest: remembered.unusedSince,
        own,
        why: 'unused when first judged, and its counter has not moved',
      };
    }
  }
  for (const [window, bounds] of known.windows) {
    if (bounds.high?.requests !== 0) continue;
    const latest = now - windowMs[window];
    yield { latest, own: known.individual.has(window), why: `no requests in the last ${window}` };
  }
}

/** The window whose own reading would prove a key unused for `ms`; null, its lifetime, where none is that long. */
export function ownIdleWindow(ms: number): Window | null {
  return windows.find((one) => windowMs[one] >= ms) ?? null;
}

/**
 * True when the key was used within the last `ms`, as far as can be told: then nothing more need be asked.
 * A window no longer than `ms` with requests in it says so, and so do `last_used_at` and the ledger.
 */
export function surelyUsedWithin(
  ms: number,
  record: KeyRecord,
  known: KeyEvidence,
  evidence: Evidence,
): boolean {
  if (evidence.at - usedAtEarliest(record) < ms) return true;
  for (const [window, { low, likely }] of known.windows)
    if (windowMs[window] <= ms && (likely ?? low).requests > 0) return true;
  return false;
}

/** A window that told nothing about a key is read again after this part of what is to be proved, and this at the least. */
const againPart = 1 / 50;
const againAtLeastMs = 3_600_000;

/** Idleness is a matter of days: what was read about it holds for a while. */
export function readAgainAfterMs(forMs: number): number {
  return Math.max(againAtLeastMs, forMs * againPart);
}

/**
 * What would prove that a key has been unused for `ms`, or has not: first the longest window inside it,
 * for usage in that one is remembered for a while, then the shortest that covers it. A row that says so
 * has to be checked once. `proved`: for how long it is proved to have been unused, and whether an earlier
 * pass proved more.
 */
export function idleQuestions(
  ms: number,
  record: KeyRecord,
  known: KeyEvidence,
  evidence: Evidence,
  proved: { readonly unusedMs: number; readonly before: boolean },
  why: string,
): Question[] {
  // It may wait for its turn.
  return asked(targets(), { why, excess: known.checked ? 0 : Infinity });

  function targets(): Target[] {
    const own = (window: Window | null): Target[] => ownReading(record.id, window, known, evidence);
    // What was proved before holds for as long as the key's own counter has not moved.
    if (proved.before && !known.credited && known.because !== null) {
      const reading = own(null);
      if (reading.length > 0) return reading;
    }
    const covering: Window = windows.find((one) => windowMs[one] >= ms) ?? '90d';
    const inside = windows.filter((one) => windowMs[one] < ms).at(-1) ?? covering;
    for (const window of [inside, covering]) {
      const read = known.windows.get(window);
      if (read?.likely?.requests === 0 && !known.checked) return own(null);
      if (read !== undefined || windowMs[window] <= proved.unusedMs) continue;
      // An aggregate without any row was no answer: the key itself is asked.
      const byRow = known.credited && !evidence.account.windows.has(window);
      const target: Target = byRow ? { kind: 'aggregate', window } : { kind: 'key', id: record.id, window };
      if (isLate(target)) return byRow ? fresh(target, evidence) : own(window);
    }
    return [];
  }

  function isLate(target: Target): boolean {
    const last = evidence.readAt.get(questionKey(target));
    return last === undefined || evidence.at - last >= readAgainAfterMs(ms);
  }
}
