/** Which steps fire, when, and who hears of them. */
import type { Decision } from '../../src/core/plan.ts';
import { describe, expect, test } from 'vitest';
import { zeroCounters } from '../../src/core/evidence.ts';
import { day, done, file, held, hour, key, minute, monday, policy, policyOf, said, story } from './story.ts';

const monthly = 'spend: { cost: 20, per: month }';
const budget = policy(
  monthly,
  '{ at: 80%, alert: owner }',
  '{ at: 100%, alert: [owner, ops] }',
  '{ at: 150%, alert: pager }',
);

describe('a step', () => {
  test('fires once, when its threshold is reached', () => {
    const one = story(budget, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 15.999999 } }))).toEqual([]);
    expect(said(one.pass({ usage: { 'User 1': 16 } }))).toEqual(['step 1 → owner']);
    expect(said(one.pass())).toEqual([]);
    expect(said(one.pass({ usage: { 'User 1': 19 } }))).toEqual([]);
    expect(said(one.pass({ usage: { 'User 1': 20 } }))).toEqual(['step 2 → owner, ops']);
    expect(said(one.pass({ usage: { 'User 1': 29 } }))).toEqual([]);
  });

  test('and others reached at once are one alert that names the highest, to the channels of all', () => {
    const one = story(budget, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 40 } }))).toEqual(['step 3 → owner, ops, pager']);
    expect(said(one.pass())).toEqual([]);
  });

  test('repeats while its finding stays there, and only the highest', () => {
    const steps = ['{ at: 80%, alert: owner, repeat: 1h }', '{ at: 100%, alert: ops, repeat: 2h }'];
    const one = story(policy(monthly, ...steps), key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 16 } }))).toEqual(['step 1 → owner']);
    expect(said(one.pass({ after: 59 * minute }))).toEqual([]);
    expect(said(one.pass({ after: minute }))).toEqual(['step 1 again → owner']);
    expect(said(one.pass({ usage: { 'User 1': 20 } }))).toEqual(['step 2 → ops']);
    expect(said(one.pass({ after: hour }))).toEqual([]);
    expect(said(one.pass({ after: hour }))).toEqual(['step 2 again → ops']);
    expect(said(one.pass({ after: 5 * hour }))).toEqual(['step 2 again → ops']);
  });

  test('repeats no sooner for having repeated, and by the time of its own alerts', () => {
    const steps = ['{ at: 50%, alert: owner, repeat: 4h }', '{ at: 100%, alert: ops, repeat: 1h }'];
    const one = story(policy('spend: { cost: 20, per: 24h }', ...steps), key('User 1', { createdAt: 0 }));
    const at = (amount: number, after: number) =>
      said(one.pass({ after, usage: { 'User 1': 99 }, windows: { 'User 1': { '24h': amount } } }));
    expect(at(10, minute)).toEqual(['step 1 → owner']);
    expect(at(20, hour)).toEqual(['step 2 → ops']);
    expect(at(20, hour)).toEqual(['step 2 again → ops']);
    expect(at(20, minute)).toEqual([]);
    expect(at(20, hour)).toEqual(['step 2 again → ops']);
    // Four hours after the first step’s own alert.
    expect(at(10, hour)).toEqual(['step 1 again → owner']);
  });

  test('is repeated to its channels though another’s notice is given anew in the same pass', () => {
    const both = policy(
      'spend: { cost: 20, per: lifetime }',
      '{ at: 100%, alert: ops, delete: { notice: 24h } }',
      '{ at: 120%, alert: pager, repeat: 24h }',
    );
    const one = story(both, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 30 } }))).toEqual(['notice 1 → ops, pager']);
    // Nobody accepts it.
    expect(said(one.pass({ after: hour }))).toEqual([]);
    expect(said(one.pass({ after: day - hour }))).toEqual(['notice 1 → ops, pager']);
    expect(said(one.pass({ after: hour }))).toEqual([]);
  });

  test('says with each repetition what it did not say before: every alert has its own id', () => {
    const one = story(policy(monthly, '{ at: 80%, alert: owner, repeat: 1h }'), key('User 1'));
    const ids = [16, 16, 16].map(
      (amount) => one.pass({ after: hour, usage: { 'User 1': amount } }).alerts[0]?.id,
    );
    expect(new Set(ids).size).toBe(3);
  });

  test('does not fire while its threshold lies in the interval, and says so once after an hour', () => {
    const one = story(budget, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': [10, 17] } }))).toEqual([]);
    expect(one.pass({ after: 59 * minute }).views).toMatchObject([{ state: 'uncertain', step: null }]);
    expect(said(one.pass({ after: minute }))).toEqual(['uncertain → owner']);
    expect(said(one.pass({ after: day }))).toEqual([]);
    expect(said(one.pass({ usage: { 'User 1': 17 } }))).toEqual(['step 1 → owner']);
  });

  test('that is uncertain a second time says so a second time', () => {
    const one = story(budget, key('User 1'));
    const doubt = { usage: { 'User 1': [17, 25] } } as const;
    expect(said(one.pass(doubt))).toEqual(['step 1 → owner']);
    expect(said(one.pass({ after: hour }))).toEqual(['uncertain → owner, ops']);
    expect(said(one.pass({ usage: { 'User 1': 17 } }))).toEqual([]);
    expect(said(one.pass(doubt))).toEqual([]);
    expect(said(one.pass({ after: hour }))).toEqual(['uncertain → owner, ops']);
  });

  test('that is uncertain for less than an hour is never spoken of', () => {
    const one = story(budget, key('User 1'));
    one.pass({ usage: { 'User 1': [10, null] } });
    one.pass({ after: 50 * minute, usage: { 'User 1': 11 } });
    expect(said(one.pass({ after: 50 * minute, usage: { 'User 1': [11, null] } }))).toEqual([]);
    expect([...one.findings.values()]).toHaveLength(1);
  });

  test('does not fire on numbers that were never checked against the key’s own', () => {
    const one = story(budget, key('User 1'));
    const lifetime = { costMicroUsd: 30e6, tokens: 30, requests: 30 };
    const unchecked = { 'User 1': { lifetime: { low: zeroCounters, high: lifetime }, checked: false } };
    const decision = one.pass({ about: unchecked });
    expect(said(decision)).toEqual([]);
    expect(decision.views).toMatchObject([
      { because: expect.stringContaining('has not been checked') as string },
    ]);
    expect(decision.questions).toMatchObject([{ kind: 'key', id: key('User 1').id, window: null }]);
  });

  test('is not said again when the policy’s threshold is changed in the same period', () => {
    const one = story(budget, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 16 } }))).toEqual(['step 1 → owner']);
    one.policy = file(budget.replace('80%', '70%'));
    expect(said(one.pass())).toEqual([]);
    one.policy = file(budget.replace('cost: 20', 'cost: 15'));
    expect(said(one.pass())).toEqual(['step 2 → owner, ops']);
  });

  test('is said when a silence on alerts is over, once, as things stand then', () => {
    const silence = `protect: []\nsilences:\n  - { select: all, until: ${new Date(monday + hour).toISOString()}, suppress: [alerts] }`;
    const one = story(file(budget, silence), key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 16 } }))).toEqual([]);
    expect(said(one.pass({ usage: { 'User 1': 21 } }))).toEqual([]);
    expect(said(one.pass({ after: hour }))).toEqual(['step 2 → owner, ops']);
    expect(said(one.pass())).toEqual([]);
  });

  test('is judged by tokens and requests too, and by a key’s own cap', () => {
    const capped = policy('spend: { tokens: max_tokens, per: lifetime }', '{ at: 90%, alert: owner }');
    const one = story(
      [capped, policyOf('q', 'spend: { requests: 50, per: lifetime }', '{ at: 100%, alert: ops }')].join(
        '\n',
      ),
      key('Capped', { maxTokens: 100 }),
      key('Uncapped'),
    );
    expect(said(one.pass({ usage: { Capped: 89, Uncapped: 49 } }))).toEqual(['step 1 → ops']);
    expect(said(one.pass({ usage: { Capped: 90 } }))).toEqual(['step 1 → owner']);
    expect(said(one.pass({ usage: { Uncapped: 500 } }))).toEqual(['step 1 → ops']);
  });

  test('is not judged of admin keys', () => {
    const one = story(budget, key('Root', { isAdmin: true }));
    expect(said(one.pass({ usage: { Root: 1000 } }))).toEqual([]);
  });
});

