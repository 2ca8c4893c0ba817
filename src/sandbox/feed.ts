/** Things that arrive one after another: kept in order, told to listeners, waited for. */
export interface Feed<T> {
  /** All that arrived, oldest first. */
  readonly items: readonly T[];
  push(item: T): void;
  /** Calls `listener` with each later item. Returns how to stop. */
  subscribe(listener: (item: T) => void): () => void;
  /** The first item, past or to come, that is `wanted`. Rejects with the signal's reason. */
  first(wanted: (item: T) => boolean, signal?: AbortSignal): Promise<T>;
  /** All items as soon as there are at least `count`. */
  atLeast(count: number, signal?: AbortSignal): Promise<readonly T[]>;
}

export function createFeed<T>(): Feed<T> {
  const items: T[] = [];
  const listeners = new Set<(item: T) => void>();

  function subscribe(listener: (item: T) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  async function first(wanted: (item: T) => boolean, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const past = items.findIndex(wanted);
    if (past >= 0) return items[past] as T;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = subscribe((item) => wanted(item) && resolve(item));
    const abort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    return promise.finally(() => {
      stop();
      signal?.removeEventListener('abort', abort);
    });
  }

  return {
    items,
    push: (item) => {
      items.push(item);
      for (const listener of [...listeners]) listener(item);
    },
    subscribe,
    first,
    atLeast: async (count, signal) => {
      if (items.length < count) await first(() => items.length >= count, signal);
      return items;
    },
  };
}
