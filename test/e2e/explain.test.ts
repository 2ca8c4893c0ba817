/** `keywarden explain`: everything known about one key. */
import { expect, test } from 'vitest';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import { fingerprint } from '../../src/tinfoil/fingerprint.ts';
import { dayMs, stage } from './harness.ts';

const idOf = ({ secret }: WorldKey): string => fingerprint(secret);

const rules = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 80%, alert: pager }
      - { at: 100%, alert: pager, rename: "OVER {{ name }}" }
  - name: team
    select: all
    spend: { cost: 500, per: month, across: selected }
    steps: [ { at: 100%, alert: pager } ]
  - name: old
    select: { name: "svc-*" }
    expiry: { max_age: 90d }
    steps: [ { alert: pager } ]
`;

test('explains a renamed key by the name it had: numbers, steps, history', async (t) => {
  const s = await stage(t);
  s.policy(rules);
  const key = s.key('User 1', { createdAt: s.clock.now() - dayMs });
  s.spend(key, 21);
  await s.pass();
  expect(s.nameOf(key)).toBe('OVER User 1');
  const { code, out } = await s.run(['explain', 'User 1', '--output', 'json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    name: 'OVER User 1',
    original_name: 'User 1',
    lifetime: { cost: '21.00' },
    protected: false,
    policies: [
      {
        policy: 'cap',
        covered: true,
        measured: '$21.00 of $20.00, November 2026',
        steps: [
          { at: '80%', does: 'alerts', reached: 'yes', firedAt: '2026-11-03 10:00Z' },
          { at: '100%', does: 'renames it', reached: 'yes', firedAt: '2026-11-03 10:00Z' },
        ],
      },
      { policy: 'team', covered: true, steps: [{ reached: 'group' }] },
      { policy: 'old', covered: false, steps: [] },
    ],
  });
  const history = (JSON.parse(out) as { history: { kind: string }[] }).history.map(({ kind }) => kind);
  expect(history).toEqual(expect.arrayContaining(['key-new', 'alert-step', 'change-intent', 'change-done']));
  const table = await s.run(['explain', 'OVER User 1']);
  expect(table.out).toContain('originally  User 1');
});

test('of a name that several keys had it explains none, and the one that is left', async (t) => {
  const s = await stage(t);
  s.policy(rules);
  const keys = ['User 1', 'User 1'].map((name) => s.key(name, { createdAt: s.clock.now() - dayMs }));
  for (const key of keys) s.spend(key, 21);
  await s.pass();
  expect(keys.map((key) => s.nameOf(key))).toEqual(['OVER User 1', 'OVER User 1']);
  const both = await s.run(['explain', 'User 1']);
  expect([both.code, both.out, both.err]).toEqual([
    1,
    '',
    expect.stringMatching(/2 keys are called User 1; name one by its id:\n {2}k_/) as unknown,
  ]);
  // Whichever of them the state has first.
  const [gone, left] = keys.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
  s.sandbox.world.deleteByPerson(gone?.secret ?? '');
  await s.pass();
  const { code, out } = await s.run(['explain', 'User 1', '--output', 'json']);
  expect([code, JSON.parse(out)]).toMatchObject([0, { id: left && idOf(left) }]);
});

test('suggests the nearest name for one that no key has', async (t) => {
  const s = await stage(t);
  s.policy(rules);
  s.key('User 1');
  const { code, err } = await s.run(['explain', 'User 11']);
  expect([code, err]).toEqual([1, expect.stringContaining('Did you mean:\n  User 1') as unknown]);
});
