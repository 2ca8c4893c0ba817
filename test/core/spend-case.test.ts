/** A level against its limit, where it is not exact: what stays proven, what is asked and why, and what is told of it. */
import { describe, expect, test } from 'vitest';
import type { Counters } from '../../src/core/key.ts';
import { counters } from '../ledger/building.ts';
import { day, file, hour, id, key, minute, monday, policy, said, story } from './story.ts';
import type { Amount, Pass, Story } from './story.ts';

const alerting = '{ at: 100%, alert: ops }';
const spending = (per: string, ...steps: string[]) =>
  policy(`spend: { cost: 20, per: ${per} }`, ...(steps.length > 0 ? steps : [alerting]));
const used = (A: Amount, more: Pass = {}): Pass => ({ usage: { A }, ...more });
const unclear = { state: 'uncertain', step: null };

/** How it stands in the next pass. */
const stands = (one: Story, pass: Pass) => one.pass(pass).views;

describe('what was proven of a level', () => {
  test('outlasts a pass in which nothing can be read', () => {
    const one = story(spending('lifetime'), key('A'));
    one.pass(used(25));
    expect(stands(one, used([0, null]))).toMatchObject([unclear]);
    expect(stands(one, used([0, 25]))).toMatchObject([{ state: 'open', step: 1 }]);
  });

  test('is not believed again once a bound has contradicted it', () => {
    const one = story(spending('lifetime', '{ at: 50%, alert: ops }', alerting), key('A'));
    one.pass(used(25));
    expect(stands(one, used([12, 19]))).toMatchObject([{ step: 1 }]);
    expect(stands(one, used([12, 25]))).toMatchObject([{ step: 1, because: expect.any(String) as string }]);
  });

  test('is of one period: the next has to be proven by itself', () => {
    const one = story(spending('month'), key('A'));
    one.pass(used(25));
    const next = one.pass(used([25, 50], { after: 8 * day }));
    expect(next.views).toMatchObject([unclear]);
    expect(said(next)).toEqual(['resolved → ops']);
  });

  test('is forgotten when the numbers turn out to be somebody else’s, too', () => {
    const one = story(spending('lifetime'), key('A'));
    one.pass(used(25));
    one.records = new Map([...one.records].map(([of, record]) => [of, { ...record, conflict: 'two keys' }]));
    one.pass(used([0, 25]));
    expect([...one.findings.values()].map(({ proven }) => proven)).toEqual([undefined]);
    expect(stands(one, used([0, 25]))).toMatchObject([unclear]);
  });

  test('is forgotten of a group, whose keys come and go', () => {
    const one = story(spending('lifetime, across: selected'), key('A'), key('B'));
    one.pass({ usage: { A: 15, B: 6 } });
    expect(stands(one, { usage: { A: [0, 15], B: 6 } })).toMatchObject([unclear]);
  });

  test('stays proven of the account, whatever keys it has', () => {
    const one = story(spending('lifetime, across: account'), key('A'));
    const account = (low: number, high: number) => {
      const of = (amount: number): Counters => ({ costMicroUsd: amount * 1e6, tokens: 0, requests: 0 });
      return { account: { lifetime: { low: of(low), high: of(high) }, windows: new Map(), because: null } };
    };
    one.pass(account(21, 21));
    expect(stands(one, account(5, 25))).toMatchObject([{ state: 'open', step: 1 }]);
  });
});

describe('of a rolling period', () => {
  const steps = ['{ at: 50%, alert: ops }', '{ at: 100%, alert: ops }'];
  const old = key('A', { createdAt: monday - 9 * day });
  /** Between two amounts in the last day. */
  const between = (low: number, high: number): Pass => {
    const dollars = (amount: number) => ({ ...counters(0), costMicroUsd: amount * 1e6 });
    const windows = new Map([['24h', { low: dollars(low), high: dollars(high) }] as const]);
    return { usage: { A: 99 }, about: { A: { windows } } };
  };

  test('every step that was surely reached stays so until it surely is not', () => {
    const one = story(spending('24h', ...steps), old);
    expect(said(one.pass(between(21, 21)))).toEqual(['step 2 → ops']);
    expect(stands(one, between(5, 25))).toMatchObject([{ state: 'open', step: 2 }]);
    expect(stands(one, between(5, 15))).toMatchObject([{ state: 'open', step: 1 }]);
    // Forgotten numbers forget that, too.
    one.records = new Map([...one.records].map(([of, record]) => [of, { ...record, conflict: 'two keys' }]));
    one.pass(between(5, 25));
    expect(stands(one, between(5, 25))).toMatchObject([unclear]);
  });

  test('a group’s case does not flap, and does not begin near its first step', () => {
    const one = story(spending('24h, across: selected'), old);
    const at = (amount: number) => said(one.pass(between(amount, amount)));
    expect([...at(19), ...one.findings.keys()]).toEqual([]);
    expect([20, 18, 17.9].map(at)).toEqual([['step 1 → ops'], [], ['resolved → ops']]);
  });
});

