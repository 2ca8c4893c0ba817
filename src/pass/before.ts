/** What is known from the passes before. */
import type { Change } from '../core/state.ts';
import type { Before, Sight } from '../ledger/look.ts';
import type { LastReading } from '../ledger/clock.ts';
import type { Memory } from '../memory.ts';

export function before(memory: Memory): Before {
  const shrunkSince = memory.meta.get('shrunkSince');
  const doubtedSince = memory.meta.get('clockDoubtedSince');
  return {
    records: memory.records,
    living: memory.living,
    listed: memory.listed,
    attempted: attempted(memory),
    account: memory.runs.get('account'),
    lastClock: lastClock(memory),
    clockDoubtedSince: doubtedSince ? Number(doubtedSince) : null,
    shrunkSince: shrunkSince ? Number(shrunkSince) : null,
  };
}

export function lastClock({ meta, monotonicMs }: Memory): LastReading | null {
  const at = meta.get('lastPassAt');
  const serverAt = meta.get('lastServerAt');
  if (at === undefined) return null;
  return { at: Number(at), serverAt: serverAt ? Number(serverAt) : null, monotonicMs };
}

/** What of the clock is remembered for the next pass. */
export function clockMeta({ at, listing }: Sight): Record<string, string> {
  const { serverAt } = listing;
  return {
    lastPassAt: String(at),
    lastServerAt: serverAt === null ? '' : String(serverAt),
    clockDoubtedSince: '',
  };
}

/** Changes that may have taken effect, or may yet: a list can be older than what was done before it was asked for. */
export function attempted(memory: Memory): Change[] {
  return [...memory.changes.values()].filter(
    ({ settledAt, outcome, noEffect }) => settledAt === null || (outcome === 'not-done' && !noEffect),
  );
}
