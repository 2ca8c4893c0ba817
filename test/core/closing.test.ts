/** How a finding ends, and what does not begin it again. */
import { describe, expect, test } from 'vitest';
import type { PolicyFile, Template } from '../../src/core/policy.ts';
import type { Story } from './story.ts';
import { day, done, file, generous, hour, key, monday, policy, said, story } from './story.ts';

const monthly = 'spend: { cost: 20, per: month }';
const steps = ['{ at: 80%, alert: owner }', '{ at: 100%, alert: [owner, ops], delete: { notice: 24h } }'];
const budget = policy(monthly, ...steps);
const resolved = ['resolved → owner, ops'];

/** A channel that goes to the address in each key's metadata. */
const address: Template = {
  source: '{{ metadata.email }}',
  variables: ['metadata.email'],
  render: () => ({ ok: false, missing: 'metadata.email' }),
  renderName: () => ({ ok: false, missing: 'metadata.email' }),
};
const fixed: Template = {
  source: 'team@example.com',
  variables: [],
  render: () => ({ ok: true, text: 'team@example.com' }),
  renderName: () => ({ ok: true, text: 'team@example.com' }),
};
const owners = {
  name: 'owner',
  quiet: null,
  kind: 'email',
  to: [address],
  cc: [],
  allowDomains: null,
} as const;

/** A channel `owner` to each key’s own address, and `ops`. */
function byKeys(policies: string, top = generous): PolicyFile {
  const { channels, ...rest } = file(policies, top);
  return { ...rest, channels: new Map([...channels, ['owner', owners]] as const) };
}

/** With a deletion that is pending. */
function inNotice(policies: string): Story {
  const one = story(policies, key('User 1', { metadata: { plan: 'free' }, expiresAt: monday }));
  expect(said(one.run({ usage: { 'User 1': 21 } }))).toEqual(['notice 2 → owner, ops']);
  expect([...one.findings.values()][0]?.deletions).toHaveLength(1);
  return one;
}

function isOver(one: Story): boolean {
  return [...one.findings.values()].every(
    (finding) => finding.closedAt !== null && finding.deletions.length === 0,
  );
}

describe('a finding closes, its deletion is cancelled and those who heard hear it once', () => {
  test.each([
    ['the period ends', 'its period is over', budget, (one: Story) => one.pass({ after: 8 * day })],
    [
      'the limit is raised',
      'the level is below its first step again',
      budget,
      (one: Story) => ((one.policy = file(budget.replace('20', '200'))), one.pass()),
    ],
    [
      'the policy is gone',
      'the policy is gone',
      budget,
      (one: Story) => (
        (one.policy = file(budget.replace('p', 'q').replace('cost: 20', 'cost: 900'))),
        one.pass()
      ),
    ],
    ['the key is gone', 'the key is gone', budget, (one: Story) => (one.remove('User 1'), one.pass())],
    [
      'the key is deselected',
      'the policy no longer covers it',
      budget,
      (one: Story) => ((one.policy = file(budget.replace('all', '{ name: "X*" }'))), one.pass()),
    ],
    [
      'its metadata no longer match',
      'the policy no longer covers it',
      budget.replace('all', '{ metadata: { plan: free } }'),
      (one: Story) => (one.account.set('User 1', key('User 1')), one.pass()),
    ],
    [
      'its deadline moves',
      'its deadline has moved',
      policy('expiry: {}', '{ alert: owner }', '{ alert: ops, delete: { notice: 24h } }'),
      (one: Story) => (
        one.account.set('User 1', key('User 1', { expiresAt: monday + 90 * day })),
        one.pass()
      ),
    ],
    [
      'the level falls below 90 % of the first step in a rolling window',
      'the level is below its first step again',
      policy('spend: { cost: 20, per: 24h }', ...steps),
      (one: Story) => one.pass({ windows: { 'User 1': { '24h': 14.399999 } } }),
    ],
  ])('%s', (_why, because, policies, end) => {
    const one =
      policies.includes('24h, per') || policies.includes('per: 24h') ? rolling(policies) : inNotice(policies);
    const ending = end(one);
    expect(said(ending)).toEqual(resolved);
    const calledOff = because === 'the key is gone' ? '' : '; its deletion is called off';
    expect(ending.alerts[0]?.event).toMatchObject({ because: because + calledOff });
    expect(isOver(one)).toBe(true);
    expect([...one.findings.values()]).toMatchObject([{ closedBecause: because }]);
    expect(done(one.pass({ after: 2 * day, ...windowsOf(one, 1) }))).toEqual([]);
  });

  function rolling(policies: string): Story {
    const one = story(policies, key('User 1', { createdAt: monday - 40 * day }));
    const decision = one.run({ usage: { 'User 1': 21 }, ...windowsOf(one, 21) });
    expect(said(decision)).toEqual(['notice 2 → owner, ops']);
    return one;
  }
});

