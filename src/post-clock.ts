import type { Memory } from './memory.ts';
import type { SteadyClock } from './ports.ts';

export interface PostClock extends SteadyClock {
  /**
   * What people's clocks show, for their quiet hours. Until this process has had a look that trusted the machine's
   * clock, by that clock all the same, unless it was in doubt or is behind: `now` knows nothing then of the time
   * for which no process had such a look.
   */
  readonly timeOfDay: SteadyClock['now'];
}

/**
 * The time that deliveries go by: that of the last look that trusted the machine's clock, and what has passed
 * since. However that clock is set, no message waits for it, and none is given up because of it.
 */
export function postClock(clock: SteadyClock, memory: Pick<Memory, 'meta' | 'lookedAt'>): PostClock {
  // Until this process has had such a look, the last pass before it; or later, if something was posted since.
  const lastAt = memory.meta.get('lastPassAt');
  const wasDoubted = Boolean(memory.meta.get('clockDoubtedSince'));
  const posted = Number(memory.meta.get('postedAt') ?? 0);
  // The last pass that trusted the clock may be long ago: it was in doubt, or the API could not be read.
  const isSound = wasDoubted || posted <= clock.now();
  const opened = {
    at: Math.max(lastAt === undefined ? clock.now() : Number(lastAt), isSound ? posted : 0),
    monotonicMs: clock.monotonic(),
  };
  const now = (): number => {
    const { at, monotonicMs } = memory.lookedAt ?? opened;
    // Whole milliseconds, as every instant; the count has fractions.
    return Math.round(at + clock.monotonic() - monotonicMs);
  };
  const isDoubted = (): boolean => wasDoubted || Boolean(memory.meta.get('clockDoubtedSince'));
  return {
    now,
    timeOfDay: () => (memory.lookedAt !== null || isDoubted() ? now() : Math.max(now(), clock.now())),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    monotonic: () => clock.monotonic(),
  };
}
