/** The names of keys: who changed them, and which changes anybody could see who reads lists. */
import type { KeyId } from '../../../src/core/key.ts';
import type { Entry } from './chronicle.ts';
import { minuteMs } from './units.ts';

export interface NameChange {
  readonly at: number;
  /** Its place in the chronicle. */
  readonly index: number;
  readonly from: string;
  readonly to: string;
  readonly by: 'person' | 'program';
  /** Some list had the name that the key had after this change. */
  readonly wasSeen: boolean;
  /** It was seen, and is another than the one that was seen last: not given and taken back between two lists. */
  readonly isNews: boolean;
  /** The same, of what was seen by processes that did not die before they can have written it down. */
  readonly isKept: boolean;
}

type Told = Omit<NameChange, 'wasSeen' | 'isNews' | 'isKept'>;

/** No pass takes longer. */
const passLimitMs = 10 * minuteMs;

export function namesOf(entries: readonly Entry[]): ReadonlyMap<KeyId, readonly NameChange[]> {
  const deaths = entries.flatMap((one) => (one.kind === 'ended' && one.how === 'crash' ? [one] : []));
  const lists = entries.flatMap((one) => {
    if (one.kind !== 'answered' || one.path !== '/api/keys' || one.status !== 200) return [];
    const isLost = deaths.some(({ run, at }) => run === one.run && at <= one.at + passLimitMs);
    // One that was falsified may still have the name.
    return [{ asOf: one.asOf ?? one.at, isLost: isLost || one.asOf === null }];
  });
  const seen = lists.map(({ asOf }) => asOf);
  const kept = lists.flatMap(({ asOf, isLost }) => (isLost ? [] : [asOf]));
  const changes = Map.groupBy(
    entries.flatMap((entry, index) => toldBy(entry, index) ?? []),
    ({ key }) => key,
  );
  return new Map([...changes].map(([key, all]) => [key, withSight(all, seen, kept)]));
}

function toldBy(entry: Entry, index: number): (Told & { readonly key: KeyId }) | null {
  // Who gives a key the name that it bears does nothing that anybody could see.
  if (entry.kind !== 'changed' || entry.what !== 'renamed' || entry.from === entry.to) return null;
  const { at, from, to, n, key } = entry;
  return { key, at, index, from: from ?? '', to: to ?? '', by: n === null ? 'person' : 'program' };
}

function withSight(changes: readonly Told[], seen: readonly number[], kept: readonly number[]): NameChange[] {
  const [bySight, byNote] = [sightOf(changes, seen), sightOf(changes, kept)];
  return changes.map(({ at, index, from, to, by }, place) => {
    const sight = bySight[place] ?? { wasSeen: false, isNews: false };
    return { at, index, from, to, by, ...sight, isKept: byNote[place]?.isNews === true };
  });
}

/** `lists`: as of which instants they are. */
function sightOf(
  changes: readonly Told[],
  lists: readonly number[],
): Pick<NameChange, 'wasSeen' | 'isNews'>[] {
  let last = changes[0]?.from;
  return changes.map(({ at, to }, place) => {
    const until = changes[place + 1]?.at ?? Infinity;
    const wasSeen = lists.some((asOf) => asOf >= at && asOf < until);
    const isNews = wasSeen && to !== last;
    if (wasSeen) last = to;
    return { wasSeen, isNews };
  });
}
