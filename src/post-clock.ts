import type { Memory } from './memory.ts';
import type { SteadyClock } from './ports.ts';

/**
 * The time that deliveries go by: that of the last pass that trusted the machine's clock, and what has passed
 * since. However that clock is set, no message waits for it, and none is given up because of it.
 */
export function postClock(clock: SteadyClock, memory: Pick<Memory, 'meta' | 'monotonicMs'>): SteadyClock {
  const openedMs = clock.monotonic();
  const openedAt = clock.now();
  // Of a process that ended in doubt of its clock, the last pass that trusted it may be long ago.
  const postedAt = memory.meta.get('clockDoubtedSince') ? Number(memory.meta.get('postedAt') ?? 0) : 0;
  return {
    // Until this process has had such a pass, the last one before it; or later, if something was posted since.
    now: () => {
      const lastAt = memory.meta.get('lastPassAt');
      const since = clock.monotonic() - (memory.monotonicMs ?? openedMs);
      // Whole milliseconds, as every instant; the count has fractions.
      const lastOr = lastAt === undefined ? openedAt : Number(lastAt);
      return Math.round((memory.monotonicMs === null ? Math.max(lastOr, postedAt) : lastOr) + since);
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
    monotonic: () => clock.monotonic(),
  };
}
