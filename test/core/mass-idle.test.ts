/** Many keys that fall idle at once prove nothing. */
import { describe, expect, test } from 'vitest';
import { idleSignature } from '../../src/core/mass-idle.ts';
import type { Decision } from '../../src/core/plan.ts';
import type { Pass, Story } from './story.ts';
import {
  day,
  done,
  file,
  generous,
  held,
  hour,
  key,
  minute,
  monday,
  policyOf,
  said,
  story,
} from './story.ts';

const idle = policyOf('idle', 'idle: { for: 60d }', '{ alert: ops }');
const cap = policyOf(
  'cap',
  'spend: { cost: 20, per: lifetime }',
  '{ at: 100%, alert: owner, rename: "OVER {{ name }}" }',
);
const signature = idleSignature(file(idle).policies[0] ?? never()) ?? '';

function never(): never {
  throw new Error('there is a policy');
}

function keysOf(many: number) {
  return Array.from({ length: many }, (_, index) => {
    return key(`K${String(index)}`, { createdAt: monday - 100 * day });
  });
}

/** An account of so many keys; the first so many of them show no requests in 60 days. */
function account(many: number, policies = idle) {
  const one = story(file(policies, generous), ...keysOf(many));
  const pass = (unused: number, more: Pass = {}): Decision => {
    const windows = keysOf(many).map(({ name }, index) => {
      return [name, { '60d': index < unused ? 0 : 7 }] as const;
    });
    const usage = keysOf(many).map(({ name }) => [name, 7] as const);
    return one.pass({
      windows: Object.fromEntries(windows),
      idleBefore: { judgedBy: new Set([signature]), massSince: null },
      ...more,
      usage: { ...Object.fromEntries(usage), ...more.usage },
    });
  };
  return { one, pass };
}

const troubles = (decision: Decision) => decision.troubles.map(({ code }) => code);

function openIdle({ findings }: Story): number {
  return [...findings.values()].filter((one) => one.policy === 'idle' && one.closedAt === null).length;
}

describe('many keys that fall idle at once', () => {
  test('hold everything, and are announced by none but the trouble', () => {
    const { one, pass } = account(10, `${idle}\n${cap}`);
    expect(said(pass(0))).toEqual([]);
    const decision = pass(6, { usage: { K9: 25 } });
    expect(decision.massIdle).toBe(true);
    expect(decision.hold).toBe('6 of 10 keys fell idle at once by idle');
    expect(decision.troubles).toEqual([
      {
        ...{ code: 'mass-idle', severity: 'critical', title: 'Many keys fell idle at once' },
        text: `${decision.hold ?? ''}. That proves nothing: nothing is renamed or deleted, and none is taken for idle, until it has stayed so for a day.`,
      },
    ]);
    // What has nothing to do with idleness is announced, and held.
    expect(said(decision)).toEqual(['step 1 → owner']);
    expect([done(decision), held(decision)]).toEqual([[], ['rename: unknown']]);
    expect(openIdle(one)).toBe(0);
  });

  test.each([
    ['five of six', 6, 5, false],
    ['six of six', 6, 6, true],
    ['six of thirty, a fifth', 30, 6, false],
    ['seven of thirty', 30, 7, true],
    ['twenty of a hundred', 100, 20, false],
    ['twenty-one of a hundred', 100, 21, true],
  ])('are many when they are %s', (_what, many, unused, mass) => {
    const { one, pass } = account(many);
    pass(0);
    const decision = pass(unused);
    expect(decision.massIdle).toBe(mass);
    expect([decision.alerts.length, openIdle(one)]).toEqual(mass ? [0, 0] : [unused, unused]);
    expect(decision.hold === null).toBe(!mass);
  });

  test('are told of for as long as it lasts, and over once it is', () => {
    const { pass } = account(10);
    expect(troubles(pass(8))).toEqual(['mass-idle']);
    const since = { idleBefore: { judgedBy: new Set([signature]), massSince: monday } };
    expect(troubles(pass(8, since))).toEqual(['mass-idle']);
    expect(troubles(pass(0, since))).toEqual([]);
  });

  test('are no news by a policy that the pass before did not judge by', () => {
    for (const judgedBy of [[], [`idle ${String(30 * day)}`], [`other ${String(60 * day)}`]]) {
      const decision = account(10).pass(8, { idleBefore: { judgedBy: new Set(judgedBy), massSince: null } });
      expect([decision.massIdle, decision.alerts.length]).toEqual([false, 8]);
    }
  });

  test('are no news once their cases are open', () => {
    const { pass } = account(10);
    expect(pass(8, { idleBefore: { judgedBy: new Set(), massSince: null } }).alerts).toHaveLength(8);
    const next = pass(10);
    expect([next.massIdle, next.alerts.length]).toEqual([false, 2]);
  });

  test('end no case of their policy that is open: that key is as idle as before', () => {
    const { one, pass } = account(10);
    expect(said(pass(1))).toEqual(['step 1 → ops']);
    const many = pass(8);
    expect([many.massIdle, said(many), many.views.length, openIdle(one)]).toEqual([true, [], 1, 1]);
  });

  test('are believed once it has stayed so for a day', () => {
    const { pass } = account(10);
    const from = monday;
    const since = { idleBefore: { judgedBy: new Set([signature]), massSince: from } };
    expect(pass(8).massIdle).toBe(true);
    expect(pass(8, { ...since, after: day - minute }).massIdle).toBe(true);
    const believed = pass(8, { ...since, after: minute });
    expect([believed.massIdle, believed.hold, believed.alerts.length]).toEqual([false, null, 8]);
  });

  test('are counted policy by policy: few of each are ordinary', () => {
    const other = policyOf('other', 'select: { name: "K?" }\n  idle: { for: 30d }', '{ alert: ops }');
    const both = account(10, `${idle}\n${other}`);
    const decision = both.pass(5, {
      idleBefore: { judgedBy: new Set([signature, `other ${String(30 * day)}`]), massSince: null },
    });
    expect([decision.massIdle, decision.alerts.length]).toEqual([false, 10]);
  });

  test('hold a rename that one of another policy is ready for, for that pass only', () => {
    const { one, pass } = account(10, `${idle}\n${cap}`);
    pass(0, { usage: { K9: 25 } });
    expect(done(pass(8, { usage: { K9: 25 } }))).toEqual([]);
    expect(done(pass(0, { usage: { K9: 25 }, after: hour }))).toEqual(['rename K9 → OVER K9']);
    expect(one.findings.size).toBe(1);
  });
});

test('a rule’s signature changes with its name and its length, and only rules of idleness have one', () => {
  const of = (text: string) => file(text).policies.map(idleSignature);
  expect(of(idle)).toEqual([`idle ${String(60 * day)}`]);
  expect(of(idle.replace('60d', '30d'))).not.toEqual(of(idle));
  expect(of(idle.replace('name: idle', 'name: unused'))).not.toEqual(of(idle));
  expect(of(cap)).toEqual([null]);
});
