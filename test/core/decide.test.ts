/** How the parts of a decision come together: what is shown, what is remembered, and one change a key. */
import { describe, expect, test } from 'vitest';
import { inOrder } from '../../src/core/court.ts';
import { recordOf } from '../ledger/building.ts';
import {
  day,
  done,
  file,
  generous,
  held,
  hour,
  id,
  key,
  monday,
  policy,
  policyOf,
  said,
  story,
} from './story.ts';

const monthly = 'spend: { cost: 20, per: month }';
const november = { start: Date.parse('2026-11-01T00:00:00Z'), end: Date.parse('2026-12-01T00:00:00Z') };
const old = { createdAt: monday - 60 * day };

describe('a case is shown', () => {
  test.each([
    ['in its calendar period', monthly, november],
    ['in no period of a lifetime', 'spend: { cost: 20, per: lifetime }', null],
    ['in no period of a rolling window', 'spend: { cost: 20, per: 24h }', null],
  ])('%s', (_what, rule, period) => {
    const one = story(policy(rule, '{ at: 100%, alert: owner }'), key('A', { name: 'A', ...old }));
    const windows = { A: { '7d': 21, '24h': 21 } };
    expect(one.pass({ usage: { A: 30 }, windows }).views).toMatchObject([
      { policy: 'p', subject: { kind: 'key', id: id('A'), name: 'A' }, state: 'open', step: 1, period },
    ]);
  });

  test('without a step while it lingers below its first', () => {
    const one = story(policy('spend: { cost: 20, per: 24h }', '{ at: 100%, alert: owner }'), key('A', old));
    one.pass({ usage: { A: 99 }, windows: { A: { '24h': 20 } } });
    expect(one.pass({ windows: { A: { '24h': 19 } } }).views).toMatchObject([
      { state: 'open', step: null, because: null },
    ]);
  });

  test('by its forecast, with both its ends', () => {
    const one = story(policy(monthly, '{ at: 100%, basis: forecast, alert: owner }'), key('A'));
    one.pass();
    const usage = { A: [8, 9] as const };
    // 134 hours are left of November: four in a day are 22⅓.
    const decision = one.pass({ after: 2 * day, usage, windows: { A: { '24h': 4, '7d': 7 } } });
    expect(decision.views).toMatchObject([
      {
        figures: { basis: 'forecast', level: { low: 30_333_333, high: 31_333_334 }, percent: 151 },
        step: 1,
      },
    ]);
    const unbounded = one.pass({ usage: { A: [8, null] }, windows: { A: { '24h': 4, '7d': 7 } } });
    expect(unbounded.views).toMatchObject([{ figures: { basis: 'forecast', level: { high: null } } }]);
  });
});

describe('a dry run shows', () => {
  test('what it would tell, of which step and to whom', () => {
    const steps = ['{ at: 50%, alert: owner }', '{ at: 100%, alert: [owner, ops] }'];
    const one = story(file(policy(monthly, ...steps), 'mode: dry-run\nprotect: []'), key('A'));
    expect(one.pass({ usage: { A: 21 } }).held).toMatchObject([
      {
        kind: 'alert',
        policy: 'p',
        subject: { id: id('A') },
        step: 1,
        because: 'mode',
        detail: 'mode is dry-run; it would go to owner, ops',
      },
    ]);
  });

  test('a deletion, of which there is no notice to hold, and the alert of its step', () => {
    const deleting = policy(monthly, '{ at: 50%, alert: owner, delete: { notice: 1d } }');
    const one = story(file(deleting, 'mode: dry-run\nprotect: []'), key('A'));
    expect(one.pass({ usage: { A: 21 } }).held).toMatchObject([
      { kind: 'delete', step: 0, because: 'mode' },
      { kind: 'alert', step: 0, because: 'mode' },
    ]);
  });

  test('what has no step, as such', () => {
    const one = story(file(policy(monthly, '{ at: 50%, alert: owner }')), key('A'));
    one.pass({ usage: { A: [0, null] } });
    one.mode = 'dry-run';
    expect(one.pass({ after: 2 * hour, usage: { A: [0, null] } }).held).toMatchObject([
      { kind: 'alert', step: null, because: 'mode' },
    ]);
  });

  test('and ends no case', () => {
    const one = story(file(policy(monthly, '{ at: 50%, alert: owner }')), key('A'));
    one.pass({ usage: { A: 15 } });
    one.policy = file(policy('spend: { cost: 200, per: month }', '{ at: 50%, alert: owner }'));
    one.mode = 'dry-run';
    expect(one.pass().findings).toEqual([]);
    const raised = one.policy;
    one.policy = file(policyOf('q', monthly, '{ at: 100%, alert: ops }'));
    expect(one.pass().findings).toEqual([]);
    one.policy = raised;
    one.mode = null;
    expect(said(one.pass())).toEqual(['resolved → owner']);
  });

  test('of one policy ends none of its cases, and those of the others', () => {
    const [step, mode] = ['{ at: 50%, alert: owner }', 'mode: dry-run\n  '];
    const both = (cost: number, first = '') =>
      file(
        [
          policyOf('p', `${first}spend: { cost: ${String(cost)}, per: month }`, step),
          policyOf('q', `spend: { tokens: ${String(cost)}, per: month }`, step.replace('owner', 'ops')),
        ].join('\n'),
      );
    const one = story(both(20), key('A'));
    one.pass({ usage: { A: 15 } });
    one.policy = both(200, mode);
    expect(said(one.pass())).toEqual(['resolved → ops']);
    one.policy = both(200);
    expect(said(one.pass())).toEqual(['resolved → owner']);
  });
});

