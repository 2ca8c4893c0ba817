/** What one mistake may cost: limits on changes, over sliding windows that survive restarts. */
import type { Court } from './court.ts';
import { keyAsSubject } from './court.ts';
import type { Held, PlannedChange, Trouble } from './plan.ts';
import type { ChangeLimits } from './policy.ts';
import type { Change } from './state.ts';

const dayMs = 86_400_000;

/** How many more may be done in this pass, and the limit that says so. */
export interface Allowance {
  readonly count: number;
  readonly limit: string;
}

/** Changes that were or may have been carried out in the last 24 hours. */
function recent(changes: readonly Change[], isKind: (kind: Change['kind']) => boolean, now: number): number {
  return changes.filter((change) => {
    if (!isKind(change.kind) || change.intentAt <= now - dayMs) return false;
    return change.outcome === null || change.outcome === 'done';
  }).length;
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
    const share = limits.percent === 0 ? 0 : Math.max(1, Math.floor((accountKeys * limits.percent) / 100));
    candidates.push({
      count: share - done,
      limit: `percent: ${String(limits.percent)} (of ${String(accountKeys)} keys, ${String(done)} done in the last 24 hours)`,
    });
  }
  return candidates.reduce((least, one) => (one.count < least.count ? one : least));
}

/** Over a limit, nothing of that kind is done in this pass. A restore is a rename. */
export function withinLimits(
  court: Court,
  wanted: readonly PlannedChange[],
): { changes: PlannedChange[]; held: Held[]; troubles: Trouble[] } {
  const changes: PlannedChange[] = [];
  const held: Held[] = [];
  const troubles: Trouble[] = [];
  for (const kind of ['delete', 'rename'] as const) {
    const isKind = (one: Change['kind']): boolean => (one === 'delete') === (kind === 'delete');
    const mine = wanted.filter((change) => isKind(change.kind));
    const done = recent(court.changes, isKind, court.now);
    // Of the account as it was 24 hours ago: keys deleted since must not make the share smaller midway.
    const keys = court.accountKeys + (kind === 'delete' ? done : 0);
    const allowed = allowance(court.policy.limits[kind], done, keys);
    if (mine.length <= Math.max(0, allowed.count)) {
      changes.push(...mine);
      continue;
    }
    const noun = kind === 'delete' ? 'deletions' : 'renames';
    const detail = `${String(mine.length)} ${noun} are wanted; limits.${kind}.${allowed.limit} holds all of them`;
    held.push(...mine.map((change) => asHeld(court, change, detail)));
    troubles.push({
      code: `limit:${kind}`,
      severity: 'critical',
      title: `A limit holds ${String(mine.length)} ${noun}`,
      text: `${detail}. Look at the plan; if it is right, raise the limit in the policy file.`,
    });
  }
  return { changes, held, troubles };
}

function asHeld(court: Court, change: PlannedChange, detail: string): Held {
  const subject = keyAsSubject(change.keyId, court.records.get(change.keyId));
  return {
    kind: change.kind,
    policy: change.policy,
    findingId: change.findingId,
    subject,
    step: change.step,
    because: 'limit',
    detail,
  };
}
