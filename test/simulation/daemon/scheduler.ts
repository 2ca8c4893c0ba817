/**
 * Time that passes only when nothing is left to do. Timers fire in the order of their instants; between
 * two of them everything that the program does without waiting is done. So a month takes as long as what
 * happens in it.
 */
import { setImmediate as turn } from 'node:timers/promises';

export interface Scheduler extends Disposable {
  /** Milliseconds since the simulation began. */
  readonly now: () => number;
  /** Calls `fire` once so much time has passed, if `owner` is alive then. Returns how to call it off. */
  readonly after: (ms: number, fire: () => void, owner?: Owner) => () => void;
  /** Resolves after `ms`; never, if `owner` has died; rejects with the signal's reason. */
  readonly sleep: (ms: number, signal?: AbortSignal, owner?: Owner) => Promise<void>;
  /**
   * The sleep of somebody who looks again later in case he was not told of something. It ends together with
   * whatever happens after `ms`, or when it has lingered for so long, which is less than quiet hours leave of a
   * day: nearly all of the time that is simulated would go into it.
   */
  readonly linger: (ms: number, signal: AbortSignal | undefined, owner: Owner) => Promise<void>;
  /** Time stands still until `work` is done, which goes on beyond the promises of this thread. */
  during<T>(work: Promise<T>): Promise<T>;
  /** Lets time pass until the instant `until`. */
  run(until: number): Promise<void>;
  /** Nobody sleeps any more, and no signal holds on to who did: Node.js keeps those that are listened to. */
  [Symbol.dispose](): void;
}

/** Whose timers end with it. */
export interface Owner {
  alive: boolean;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  readonly owner: Owner | null;
  off: boolean;
}

const lingerMs = 90 * 60_000;

export function createScheduler(): Scheduler {
  const timers = createHeap();
  /** Idle looks that are due. */
  let idle: Timer[] = [];
  /** How to forget those who sleep. */
  const asleep = new Set<() => void>();
  let now = 0;
  let order = 0;
  let working = 0;

  const timerFor = (ms: number, fire: () => void, owner?: Owner): Timer => {
    order += 1;
    return { at: now + Math.max(0, ms), order, fire, owner: owner ?? null, off: false };
  };

  const after: Scheduler['after'] = (ms, fire, owner) => {
    const timer = timerFor(ms, fire, owner);
    timers.push(timer);
    return () => void (timer.off = true);
  };

  const lingering: Scheduler['after'] = (ms, fire, owner) => {
    const timer = timerFor(ms, fire, owner);
    idle.push(timer);
    return () => void (timer.off = true);
  };

  /** As `begin` begins it. */
  const slept = (begin: (fire: () => void) => () => void, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return void reject(signal.reason as Error);
      const wake = (): void => {
        signal?.removeEventListener('abort', stop);
        asleep.delete(wake);
        cancel();
      };
      const stop = (): void => {
        wake();
        reject(signal?.reason as Error);
      };
      const cancel = begin(() => {
        wake();
        resolve();
      });
      signal?.addEventListener('abort', stop);
      asleep.add(wake);
    });

  const fire = (timer: Timer): void => {
    if (!timer.off && timer.owner?.alive !== false) timer.fire();
  };

  /** Until the program only waits for time to pass. */
  async function settle(): Promise<void> {
    do await turn();
    while (working > 0);
  }

  function takeNext(until: number): Timer[] {
    let next = timers.peek();
    while (next !== undefined && (next.off || next.owner?.alive === false)) {
      timers.pop();
      next = timers.peek();
    }
    idle = idle.filter((one) => !one.off && one.owner?.alive !== false);
    const lingered = idle.reduce((least, { at }) => Math.min(least, at + lingerMs), Infinity);
    const at = Math.min(next?.at ?? Infinity, lingered);
    if (at > until) return [];
    now = Math.max(now, at);
    const due = idle.filter((one) => one.at <= now);
    idle = idle.filter((one) => one.at > now);
    if (next === undefined || next.at > at) return due;
    timers.pop();
    return [...due, next];
  }

  return {
    now: () => now,
    after,
    sleep: (ms, signal, owner) => slept((fire) => after(ms, fire, owner), signal),
    linger: (ms, signal, owner) => slept((fire) => lingering(ms, fire, owner), signal),
    during: async (work) => {
      working += 1;
      try {
        return await work;
      } finally {
        working -= 1;
      }
    },
    run: async (until) => {
      await settle();
      for (let due = takeNext(until); due.length > 0; due = takeNext(until)) {
        due.forEach(fire);
        await settle();
      }
      now = Math.max(now, until);
    },
    [Symbol.dispose]: () => {
      for (const wake of asleep) wake();
    },
  };
}

function createHeap() {
  const items: Timer[] = [];
  const before = (a: Timer, b: Timer): boolean => (a.at === b.at ? a.order < b.order : a.at < b.at);
  const swap = (i: number, j: number): void => {
    const one = items[i] as Timer;
    items[i] = items[j] as Timer;
    items[j] = one;
  };
  const sooner = (i: number, j: number): boolean => before(items[i] as Timer, items[j] as Timer);

  return {
    peek: () => items[0],
    push(timer: Timer): void {
      items.push(timer);
      for (let at = items.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!sooner(at, parent)) break;
        swap(at, parent);
        at = parent;
      }
    },
    pop(): void {
      const last = items.pop();
      if (last === undefined || items.length === 0) return;
      items[0] = last;
      for (let at = 0; ;) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < items.length && sooner(child, least)) least = child;
        if (least === at) break;
        swap(at, least);
        at = least;
      }
    },
  };
}
