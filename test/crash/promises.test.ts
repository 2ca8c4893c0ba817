/** What looks for broken promises must itself be able to find one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { startSandbox, type Sandbox } from '../../src/sandbox/serve.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { dayMs, deletionsPerDay, noticeMs } from './account.ts';
import { brokenPromises, untried } from './promises.ts';

const start = Date.parse('2026-11-03T10:00:00Z');

interface Scene {
  readonly world: Sandbox['world'];
  readonly at: (ms: number) => void;
  readonly key: (name: string) => string;
  /** The webhook takes in an alert about the key. */
  readonly tell: (kind: string, secret: string, message?: string, id?: string) => void;
  /** Slack takes in a message. */
  readonly post: (text: string) => void;
  readonly broken: () => readonly string[];
  readonly state: string;
}

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  let now = start;
  const clock = { now: () => now, sleep: async () => undefined };
  const sandbox = await startSandbox({ seed: 'promises', clock, population: 'quiet' });
  const dir = mkdtempSync(join(tmpdir(), 'keywarden-promises-'));
  const state = join(dir, 'state.db');
  await (await openSqlite(state, { readOnly: false, clock }))[Symbol.asyncDispose]();
  onTestFinished(async () => {
    await sandbox[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });
  const { world, webhook, slack } = sandbox;
  return {
    world,
    state,
    at: (ms) => world.advanceTo((now = start + ms)),
    key: (name) => world.addKey({ name, createdAt: start - dayMs }).secret,
    tell: (kind, secret, message = `msg_${kind}`, id = `${kind} ${secret}`) => {
      const alerts = [{ id, kind, subject: { id: world.find(secret)?.id } }];
      webhook.received.push({ at: now, headers: { 'webhook-id': message }, body: { data: { alerts } } });
    },
    post: (text) => void slack.received.push({ at: now, headers: {}, body: { text } }),
    broken: () => brokenPromises(sandbox, state),
  };
}

test('a rename, a notice, a deletion after it and a restore break none', async (t) => {
  const s = await scene(t);
  const [one, two] = [s.key('User 1'), s.key('User 2')];
  s.world.rename(one, 'OVER User 1', 'api');
  s.world.rename(two, 'OVER User 2', 'api');
  s.tell('notice', one);
  s.at(noticeMs);
  s.world.delete(one, 'api');
  s.world.rename(two, 'User 2', 'api');
  expect(s.broken()).toEqual([]);
});

test('a deletion before its notice is over is found, and one without', async (t) => {
  const s = await scene(t);
  const [early, silent] = [s.key('User 1'), s.key('User 2')];
  s.tell('notice', early);
  s.at(noticeMs - 1);
  s.world.delete(early, 'api');
  s.world.delete(silent, 'api');
  expect(s.broken()).toEqual(Array(2).fill(expect.stringContaining('no notice was accepted')));
});

test('a deletion of what a person renamed during the notice is found', async (t) => {
  const s = await scene(t);
  const key = s.key('User 1');
  s.tell('notice', key);
  s.at(1000);
  s.world.renameByPerson(key, 'mine');
  s.at(noticeMs);
  s.world.delete(key, 'api');
  expect(s.broken()).toEqual([expect.stringContaining('a person had renamed it')]);
});

test('a change of a protected key is found', async (t) => {
  const s = await scene(t);
  s.world.rename(s.key('Production 1'), 'OVER Production 1', 'api');
  expect(s.broken()).toEqual([expect.stringContaining('it is protected')]);
});

test('a restore over a name that a person gave is found', async (t) => {
  const s = await scene(t);
  const key = s.key('User 1');
  s.world.rename(key, 'OVER User 1', 'api');
  s.world.renameByPerson(key, 'mine');
  s.at(dayMs);
  s.world.rename(key, 'User 1', 'api');
  expect(s.broken()).toEqual([expect.stringContaining('not a name that was the program')]);
});

test('more deletions within a day than the limit, and the same thing twice, are found', async (t) => {
  const s = await scene(t);
  const keys = Array.from({ length: deletionsPerDay + 1 }, (_, index) => s.key(`User ${String(index)}`));
  for (const key of keys) s.tell('notice', key);
  s.at(noticeMs);
  for (const key of keys) s.world.delete(key, 'api');
  const again = s.key('User again');
  for (let turn = 0; turn < 2; turn += 1) {
    s.world.rename(again, 'OVER User again', 'api');
    s.world.rename(again, 'User again', 'api');
  }
  expect(s.broken()).toEqual([
    expect.stringContaining('13 within a day, of 12'),
    expect.stringContaining('for the second time in one period'),
  ]);
});

test('an alert that is said to be delivered and never came, and one under two names, are found', async (t) => {
  const s = await scene(t);
  const key = s.key('User 1');
  using db = new DatabaseSync(s.state);
  db.exec(`INSERT INTO outbox (id, alert, created_at, not_before, next_attempt_at, state, body) VALUES
    ('item', 'lost', 0, 0, 0, 'delivered', '{"channel":"pager"}'),
    ('post', 'day/k_0123456789abcdef/step-1', 0, 0, 0, 'delivered', '{"channel":"ops"}'),
    ('mail', 'day/k_0123456789abcdef/step-1', 0, 0, 0, 'delivered', '{"channel":"owner"}'),
    ('read', 'day/k_fedcba9876543210/step-1', 0, 0, 0, 'delivered', '{"channel":"ops"}')`);
  s.post('about k_fedcba9876543210');
  s.tell('step', key, 'msg_1', 'twice');
  s.tell('step', key, 'msg_2', 'twice');
  expect(s.broken()).toEqual([
    'alert lost by pager is said to be delivered and never was',
    'alert day/k_0123456789abcdef/step-1 by ops is said to be delivered and never was',
    'alert day/k_0123456789abcdef/step-1 by owner is said to be delivered and never was',
    'alert twice came as msg_1 and as msg_2',
  ]);
});

test('an alert that was decided and is nowhere is found', async (t) => {
  const s = await scene(t);
  using db = new DatabaseSync(s.state);
  db.exec(`INSERT INTO record (seq, body, hash) VALUES
    (1, '{"kind":"alert-step","facts":{"alert":"a1","channels":["pager"]}}', 'x')`);
  expect(s.broken()).toEqual(['alert a1 for pager was decided and is nowhere']);
});

test('an alert that was due and was never tried is found, one that is tried again or waits is not', async (t) => {
  const s = await scene(t);
  using db = new DatabaseSync(s.state);
  db.exec(`INSERT INTO outbox (id, alert, created_at, not_before, next_attempt_at, attempts, state, body) VALUES
    ('due', 'a1', 0, 1000, 1000, 0, 'pending', '{"channel":"owner"}'),
    ('tried', 'a2', 0, 1000, 1000, 1, 'pending', '{"channel":"owner"}'),
    ('later', 'a3', 0, 1001, 1001, 0, 'pending', '{"channel":"owner"}'),
    ('sent', 'a4', 0, 1000, 1000, 0, 'dead', '{"channel":"owner"}')`);
  expect(untried(s.state, 1000)).toEqual(['alert a1 for owner was due and never tried']);
});