describe('a mode', () => {
  const harsh = policy(
    monthly,
    '{ at: 80%, alert: owner, rename: "OVER {{ name }}" }',
    '{ at: 100%, alert: ops, delete: { notice: 0s } }',
  );

  test('dry-run says nothing, changes nothing and remembers nothing', () => {
    const one = story(file(harsh, 'mode: dry-run\nprotect: []'), key('User 1'));
    const decision = one.pass({ usage: { 'User 1': 30 } });
    expect([said(decision), done(decision), decision.findings]).toEqual([[], [], []]);
    expect(held(decision)).toEqual(['delete: mode', 'rename: mode', 'alert: mode']);
    expect(decision.views).toMatchObject([{ state: 'open', step: 2 }]);
    one.policy = file(harsh);
    expect(said(one.pass())).toEqual(['notice 2 → owner, ops']);
  });

  test('alert tells what would be done', () => {
    const one = story(file(harsh, 'mode: alert\nprotect: []'), key('User 1'));
    const decision = one.pass({ usage: { 'User 1': 30 } });
    expect(said(decision)).toEqual(['step 2 → owner, ops']);
    expect(decision.alerts[0]?.next).toMatchObject([
      { kind: 'would', change: 'delete' },
      { kind: 'would', change: 'rename' },
    ]);
    expect([done(decision), held(decision)]).toEqual([[], ['delete: mode', 'rename: mode']]);
  });

  test.each([
    ['enforce', 'dry-run', null, []],
    ['enforce', 'alert', null, ['step 2 → owner, ops']],
    ['alert', 'enforce', null, ['step 2 → owner, ops']],
    ['enforce', 'enforce', 'alert', ['step 2 → owner, ops']],
    ['enforce', 'enforce', 'dry-run', []],
    ['enforce', 'enforce', null, ['notice 2 → owner, ops']],
  ] as const)('the most cautious counts: file %s, policy %s, command line %s', (top, own, mode, alerts) => {
    const one = story(
      file(harsh.replace('select:', `mode: ${own}\n  select:`), `mode: ${top}\nprotect: []`),
      key('User 1'),
    );
    one.mode = mode;
    expect(said(one.pass({ usage: { 'User 1': 30 } }))).toEqual(alerts);
  });

  test('of one policy does not touch another', () => {
    const both = `${harsh.replace('select:', 'mode: dry-run\n  select:')}\n${policyOf('q', monthly, '{ at: 50%, alert: pager }')}`;
    const one = story(both, key('User 1'));
    expect(said(one.pass({ usage: { 'User 1': 30 } }))).toEqual(['step 1 → pager']);
  });
});

