import { describe, expect, test } from 'vitest';
import { create } from '../../src/cli/create.ts';
import { deleteKey } from '../../src/cli/delete.ts';
import { rename } from '../../src/cli/rename.ts';
import type { PolicyFile, ProtectSelector } from '../../src/core/policy.ts';
import { idOf, now, row, scene, type Scene } from './account.ts';

const rows = [
  row('tk_secretNumberOne', { name: 'User 7' }),
  row('tk_secretNumberTwo', { name: 'Production 1' }),
];
const id = idOf('tk_secretNumberOne');

function protecting(...protect: ProtectSelector[]): PolicyFile {
  const limit = { perRun: 1, perDay: 1, percent: null };
  return {
    hash: 'sha256:00',
    mode: 'enforce',
    timeZone: 'UTC',
    smtp: null,
    channels: new Map(),
    protect,
    limits: { delete: limit, rename: limit },
    policies: [],
    silences: [],
  };
}

describe('create', () => {
  test('prints the secret on standard output, alone, and where it is once on standard error', async () => {
    const { by, sent, out, err } = scene({});
    const code = await create(by, {
      name: 'User 8',
      expiresAt: '2027-01-31T00:00:00+01:00',
      maxTokens: 5,
      metadata: ['plan=free', 'note=a=b', '__proto__=x'],
    });
    expect(code).toBe(0);
    expect(out()).toBe('tk_freshlyMadeSecret\n');
    expect(err()).toBe(
      `Created ${idOf('tk_freshlyMadeSecret')}. This is the only time its secret is shown; store it now.\n`,
    );
    const expiresAt = Date.parse('2027-01-30T23:00:00Z');
    expect(sent).toEqual([
      `create {"name":"User 8","expiresAt":${expiresAt},"maxTokens":5,` +
        `"metadata":{"plan":"free","note":"a=b","__proto__":"x"}}`,
    ]);
  });

  test('prints JSON with the secret', async () => {
    const { by, out } = scene({ output: 'json' });
    await create(by, { name: 'User 8' });
    expect(JSON.parse(out())).toMatchObject({ name: 'User 8', secret: 'tk_freshlyMadeSecret' });
  });

  test('says when the name is taken', async () => {
    const { by, err } = scene({ rows });
    await create(by, { name: 'User 7' });
    expect(err()).toContain('Another key is called User 7 already');
  });

  test('sends nothing in a dry run', async () => {
    const { by, sent, out, err } = scene({ dryRun: true });
    expect(await create(by, { name: 'User 8' })).toBe(0);
    expect([sent, out()]).toEqual([[], '']);
    expect(err()).toBe('Dry run: a key called User 8 would be created.\n');
  });

  test.each([
    [{ name: '' }, 'NAME must not be empty.'],
    [{ name: '   ' }, 'NAME must not be empty.'],
    [{ name: 'User: a@example.com' }, 'NAME may hold only letters'],
    [{ name: 'Ünïcode' }, 'NAME may hold only letters'],
    [{ name: 'two\nlines' }, 'NAME may hold only letters'],
    [{ name: 'x'.repeat(101) }, 'NAME must not be longer than 100 characters.'],
    [{ name: 'x', expiresAt: 'tomorrow' }, '--expires-at must be a time such as'],
    [{ name: 'x', expiresAt: '2027-01-31' }, '--expires-at must be a time such as'],
    [{ name: 'x', expiresAt: '2027-02-31T25:00:00Z' }, '--expires-at must be a time such as'],
    [{ name: 'x', expiresAt: '2026-11-23T10:00:00Z' }, '--expires-at must be in the future.'],
    [{ name: 'x', metadata: ['plan'] }, '--metadata takes name=value.'],
    [{ name: 'x', metadata: ['=free'] }, '--metadata takes name=value.'],
    [{ name: 'x', metadata: ['a=1', 'a=2'] }, '--metadata names something twice.'],
    [{ name: 'x', metadata: [`a=${'ü'.repeat(2600)}`] }, '--metadata must not be larger than 5 KB in all.'],
  ])('refuses %j', async (options, message) => {
    const { by, sent } = scene({});
    const refusal = create(by, options);
    await expect(refusal).rejects.toMatchObject({ exitCode: 2 });
    await expect(refusal).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });
});

describe('rename', () => {
  test('renames by id or exact name', async () => {
    const { by, sent, out } = scene({ rows });
    expect(await rename(by, { key: 'User 7', name: 'User 7b' })).toBe(0);
    expect(await rename(by, { key: id, name: 'User 7c' })).toBe(0);
    expect(sent).toEqual([
      `rename ${id} tk_secretNumberOne User 7b`,
      `rename ${id} tk_secretNumberOne User 7c`,
    ]);
    expect(out()).toBe(`Renamed ${id} from User 7 to User 7b.\nRenamed ${id} from User 7 to User 7c.\n`);
  });

  test('sends nothing in a dry run', async () => {
    const { by, sent, out } = scene({ rows, dryRun: true, output: 'json' });
    expect(await rename(by, { key: id, name: 'New' })).toBe(0);
    expect(sent).toEqual([]);
    expect(JSON.parse(out())).toEqual({ dry_run: true, rename: { id, from: 'User 7', to: 'New' } });
  });

  test('sends nothing when the name is that already', async () => {
    const { by, sent } = scene({ rows });
    expect(await rename(by, { key: id, name: 'User 7' })).toBe(0);
    expect(sent).toEqual([]);
  });

  test('refuses an illegal name', async () => {
    const { by, sent } = scene({ rows });
    await expect(rename(by, { key: id, name: 'a/b' })).rejects.toMatchObject({ exitCode: 2 });
    expect(sent).toEqual([]);
  });

  test('says when nothing is protected, and when another key has the name', async () => {
    const { by, err } = scene({ rows });
    await rename(by, { key: id, name: 'Production 1' });
    expect(err()).toContain('There is no policy file');
    expect(err()).toContain('Another key is called Production 1 already');
  });
});

