/** What is kept in mind of what is over, and across a restart. */
import { expect, test } from 'vitest';
import { forget, recall } from '../src/memory.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { finding, keyRecord, now, stateFile } from './store/fixtures.ts';

test('an end that is yet to be told is kept for as long as it is, any other until its period is over', async () => {
  const path = stateFile();
  const over = { closedAt: now - 5, periodEnd: now };
  const owed = finding('owed', { ...over, owed: { because: 'its period is over', deletions: [] } });
  await using store = await openSqlite(path);
  await store.commit({
    findings: [owed, finding('over', over), finding('not over', { ...over, periodEnd: now + 1 })],
    meta: { lastPassAt: String(now - 1) },
  });
  const memory = await recall(store, now);
  expect([...memory.findings.keys()]).toEqual(['not over', 'over', 'owed']);
  forget(memory, now);
  expect([...memory.findings.keys()]).toEqual(['not over', 'owed']);
  await store.commit({ meta: { lastPassAt: String(now + 9) } });
  expect((await recall(store, now + 9)).findings).toEqual(new Map([['owed', owed]]));
  const { owed: _, ...told } = owed;
  await store.commit({ findings: [told] });
  expect((await recall(store, now + 9)).findings.size).toBe(0);
});

test('a key that was created anew under its fingerprint counts once among those that there are', async () => {
  await using store = await openSqlite(stateFile());
  const anew = keyRecord(1, { createdAt: now - 5 });
  await store.commit({ keys: [keyRecord(1), keyRecord(2)] });
  await store.commit({ keys: [anew] });
  const memory = await recall(store, now);
  expect([memory.records.size, memory.living]).toEqual([2, 2]);
});

test('of two keys of one fingerprint the one that was seen later is known, though it was created earlier', async () => {
  await using store = await openSqlite(stateFile());
  const strange = keyRecord(1, { createdAt: now - 5, firstSeenAt: now - 4 });
  const again = keyRecord(1, { firstSeenAt: now - 3 });
  await store.commit({ keys: [keyRecord(1), strange] });
  await store.commit({ keys: [again] });
  expect((await recall(store, now)).records.get(again.id)).toEqual(again);
});
