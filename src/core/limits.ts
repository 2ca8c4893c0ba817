/** What one mistake may cost: limits on changes, over sliding windows that survive restarts. */
import type { Court } from './court.ts';
import { keyAsSubject } from './court.ts';
import type { EpochMs, KeyId } from './key.ts';
import type { Held, HeldBecause, PlannedChange, Trouble } from './plan.ts';
import type { ChangeLimits } from './policy.ts';
import type { Change } from './state.ts';
import { minuteWords } from './words.ts';

const dayMs = 86_400_000;

/** How many more may be done in this pass, and the limit that says so. */
export interface Allowance {
  readonly count: number;
  readonly limit: string;
}

/** So long a request for a change may take, with all its attempts. */
export const requestLimitMs = 60_000;

/** When a change had taken effect at the latest, if it did at all. */
export function effectiveBy({ intentAt, settledAt }: Change): EpochMs {
  return Math.max(intentAt, Math.min(settledAt ?? Infinity, intentAt + requestLimitMs));
}

/** Changes that were or may have been carried out in the last 24 hours. */
function recent(
  changes: readonly Change[],
  isKind: (kind: Change['kind']) => boolean,
  now: number,
): readonly Change[] {
  return changes.filter((change) => {
    return isKind(change.kind) && effectiveBy(change) > now - dayMs && mayHaveBeen(change);
  });
}

/** Of a rename that was found undone later than at once nobody knows whether a person has undone it. */
function mayHaveBeen({ kind, outcome, noEffect, intentAt, settledAt }: Change): boolean {
  if (outcome === null || outcome === 'done') return true;
  if (outcome === 'failed' || noEffect === true || kind === 'delete') return false;
  return outcome === 'overtaken' || (settledAt ?? 0) > intentAt + requestLimitMs;
}

export function allowance(limits: ChangeLimits, done: number, accountKeys: number): Allowance {
  const candidates: Allowance[] = [
    { count: limits.perRun, limit: `per_run: ${String(limits.perRun)}` },
    {
      count: limits.perDay - done,
      limit: `per_day: ${String(limits.perDay)} (${String(done)} done in the last 24 hours)`,
    },
  ];
  if (limits.percent !== null) {
    const share =
      limits.percent === 0
        ? 0
        : Math.max(1, Math.floor((accountKeys * Math.round(limits.percent * 1e4)) / 1e6));
    candidates.push({
      count: share - done,
      limit: `percent: ${String(limits.percent)} (of ${String(accountKeys)} keys, ${String(done)} done in the last 24 hours)`,
    });
  }
  return candidates.reduce((least, one) => (one.count < least.count ? one : least));
}

/** A change that the API refused is not tried again for so long. */
const refusedPauseMs = 3_600_000;

/** Changes that were refused a short while ago, and so are held now. */
export function notRefusedLately(
  court: Court,
  wanted: readonly PlannedChange[],
): { changes: PlannedChange[]; held: Held[] } {
  const refusedAt = new Map<string, number>();
  for (const { kind, keyId, to, outcome, intentAt } of court.changes) {
    if (outcome === 'failed') refusedAt.set(`${kind} ${keyId} ${to ?? ''}`, intentAt);
  }
  const changes: PlannedChange[] = [];
  const held: Held[] = [];
  for (const change of wanted) {
    const at = refusedAt.get(`${change.kind} ${change.keyId} ${change.to ?? ''}`);
    if (at === undefined || court.now - at >= refusedPauseMs) changes.push(change);
    else
      held.push(
        asHeld(court, change, 'unknown', `it failed at ${minuteWords(at)} and is tried again after an hour`),
      );
  }
  return { changes, held };
}

/** Deletions that a limit holds. */
export interface LimitHold {
  readonly keys: ReadonlySet<KeyId>;
  readonly because: string;
  /** When as many may be done at the soonest, as those of the last 24 hours come to count no more; null: never. */
  readonly notBefore: EpochMs | null;
}

/** Over a limit, nothing of that kind is done in this pass. A restore is a rename. */
export function withinLimits(
  court: Court,
  wanted: readonly PlannedChange[],
): { changes: PlannedChange[]; held: Held[]; troubles: Trouble[]; deletionsHeld: LimitHold | null } {
  const changes: PlannedChange[] = [];
  const held: Held[] = [];
  const troubles: Trouble[] = [];
  let deletionsHeld: LimitHold | null = null;
  for (const kind of ['delete', 'rename'] as const) {
    const isKind = (one: Change['kind']): boolean => (one === 'delete') === (kind === 'delete');
    const mine = wanted.filter((change) => isKind(change.kind));
    const recently = recent(court.changes, isKind, court.now);
    // Of the account as it was 24 hours ago: keys deleted since must not make the share smaller midway.
    const allowedAfter = (done: number): Allowance =>
      allowance(court.policy.limits[kind], done, court.accountKeys + (kind === 'delete' ? done : 0));
    const allowed = allowedAfter(recently.length);
    if (mine.length <= Math.max(0, allowed.count)) {
      changes.push(...mine);
      continue;
    }
    const many = mine.length === 1 ? '' : 's';
    const wish = `${String(mine.length)} ${kind === 'delete' ? 'deletion' : 'rename'}${many}`;
    const detail = `${wish} ${many === '' ? 'is' : 'are'} wanted; limits.${kind}.${allowed.limit} holds ${many === '' ? 'it' : 'all of them'}`;
    held.push(...mine.map((change) => asHeld(court, change, 'limit', detail)));
    if (kind === 'delete') {
      const notBefore = roomAt(recently, (done) => allowedAfter(done).count >= mine.length);
      deletionsHeld = { keys: new Set(mine.map(({ keyId }) => keyId)), because: detail, notBefore };
    }
    troubles.push({
      code: `limit:${kind}`,
      severity: 'critical',
      title: `A limit holds ${wish}`,
      text: `${detail}. Look at the plan; if it is right, raise the limit in the policy file.`,
    });
  }
  return { changes, held, troubles, deletionsHeld };
}

/** When enough of the changes of the last 24 hours will be older; null: it would not do if all were. */
function roomAt(recently: readonly Change[], suffices: (done: number) => boolean): EpochMs | null {
  const leaving = recently.map((change) => effectiveBy(change) + dayMs).sort((a, b) => a - b);
  return leaving.find((_, index) => suffices(recently.length - index - 1)) ?? null;
}

function asHeld(court: Court, change: PlannedChange, because: HeldBecause, detail: string): Held {
  const subject = keyAsSubject(change.keyId, court.records.get(change.keyId));
  return {
    kind: change.kind,
    policy: change.policy,
    findingId: change.findingId,
    subject,
    step: change.step,
    because,
    detail,
    reason: change.reason,
  };
}