const attempts: [string, (by: ReturnType<typeof scene>['by'], key: string) => Promise<number>][] = [
  ['rename', (by, key) => rename(by, { key, name: 'New' })],
  ['delete', (by, key) => deleteKey(by, { key, yes: true })],
];

describe.each(attempts)('%s is refused', (_, attempt) => {
  const refused = async (given: Scene, key: string, message: string) => {
    const { by, sent } = scene(given);
    const refusal = attempt(by, key);
    await expect(refusal).rejects.toMatchObject({ exitCode: 1 });
    await expect(refusal).rejects.toThrow(message);
    expect(sent).toEqual([]);
  };

  test('for a protected key', async () => {
    const policy = protecting(({ key }) => key.name.startsWith('Production'));
    await refused({ rows, policy }, 'Production 1', 'is protected by the policy file');
  });

  test('for a key whose original name is protected', async () => {
    const policy = protecting(({ originalName }) => originalName === 'Production 0');
    await refused({ rows, policy, originalNameOf: () => 'Production 0' }, id, 'is protected');
  });

  test('for an admin key', async () => {
    const admin = row('tk_secretNumberOne', { isAdmin: true });
    await refused({ rows: [admin], policy: protecting() }, id, 'is an admin key');
  });

  test('in a dry run just so', async () => {
    const policy = protecting(() => true);
    await refused({ rows, policy, dryRun: true }, id, 'is protected by the policy file');
  });
});

describe('delete', () => {
  test('shows the key, asks, and deletes', async () => {
    const { by, sent, out, err } = scene({ rows, answer: 'y' });
    expect(await deleteKey(by, { key: 'User 7', yes: false })).toBe(0);
    expect(sent).toEqual([`delete ${id} tk_secretNumberOne`]);
    expect(out()).toBe(`Deleted ${id} (User 7).\n`);
    expect(err()).toContain(
      [
        `  key           ${id}`,
        '  name          User 7',
        '  created       2026-01-05, 322 d ago',
        '  last 30 days  $21.40, 1,234,567 tokens, 89 requests',
        'Delete it? It stops working at once and cannot be brought back. [y/N] ',
      ].join('\n'),
    );
  });

  test.each(['', 'n', 'no', 'yess', 'delete'])('does nothing on the answer %j', async (answer) => {
    const { by, sent, out, err } = scene({ rows, answer });
    expect(await deleteKey(by, { key: id, yes: false })).toBe(1);
    expect([sent, out()]).toEqual([[], '']);
    expect(err()).toContain('Nothing was deleted.');
  });

  test('needs --yes where nobody can be asked', async () => {
    const { by, sent } = scene({ rows });
    await expect(deleteKey(by, { key: id, yes: false })).rejects.toMatchObject({ exitCode: 2 });
    expect(sent).toEqual([]);
    expect(await deleteKey(by, { key: id, yes: true })).toBe(0);
    expect(sent).toEqual([`delete ${id} tk_secretNumberOne`]);
  });

  test('needs no one in a dry run, and sends nothing', async () => {
    const { by, sent, out } = scene({ rows, dryRun: true });
    expect(await deleteKey(by, { key: id, yes: false })).toBe(0);
    expect([sent, out()]).toEqual([[], `Dry run: would delete ${id} (User 7).\n`]);
  });

  test('a usage that cannot be read is unknown, not nothing', async () => {
    const { by, err } = scene({ rows, answer: 'n', keyUsageFails: true });
    await deleteKey(by, { key: id, yes: false });
    expect(err()).toContain('last 30 days  unknown: it could not be read');
  });

  test.each<[string, (rows: Scene['rows'] & object) => void, string]>([
    ['gone', (rows) => rows.splice(0, 1), 'is gone already'],
    [
      'renamed',
      (rows) => rows.splice(0, 1, row('tk_secretNumberOne', { name: 'Keep' })),
      'was renamed meanwhile',
    ],
    [
      'made anew',
      (rows) => rows.splice(0, 1, row('tk_secretNumberOne', { name: 'User 7', createdAt: now })),
      'is gone already',
    ],
  ])('looks again after the answer: %s', async (_, change, message) => {
    const live = [...rows];
    const { by, sent } = scene({ rows: live, answer: 'y', meanwhile: () => change(live) });
    await expect(deleteKey(by, { key: id, yes: false })).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });
});
