/** `keywarden explain`: everything known about one key. */
import { expect, test } from 'vitest';
import { dayMs, stage } from './harness.ts';

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

test('suggests the nearest name for one that no key has', async (t) => {
  const s = await stage(t);
  s.policy(rules);
  s.key('User 1');
  const { code, err } = await s.run(['explain', 'User 11']);
  expect([code, err]).toEqual([1, expect.stringContaining('Did you mean:\n  User 1') as unknown]);
});
