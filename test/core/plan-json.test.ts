/** The plan as a program reads it. */
import { describe, expect, test } from 'vitest';
import type { Books } from '../../src/core/books.ts';
import type { Decision } from '../../src/core/plan.ts';
import { planJson, somethingToDo } from '../../src/core/plan-json.ts';
import type { PlanFacts } from '../../src/core/plan-json.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
import { day, file, generous, hour, id, key, monday, noBooks, policy, story } from './story.ts';
import type { Pass } from './story.ts';

function planOf(decision: Decision, more: Partial<PlanFacts> = {}): Readonly<Record<string, unknown>> {
  const facts = { policyHash: 'abc', keys: 3, calls: [], contradictions: [], account: noBooks };
  return { ...planJson({ decision, ...facts, ...more }) };
}

const decided = (
  policies: string | PolicyFile,
  pass: Pass = {},
  more: Parameters<typeof key>[1] = {},
): Decision => story(policies, key('A', more)).pass(pass);

const steps = [
  '{ at: 50%, alert: owner, rename: "OVER {{ name }}" }',
  '{ at: 100%, alert: ops, delete: { notice: 24h } }',
];
const monthly = policy('spend: { cost: 20, per: month }', ...steps);
const a = { id: id('A'), name: 'A' };
const november = { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' };
const nothing = decided(monthly);

test('a plan of nothing says by what, of how much, and what was asked', () => {
  const calls = [{ what: 'keys', why: 'the list' }];
  const contradictions = [
    { subject: { kind: 'key' as const, ...a, originalName: 'A' }, because: 'two keys bear its name' },
    { subject: { kind: 'group' as const, group: 'selected' }, because: 'it fell' },
  ];
  const { account, ...plan } = planOf(nothing, { calls, contradictions });
  expect(plan).toEqual({
    ...{ version: 1, generated_at: '2026-11-23T10:00:00Z', mode: 'enforce', policy_hash: 'abc', keys: 3 },
    ...{ calls: 1, calls_made: [{ call: 'keys', why: 'the list' }], hold: null },
    contradictions: [
      { subject: a, because: 'two keys bear its name' },
      { subject: { group: 'selected' }, because: 'it fell' },
    ],
    ...{ findings: [], actions: [], held: [] },
  });
  expect(account).toBeInstanceOf(Object);
});

test('a case, its notice, its rename and what is held each have a line', () => {
  const decision = decided(file(monthly, generous), { usage: { A: 21 }, hold: 'the list shrank' });
  const held = { ...{ policy: 'p', subject: a }, because: 'unknown', detail: 'the list shrank' };
  expect(planOf(decision)).toMatchObject({
    hold: 'the list shrank',
    findings: [
      {
        ...{ policy: 'p', subject: a, state: 'open', period: november, measure: 'cost' },
        ...{ level: { low: '21.00', high: '21.00' }, limit: '20.00', percent: 105, deadline: null },
        ...{ step: 2, because: null },
      },
    ],
    held: [
      { kind: 'delete', ...held, step: 2 },
      { kind: 'rename', ...held, step: 1 },
    ],
  });
  expect(planOf(decided(file(monthly, generous), { usage: { A: 21 } }))['actions']).toEqual([
    {
      ...{
        kind: 'notice',
        policy: 'p',
        subject: a,
        step: 2,
        to: 'owner, ops',
        due_at: '2026-11-24T10:00:00Z',
      },
      reason: 'notice: $21.00 of $20.00 (105%), November 2026',
    },
    {
      ...{ kind: 'rename', policy: 'p', subject: a, step: 1, to: 'OVER A', due_at: '2026-11-23T10:00:00Z' },
      reason: '$21.00 of $20.00 (105%), November 2026',
    },
  ]);
});

test('an alert has no time at which it is due, and one of an end no step but its reason', () => {
  const one = story(policy('spend: { cost: 20, per: month }', '{ at: 50%, alert: owner }'), key('A'));
  const first = planOf(one.pass({ usage: { A: 12 } }))['actions'];
  expect(first).toMatchObject([
    {
      kind: 'alert',
      step: 1,
      to: 'owner',
      due_at: null,
      reason: 'step: $12.00 of $20.00 (60%), November 2026',
    },
  ]);
  const end = planOf(one.pass({ after: 8 * day }))['actions'];
  expect(end).toMatchObject([
    { kind: 'alert', step: null, due_at: null, reason: 'resolved: its period is over' },
  ]);
});

test('an undoing is of no step, and so is what is held of one', () => {
  const born = { createdAt: monday };
  const hourly = policy(
    'spend: { cost: 20, per: hour }',
    '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }',
  );
  const one = story(file(hourly, generous), key('A', born));
  one.run({ usage: { A: 20 } });
  const restore = { kind: 'restore', subject: { id: id('A'), name: 'OVER A' }, step: null };
  expect(planOf(one.pass({ after: hour, hold: 'the list shrank' }))['held']).toMatchObject([restore]);
  expect(planOf(one.pass())['actions']).toMatchObject([{ ...restore, to: 'A' }]);
});

describe('a finding', () => {
  const finding = (...given: Parameters<typeof decided>): unknown => planOf(decided(...given))['findings'];

  test('of which no upper end is known has none, and says why', () => {
    expect(finding(monthly, { usage: { A: [5, null] } })).toMatchObject([
      {
        ...{ state: 'uncertain', level: { low: '5.00', high: null }, percent: 25, step: null },
        because: 'its usage could not be read',
      },
    ]);
  });

  test.each([
    ['lifetime', null],
    ['24h', { start: '2026-11-22T10:00:00Z', end: null }],
  ])('per %s has the period %j', (per, period) => {
    const step = '{ at: 50%, alert: ops }';
    expect(finding(policy(`spend: { tokens: 20, per: ${per} }`, step), { usage: { A: 20 } })).toMatchObject([
      { measure: 'tokens', level: { low: '20', high: '20' }, limit: '20', period },
    ]);
  });

  test('of a deadline has that, and no level', () => {
    expect(finding(policy('expiry: {}', '{ alert: ops }'), {}, { expiresAt: monday })).toEqual([
      {
        ...{ policy: 'p', subject: a, state: 'open', period: null, measure: null, level: null, limit: null },
        ...{ percent: null, deadline: '2026-11-23T10:00:00Z', step: 1, because: null },
      },
    ]);
  });
});

describe('the account', () => {
  const account = (books: Books): unknown => planOf(nothing, { account: books })['account'];
  const rate = (tokensPerHour: number) => ({ tokensPerHour, requestsPerHour: 1.005 });
  const books: Books = {
    period: { start: Date.parse(november.start), end: Date.parse(november.end), words: 'November 2026' },
    spent: { known: true, value: { low: 1_500_000, high: null } },
    billed: { known: true, value: { invoiced: 1e6, charged: 2e6, other: 3e6, pending: 0 } },
    rates: {
      known: true,
      value: { lastDay: rate(10.126), latest: { ...rate(20), from: monday - hour, to: monday } },
    },
  };

  test('is told in dollars and in hundredths', () => {
    expect(account(books)).toEqual({
      ...{ period: november, spent: { low: '1.50', high: null } },
      ...{ invoiced: '1.00', charged: '2.00', other: '3.00', pending: '0.00' },
      last_24h: { tokens_per_hour: 10.13, requests_per_hour: 1 },
      latest: {
        ...{ from: '2026-11-23T09:00:00Z', to: '2026-11-23T10:00:00Z' },
        ...{ tokens_per_hour: 20, requests_per_hour: 1 },
      },
      unknown: [],
    });
    const exact = { ...books, spent: { known: true, value: { low: 1e6, high: 2e6 } } } as const;
    expect(account(exact)).toMatchObject({ spent: { low: '1.00', high: '2.00' } });
  });

  test('where it is not known is null, with every reason', () => {
    const unread = (because: string) => ({ known: false, because }) as const;
    const dark = { spent: unread('it fell'), billed: unread('no bills'), rates: unread('no series') };
    expect(account({ ...books, ...dark })).toEqual({
      ...{ period: november, spent: null, invoiced: null, charged: null, other: null, pending: null },
      ...{ last_24h: null, latest: null, unknown: ['it fell', 'no bills', 'no series'] },
    });
    const rates = { known: true, value: { lastDay: rate(1), latest: null } } as const;
    expect(account({ ...books, rates })).toMatchObject({ latest: null, unknown: [] });
  });
});

test('there is something to do where something is told or changed, or would be in another mode', () => {
  expect(somethingToDo(nothing)).toBe(false);
  expect(somethingToDo(decided(monthly, { usage: { A: 12 } }))).toBe(true);
  const silent = policy('spend: { cost: 20, per: month }', '{ at: 50%, rename: "OVER {{ name }}" }');
  expect(somethingToDo(decided(silent, { usage: { A: 12 } }))).toBe(true);
  expect(somethingToDo(decided(silent, { usage: { A: 12 }, hold: 'the list shrank' }))).toBe(false);
  expect(somethingToDo(decided(file(silent, `${generous}\nmode: alert`), { usage: { A: 12 } }))).toBe(true);
});
