/** What keeps a key from being changed although its policy asks for it. */
import { expect, test } from 'vitest';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import { dayMs, hourMs, minuteMs, stage, type Request, type Stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 100%, alert: [owner, ops, pager], delete: { notice: 24h } }
`;

const isRead = ({ method, path }: Request): boolean =>
  method === 'GET' || (method === 'POST' && path.startsWith('/api/billing/usage/key'));

/** Up to where the notice for `names` is accepted. */
async function noticed(s: Stage, ...names: readonly string[]): Promise<WorldKey[]> {
  const keys = names.map((name) => s.key(name));
  await s.pass();
  keys.forEach((key) => s.spend(key, 25));
  s.clock.advance(hourMs);
  await s.pass();
  expect(s.told()).toEqual(names.map((name) => `notice cap ${name}`));
  return keys;
}

const stops: Record<string, { by: (s: Stage, key: WorldKey) => unknown; told: readonly string[] }> = {
  'a person’s rename': {
    by: (s, key) => s.sandbox.world.renameByPerson(key.secret, 'User 7 please keep'),
    told: ['vetoed cap User 7 please keep'],
  },
  'a protection': {
    by: (s) => s.policy(rule, { protect: '[{ name: "User 7" }]' }),
    told: ['cancelled cap User 7'],
  },
  'a silence': {
    by: (s) =>
      s.policy(
        `silences:\n  - { select: all, until: 2027-02-01T00:00:00Z, suppress: [actions], reason: fair }\n${rule}`,
      ),
    told: ['cancelled cap User 7'],
  },
  'mode: alert': { by: (s) => s.policy(rule, { mode: 'alert' }), told: ['cancelled cap User 7'] },
  'a raised limit': {
    by: (s) => s.policy(rule.replace('20.00', '2000')),
    told: ['resolved cap User 7'],
  },
  'the end of the policy': { by: (s) => s.policy('policies: []\n'), told: ['resolved cap User 7'] },
  'a limit of 0': {
    by: (s) => s.policy(rule, { limits: '{ delete: { per_run: 0 } }' }),
    told: ['held cap User 7', 'A limit holds 1 deletion'],
  },
};

test.concurrent.for(Object.entries(stops))(
  '%s during the notice stops the deletion and is told once',
  async ([_, stop], t) => {
    const s = await stage(t);
    s.policy(rule);
    const [key] = await noticed(s, 'User 7');
    if (key === undefined) throw new Error('no key');
    stop.by(s, key);
    for (let day = 0; day < 2; day++) {
      s.clock.advance(dayMs);
      await s.pass();
    }
    expect(s.told(1)).toEqual(stop.told);
    expect(s.nameOf(key)).not.toBeNull();
    expect(s.requests.items.filter(({ method }) => method === 'DELETE')).toEqual([]);
  },
);

test.concurrent(
  'over a limit all are held and it is said; with the limit raised all go, and that is said',
  async (t) => {
    const s = await stage(t);
    s.policy(rule, { limits: '{ delete: { per_run: 2, per_day: 10, percent: 100 } }' });
    const keys = await noticed(s, 'User 1', 'User 2', 'User 3');
    s.clock.advance(dayMs);
    const held = await s.pass();
    s.clock.advance(hourMs);
    await s.pass();
    expect(keys.map(s.nameOf)).toEqual(['User 1', 'User 2', 'User 3']);
    const told = [1, 2, 3].map((n) => `held cap User ${String(n)}`);
    expect(s.told(3).toSorted()).toEqual(['A limit holds 3 deletions', ...told]);
    for (const one of s.pager().slice(3)) expect(JSON.stringify(one)).toContain('per_run: 2');
    expect(held.log.find(({ msg }) => msg === 'pass done')).toMatchObject({ held: 3, changes: 0 });
    s.policy(rule, { limits: '{ delete: { per_run: 3, per_day: 10, percent: 100 } }' });
    s.clock.advance(hourMs);
    await s.pass();
    expect(keys.map(s.nameOf)).toEqual([null, null, null]);
    expect(new Set(s.told(7))).toEqual(
      new Set([
        'deleted cap User 1',
        'deleted cap User 2',
        'deleted cap User 3',
        'Over: A limit holds 3 deletions',
      ]),
    );
  },
);

test.concurrent('a day’s limit is remembered by the next process', async (t) => {
  const s = await stage(t);
  s.policy(rule, { limits: '{ delete: { per_run: 1, per_day: 1, percent: 100 } }' });
  const second = s.key('User 2');
  const [first] = await noticed(s, 'User 1');
  const deleted = () => [first, second].map((key) => key !== undefined && s.nameOf(key) === null);
  s.clock.advance(23 * hourMs);
  s.spend(second, 30);
  await s.pass();
  s.clock.advance(hourMs + minuteMs);
  await s.pass();
  expect(deleted()).toEqual([true, false]);
  // Its own notice has run, but the first deletion is not a day old.
  s.clock.advance(23 * hourMs);
  await s.pass();
  expect([deleted(), s.told().at(-1)]).toEqual([[true, false], 'A limit holds 1 deletion']);
  s.clock.advance(hourMs);
  await s.pass();
  expect(deleted()).toEqual([true, true]);
});

test.concurrent('in alert mode everything is told and nothing is changed', async (t) => {
  const s = await stage(t);
  s.policy(rule, { mode: 'alert' });
  const key = s.key('User 7');
  await s.pass();
  s.spend(key, 30);
  for (let day = 0; day < 3; day++) {
    s.clock.advance(dayMs);
    await s.pass();
  }
  expect(s.told()).toEqual(['step cap User 7']);
  expect(s.sandbox.inbox.mails.items[0]?.text).toContain('mode is alert');
  expect(s.sandbox.slack.received.items).toHaveLength(1);
  expect([s.nameOf(key), s.requests.items.filter((request) => !isRead(request))]).toEqual(['User 7', []]);
});

test.concurrent.for([
  ['--dry-run', 'enforce', ['--dry-run'], {}],
  ['KEYWARDEN_DRY_RUN', 'enforce', [], { KEYWARDEN_DRY_RUN: 'true' }],
  ['mode: dry-run', 'dry-run', [], {}],
] as const)(
  '%s sends nothing and changes nothing, and the first real pass then starts afresh',
  async ([_, mode, flags, env], t) => {
    const s = await stage(t);
    s.policy(rule, { mode });
    const key = s.key('User 7');
    for (let day = 0; day < 3; day++) {
      const { code } = await s.run(['run', '--once', ...flags], env);
      if (day === 0) s.spend(key, 30);
      expect(code).toBe(0);
      s.clock.advance(dayMs);
    }
    expect(s.requests.items.filter((request) => !isRead(request))).toEqual([]);
    expect(s.requests.items.length).toBeGreaterThan(6);
    const { inbox, slack, webhook } = s.sandbox;
    expect([inbox.mails.items, slack.received.items, webhook.received.items]).toEqual([[], [], []]);
    s.policy(rule);
    await s.pass();
    expect([s.told(), s.nameOf(key)]).toEqual([['notice cap User 7'], 'User 7']);
  },
);