describe('one change a key:', () => {
  const renaming = (at: number) =>
    policyOf(
      'first',
      'spend: { cost: 20, per: hour }',
      `{ at: ${String(at)}%, alert: ops, rename: "OVER {{ name }}" }`,
    );
  const deleting = policy(monthly, '{ at: 100%, alert: owner, delete: { notice: 24h } }');

  test.each([
    ['before', [renaming(200), deleting]],
    ['after', [deleting, renaming(200)]],
  ])('a deletion goes before a rename that a policy %s it asks for', (_where, policies) => {
    const one = story(file(policies.join('\n'), generous), key('A', { createdAt: monday }));
    one.run({ usage: { A: 21 } });
    const due = one.pass({ after: day, usage: { A: 99 } });
    expect([done(due), held(due)]).toEqual([['delete A'], []]);
  });

  test('a rename goes before the undoing of another', () => {
    const other = policyOf('q', monthly, '{ at: 200%, alert: owner, rename: "FAR {{ name }}" }');
    const one = story(file(`${renaming(100)}\n${other}`, generous), key('A', { createdAt: monday }));
    expect(done(one.run({ usage: { A: 21 } }))).toEqual(['rename A → OVER A']);
    expect(done(one.run({ after: hour, usage: { A: 40 } }))).toEqual(['rename OVER A → FAR A']);
    expect(done(one.run({ after: 8 * day }))).toEqual(['restore FAR A → A']);
  });
});

test('a case of another period of the same policy says that its own is over', () => {
  const step = '{ at: 100%, alert: owner }';
  const one = story(policy(monthly, step), key('A'));
  one.pass({ usage: { A: 21 } });
  one.policy = file(policy('spend: { cost: 20, per: lifetime }', step));
  const edited = one.pass();
  expect(said(edited)).toEqual(['step 1 → owner', 'resolved → owner']);
  expect(edited.alerts[1]?.event).toMatchObject({ because: 'its period is over' });
});

test('a case goes on by another kind of rule under its policy’s name, and that is remembered', () => {
  const one = story(policy('expiry: {}', '{ alert: owner }'), key('A', { ...old, expiresAt: monday }));
  const idle = () => [...one.findings.values()].map((finding) => finding.idle?.provedAt ?? null);
  expect(one.pass().findings).toHaveLength(1);
  expect(idle()).toEqual([null]);
  one.policy = file(policy('idle: { for: 30d }', '{ alert: owner }'));
  expect([one.pass().findings.length, ...idle()]).toEqual([1, one.now()]);
  one.policy = file(policy('expiry: {}', '{ alert: owner }'));
  expect([one.pass().findings.length, ...idle()]).toEqual([1, null]);
});

