/** What the notice of a deletion says it is for: if that is another by now, another notice is given. */
import type { Policy, Step } from './policy.ts';
import type { PendingDeletion } from './state.ts';

/**
 * What a notice says of the rule and of the step. Not the step's place among others, nor how long the notice
 * is, of which the longest counts (`deletionDueAt`).
 */
export function deletionGrounds({ rule, steps }: Policy, index: number): string {
  const { atPercent, offsetMs, pick } = steps[index] ?? {};
  // A spend rule's signature stands for its models too, which are a function.
  return JSON.stringify([rule, atPercent, offsetMs, pick]);
}

/** It fell on all of its group's keys, so none was chosen. */
export function fellOnAll({ grounds }: Pick<PendingDeletion, 'grounds'>): boolean {
  if (grounds === undefined) return false;
  const [, , , pick] = JSON.parse(grounds) as [unknown, unknown, unknown, Step['pick']];
  return pick === 'all';
}
