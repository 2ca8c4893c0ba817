/** When the deletion is due that a notice announces, as a message tells it. */
import type { Alert, CaseAlert } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';

/**
 * A notice runs from its first acceptance by a channel. Where none has accepted it yet, that is the moment of
 * sending at the earliest, however late; where one has, it runs already, and a message after that has no more
 * time to tell of than is left.
 */
export function withDueTime(alert: Alert, now: EpochMs, acceptedAt: EpochMs | null): Alert {
  if (alert.topic === 'system' || alert.event.kind !== 'notice') return alert;
  const { noticeMs } = alert.event;
  const dueAt = Math.max(Math.min(now, acceptedAt ?? now) + noticeMs, deletionDueAt(alert) ?? 0);
  const others = alert.next.filter((one) => one.kind !== 'delete');
  return { ...alert, next: [{ kind: 'delete', noticeMs, dueAt }, ...others] };
}

/** Null where no deletion is coming. */
export function deletionDueAt({ next }: CaseAlert): EpochMs | null {
  return next.find((one) => one.kind === 'delete')?.dueAt ?? null;
}
