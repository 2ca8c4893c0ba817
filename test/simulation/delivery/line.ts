/** A real connection in simulated time: while either end is at work, time stands still. */
import type { Scheduler } from '../daemon/scheduler.ts';

export interface Line {
  /** The sender's end: one call at a time, over as soon as the signal says so. */
  call<T>(signal: AbortSignal, send: () => Promise<T>): Promise<T>;
  /** The receiver's end: so much time passes. Resolves to whether the caller is still there. */
  wait(ms: number): Promise<boolean>;
}

interface Call {
  over: boolean;
  /** Time may go on. */
  release: () => void;
}

export function createLine(scheduler: Scheduler): Line {
  let current: Call = { over: true, release: () => undefined };

  function hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    void scheduler.during(promise);
    return () => {
      resolve(undefined);
    };
  }

  return {
    call: async (signal, send) => {
      const mine: Call = { over: false, release: hold() };
      current = mine;
      const hangUp = (): void => {
        mine.over = true;
        mine.release();
        mine.release = hold();
      };
      signal.addEventListener('abort', hangUp, { once: true });
      try {
        return await send();
      } finally {
        signal.removeEventListener('abort', hangUp);
        mine.over = true;
        mine.release();
      }
    },
    wait: async (ms) => {
      const mine = current;
      mine.release();
      await scheduler.sleep(ms);
      if (!mine.over) mine.release = hold();
      return !mine.over;
    },
  };
}
