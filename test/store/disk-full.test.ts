import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openForWriting } from '../../src/store/database.ts';
import { openSqlite, storeOver } from '../../src/store/sqlite.ts';
import type { Batch, Store } from '../../src/store/store.ts';
import { faultOf, finding, keyRecord, now, run, stateFile } from './fixtures.ts';
import { mountSmall } from './mount.ts';

const clock = { now: () => now };
const megabyte: Batch = {
  findings: Array.from({ length: 2000 }, (_, n) => finding(`big ${n}`)),
  samples: [run('account', now, now, 2)],
  record: [{ at: now, kind: 'big', facts: {} }],
  meta: { big: 'x' },
};
const small: Batch = {
  keys: [keyRecord(1)],
  samples: [run('account', now - 1, now - 1, 1)],
  record: [{ at: now, kind: 'small', facts: {} }],
};

const everything = async (store: Store): Promise<unknown> => ({
  state: await store.load(now),
  record: await store.recorded({ limit: 10 }),
});

describe('when the disk is full', () => {
  it('nothing of the batch is kept, the rest is whole, and it works again once there is room', async () => {
    const opened = openForWriting(stateFile());
    await using store = storeOver(opened, clock);
    await store.commit(small);
    const before = await everything(store);
    // A limit of SQLite's own fails in the same place and way as the disk does.
    opened.db.exec('PRAGMA max_page_count = 60');
    expect(await faultOf(store.commit(megabyte))).toBe('disk-full');
    expect(await everything(store)).toEqual(before);
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 1 });

    opened.db.exec('PRAGMA max_page_count = 100000');
    await store.commit(megabyte);
    expect((await store.load(now)).findings).toHaveLength(2000);
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 2 });
  });

  it('so it is on a real one, and after the next start', async (ctx) => {
    const mount = mountSmall(3);
    if (mount === null) return ctx.skip('needs the right to mount a file system');
    const path = join(mount, 'keywarden.db');
    const filler = join(mount, 'filler');
    {
      await using store = await openSqlite(path);
      await store.commit(small);
      const { bavail, bsize } = statfsSync(mount);
      writeFileSync(filler, Buffer.alloc((bavail - 20) * bsize));
      const before = await everything(store);
      expect(await faultOf(store.commit(megabyte))).toBe('disk-full');
      expect(await everything(store)).toEqual(before);
    }
    // It starts even so.
    await using store = await openSqlite(path);
    expect((await store.load(now)).keys).toHaveLength(1);
    rmSync(filler);
    await store.commit(megabyte);
    expect((await store.load(now)).findings).toHaveLength(2000);
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 2 });
  });
});
