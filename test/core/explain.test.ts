/** Why a key is, or is not, a case of each policy. */
import { describe, expect, test } from 'vitest';
import { explainKey } from '../../src/core/explain.ts';
import type { PolicyExplained } from '../../src/core/explain.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
import { day, file, generous, hour, id, key, monday, policy, policyOf, story } from './story.ts';
import type { Pass, Story } from './story.ts';

/** What is said of key `A` after this pass. */
function explained(one: Story, pass: Pass = {}) {
  const decision = one.pass(pass);
  const record = one.records.get(id('A'));
  if (record === undefined) throw new Error('no key A');
  return explainKey(one.court(), decision, record);
}

/** Of the file's first policy. */
function first(
  policies: string | PolicyFile,
  pass: Pass = {},
  more: Parameters<typeof key>[1] = {},
): PolicyExplained {
  const [one] = explained(story(policies, key('A', more)), pass).policies;
  if (one === undefined) throw new Error('no policy');
  return one;
}

const steps = ['{ at: 50%, alert: ops }', '{ at: 100%, alert: ops, delete: { notice: 24h } }'];
const monthly = policy('spend: { cost: 20, per: month }', ...steps);
const shared = monthly
  .replace('per: month', 'per: month, across: selected')
  .replace('delete:', 'pick: all, delete:');

test('a case is told with what was measured, each step, what is held, and its finding', () => {
  const one = story(file(monthly, generous), key('A'));
  one.run({ usage: { A: 12 } });
  expect(explained(one, { after: hour, usage: { A: 20 } })).toEqual({
    protected: false,
    silenced: null,
    policies: [
      {
        policy: 'p',
        mode: 'enforce',
        covered: true,
        measured: '$20.00 of $20.00, November 2026',
        steps: [
          { at: '50%', does: 'alerts', reached: 'yes', firedAt: '2026-11-23 10:00Z' },
          { at: '100%', does: 'deletes it after 1 d of notice', reached: 'yes', firedAt: null },
        ],
        held: [],
        findingId: `p/${id('A')}/2026-11-01T00:00:00Z`,
      },
    ],
  });
  expect(explained(one).policies[0]?.held).toEqual([
    'delete: notice, no channel of its step has accepted its notice yet',
  ]);
});

describe('a policy', () => {
  const uncovered = { covered: false, steps: [], held: [], findingId: null };

  test('that does not select the key says so', () => {
    const others = policy('select: { name: "B*" }\n  spend: { cost: 20, per: month }', ...steps);
    expect(first(others)).toMatchObject({ ...uncovered, measured: 'the policy does not select this key' });
  });

  test.each([
    ['a cap that the key has not', 'spend: { tokens: max_tokens, per: lifetime }', '{ at: 50%, alert: ops }'],
    ['a deadline that it has not', 'expiry: {}', '{ alert: ops }'],
  ])('of %s says nothing about it', (_what, rule, step) => {
    const nothing = { ...uncovered, measured: 'the rule says nothing about this key' };
    expect(first(policy(rule, step))).toMatchObject(nothing);
  });

  test('says nothing of a key of which nothing is known', () => {
    const one = story(monthly, key('A'), key('B'));
    one.pass();
    const record = one.records.get(id('A'));
    if (record === undefined) throw new Error('no key A');
    one.remove('A');
    const decision = one.pass();
    expect(explainKey(one.court(), decision, record).policies).toMatchObject([uncovered]);
  });

  test('is told in the mode that counts for it', () => {
    expect(first(file(monthly, `${generous}\nmode: alert`)).mode).toBe('alert');
  });

  test('tells of its own case only, and what is held of this key only', () => {
    const both = `${policyOf('q', 'spend: { cost: 5, per: month }', steps[1] ?? '')}\n${monthly}`;
    const one = story(file(both, `${generous}\nmode: alert`), key('A'), key('B'));
    const [q, p] = explained(one, { usage: { A: 6, B: 20 } }).policies;
    expect([q?.held, p?.held]).toEqual([['delete: mode, mode is alert'], []]);
    const [again, none] = explained(one).policies;
    expect([again?.findingId, none?.findingId]).toEqual([`q/${id('A')}/2026-11-01T00:00:00Z`, null]);
    expect(again?.steps[0]?.firedAt).toBe('2026-11-23 10:00Z');
  });

  test('tells of no case that is over, of no other key of the fingerprint, and of no group’s', () => {
    const one = story(monthly, key('A'));
    one.pass({ usage: { A: 12 } });
    one.policy = file(monthly.replace('20', '200'));
    one.pass();
    expect(explained(one).policies[0]?.findingId).toBeNull();
    const other = story(monthly, key('A'));
    other.pass({ usage: { A: 12 } });
    other.account.set('A', key('A', { createdAt: monday }));
    expect(explained(other).policies[0]?.findingId).toBeNull();
    const group = story(shared, key('A'));
    group.pass({ usage: { A: 12 } });
    expect(explained(group).policies[0]).toMatchObject({ covered: true, findingId: null });
  });
});

