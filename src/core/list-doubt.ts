/** Why a list proves nothing about the keys that it lacks, or about what its keys lack. */

/**
 * Null: it is plausible. `known`: how many keys there were; `still`: how many of these it has; `listed`: how
 * many it has in all. One that shrank by more than a fifth, or to nothing, may be cut off; one that lacks most
 * of the keys may be another account's, however long it is.
 */
export function listDoubt(known: number, still: number, listed: number): string | null {
  if (known === 0) return null;
  if (listed === 0) return `the list of keys is empty; the pass before it had ${String(known)}`;
  if (listed < known * 0.8)
    return `the list of keys shrank from ${String(known)} to ${String(listed)} at once`;
  if (still < known / 2)
    return `the list lacks ${String(known - still)} of the ${String(known)} keys that there were`;
  return null;
}

/** What some of the keys had before, by the API's name for it, and lack now. */
export interface Loss {
  readonly field: string;
  readonly had: number;
  readonly lost: number;
}

/** Null: it is plausible. Somebody may have taken it from a few keys; from more than a fifth nobody does at once. */
export function lossDoubt(losses: readonly Loss[]): string | null {
  const loss = losses.find(({ had, lost }) => lost > had * 0.2);
  if (loss === undefined) return null;
  const { field, had, lost } = loss;
  return `the list lacks ${field} of ${String(lost)} of the ${String(had)} keys that had it`;
}
