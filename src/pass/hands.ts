/**
 * A person's hand on a key's name counts from the first look that saw it, though the next one that is gone by may
 * no longer show it: whoever renames a key to save it may give the name back at once.
 */
import type { EpochMs } from '../core/key.ts';
import type { KeyRecord } from '../core/state.ts';
import type { Sight } from '../ledger/look.ts';
import { keepInMind } from '../memory.ts';
import type { Memory } from '../memory.ts';
import { eventEntry } from '../record.ts';
import { before } from './before.ts';
import type { Commit } from './commit.ts';

/** Of a look that is not written down as a whole. */
export async function rememberHands(memory: Memory, sight: Sight, commit: Commit): Promise<void> {
  const { changed, events } = sight.registry;
  const renamed = changed.filter((record) => {
    const at = record.renamedByPersonAt;
    const known = memory.records.get(record.id);
    return at !== null && at !== known?.renamedByPersonAt && !mayBeStale(memory, record, known);
  });
  if (renamed.length === 0) return;
  const ids = new Set(renamed.map(({ id }) => id));
  const at = dateOf(memory, sight);
  const hands = {
    keys: at === null ? renamed : renamed.map((record) => dated(record, at, memory.records.get(record.id))),
    record: events.filter(({ id }) => ids.has(id)).map((event) => eventEntry(at ?? sight.at, event)),
  };
  try {
    await commit(hands, []);
  } catch (error) {
    keepInMind(memory, hands);
    throw error;
  }
}

/** `work` on what a look saw. Where it fails, and the pass with it, a person's hand is remembered all the same. */
export async function keepingHands<T>(
  memory: Memory,
  sight: Sight,
  commit: Commit,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await rememberHands(memory, sight, commit).catch(() => undefined);
    throw error;
  }
}

/** The name that Keywarden itself has just replaced: that may be a list older than that. A later one will tell. */
function mayBeStale({ changes }: Memory, { id, facts }: KeyRecord, known: KeyRecord | undefined): boolean {
  return [...changes.values()].some(
    ({ keyId, outcome, from, to }) =>
      keyId === id && outcome === 'done' && from === facts.name && to === known?.facts.name,
  );
}

/** Later than the hand before it, for by its date it is told from that one. */
function dated(record: KeyRecord, at: EpochMs, known: KeyRecord | undefined): KeyRecord {
  return { ...record, renamedByPersonAt: Math.max(at, (known?.renamedByPersonAt ?? 0) + 1) };
}

/** By a clock that is doubted: just after the last pass that went by its clock. Null: as the look has it. */
function dateOf(memory: Memory, { clock }: Sight): EpochMs | null {
  const last = before(memory).lastClock;
  return clock.trusted || last === null ? null : last.at + 1;
}
