/** What a person did by hand, on the same record as what the policies did. */
import { existsSync } from 'node:fs';
import { openState, StoreError } from '../adapters.ts';
import type { Clock } from '../ports.ts';
import { isApiFailure } from '../ports.ts';
import type { Settings } from '../settings.ts';
import type { ByHand } from './by-hand.ts';
import type { World } from './world.ts';

/** Where no state is, none is made for it. A running Keywarden has its state to itself, and sees the change. */
export function handRecord(settings: Settings, { stderr }: World, clock: Clock): ByHand['record'] {
  return async (kind, facts) => {
    if (!existsSync(settings.state)) return;
    try {
      await using store = await openState(settings, { readOnly: false });
      await store.commit({ record: [{ at: clock.now(), kind, facts }] });
    } catch (error) {
      const inUse = error instanceof StoreError && error.kind === 'in-use';
      const why = inUse ? 'the Keywarden that runs records what it sees of it' : String(error);
      stderr.write(`This is not on record as done by hand: ${why}.\n`);
    }
  };
}

/** Makes the change and puts it on record, also when it may have been made. */
export async function madeByHand<T>(
  { record }: ByHand,
  facts: Readonly<Record<string, unknown>>,
  make: () => Promise<T>,
): Promise<T> {
  try {
    const made = await make();
    await record('by-hand-done', facts);
    return made;
  } catch (error) {
    if (isApiFailure(error) && error.outcome === 'unknown')
      await record('by-hand-unclear', { ...facts, detail: error.message });
    throw error;
  }
}