test('a group’s case ends, and the owners of the keys that were to be deleted hear it of their own', () => {
  const group = policy(
    'spend: { cost: 20, per: month, across: selected }',
    '{ at: 100%, alert: [owner, ops], pick: highest, delete: { notice: 24h } }',
  );
  const one = story(byKeys(group), key('A'), key('B'));
  expect(said(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['notice 1 → owner, ops']);
  const { alerts } = one.pass({ after: 8 * day });
  expect(said(alerts)).toEqual(['resolved → ops', 'cancelled → owner']);
  expect(alerts.map((one) => one.id.split('/').at(3))).toEqual(['resolved', 'cancelled']);
  expect(alerts[1]).toMatchObject({
    subject: { kind: 'key', name: 'A' },
    event: { because: 'its period is over' },
  });
});

test.each([
  ['an address in the keys’ metadata, which could not hear of it', [address], []],
  ['such an address and a fixed one', [address, fixed], ['resolved → owner']],
])('a group’s case ends, told to a channel with %s', (_what, to, expected) => {
  const group = policy('spend: { cost: 20, per: month, across: selected }', '{ at: 80%, alert: owner }');
  const { channels, ...rest } = file(group, generous);
  const one = story(
    { ...rest, channels: new Map([...channels, ['owner', { ...owners, to }] as const]) },
    key('A'),
  );
  expect(said(one.run({ usage: { A: 17 } }))).toEqual(['step 1 → owner']);
  expect(said(one.pass({ after: 8 * day }))).toEqual(expected);
});

describe('a deadline that moves, though not beyond the first step,', () => {
  const expiry = policy(
    'expiry: {}',
    '{ before: 14d, alert: ops }',
    '{ alert: ops, rename: "EXPIRED {{ name }}" }',
    '{ after: 1d, alert: owner, delete: { notice: 1h } }',
  );
  const moves = (one: Story, expiresAt: number): void => {
    const now = one.account.get('A') ?? key('A');
    one.account.set('A', { ...now, expiresAt });
  };

  test('past a step that was reached begins a new case: what was done is undone, and is said and done again', () => {
    const one = story(file(expiry, generous), key('A', { expiresAt: monday - 2 * day }));
    expect(said(one.run())).toEqual(['notice 3 → ops, owner']);
    expect(one.account.get('A')?.name).toBe('EXPIRED A');
    moves(one, monday + 5 * day);
    const moved = one.run({ after: 2 * hour });
    expect([said(moved), done(moved)]).toEqual([
      ['step 1 → ops', 'resolved → ops, owner'],
      ['restore EXPIRED A → A'],
    ]);
    expect(moved.alerts[1]?.event).toMatchObject({
      because: 'its deadline has moved; its deletion is called off',
    });
    const again = one.run({ after: 5 * day });
    expect([said(again), done(again)]).toEqual([['step 2 → ops'], ['rename A → EXPIRED A']]);
  });

  test('past none goes on as the same case', () => {
    const one = story(file(expiry, generous), key('A', { expiresAt: monday - hour }));
    expect(said(one.run())).toEqual(['step 2 → ops']);
    moves(one, monday - 2 * hour);
    const decision = one.run();
    expect([said(decision), done(decision)]).toEqual([[], []]);
    one.policy = file(expiry.replace('14d', '7d'), generous);
    expect(said(one.run())).toEqual([]);
  });

  test('is told from a step of which the policy file has changed the time', () => {
    const one = story(file(expiry, generous), key('A', { expiresAt: monday - hour }));
    one.run();
    one.policy = file(expiry.replace('{ alert: ops, rename', '{ after: 12h, alert: ops, rename'), generous);
    const decision = one.run();
    expect([said(decision), done(decision)]).toEqual([[], []]);
  });
});

test('a group’s case ends without a word while the alerts of all its keys are silenced', () => {
  const group = policy(`${monthly.replace(' }', '')}, across: metadata.team }`, '{ at: 100%, alert: owner }');
  const silence = (select: string) =>
    `protect: []\nsilences:\n  - { select: ${select}, until: 2026-12-24T00:00:00Z, suppress: [alerts] }`;
  const ended = (select: string) => {
    const [a, b] = ['A', 'B'].map((name) => key(name, { metadata: { team: 'ml' } }));
    const one = story(group, a ?? key('A'), b ?? key('B'), key('C'));
    expect(said(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['step 1 → owner']);
    one.policy = file(group, silence(select));
    const decision = one.pass({ after: 8 * day });
    expect(isOver(one)).toBe(true);
    return said(decision);
  };
  expect(ended('{ metadata: { team: ml } }')).toEqual([]);
  expect(ended('{ name: A }')).toEqual(['resolved → owner']);
});

function windowsOf(one: Story, amount: number) {
  return {
    windows: Object.fromEntries([...one.account.keys()].map((name) => [name, { '24h': amount } as const])),
  };
}

describe('a finding does not', () => {
  test('flap in a rolling window', () => {
    const one = story(
      policy('spend: { cost: 20, per: 24h }', ...steps),
      key('User 1', { createdAt: monday - 2 * day }),
    );
    const at = (amount: number) => said(one.pass({ usage: { 'User 1': 100 }, ...windowsOf(one, amount) }));
    expect([16, 15.9, 14.4, 16].map(at)).toEqual([['step 1 → owner'], [], [], []]);
    expect([14.3, 16].map(at)).toEqual([['resolved → owner'], ['step 1 → owner']]);
  });

  test('say again in the same period what it said, when its limit was raised and lowered', () => {
    const one = story(budget, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 17 } }))).toEqual(['step 1 → owner']);
    one.policy = file(budget.replace('20', '200'));
    expect(said(one.pass())).toEqual(['resolved → owner']);
    one.policy = file(budget);
    expect(said(one.pass())).toEqual([]);
    // Nobody heard that it was open again, so nobody hears that it is over again.
    one.policy = file(budget.replace('20', '200'));
    expect(said(one.pass())).toEqual([]);
    one.policy = file(budget);
    expect(said(one.run({ usage: { 'User 1': 21 } }))).toEqual(['notice 2 → owner, ops']);
  });

  test('carry over into the next period: it fires anew there', () => {
    const one = story(budget, key('User 1'));
    one.pass({ usage: { 'User 1': 17 } });
    expect(said(one.pass({ after: 8 * day }))).toEqual(['resolved → owner']);
    expect(said(one.pass({ usage: { 'User 1': 33 } }))).toEqual(['step 1 → owner']);
    expect([...one.findings.values()]).toHaveLength(2);
  });

  test('close while it is open what became of a change of its; the next period’s goes on beside it', () => {
    const daily = policy(
      'spend: { cost: 20, per: day }',
      '{ at: 100%, alert: owner, delete: { notice: 1h } }',
    );
    const one = story(daily, key('User 1'));
    one.run({ usage: { 'User 1': 21 } });
    one.carryOut(one.pass({ after: hour }), null);
    for (const [of, change] of one.changes) one.changes.set(of, { ...change, settledAt: null });
    one.policy = file(daily.replace('day', 'month'));
    expect(said(one.pass({ hold: 'the list shrank' }))).toEqual(['step 1 → owner']);
    // In whichever order they come from the store.
    one.findings = new Map([...one.findings].toReversed());
    expect(said(one.pass({ hold: 'the list shrank' }))).toEqual([]);
    for (const [of, change] of one.changes) one.changes.set(of, { ...change, settledAt: one.now() });
    expect(said(one.pass({ hold: 'the list shrank' }))).toEqual(['resolved → owner']);
    one.policy = file(daily.replace('day', 'month').replace('20', '200'));
    expect(said(one.pass())).toEqual(['resolved → owner']);
  });

  test('go from one period to the next without a word between, when both are over', () => {
    const one = story(
      policy('spend: { cost: 20, per: hour }', '{ at: 100%, alert: owner }'),
      key('User 1', { createdAt: monday }),
    );
    one.pass({ usage: { 'User 1': 20 } });
    expect(said(one.pass({ after: hour, usage: { 'User 1': 40 } }))).toEqual([
      'step 1 → owner',
      'resolved → owner',
    ]);
  });

  test('close because a list that cannot be trusted lacks its key', () => {
    const one = inNotice(budget);
    const account = [...one.account];
    one.account.clear();
    expect(said(one.pass({ listTrusted: false, hold: 'the list is empty' }))).toEqual([]);
    for (const [name, value] of account) one.account.set(name, value);
    expect(done(one.pass({ after: 25 * hour }))).toEqual(['delete User 1']);
  });

  test('of a group close because a list that cannot be trusted lacks its keys', () => {
    const group = policy(
      'spend: { cost: 20, per: month, across: selected }',
      '{ at: 100%, alert: owner, pick: all, delete: { notice: 24h } }',
    );
    const one = story(file(group, generous), key('A'), key('B'));
    expect(said(one.run({ usage: { A: 11, B: 11 } }))).toEqual(['notice 1 → owner', 'notice 1 → owner']);
    const b = one.account.get('B') ?? key('B');
    one.account.delete('B');
    expect(said(one.pass({ listTrusted: false, hold: 'the list shrank' }))).toEqual([]);
    one.account.set('B', b);
    expect(done(one.pass({ after: 25 * hour }))).toEqual(['delete A', 'delete B']);
  });

  test('tell its end to a channel that never heard of it, or is no more', () => {
    const one = story(budget, key('User 1'));
    one.pass({ usage: { 'User 1': 17 } });
    one.policy = file(budget.replace('20', '200').replaceAll('owner', 'pager'));
    expect(said(one.pass())).toEqual(['resolved → owner']);
  });
});

