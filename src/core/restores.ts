/** Undoing Keywarden's own renames once the finding behind each is closed. */
import type { Court } from './court.ts';
import { keyAsSubject, modeOf, obstacle } from './court.ts';
import type { Held, PlannedChange } from './plan.ts';
import type { Mode } from './policy.ts';
import type { KeyRecord, StandingRename } from './state.ts';

/**
 * A key's standing renames after those of closed findings that need no request are dropped: one
 * covered by a later rename gives that one its own earlier name; one that a person has changed, or
 * that is to stay, is simply forgotten.
 */
export function settledStanding(
  record: KeyRecord,
  isOpen: (findingId: string) => boolean,
): readonly StandingRename[] {
  const result: StandingRename[] = [];
  let inherited: string | null = null;
  for (const [index, one] of record.standing.entries()) {
    const rename: StandingRename = inherited === null ? one : { ...one, from: inherited };
    inherited = null;
    const top = index === record.standing.length - 1;
    if (
      isOpen(one.findingId) ||
      (top && rename.restore && record.facts.name === rename.to && rename.from !== rename.to)
    ) {
      result.push(rename);
    } else if (!top && rename.restore) {
      inherited = rename.from;
    }
  }
  return result;
}

const reason = 'the finding that renamed it is over';

/** Restores that are due: the newest standing rename of a key whose finding is closed. */
export function wantedRestores(
  court: Court,
  isOpen: (findingId: string) => boolean,
): { changes: PlannedChange[]; held: Held[] } {
  const changes: PlannedChange[] = [];
  const held: Held[] = [];
  for (const record of court.bench.live) {
    if (record.standing.length === 0) continue;
    const top = settledStanding(record, isOpen).at(-1);
    if (top === undefined || isOpen(top.findingId)) continue;
    const policy = top.findingId.slice(0, top.findingId.indexOf('/'));
    const stop = obstacle(court, record, modeOfNamed(court, policy));
    if (stop !== null) {
      held.push({
        kind: 'restore',
        policy,
        findingId: top.findingId,
        subject: keyAsSubject(record.id, record),
        step: null,
        reason,
        ...stop,
      });
      continue;
    }
    changes.push({
      kind: 'restore',
      policy,
      findingId: top.findingId,
      step: null,
      keyId: record.id,
      keyCreatedAt: record.createdAt,
      from: record.facts.name,
      to: top.from,
      reason,
    });
  }
  return { changes, held };
}

/** What a policy did is undone as long as the file lets anything be done, also when the policy is gone. */
function modeOfNamed(court: Court, name: string): Mode {
  const policy = court.policy.policies.find((one) => one.name === name);
  return policy === undefined ? court.mode : modeOf(court, policy);
}