test('what is remembered is written anew only where it differs', () => {
  const rolling = policy(
    'spend: { cost: 20, per: lifetime }',
    '{ at: 50%, alert: owner }',
    '{ at: 100%, alert: ops }',
  );
  const one = story(rolling, key('A'), key('B'));
  const changes = (usage: Record<string, number>) =>
    one.pass({ usage }).findings.map(({ subject }) => subject);
  expect(changes({ A: 10, B: 10 })).toHaveLength(2);
  expect(changes({})).toEqual([]);
  expect(changes({ B: 11 })).toMatchObject([{ id: id('B') }]);
  expect(changes({ A: 20 })).toMatchObject([{ id: id('A') }]);
  // A contradiction takes back what was proven.
  one.records = new Map([...one.records].map(([of, record]) => [of, { ...record, conflict: 'it fell' }]));
  const [first, ...more] = one.pass().findings;
  expect([first, ...more].map((finding) => finding?.proven)).toEqual([undefined, undefined]);
});

test('keys stand by age, and those of one age by id', () => {
  const records = [key('A'), key('B'), key('C', old)].map((one) => recordOf(one));
  const ids = inOrder(records).map((one) => one.id);
  expect(ids).toEqual([id('C'), ...[id('A'), id('B')].sort()]);
  expect(inOrder(records.toReversed()).map((one) => one.id)).toEqual(ids);
});

describe('a silence', () => {
  const silence = (select: string, suppress: string, reason = '') =>
    `${generous}\nsilences:\n  - { select: ${select}, until: 2026-12-01T00:00:00Z, suppress: [${suppress}]${reason} }`;

  test('says until when it is, and why', () => {
    const renaming = policy(monthly, '{ at: 100%, alert: owner, rename: "OVER {{ name }}" }');
    const details = ['', ', reason: the fair'].map((reason) => {
      const one = story(file(renaming, silence('all', 'actions', reason)), key('A'));
      return one.pass({ usage: { A: 21 } }).held.map(({ detail }) => detail);
    });
    expect(details).toEqual([
      ['silenced until 2026-12-01 00:00Z'],
      ['silenced until 2026-12-01 00:00Z: the fair'],
    ]);
  });

  test('on one key of a group does not silence the group’s alerts, one on all does', () => {
    const group = policy('spend: { cost: 20, per: month, across: selected }', '{ at: 100%, alert: owner }');
    const usage = { A: 11, B: 11 };
    const by = (top: string) => said(story(file(group, top), key('A'), key('B')).pass({ usage }));
    expect(by(silence('{ name: A }', 'alerts'))).toEqual(['step 1 → owner']);
    expect(by(silence('all', 'alerts'))).toEqual([]);
    expect(by(silence('all', 'actions'))).toEqual(['step 1 → owner']);
  });

  test('on keys silences no group that has none', () => {
    const account = policy(
      'select: { name: "X*" }\n  spend: { cost: 20, per: lifetime, across: account }',
      '{ at: 100%, alert: owner }',
    );
    const all = { costMicroUsd: 21e6, tokens: 0, requests: 0 };
    const pass = { account: { lifetime: { low: all, high: all }, windows: new Map(), because: null } };
    expect(said(story(file(account, silence('all', 'alerts')), key('A')).pass(pass))).toEqual([
      'step 1 → owner',
    ]);
  });
});

describe('what templates may mention is', () => {
  const spend = { percent: '105', limit: '20.00', level: '21.00', period: 'November 2026', deadline: '' };
  const none = { percent: '', limit: '', level: '', period: '' };

  test.each([
    [
      'a key’s spend',
      policy(monthly, '{ at: 100%, alert: owner }'),
      { name: 'A', metadata: { team: 'ml' }, id: id('A'), ...spend },
    ],
    [
      'a group’s spend',
      policy('spend: { cost: 20, per: month, across: selected }', '{ at: 100%, alert: owner }'),
      { name: 'selected', metadata: {}, id: 'selected', ...spend },
    ],
    [
      'a key’s deadline',
      policy('expiry: {}', '{ alert: owner }'),
      { name: 'A', metadata: { team: 'ml' }, id: id('A'), ...none, deadline: '2026-11-23T10:00:00Z' },
    ],
  ])('%s', (_what, policies, variables) => {
    const one = story(policies, key('A', { metadata: { team: 'ml' }, expiresAt: monday }));
    const { alerts } = one.pass({ usage: { A: 21 } });
    expect(alerts.map((alert) => alert.variables)).toEqual([{ policy: 'p', ...variables }]);
  });
});
