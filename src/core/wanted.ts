/**
 * Which changes a case asks for now, and what holds each of them. Changes follow the state, not the
 * moment: what a case wants is wanted until done.
 */
import { wantedDeletions } from './deletions.ts';
import type { WantedDeletions } from './deletions.ts';
import { wantedRenames } from './renames.ts';
import type { Case } from './wish.ts';

export type Wanted = WantedDeletions;

export function wantedChanges(one: Case): Wanted {
  const deleting = wantedDeletions(one);
  const renaming = wantedRenames(one, (id) => deleting.changes.some(({ keyId }) => keyId === id));
  return {
    ...deleting,
    changes: [...deleting.changes, ...renaming.changes],
    held: [...deleting.held, ...renaming.held],
    questions: [...deleting.questions, ...renaming.questions],
  };
}
