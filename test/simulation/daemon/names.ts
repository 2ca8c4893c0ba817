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
}

type Told = Omit<NameChange, 'wasSeen' | 'isNews'>;

/** No pass takes longer. */
const passLimitMs = 10 * minuteMs;

export function namesOf(entries: readonly Entry[]): ReadonlyMap<KeyId, readonly NameChange[]> {
  const deaths = entries.flatMap((one) => (one.kind === 'ended' && one.how === 'crash' ? [one] : []));
  const lists = entries.flatMap((one) => {
    if (one.kind !== 'answered' || one.path !== '/api/keys' || one.asOf === null) return [];
    // What a process saw that died before it can have written it down, nobody knows.
    return deaths.some(({ run, at }) => run === one.run && at <= one.at + passLimitMs) ? [] : [one.asOf];
  });
  const changes = Map.groupBy(
    entries.flatMap((entry, index) => toldBy(entry, index) ?? []),
    ({ key }) => key,
  );
  return new Map([...changes].map(([key, all]) => [key, withSight(all, lists)]));
}

function toldBy(entry: Entry, index: number): (Told & { readonly key: KeyId }) | null {
  // Who gives a key the name that it bears does nothing that anybody could see.
  if (entry.kind !== 'changed' || entry.what !== 'renamed' || entry.from === entry.to) return null;
  const { at, from, to, n, key } = entry;
  return { key, at, index, from: from ?? '', to: to ?? '', by: n === null ? 'person' : 'program' };
}

function withSight(changes: readonly Told[], lists: readonly number[]): NameChange[] {
  let lastSeen = changes[0]?.from;
  return changes.map((change, place) => {
    const until = changes[place + 1]?.at ?? Infinity;
    const wasSeen = lists.some((asOf) => asOf >= change.at && asOf < until);
    const isNews = wasSeen && change.to !== lastSeen;
    if (wasSeen) lastSeen = change.to;
    const { at, index, from, to, by } = change;
    return { at, index, from, to, by, wasSeen, isNews };
  });
}
