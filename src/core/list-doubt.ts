/** Why a list proves nothing about the keys that it lacks. */

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
