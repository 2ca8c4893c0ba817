/** Outbox entries that travel together as one message. Pure. */
import { createHash } from 'node:crypto';
import type { EpochMs } from '../core/key.ts';
import type { OutboxEntry, OutboxItem, SendOutcome, Unserved } from '../ports.ts';
import { mailboxOf } from './addresses.ts';
import { giveUpAfterMs } from './backoff.ts';
import { withoutOvertaken } from './overtaken.ts';
import { itemId } from './route.ts';

export interface Parcel {
  /** Of the entries in it: the same for the same ones, however often they are sent, and another for others. */
  readonly id: string;
  readonly channel: string;
  readonly recipient: string;
  readonly cc: string;
  readonly entries: readonly OutboxEntry[];
  readonly attempts: number;
  readonly dueAt: EpochMs;
  readonly giveUpAt: EpochMs;
}

/** Pending entries by channel, recipient, copies and batch, oldest first. */
export function parcelsOf(entries: readonly OutboxEntry[]): Parcel[] {
  const groups = new Map<string, OutboxEntry[]>();
  for (const entry of entries) {
    if (entry.state !== 'pending') continue;
    // Copies differ by key where they are templates: nobody gets to read another's.
    // They go to the address as it was first written.
    const to = [entry.recipient, entry.cc].map(mailboxOf);
    const key = JSON.stringify([entry.channel, ...to, entry.batch]);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  const born = (parcel: Parcel): EpochMs =>
    Math.min(...parcel.entries.slice(0, 1).map((entry) => entry.createdAt));
  return Array.from(groups.values(), parcelOf).sort((a, b) => born(a) - born(b));
}

function parcelOf(entries: readonly OutboxEntry[]): Parcel {
  const latest = (of: (entry: OutboxEntry) => number): number =>
    entries.reduce((max, entry) => Math.max(max, of(entry)), 0);
  const [first] = entries;
  return {
    id: messageId(entries),
    channel: first?.channel ?? '',
    recipient: first?.recipient ?? '',
    cc: first?.cc ?? '',
    entries,
    attempts: latest((entry) => entry.attempts),
    dueAt: latest(dueAt),
    giveUpAt: latest((entry) => Math.max(entry.createdAt, entry.notBefore)) + giveUpAfterMs,
  };
}

/** What was to go out at once is due even by a clock that is behind the one by which it was made. */
function dueAt({ createdAt, nextAttemptAt, notBefore }: OutboxEntry): EpochMs {
  const at = Math.max(nextAttemptAt, notBefore);
  return at <= createdAt ? 0 : at;
}

/**
 * Notices that a message counted only, for want of room. Of a deletion somebody must be told: they go in a message
 * after it.
 */
export function untold(
  { entries }: Parcel,
  { told }: { readonly told?: readonly string[] },
): readonly OutboxEntry[] {
  if (told === undefined) return [];
  const ids = new Set(told);
  return withoutOvertaken(entries).filter(
    ({ alert }) => alert.topic === 'case' && alert.event.kind === 'notice' && !ids.has(alert.id),
  );
}

/** One that a receiver finds too large goes in two. A case is never cut: one alone stays as large as it is. */
export function halvesOf({ entries }: Parcel, outcome: SendOutcome): readonly [Parcel, Parcel] | null {
  if (outcome.ok || outcome.isTooLarge !== true || entries.length < 2) return null;
  // What is about one case stays together where it can, for a later alert may say what an earlier one came to.
  const cases = Map.groupBy(entries, ({ id, alert }) => (alert.topic === 'case' ? alert.findingId : id));
  const parts = cases.size > 1 ? [...cases.values()] : entries.map((entry) => [entry]);
  const middle = Math.ceil(parts.length / 2);
  return [parcelOf(parts.slice(0, middle).flat()), parcelOf(parts.slice(middle).flat())];
}

/** What was delivered, for somebody who did not get it. */
export function itemsFor({ channel, entries }: Parcel, { recipient, cc }: Unserved): OutboxItem[] {
  return entries.map(({ alert, remark, batch, createdAt, notBefore }) => ({
    id: itemId(alert, channel, recipient, cc),
    ...{ alert, channel, recipient, cc, remark, batch, createdAt, notBefore },
  }));
}

/** A receiver that knows the id has had exactly these: of a batch, a part may go again or something may join it. */
function messageId(entries: readonly OutboxEntry[]): string {
  const ids = entries.map(({ id }) => id).sort();
  return `msg_${createHash('sha256').update(JSON.stringify(ids)).digest('hex').slice(0, 32)}`;
}