describe('what was measured, and which steps are reached by it', () => {
  const told = ({ measured, steps: all }: PolicyExplained) => [
    measured,
    ...all.map(({ reached }) => reached),
  ];

  test.each<[string, Pass['usage'], readonly string[]]>([
    ['exact', { A: 10 }, ['$10.00 of $20.00, November 2026', 'yes', 'no']],
    ['nothing', { A: 0 }, ['$0.00 of $20.00, November 2026', 'no', 'no']],
    ['two bounds', { A: [10, 20] }, ['between $10.00 and $20.00 of $20.00, November 2026', 'yes', 'unknown']],
    ['two below', { A: [1, 9.99] }, ['between $1.00 and $9.99 of $20.00, November 2026', 'no', 'no']],
    ['one bound', { A: [5, null] }, ['at least $5.00 of $20.00, November 2026', 'unknown', 'unknown']],
  ])('of spend: %s', (_what, usage = {}, expected) => {
    expect(told(first(monthly, { usage }))).toEqual(expected);
  });

  test('of a key’s own cap', () => {
    const capped = policy('spend: { tokens: max_tokens, per: lifetime }', '{ at: 50%, alert: ops }');
    expect(told(first(capped, { usage: { A: 50 } }, { maxTokens: 100 }))).toEqual([
      '50 tokens of 100 tokens, lifetime',
      'yes',
    ]);
  });

  test('of a group’s key is its share, and the steps are the group’s', () => {
    expect(told(first(shared, { usage: { A: 12 } }))).toEqual([
      '$12.00 of $20.00, November 2026 (this key’s share; the limit is the group’s)',
      'group',
      'group',
    ]);
  });

  test('of a forecast is not told here', () => {
    const forecast = policy('spend: { cost: 20, per: month }', '{ at: 50%, basis: forecast, alert: ops }');
    expect(told(first(forecast, { usage: { A: 20 } }))).toEqual([
      '$20.00 of $20.00, November 2026',
      'unknown',
    ]);
  });

  test('of an expiry is its deadline, to the instant', () => {
    const expiry = policy(
      'expiry: {}',
      '{ before: 1d, alert: ops }',
      '{ alert: ops }',
      '{ after: 1d, alert: ops }',
    );
    expect(told(first(expiry, {}, { expiresAt: monday }))).toEqual([
      'deadline 2026-11-23 10:00Z: its own expires_at',
      ...['yes', 'yes', 'no'],
    ]);
    expect(told(first(expiry, {}, { expiresAt: monday + 1 })).slice(1)).toEqual(['yes', 'no', 'no']);
  });

  test('of idleness is how long it is unused', () => {
    const idle = policy('idle: { for: 30d }', '{ alert: ops }', '{ after: 90d, alert: ops }');
    const old = { createdAt: monday - 40 * day };
    expect(told(first(idle, {}, old))).toEqual([
      'not used after 2026-10-14 10:00Z: never used',
      ...['yes', 'no'],
    ]);
    const windows = { A: { '1h': 1, '24h': 1, '7d': 1, '30d': 1, '60d': 1 } };
    expect(told(first(idle, { usage: { A: [1, null] }, windows }, old))).toEqual([
      'used lately, or it cannot be told when last',
      ...['no', 'no'],
    ]);
  });
});

