/**
 * What was made of each key in the pass before, in the order of its list. Of one minute to the next most
 * keys are neither changed nor used, so most of a pass is to see that nothing has happened.
 */
import { zeroCounters } from '../core/evidence.ts';
import type { KeyEvidence } from '../core/evidence.ts';
import type { Counters, KeyId } from '../core/key.ts';
import type { Rows } from '../core/rows.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';

export interface Lineup {
  readonly live: readonly KeyRecord[];
  readonly evidence: readonly KeyEvidence[];
  /** The newest sample run of each; null: none yet. */
  readonly runs: (SampleRun | null)[];
  /** 1 for those whose row's counters are all that is known of them, and certain. */
  readonly steadfast: Uint8Array;
  /** Null: the usage of that pass is not known. */
  readonly rows: RowPlaces | null;
  /** The places of those about which nothing was new in that pass. */
  readonly steady: readonly number[];
  /** Where each key stands. */
  readonly places: ReadonlyMap<KeyId, number>;
  /** How many keys each name may speak of. */
  readonly bearers: ReadonlyMap<string, number>;
  /** The places by age, then by id, of all but admin keys: equal accounts make equal plans, however they are listed. */
  readonly order: readonly number[];
}

/** The rows of an aggregate, and beside the keys, in which place the row of each one's name is; −1: nowhere. */
export interface RowPlaces {
  readonly rows: Rows<Counters>;
  readonly at: Int32Array;
}

/** How a list stands to the one before. */
export interface Alignment {
  /** Where each key stood; −1: nowhere. */
  readonly from: readonly number[];
  /** The places of keys that are new, or of which anything in their record is. */
  readonly changed: readonly number[];
  /** Those that are no longer there. */
  readonly left: readonly KeyRecord[];
  /** Every key stands where it stood, and none has come or gone. */
  readonly sameOrder: boolean;
}

export function align(live: readonly KeyRecord[], before: Lineup | null): Alignment {
  const from: number[] = [];
  const changed: number[] = [];
  let moved = before === null || live.length !== before.live.length;
  let stayed = 0;
  for (const [place, record] of live.entries()) {
    const same = before?.live[place]?.id === record.id;
    const was = same ? place : (before?.places.get(record.id) ?? -1);
    from.push(was);
    if (was !== place) moved = true;
    if (was >= 0) stayed += 1;
    if (before?.live[was] !== record) changed.push(place);
  }
  return {
    from,
    changed,
    left: stayed === before?.live.length ? [] : leftOf(live, before),
    sameOrder: !moved,
  };
}

function leftOf(live: readonly KeyRecord[], before: Lineup | null): KeyRecord[] {
  const listed = new Set(live.map(({ id }) => id));
  return before?.live.filter(({ id }) => !listed.has(id)) ?? [];
}

export function placesOf(
  live: readonly KeyRecord[],
  before: Lineup | null,
  { sameOrder }: Alignment,
): ReadonlyMap<KeyId, number> {
  return sameOrder && before !== null ? before.places : new Map(live.map(({ id }, place) => [id, place]));
}

export function orderOf(
  live: readonly KeyRecord[],
  before: Lineup | null,
  { sameOrder, changed }: Alignment,
): readonly number[] {
  const same = (place: number): boolean => {
    const [one, other] = [live[place], before?.live[place]];
    return one?.createdAt === other?.createdAt && one?.facts.isAdmin === other?.facts.isAdmin;
  };
  if (sameOrder && before !== null && changed.every(same)) return before.order;
  const places = live.flatMap((record, place) => (record.facts.isAdmin ? [] : [place]));
  return places.sort((a, b) => {
    const [one, other] = [live[a], live[b]];
    if (one === undefined || other === undefined) return 0;
    return one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1);
  });
}

/** A name that the aggregate lacks has no usage, as far as the aggregate goes. */
export function rowAt({ rows, at }: RowPlaces, place: number): Counters {
  return rows.list[at[place] ?? -1] ?? zeroCounters;
}

export function rowPlacesOf(
  live: readonly KeyRecord[],
  rows: Rows<Counters> | null,
  before: Lineup | null,
  { from, changed, sameOrder }: Alignment,
): RowPlaces | null {
  if (rows === null) return null;
  const known = before?.rows?.rows.names === rows.names ? before.rows.at : null;
  if (known !== null && sameOrder && changed.length === 0) return { rows, at: known };
  const found = (place: number): number => rows.names.places.get(live[place]?.facts.name ?? '') ?? -1;
  const at = Int32Array.from(live, (_, place) =>
    known === null ? found(place) : (known[from[place] ?? -1] ?? -1),
  );
  if (known !== null) for (const place of changed) at[place] = found(place);
  return { rows, at };
}

/** How many keys each name may speak of, and of which names that has just changed. */
export interface Bearing {
  readonly bearers: ReadonlyMap<string, number>;
  readonly disturbed: ReadonlySet<string>;
}

/**
 * A name speaks of those that bear it, and of those that bore it once, for their usage may still be
 * counted under it.
 */
export function bearersOf(live: readonly KeyRecord[], before: Lineup | null, alignment: Alignment): Bearing {
  const { from, changed, left } = alignment;
  if (before === null) return { bearers: count(new Map(), live, 1), disturbed: new Set() };
  const was = (place: number): KeyRecord | undefined => before.live[from[place] ?? -1];
  const moved = changed.filter((place) => !samePast(live[place], was(place)));
  if (moved.length + left.length === 0) return { bearers: before.bearers, disturbed: new Set() };
  const earlier = [...left, ...moved.flatMap((place) => was(place) ?? [])];
  const now = moved.flatMap((place) => live[place] ?? []);
  const bearers = count(count(new Map(before.bearers), earlier, -1), now, 1);
  return { bearers, disturbed: new Set([...earlier, ...now].flatMap(namesOf)) };
}

/** Those under which its usage may be counted. */
export function namesOf({ facts, originalName, standing, formerNames = [] }: KeyRecord): string[] {
  if (standing.length + formerNames.length === 0) return [facts.name];
  return [...new Set([facts.name, originalName, ...standing.map(({ from }) => from), ...formerNames])];
}

function count(bearers: Map<string, number>, records: Iterable<KeyRecord>, by: number): Map<string, number> {
  for (const record of records) {
    for (const name of namesOf(record)) bearers.set(name, (bearers.get(name) ?? 0) + by);
  }
  return bearers;
}

function samePast(a: KeyRecord | undefined, b: KeyRecord | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return (
    a.facts.name === b.facts.name &&
    a.originalName === b.originalName &&
    a.standing === b.standing &&
    a.formerNames === b.formerNames
  );
}
