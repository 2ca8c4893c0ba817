/** Changes by hand are on record like any other. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { create } from '../../src/cli/create.ts';
import { deleteKey } from '../../src/cli/delete.ts';
import { handRecord } from '../../src/cli/hand-record.ts';
import { rename } from '../../src/cli/rename.ts';
import type { Settings } from '../../src/settings.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { directory } from '../store/fixtures.ts';
import { idOf, now, row, scene } from './account.ts';

const user = row('tk_a', { name: 'User 7' });
const keyId = idOf('tk_a');

test('what was renamed, deleted and created', async () => {
  const one = scene({ rows: [user] });
  await rename(one.by, { key: keyId, name: 'User 8' });
  await deleteKey(one.by, { key: keyId, yes: true });
  await create(one.by, { name: 'New one' });
  expect(one.recorded).toEqual([
    { kind: 'by-hand-done', change: 'rename', keyId, from: 'User 7', to: 'User 8' },
    { kind: 'by-hand-done', change: 'delete', keyId, from: 'User 7', to: null },
    expect.objectContaining({ kind: 'by-hand-done', change: 'create', to: 'New one' }),
  ]);
  expect(JSON.stringify(one.recorded)).not.toContain('tk_');
});

test('what may have been done, and nothing of what was not', async () => {
  const one = scene({ rows: [user] });
  const failing = (outcome: 'none' | 'unknown') => ({
    ...one.by,
    writer: one.by.writer && {
      ...one.by.writer,
      deleteKey: () =>
        Promise.reject(Object.assign(new Error('no answer'), { kind: 'network', outcome, retryable: false })),
    },
  });
  await expect(deleteKey(failing('none'), { key: keyId, yes: true })).rejects.toThrow();
  expect(one.recorded).toEqual([]);
  await expect(deleteKey(failing('unknown'), { key: keyId, yes: true })).rejects.toThrow();
  expect(one.recorded).toMatchObject([{ kind: 'by-hand-unclear', change: 'delete', detail: 'no answer' }]);
});

test('nothing of a dry run', async () => {
  const one = scene({ rows: [user], dryRun: true });
  await rename(one.by, { key: keyId, name: 'User 8' });
  await deleteKey(one.by, { key: keyId, yes: true });
  await create(one.by, { name: 'New one' });
  expect(one.recorded).toEqual([]);
});

test('in the state, if there is one and nobody else has it', async () => {
  const state = join(directory(), 'keywarden.db');
  const { by, err } = scene();
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  const record = handRecord({ state, clock: null } as Settings, by.world, clock);
  await record('by-hand-done', { change: 'rename' });
  expect(existsSync(state)).toBe(false);
  {
    await using store = await openSqlite(state);
    await record('by-hand-done', { change: 'rename' });
    expect(await store.recorded({ limit: 9 })).toEqual([]);
    expect(err()).toMatch(/not on record as done by hand: the Keywarden that runs records/);
  }
  await record('by-hand-done', { change: 'delete' });
  await using store = await openSqlite(state);
  expect(await store.recorded({ limit: 9 })).toMatchObject([
    { at: now, kind: 'by-hand-done', facts: { change: 'delete' } },
  ]);
});
