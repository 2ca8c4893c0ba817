/** What is told when a pass fails. */
import { expect, test } from 'vitest';
import { apiTrouble, openApp } from '../src/app.ts';
import { Secret } from '../src/core/secret.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { AdminApiError } from '../src/tinfoil/errors.ts';
import { virtualClock } from './alerts/build.ts';
import { file, minute, policy } from './core/story.ts';
import { settingsOf } from './simulation/daemon/setting.ts';

test('an API that fails once more, for a moment so far, is not told to be over', async () => {
  const clock = virtualClock();
  const store = await openSqlite(':memory:', { clock });
  await using app = await openApp({
    settings: settingsOf({ intervalMs: minute }),
    adminKey: new Secret('admin_ofTheTestOfTheApp'),
    policy: file(policy('spend: { cost: 20, per: month }', '{ at: 100%, alert: ops }')),
    clock,
    machine: { openState: () => Promise.resolve(store) },
  });
  const titles = async (): Promise<string[]> =>
    (await store.outbox.pending(clock.now())).flatMap(({ alert, channel }) =>
      alert.topic === 'system' && channel === 'ops' ? [alert.title] : [],
    );
  const failure = new AdminApiError({ endpoint: 'GET /api/keys', kind: 'server', status: 500 });
  const api = apiTrouble(failure);
  const edit = { code: 'policy-file', severity: 'critical', title: 'An edit', text: 'It is none.' } as const;
  if (api === null) throw new Error('a failure of the API is a trouble');
  await app.tell([api, edit]);
  expect(await titles()).toEqual(['The Admin API cannot be read', 'An edit']);
  // As after a restart: why passes fail is not told before they have failed for a while.
  await app.tell([]);
  expect(await titles()).toEqual(['The Admin API cannot be read', 'An edit', 'Over: An edit']);
});
