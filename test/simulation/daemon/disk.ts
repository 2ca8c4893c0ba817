/** The real store, on a disk that can be full, of a program that can die before and after each write. */
import { StoreError } from '../../../src/store/errors.ts';
import type { Store } from '../../../src/store/store.ts';
import type { Chronicle } from './chronicle.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';

export interface Disk {
  full: boolean;
}

export function onDisk(
  store: Store,
  disk: Disk,
  life: Life,
  { scheduler, chronicle }: { readonly scheduler: Scheduler; readonly chronicle: Chronicle },
): Store {
  const reads = async <T>(read: () => Promise<T>): Promise<T> => {
    await life.point('before read of state');
    return read();
  };
  const writes = async <T>(write: () => Promise<T>, changing = false): Promise<T> => {
    await life.point('before write', changing);
    if (disk.full) {
      chronicle.note({ kind: 'disk failed', run: life.run });
      throw new StoreError('disk-full', 'keywarden.db', 'database or disk is full.');
    }
    const result = await write();
    await life.point('after write', changing);
    return result;
  };
  const { outbox } = store;
  return {
    load: (now) => reads(() => store.load(now)),
    commit: (batch) => writes(() => store.commit(batch), (batch.changes?.length ?? 0) > 0),
    marks: (at, lagMs) => reads(() => store.marks(at, lagMs)),
    lastRuns: (key, instants) => reads(() => store.lastRuns(key, instants)),
    acceptances: (ids) => reads(() => store.acceptances(ids)),
    thin: (now, boundaries, lagMs) => writes(() => scheduler.during(store.thin(now, boundaries, lagMs))),
    rewind: (now) => writes(() => store.rewind(now)),
    recorded: (query) => reads(() => store.recorded(query)),
    verifyRecord: () => reads(() => store.verifyRecord()),
    outboxSummary: () => reads(() => store.outboxSummary()),
    deadChannels: (since) => reads(() => store.deadChannels(since)),
    size: () => reads(() => store.size()),
    outbox: {
      pending: (now) => reads(() => outbox.pending(now)),
      delivered: (ids, at, unserved) => writes(() => outbox.delivered(ids, at, unserved)),
      failed: (ids, failure) => writes(() => outbox.failed(ids, failure)),
    },
    // What it held is released with its life.
    [Symbol.asyncDispose]: async () => undefined,
  };
}
