import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openForWriting } from '../../src/store/database.ts';
import { StoreError } from '../../src/store/errors.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { directory, faultOf, finding, keyRecord, now, stateFile } from './fixtures.ts';
import { mountSmall, remountReadOnly } from './mount.ts';

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function filled(path: string): Promise<void> {
  await using store = await openSqlite(path);
  const findings = Array.from({ length: 200 }, (_, n) => finding(`f${n}`));
  await store.commit({ keys: [keyRecord(1)], findings });
}

describe('opening to write', () => {
  it('creates a file that only its owner may read', async () => {
    const path = stateFile();
    await using store = await openSqlite(path);
    await store.commit({ keys: [keyRecord(1)] });
    expect(readdirSync(join(path, '..')).map((name) => [name, mode(join(path, '..', name))])).toEqual([
      ['keywarden.db', '600'],
      ['keywarden.db-lock', '600'],
      ['keywarden.db-shm', '600'],
      ['keywarden.db-wal', '600'],
    ]);
    expect(await store.size()).toBeGreaterThan(4096);
  });

  it('waits for the disk at each commit', () => {
    const opened = openForWriting(stateFile());
    expect(opened.db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(opened.db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    opened.close();
  });

  it('leaves one tidy file behind, and may be closed twice', async () => {
    const path = stateFile();
    const store = await openSqlite(path);
    await store.commit({ keys: [keyRecord(1)] });
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    expect(readdirSync(join(path, '..'))).toEqual(['keywarden.db', 'keywarden.db-lock']);
  });

  it('takes any character in a path', async () => {
    const path = join(directory(), 'a b?mode=memory#%41.db');
    await filled(path);
    expect(existsSync(path)).toBe(true);
  });

  it('takes over an empty file', async () => {
    const path = stateFile();
    writeFileSync(path, '');
    await filled(path);
    await using store = await openSqlite(path);
    expect((await store.load(now)).keys).toHaveLength(1);
  });

  it('is refused while another store has the file, by whatever name, until that is closed', async () => {
    const path = stateFile();
    const alias = join(directory(), 'alias.db');
    const first = await openSqlite(path);
    symlinkSync(path, alias);
    expect(await faultOf(openSqlite(path))).toBe('in-use');
    expect(await faultOf(openSqlite(alias))).toBe('in-use');
    await first.commit({ keys: [keyRecord(1)] });
    await first[Symbol.asyncDispose]();
    await using second = await openSqlite(alias);
    expect((await second.load(now)).keys).toHaveLength(1);
  });
});

describe('opening to read', () => {
  it('finds an empty state where there is no file, and creates none', async () => {
    const path = join(directory(), 'missing', 'keywarden.db');
    await using store = await openSqlite(path, { readOnly: true });
    expect(await store.load(now)).toEqual({ keys: [], findings: [], changes: [], samples: [], meta: {} });
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 0 });
    expect(await faultOf(store.commit({ keys: [keyRecord(1)] }))).toBe('read-only');
    expect(existsSync(join(path, '..'))).toBe(false);
  });

  it('finds an empty state in an empty file and leaves it empty', async () => {
    const path = stateFile();
    writeFileSync(path, '');
    {
      await using store = await openSqlite(path, { readOnly: true });
      expect((await store.load(now)).keys).toEqual([]);
    }
    expect(statSync(path).size).toBe(0);
  });

  it('works beside a writer, sees what it has committed, and writes nothing', async () => {
    const path = stateFile();
    await using writer = await openSqlite(path);
    await writer.commit({ keys: [keyRecord(1)] });
    await using reader = await openSqlite(path, { readOnly: true });
    expect((await reader.load(now)).keys).toHaveLength(1);
    await writer.commit({ keys: [keyRecord(2)] });
    expect((await reader.load(now)).keys).toHaveLength(2);
    expect(await faultOf(reader.commit({ keys: [keyRecord(3)] }))).toBe('read-only');
    expect(await faultOf(reader.thin(now, [], 0))).toBe('read-only');
    expect((await writer.load(now)).keys).toHaveLength(2);
  });

  it('leaves the directory as it was', async () => {
    const path = stateFile();
    await filled(path);
    const before = readFileSync(path);
    {
      await using store = await openSqlite(path, { readOnly: true });
      expect((await store.load(now)).keys).toHaveLength(1);
    }
    expect(readdirSync(join(path, '..'))).toEqual(['keywarden.db', 'keywarden.db-lock']);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe.each([
  ['to write', false],
  ['to read', true],
])('a file that cannot be used is told from one that can, opened %s:', (_, readOnly) => {
  const open = async (path: string): Promise<void> => {
    await using store = await openSqlite(path, { readOnly });
    await store.load(now);
  };

  it('not a database, left as it is', async () => {
    const path = stateFile();
    writeFileSync(path, 'version: 1\nmode: alert\n'.repeat(100));
    const before = readFileSync(path);
    expect(await faultOf(open(path))).toBe('corrupt');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['keywarden.db']);
  });

  it('torn off', async () => {
    const path = stateFile();
    await filled(path);
    truncateSync(path, 8192 + 100);
    expect(await faultOf(open(path))).toBe('corrupt');
  });

  it('overwritten in the middle', async () => {
    const path = stateFile();
    await filled(path);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xa5, 4096));
    expect(await faultOf(open(path))).toBe('corrupt');
  });

  it('another program’s database, left as it is', async () => {
    const path = stateFile();
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE findings (mine)');
    db.close();
    const before = readFileSync(path);
    expect(await faultOf(open(path))).toBe('foreign');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('of a newer version, left as it is', async () => {
    const path = stateFile();
    await filled(path);
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const before = readFileSync(path);
    await expect(open(path)).rejects.toThrow(/newer Keywarden \(version 99/);
    expect(await faultOf(open(path))).toBe('newer');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('a directory', async () => {
    expect(await faultOf(open(directory()))).toBe('io');
  });
});

describe('faults', () => {
  it('name the file, the fault and what to do', async () => {
    const path = join(directory(), 'missing', 'keywarden.db');
    const failure = await openSqlite(path).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreError);
    expect(failure).toMatchObject({ kind: 'io', path });
    expect(String(failure)).toMatch(/missing\/keywarden\.db.*no such file or directory.*Check the path/s);
  });

  it('release what was opened: the file can be had once it is mended', async () => {
    const path = stateFile();
    await filled(path);
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    expect(await faultOf(openSqlite(path))).toBe('newer');
    db.exec('PRAGMA user_version = 1');
    db.close();
    await using store = await openSqlite(path);
    expect((await store.load(now)).keys).toHaveLength(1);
  });
});

describe('on a file system that may only be read', () => {
  it('nothing is opened to write, and a state is read', async (ctx) => {
    const mount = mountSmall(4);
    if (mount === null) return ctx.skip('needs the right to mount a file system');
    const path = join(mount, 'keywarden.db');
    await filled(path);
    remountReadOnly(mount);
    expect(await faultOf(openSqlite(path))).toBe('read-only');
    expect(await faultOf(openSqlite(join(mount, 'new.db')))).toBe('read-only');
    await using store = await openSqlite(path, { readOnly: true });
    expect((await store.load(now)).keys).toHaveLength(1);
  });
});
