/**
 * Who the keys are: identity is the fingerprint together with `created_at`; names and metadata are
 * attributes that change, and who changed a name is told from what Keywarden itself did.
 */
import { namedByHand } from '../core/hand.ts';
import type { EpochMs, Key, KeyId } from '../core/key.ts';
import type { Change, KeyRecord } from '../core/state.ts';
import type { Loss } from '../core/list-doubt.ts';
import type { Listing } from '../ports.ts';
import { lossesOf, withoutLosses } from './losses.ts';

/** What happened to the account since the last listing, for the record. */
export interface RegistryEvent {
  readonly kind: 'key-new' | 'key-gone' | 'key-renamed';
  readonly id: KeyId;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Registry {
  /** Every record, by fingerprint: the newest identity of each. */
  readonly records: ReadonlyMap<KeyId, KeyRecord>;
  /** Those of the keys listed, in the list's order. */
  readonly live: readonly KeyRecord[];
  readonly changed: readonly KeyRecord[];
  readonly events: readonly RegistryEvent[];
  /** Why what is missing, keys or what they had, is not taken for gone; null: the list is plausible. */
  readonly doubt: string | null;
}

/**
 * The records after a listing. `doubtOf`: why one that still has so many of the keys that there were, and lacks
 * so much of what they had, proves nothing of what it lacks; null: it does. `attempted`: renames of Keywarden's
 * own of which it is not known, or not sure, that they took no effect: a name that one asked for counts as its
 * own. `last`: records out of `before`, where the keys stood in an earlier list; most stand there still.
 */
export function register(
  before: ReadonlyMap<KeyId, KeyRecord>,
  listing: Listing,
  attempted: readonly Change[],
  doubtOf: (still: number, losses: readonly Loss[]) => string | null,
  last: readonly KeyRecord[] = [],
  living = livingIn(before),
): Registry {
  const changed: KeyRecord[] = [];
  const events: RegistryEvent[] = [];
  const put = (record: KeyRecord, event: RegistryEvent | null): KeyRecord => {
    changed.push(record);
    if (event !== null) events.push(event);
    return record;
  };
  const knownAt = (key: Key, place: number): KeyRecord | undefined => {
    const there = last[place];
    return there?.facts === key ? there : before.get(key.id);
  };
  let stayed = 0;
  let same = 0;
  const altered: (readonly [before: Key, now: Key])[] = [];
  for (const [place, key] of listing.keys.entries()) {
    const known = knownAt(key, place);
    if (known?.goneAt !== null) continue;
    stayed += 1;
    if (known.createdAt !== key.createdAt) continue;
    same += 1;
    if (known.facts !== key) altered.push([known.facts, key]);
  }
  const doubt = doubtOf(same, lossesOf(altered, before));
  const live = listing.keys.map((key, place) => {
    const known = knownAt(key, place);
    if (known === undefined || known.createdAt !== key.createdAt) {
      return put(newRecord(key, listing.at), { kind: 'key-new', id: key.id, facts: { name: key.name } });
    }
    const believed = doubt === null || known.facts === key ? key : withoutLosses(known.facts, key);
    const seen = seenAgain(known, believed, listing.at, attempted);
    return seen === null ? known : put(seen.record, seen.event);
  });
  if (doubt === null && stayed < living) {
    const listed = new Set(listing.keys.map((key) => key.id));
    for (const record of before.values()) {
      if (record.goneAt !== null || listed.has(record.id)) continue;
      // Its standing renames stay, to be undone should it come back.
      put(
        { ...record, goneAt: listing.at },
        { kind: 'key-gone', id: record.id, facts: { name: record.facts.name } },
      );
    }
  }
  const records =
    changed.length === 0 ? before : new Map([...before, ...changed.map((one) => [one.id, one] as const)]);
  return { records, live, changed, events, doubt };
}

/** How many keys there were. */
export function livingIn(records: ReadonlyMap<KeyId, KeyRecord>): number {
  let living = 0;
  for (const { goneAt } of records.values()) if (goneAt === null) living += 1;
  return living;
}

function newRecord(key: Key, at: EpochMs): KeyRecord {
  return {
    id: key.id,
    createdAt: key.createdAt,
    firstSeenAt: at,
    facts: key,
    originalName: key.name,
    nameChanged: false,
    standing: [],
    renamedByPersonAt: null,
    goneAt: null,
    check: null,
    conflict: null,
  };
}

/** Null when nothing about the key has changed. */
function seenAgain(
  before: KeyRecord,
  key: Key,
  at: EpochMs,
  attempted: readonly Change[],
): { record: KeyRecord; event: RegistryEvent | null } | null {
  if (before.facts === key && before.goneAt === null) return null;
  const known = withUseSaid(before.goneAt === null ? before : asNeverGone(before), key, at);
  if (known.facts.name === key.name) {
    if (before.goneAt === null && sameFacts(known.facts, key)) return null;
    return { record: { ...known, facts: key }, event: null };
  }
  const ours = attempted.some((change) => change.keyId === key.id && change.to === key.name);
  if (ours) return { record: { ...known, facts: key, nameChanged: true }, event: null };
  return {
    record: { ...namedByHand(known, key.name, at), facts: key },
    event: { kind: 'key-renamed', id: key.id, facts: { from: known.facts.name, to: key.name } },
  };
}

/** When it was last used is an extra that a list may leave out, or have older: what an earlier one said stays true. */
function withUseSaid(record: KeyRecord, { lastUsedAt }: Key, at: EpochMs): KeyRecord {
  const said = Math.min(record.facts.lastUsedAt ?? 0, at);
  const known = Math.max(lastUsedAt ?? 0, record.usedAfter ?? 0);
  return said > known ? { ...record, usedAfter: said } : record;
}

/** A key that a list lacked once: what it can have used unseen by then says nothing of its end. */
function asNeverGone({ unseen: _unseen, unseenAt: _at, ...record }: KeyRecord): KeyRecord {
  return { ...record, goneAt: null };
}

function sameFacts(a: Key, b: Key): boolean {
  return (
    a.expiresAt === b.expiresAt &&
    a.maxTokens === b.maxTokens &&
    a.chat === b.chat &&
    a.isAdmin === b.isAdmin &&
    a.lastUsedAt === b.lastUsedAt &&
    JSON.stringify(a.metadata) === JSON.stringify(b.metadata)
  );
}