test('a case of a calendar period is over as soon as its level is below its first step', () => {
  const one = story(spending('month'), key('A'));
  one.pass(used(20));
  one.policy = file(spending('month').replace('20', '21'));
  expect(said(one.pass())).toEqual(['resolved → ops']);
});

describe('a forecast', () => {
  const forecast = '{ at: 250%, basis: forecast, alert: ops }';
  const windows = { A: { '24h': 10, '7d': 10 } };

  test('that cannot be told any more does not end its case', () => {
    const one = story(spending('month', forecast), key('A'));
    one.pass(used(1));
    expect(said(one.pass(used(10, { after: 3 * day, windows })))).toEqual(['step 1 → ops']);
    expect(said(one.pass(used([10, null])))).toEqual([]);
  });

  test('is what its case is about only while no other step is reached', () => {
    const one = story(spending('month', forecast, alerting), key('A'));
    const basis = () => [...one.findings.values()].map(({ figures }) => 'basis' in figures && figures.basis);
    one.pass(used(1));
    expect(stands(one, used([1, 25], { after: 3 * day }))).toMatchObject([{ figures: { basis: 'level' } }]);
    one.pass(used(10, { windows }));
    expect(basis()).toEqual(['forecast']);
    one.pass(used(20, { windows }));
    expect(basis()).toEqual(['level']);
  });

  test('below its steps is not what an uncertain level is told by', () => {
    const one = story(spending('month', forecast, alerting), key('A'));
    one.pass(used(1));
    const lately = { '24h': 1, '7d': 1 };
    const pass = used([15, 25], { after: 3 * day, windows: { A: lately } });
    expect(stands(one, pass)).toMatchObject([{ ...unclear, figures: { basis: 'level' } }]);
  });
});

describe('a question', () => {
  const own = { about: { A: { credited: false } } };

  test('says whom it is about, and how far past its threshold that may be', () => {
    const one = story(spending('lifetime', '{ at: 50%, alert: ops }', alerting), key('A'));
    expect(one.pass(used([12, 30], own)).questions).toEqual([
      { kind: 'key', id: id('A'), window: null, why: 'p: “A” may have reached 100%', excess: 0.5 },
    ]);
  });

  test('about a group bears its name', () => {
    const one = story(spending('lifetime, across: selected'), key('A'));
    expect(one.pass(used([0, 30], own)).questions).toMatchObject([
      { why: 'p: selected may have reached 100%', excess: 0.5 },
    ]);
  });

  test('presses where no bound is known, and when the doubt has lasted for ten minutes', () => {
    const excess = (one: Story, pass: Pass) => one.pass({ ...pass, ...own }).questions.map((of) => of.excess);
    const one = story(spending('lifetime'), key('A'));
    expect(excess(one, used([0, 30]))).toEqual([0.5]);
    expect(excess(one, { after: 10 * minute - 1 })).toEqual([0.5]);
    expect(excess(one, { after: 1 })).toEqual([Infinity]);
    expect(excess(story(spending('lifetime'), key('A')), used([0, null]))).toEqual([Infinity]);
  });

  test('that would not narrow a sure level is not put', () => {
    const one = story(spending('lifetime', '{ at: 100%, alert: ops, delete: { notice: 0s } }'), key('A'));
    expect(one.run(used([20, 30], own)).questions).toEqual([]);
  });
});

test.each<[string, string, Amount, string]>([
  ['could not be read', 'lifetime', [0, null], 'its usage could not be read'],
  ['of a lifetime', 'lifetime', [0, 30], 'its usage is only known between two bounds'],
  [
    'of a calendar period',
    'month',
    [0, 30],
    'its usage since 2026-11-01T00:00Z is only known between two bounds',
  ],
  ['of a rolling one', '24h', [0, 30], 'what it had used at the period’s start is not known'],
])('a level %s says why it is not exact', (_what, per, amount, because) => {
  expect(stands(story(spending(per), key('A')), used(amount, { after: hour }))).toMatchObject([{ because }]);
});