describe('a step is told as it was decided', () => {
  const told = ({ policies: [of] }: ReturnType<typeof explained>) => [
    of?.measured,
    ...(of?.steps ?? []).map(({ reached }) => reached),
  ];

  test('by what was proven of its period before', () => {
    const one = story(file(monthly, generous), key('A'));
    one.run({ usage: { A: 21 } });
    const words = 'between $21.00 and $30.00 of $20.00, November 2026';
    expect(told(explained(one, { usage: { A: [12, 30] } }))).toEqual([words, 'yes', 'yes']);
    expect(one.pass().views).toMatchObject([{ step: 2, figures: { level: { low: 21e6, high: 30e6 } } }]);
  });

  test('reached until it is surely not, in a rolling window', () => {
    const rolling = policy('spend: { cost: 20, per: 24h }', ...steps);
    const one = story(file(rolling, generous), key('A'));
    one.run({ usage: { A: 12 }, windows: { A: { '24h': 12 } } });
    const pass = { usage: { A: [8, 30] }, windows: {} } as const;
    expect(told(explained(one, pass)).slice(1)).toEqual(['yes', 'unknown']);
  });

  test('by a forecast', () => {
    const forecast = policy(
      'spend: { cost: 20, per: month }',
      '{ at: 90%, alert: ops }',
      '{ at: 100%, basis: forecast, alert: ops }',
    );
    const one = story(forecast, key('A'));
    one.pass({ usage: { A: 14 } });
    expect(told(explained(one))).toEqual(['$14.00 of $20.00, November 2026', 'no', 'unknown']);
    expect(told(explained(one, { after: 2 * day }))).toEqual([
      '$14.00 of $20.00, November 2026',
      ...['no', 'yes'],
    ]);
  });

  test('unknown of a case whose key cannot be read', () => {
    const one = story(
      policy('idle: { for: 30d }', '{ alert: ops }'),
      key('A', { createdAt: monday - 40 * day }),
    );
    one.pass();
    const unread = { A: { credited: false, checked: false, because: 'it could not be read' } };
    expect(told(explained(one, { usage: { A: null }, about: unread }))).toEqual([
      'used lately, or it cannot be told when last',
      'unknown',
    ]);
  });

  test('unknown where many keys fell idle at once, and says so', () => {
    const idle = policy('idle: { for: 30d }', '{ alert: ops }', '{ after: 90d, alert: ops }');
    const old = { createdAt: monday - 40 * day };
    const others = Array.from({ length: 9 }, (_, n) => key(`B${String(n)}`, old));
    const one = story(idle, key('A', old), ...others);
    const idleBefore = { judgedBy: new Set([`p ${String(30 * day)}`]), massSince: null };
    expect(told(explained(one, { idleBefore }))).toEqual([
      'not used after 2026-10-14 10:00Z: never used; but 10 of 10 keys fell idle at once by p',
      ...['unknown', 'no'],
    ]);
  });
});

test('a key is told to be protected, and by which silence it is silenced', () => {
  const of = (top: string) => explained(story(file(monthly, top), key('A')));
  const silence = (what: string, until: string) =>
    `  - { select: all, until: 2026-12-0${until}T00:00:00Z, suppress: [${what}] }`;
  expect(of('protect: [{ name: "A" }]').protected).toBe(true);
  const alerts = ['protect: []', 'silences:', silence('alerts', '1')];
  expect(of(alerts.join('\n')).silenced).toBe('silenced until 2026-12-01 00:00Z');
  expect(of([...alerts, silence('actions', '2')].join('\n')).silenced).toBe(
    'silenced until 2026-12-02 00:00Z',
  );
});