describe('a forecast', () => {
  const forecast = policy(monthly, '{ at: 100%, basis: forecast, alert: owner }', '{ at: 100%, alert: ops }');

  test('needs 48 hours of history', () => {
    const one = story(forecast, key('User 1'));
    const windows = { 'User 1': { '24h': 4, '7d': 4 } };
    one.pass({ usage: { 'User 1': 1 } });
    expect(said(one.pass({ after: 48 * hour - minute, usage: { 'User 1': 8 }, windows }))).toEqual([]);
    expect(said(one.pass({ windows }))).toEqual(['step 1 → owner']);
    expect(said(one.pass({ windows }))).toEqual([]);
  });

  test('takes the larger of the last day’s and the last week’s rate, up to the period’s end', () => {
    const one = story(forecast, key('User 1'));
    one.pass();
    // Six and a half days are left of November on Tuesday evening: 8 + 6.5 × 1.8 is below 20, 8 + 6.5 × 1.9 above.
    const after = 2 * day - hour * 10 + 12 * hour;
    expect(
      said(one.pass({ after, usage: { 'User 1': 8 }, windows: { 'User 1': { '24h': 1, '7d': 11.9 } } })),
    ).toEqual([]);
    expect(said(one.pass({ windows: { 'User 1': { '24h': 2.3, '7d': 1 } } }))).toEqual(['step 1 → owner']);
  });

  test('takes all that a key ever used for its last week’s, where it is younger than that', () => {
    const one = story(forecast, key('User 1'));
    one.pass({ usage: { 'User 1': 14 } });
    // 134 hours are left of November: 14 in a week are eleven more.
    expect(said(one.pass({ after: 2 * day }))).toEqual(['step 1 → owner']);
  });

  test('of a group needs the history of one of its keys', () => {
    const group = forecast.replace('per: month', 'per: month, across: selected');
    const one = story(group, key('A'));
    one.pass({ usage: { A: 14 } });
    one.account.set('B', key('B', { createdAt: monday + day }));
    expect(said(one.pass({ after: 2 * day }))).toEqual(['step 1 → owner']);
  });

  test('that cannot be told is silent, not uncertain', () => {
    const one = story(forecast, key('User 1'));
    one.pass();
    expect(
      one.pass({ after: 3 * day, usage: { 'User 1': [8, 9] }, windows: { 'User 1': {} } }).views,
    ).toEqual([]);
  });

  test('is told as what it is, and a step of the level and its rename by the level', () => {
    const below = policy(
      monthly,
      '{ at: 50%, alert: ops, rename: "HALF {{ name }}" }',
      '{ at: 100%, basis: forecast, alert: owner }',
    );
    const one = story(below, key('User 1'));
    const windows = { 'User 1': { '24h': 4, '7d': 4 } };
    one.pass({ usage: { 'User 1': 1 } });
    const basis = ({ alerts }: Decision): unknown[] =>
      alerts.map(({ figures }) => figures.kind === 'spend' && [figures.basis, figures.level.low >= 20e6]);
    expect(basis(one.pass({ after: 2 * day, usage: { 'User 1': 8 }, windows }))).toEqual([
      ['forecast', true],
    ]);
    const half = one.pass({ usage: { 'User 1': 11 }, windows });
    expect(basis(half)).toEqual([['level', false]]);
    expect(half.changes.map(({ reason }) => reason)).toEqual([expect.not.stringContaining('expected')]);
  });

  test('is told by its own numbers where a step of the level was said before', () => {
    const below = policy(
      monthly,
      '{ at: 50%, alert: ops }',
      '{ at: 200%, basis: forecast, alert: owner, repeat: 1h }',
    );
    const one = story(below, key('User 1'));
    one.pass({ usage: { 'User 1': 1 } });
    const told = ({ alerts }: Decision): unknown[] =>
      alerts.map(({ figures }) => figures.kind === 'spend' && [figures.basis, figures.level]);
    one.pass({ after: 2 * day, usage: { 'User 1': 11 }, windows: { 'User 1': { '24h': 1, '7d': 1 } } });
    const windows = { 'User 1': { '24h': 8, '7d': 8 } };
    // 133 hours and 59 minutes are left of November.
    const level = { low: 55_661_111, high: 55_661_112 };
    expect(told(one.pass({ windows }))).toEqual([['forecast', level]]);
  });
});