describe('what is said of the end', () => {
  const across = 'spend: { cost: 20, per: month, across: selected }';
  const all = policy(across, '{ at: 100%, alert: [owner, ops], pick: all, delete: { notice: 48h } }');
  const three = ['A', 'B', 'C'].map((name) => key(name));
  const usage = { A: 9, B: 9, C: 9 };
  const silence = (name: string) =>
    `${generous}\nsilences:\n  - { select: { name: "${name}" }, until: 2026-12-31T00:00:00Z, suppress: [alerts] }`;
  const because = (one: Story, after = 8 * day) =>
    one.pass({ after }).alerts.map(({ event }) => 'because' in event && event.because);

  test('counts only the deletions that end with it', () => {
    const both = story(file(all, generous), ...three);
    both.run({ usage });
    expect(because(both)).toEqual(['its period is over; their deletions are called off']);
    const two = story(file(all, generous), ...three);
    two.run({ usage });
    two.rename('A', 'Mine');
    two.pass();
    two.remove('B');
    expect(because(two)).toEqual(['its period is over; its deletion is called off']);
    const vetoed = inNotice(budget);
    vetoed.rename('User 1', 'Mine');
    vetoed.run();
    expect(because(vetoed)).toEqual(['its period is over']);
  });

  test('of a key goes once to its own address; of a group’s keys only to those addresses', () => {
    const one = story(byKeys(budget), key('User 1'));
    one.run({ usage: { 'User 1': 21 } });
    expect(said(one.pass({ after: 8 * day }))).toEqual(resolved);
    const group = story(byKeys(all), ...three);
    group.run({ usage });
    expect(said(group.pass({ after: 8 * day }))).toEqual([
      'resolved → ops',
      ...three.map(() => 'cancelled → owner'),
    ]);
  });

  test('is not said of a key whose alerts are silenced, though of the group it is in', () => {
    const one = inNotice(budget);
    one.policy = file(budget, silence('*'));
    expect(said(one.pass({ after: 8 * day }))).toEqual([]);
    expect(isOver(one)).toBe(true);
    const group = story(byKeys(all), ...three);
    group.run({ usage });
    group.policy = byKeys(all, silence('A'));
    const ending = group.pass({ after: 8 * day });
    expect(said(ending)).toEqual(['resolved → ops', 'cancelled → owner', 'cancelled → owner']);
    const names = ending.alerts.flatMap(({ subject }) => (subject.kind === 'key' ? [subject.name] : []));
    expect(names.toSorted()).toEqual(['B', 'C']);
  });

  test('goes to no channel that is gone from the file', () => {
    const one = inNotice(budget);
    const channels = 'channels:\n  ops: { slack: { webhook_url: "${OPS}" } }';
    one.policy = file(
      policy('spend: { cost: 90, per: month }', '{ at: 100%, alert: ops }'),
      `${generous}\n${channels}`,
    );
    const ending = one.pass();
    expect(said(ending)).toEqual(['resolved → ops']);
    expect(ending.alerts[0]?.id).toMatch(/\/resolved\/2026-11-23T10:01:00Z$/);
  });

  test('is that its period is over at the very instant of its end', () => {
    const one = inNotice(budget);
    const end = Date.parse('2026-12-01T00:00:00Z');
    expect(because(one, end - one.now())).toEqual(['its period is over; its deletion is called off']);
  });

  test('is that an idle key was used again', () => {
    const one = story(
      policy('idle: { for: 30d }', '{ alert: ops }'),
      key('A', { createdAt: monday - 40 * day }),
    );
    expect(said(one.pass())).toEqual(['step 1 → ops']);
    expect(because(one, 0)).toEqual([]);
    one.account.set('A', key('A', { createdAt: monday - 40 * day, lastUsedAt: monday }));
    const windows = { A: { '1h': 1, '24h': 1, '7d': 1, '30d': 1 } };
    const { alerts } = one.pass({ usage: { A: 1 }, windows });
    expect(alerts.map(({ event }) => event)).toEqual([
      { kind: 'resolved', because: 'the key was used again' },
    ]);
  });

  test('is that the key is gone, where its fingerprint is another key’s now', () => {
    const one = story(policy(monthly, '{ at: 100%, alert: ops }'), key('A'));
    one.pass({ usage: { A: 20 } });
    one.account.set('A', key('A', { createdAt: monday }));
    const both = one.pass();
    expect(said(both)).toEqual(['step 1 → ops', 'resolved → ops']);
    expect(both.alerts[1]?.event).toMatchObject({ because: 'the key is gone' });
    expect([...one.findings.values()].map(({ closedAt }) => closedAt === null)).toEqual([false, true]);
    const [first = '', second] = one.findings.keys();
    expect(second).toBe(`${first}/2026-11-23T10:00:00Z`);
    // And it has a memory of its own.
    one.policy = file(policy(monthly.replace('20', '200'), '{ at: 100%, alert: ops }'));
    expect(said(one.pass())).toEqual(['resolved → ops']);
    one.policy = file(policy(monthly, '{ at: 100%, alert: ops }'));
    expect([said(one.pass()), one.findings.size]).toEqual([[], 2]);
  });

  test('waits for a list that can be trusted where it is a group’s, not where the key is in the list', () => {
    const doubt = { listTrusted: false, hold: 'the list shrank' };
    const one = inNotice(budget);
    one.policy = file(budget.replace('20', '200'));
    expect(said(one.pass(doubt))).toEqual(resolved);
    const group = story(file(all, generous), ...three);
    group.run({ usage });
    group.policy = file(all.replace('20', '200'), generous);
    expect(said(group.pass(doubt))).toEqual([]);
    expect(said(group.pass())).toEqual(resolved);
  });
});
