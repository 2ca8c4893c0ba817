/**
 * Of one message: what is told of a deletion that a later alert in it overtakes. A notice that waited for quiet
 * hours to end would promise what has been called off or has happened since. And repetitions of one step that
 * waited together: the last one says it all. Pure.
 */
import type { Alert, CaseAlert } from '../core/alert.ts';

/** How a deletion stands; of several about one key the last one does. */
const standings: readonly CaseAlert['event']['kind'][] = ['notice', 'held', 'cancelled', 'vetoed', 'deleted'];
const overtakable: readonly CaseAlert['event']['kind'][] = ['notice', 'held', 'cancelled'];

/** By id each alert that is overtaken, and the one that tells how it stands. `alerts`: oldest first. */
export function overtaken(alerts: readonly Alert[]): ReadonlyMap<string, CaseAlert> {
  const found = new Map<string, CaseAlert>();
  const latest = new Map<string, CaseAlert>();
  const over = new Map<string, CaseAlert>();
  const repeated = new Map<string, CaseAlert>();
  for (const alert of alerts.toReversed()) {
    if (alert.topic === 'system') continue;
    const { event } = alert;
    const { kind } = event;
    if (event.kind === 'step' && event.repeated) {
      const step = JSON.stringify([subjectOf(alert), event.step]);
      const by = repeated.get(step);
      if (by === undefined) repeated.set(step, alert);
      else found.set(alert.id, by);
    }
    if (kind === 'resolved') over.set(alert.findingId, alert);
    if (!standings.includes(kind)) continue;
    const deletion = subjectOf(alert);
    // The end of the case says that its deletions are called off.
    const ended = kind === 'cancelled' ? undefined : over.get(alert.findingId);
    const by = latest.get(deletion) ?? ended;
    if (by !== undefined && overtakable.includes(kind)) found.set(alert.id, by);
    else latest.set(deletion, alert);
  }
  return found;
}

function subjectOf({ findingId, subject }: CaseAlert): string {
  return JSON.stringify([findingId, subject.kind === 'key' ? subject.id : subject.group]);
}

/** Those of a message's entries that a reader is to be told of by themselves. */
export function withoutOvertaken<T extends { readonly alert: Alert }>(entries: readonly T[]): readonly T[] {
  const found = overtaken(entries.map(({ alert }) => alert));
  return found.size === 0 ? entries : entries.filter(({ alert }) => !found.has(alert.id));
}
