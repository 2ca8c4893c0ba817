/**
 * Deletions whose notice has run out and that a limit holds. Whoever was told when they would happen is told
 * once that they do not yet: not again while they are held, nor after a restart.
 */
import type { CaseAlert } from './alert.ts';
import { heldAlert } from './case-alerts.ts';
import { silenced } from './court.ts';
import { noticeEnd } from './deletions.ts';
import type { KeyId } from './key.ts';
import type { LimitHold } from './limits.ts';
import type { PlannedChange } from './plan.ts';
import type { Finding, PendingDeletion } from './state.ts';
import type { Case } from './wish.ts';

/**
 * `wanted`: the deletions that the case asks for. `goesAhead`: whether a key is deleted in this pass, so that
 * a limit that holds it later is news again.
 */
export function tellHeld(
  one: Case,
  finding: Finding,
  wanted: readonly PlannedChange[],
  hold: LimitHold | null,
  goesAhead: (keyId: KeyId) => boolean,
): { readonly finding: Finding; readonly alerts: readonly CaseAlert[] } {
  const alerts: CaseAlert[] = [];
  const deletions = finding.deletions.map((pending): PendingDeletion => {
    const { heldTold, ...untold } = pending;
    const change = wanted.find(({ keyId }) => keyId === pending.keyId);
    if (change === undefined) return pending;
    if (goesAhead(pending.keyId)) return untold;
    const alert = heldTold ? null : heldNow(one, pending, change, hold);
    if (alert === null) return pending;
    alerts.push(alert);
    return { ...pending, heldTold: true };
  });
  return { finding: { ...finding, deletions }, alerts };
}

/** Null: no limit holds it, or nobody is to hear of it now. */
function heldNow(
  one: Case,
  pending: PendingDeletion,
  change: PlannedChange,
  hold: LimitHold | null,
): CaseAlert | null {
  const record = one.court.records.get(pending.keyId);
  const announcedFor = noticeEnd(one, pending, change.step ?? pending.step);
  if (hold?.keys.has(pending.keyId) !== true || record === undefined || announcedFor === null) return null;
  if (silenced(one.court, record, 'alerts') !== null) return null;
  const { because, notBefore } = hold;
  return heldAlert(one, pending, { kind: 'held', announcedFor, because, notBefore });
}
