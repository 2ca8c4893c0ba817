/** A state that an earlier version wrote is read on. */
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { acceptanceKey } from '../../src/core/court.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { alert, finding, item, keyRecord, now, stateFile } from './fixtures.ts';

/** As version 1 had it: an alert was accepted, by whatever channel. */
const backToOne = `
  DROP TABLE acceptances;
  CREATE TABLE acceptances (
    alert TEXT PRIMARY KEY NOT NULL, finding TEXT, accepted_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO acceptances SELECT alert, min(finding), min(settled_at) FROM outbox
    WHERE state = 'delivered' GROUP BY alert;
  INSERT INTO acceptances VALUES ('long ago', 'f', 1);
  PRAGMA user_version = 1;
`;

it('of version 1 it is known which channels accepted a notice, where the outbox can tell', async () => {
  const path = stateFile();
  const told = alert('notice', 'f');
  {
    await using store = await openSqlite(path);
    await store.commit({
      keys: [keyRecord(1)],
      findings: [finding('f')],
      outbox: [item('1', { alert: told }), item('2', { alert: told, channel: 'owner' })],
    });
    await store.outbox.delivered(['1'], now);
    await store.outbox.failed(['2'], { error: 'down', nextAttemptAt: now });
  }
  const db = new DatabaseSync(path);
  db.exec(backToOne);
  db.close();
  await using store = await openSqlite(path);
  const state = await store.load(now);
  expect([state.keys, state.findings]).toMatchObject([[{ id: keyRecord(1).id }], [{ id: 'f' }]]);
  expect(await store.acceptances(['notice', 'long ago'])).toEqual(
    new Map([[acceptanceKey('notice', 'ops'), now]]),
  );
  await store.outbox.delivered(['2'], now + 1);
  expect((await store.acceptances(['notice'])).get(acceptanceKey('notice', 'owner'))).toBe(now + 1);
  expect(await store.verifyRecord()).toMatchObject({ ok: true });
});
