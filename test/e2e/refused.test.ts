/** What a start is refused for: each with one clear line, the right exit code, no stack and no secret. */
import { DatabaseSync } from 'node:sqlite';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mountSmall, remountReadOnly } from '../store/mount.ts';
import type { Ended } from './child.ts';
import { stage, type Stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: all
    spend: { cost: 20.00, per: month }
    steps: [ { at: 80%, alert: pager } ]
`;

/** The last thing said is an error that matches; before it there is nothing but the log. */
function refused(ended: Ended, code: number, message: RegExp): void {
  const said = ended.err.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(said[0]).toMatch(/^error: /);
  expect(said.join('\n')).toMatch(message);
  expect(ended.err).not.toMatch(/^\s+at .*:\d+/m);
  expect(ended).toMatchObject({ code, out: '' });
}

const once = ['run', '--once'];
const ways: Record<string, [message: RegExp, code: number, prepare: (s: Stage) => Record<string, string>]> = {
  'no admin key': [/^error: no admin key: set TINFOIL_ADMIN_KEY/, 1, () => ({ TINFOIL_ADMIN_KEY: '' })],
  'two admin keys': [
    /TINFOIL_ADMIN_KEY and TINFOIL_ADMIN_KEY_FILE are both set/,
    2,
    (s) => ({ TINFOIL_ADMIN_KEY_FILE: s.file('key', 'x') }),
  ],
  'an admin key file that is missing': [
    /TINFOIL_ADMIN_KEY_FILE cannot be read: no such file/,
    2,
    () => ({ TINFOIL_ADMIN_KEY: '', TINFOIL_ADMIN_KEY_FILE: 'nowhere' }),
  ],
  'a wrong admin key': [
    /^error: http:\/\/127\.0\.0\.1:\d+: .*the admin key was refused/,
    1,
    () => ({ TINFOIL_ADMIN_KEY: 'admin_thisIsNotTheKeyOfTheAccount' }),
  ],
  'plain http to elsewhere': [/must be https:/, 2, () => ({ TINFOIL_API_URL: 'http://api.example.com' })],
  'no policy file': [/policies\.yaml: there is no such policy file/, 1, () => ({})],
  'an empty policy file': [/policies\.yaml:1:1/, 1, (s) => (s.file('policies.yaml', ''), {})],
  'a policy file that is a folder': [
    /the policy file is a directory/,
    1,
    (s) => (mkdirSync(join(s.dir, 'policies.yaml')), {}),
  ],
  'a policy file of binary data': [
    /policies\.yaml:\d+:\d+/,
    1,
    (s) => (s.file('policies.yaml', Buffer.from([0, 255, 1, 254, 10, 0x1b, 0x5b, 0x32, 0x4a])), {}),
  ],
  'a policy file of aliases that multiply': [
    /policies\.yaml:\d+:\d+/,
    1,
    (s) => (s.file('policies.yaml', aliasBomb()), {}),
  ],
  'a policy file of fifty megabytes': [
    /policies\.yaml/,
    1,
    (s) => (s.file('policies.yaml', `version: 1\n${'# padding padding padding\n'.repeat(2_000_000)}`), {}),
  ],
  'a channel that is not there': [
    /policies\.yaml:\d+:\d+.*pagr[^]*pager/,
    1,
    (s) => (s.policy(rule.replace('pager', 'pagr')), {}),
  ],
  'a variable that is not set': [
    /policies\.yaml:\d+:\d+.*PAGER_SECRET/,
    1,
    (s) => (s.policy(rule), { PAGER_SECRET: '' }),
  ],
  'a state file that is no database': [
    /keywarden\.db: .*Move it away/,
    1,
    (s) => (s.policy(rule), s.file('keywarden.db', 'not a database at all, '.repeat(500)), {}),
  ],
  'a state file of another program': [
    /keywarden\.db: .*Name another file with --state/,
    1,
    (s) => (s.policy(rule), foreignDatabase(s), {}),
  ],
  'a state file that is a folder': [
    /keywarden\.db/,
    1,
    (s) => (s.policy(rule), mkdirSync(join(s.dir, 'keywarden.db')), {}),
  ],
  'a state file in a folder that is not there': [
    /nowhere\/keywarden\.db/,
    1,
    (s) => (s.policy(rule), { KEYWARDEN_STATE: 'nowhere/keywarden.db' }),
  ],
};

function aliasBomb(): string {
  const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`);
  return `version: 1\na0: &a0 [x, x, x]\n${levels.join('\n')}\npolicies: *a30\n`;
}

function foreignDatabase(s: Stage): void {
  using db = new DatabaseSync(join(s.dir, 'keywarden.db'));
  db.exec('CREATE TABLE songs (title TEXT)');
}

test.concurrent.for(Object.entries(ways))('%s', async ([name, [message, code, prepare]], t) => {
  const s = await stage(t, { speed: 20 });
  s.key('User 7');
  const env = prepare(s);
  if (code === 2 || name.endsWith('admin key')) s.policy(rule);
  const asked = performance.now();
  refused(await s.run(once, env), code, message);
  // It does not hang; on a busy machine a process takes seconds to start.
  expect(performance.now() - asked).toBeLessThan(30_000);
});

test.concurrent('a state file written by a later version', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  s.key('User 7');
  await s.pass();
  {
    using db = new DatabaseSync(join(s.dir, 'keywarden.db'));
    db.exec('PRAGMA user_version = 999');
  }
  for (const args of [once, ['plan'], ['audit', '--verify']]) {
    refused(await s.run(args), 1, /keywarden\.db: .*Run that version or a later one/);
  }
});

test('a state that may not be written, and one on a full disk', async (t) => {
  const mount = mountSmall(2);
  if (mount === null) return t.skip('needs the right to mount a file system');
  const s = await stage(t);
  s.policy(rule);
  s.key('User 7');
  const state = { KEYWARDEN_STATE: join(mount, 'keywarden.db') };
  expect((await s.run(once, state)).code).toBe(0);
  const { bavail, bsize } = statfsSync(mount);
  writeFileSync(join(mount, 'filler'), Buffer.alloc(bavail * bsize));
  for (let n = 0; n < 300; n++) s.key(`More ${n}`);
  s.clock.advance(60_000);
  const full = await s.run(once, state);
  refused(full, 1, /keywarden\.db: .*Make room on that disk/);
  rmSync(join(mount, 'filler'));
  expect((await s.run(['audit', '--verify'], state)).code).toBe(0);
  expect((await s.run(once, state)).code).toBe(0);
  remountReadOnly(mount);
  refused(await s.run(once, state), 1, /keywarden\.db: .*Let this user write the file/);
});
