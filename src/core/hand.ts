/** What a person's hand on a key's name means for its record. */
import type { EpochMs } from './key.ts';
import type { KeyRecord } from './state.ts';

/**
 * The record after a person gave the key `name`: it is the original one from now on, and what Keywarden
 * called the key before is not undone any more, for a person's name is never overwritten by a restore.
 */
export function namedByHand(record: KeyRecord, name: string, at: EpochMs): KeyRecord {
  return {
    ...record,
    nameChanged: true,
    originalName: name,
    standing: [],
    formerNames: formerNames(record),
    renamedByPersonAt: at,
  };
}

const namesKept = 20;

function formerNames({
  facts,
  originalName,
  standing,
  formerNames: earlier = [],
}: KeyRecord): readonly string[] {
  const names = [...earlier, originalName, ...standing.map(({ from }) => from), facts.name];
  return [...new Set(names)].slice(-namesKept);
}
