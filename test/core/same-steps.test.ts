/** A policy file is edited while a case runs: no step is said again, and none is lost. */
import { describe, expect, test } from 'vitest';
import { countedAnew, placeNow } from '../../src/core/same-steps.ts';
import type { Finding } from '../../src/core/state.ts';
import { day, done, file, generous, hour, id, key, monday, policy, policyOf, said, story } from './story.ts';
import type { Story } from './story.ts';

const monthly = 'spend: { cost: 20, per: month }';
const at = (percent: number, channel = 'ops', more = ''): string =>
  `{ at: ${String(percent)}%, alert: ${channel}${more} }`;

/** With $17 of $20, after a first pass by these steps. */
function after(...steps: string[]): Story {
  const one = story(file(policy(monthly, ...steps), generous), key('User 1'));
  one.run({ usage: { 'User 1': 17 } });
  return one;
}

function edit(one: Story, ...steps: string[]): void {
  one.policy = file(policy(monthly, ...steps), generous);
}

const sayAt = (one: Story, amount: number): string[] => said(one.run({ usage: { 'User 1': amount } }));

describe('after an edit that', () => {
  test('puts a step before one that was said, only the new one is said', () => {
    const one = after(at(80), at(100, 'pager'));
    edit(one, at(50, 'owner'), at(80), at(100, 'pager'));
    expect(sayAt(one, 17)).toEqual(['step 1 → owner']);
    expect(sayAt(one, 17)).toEqual([]);
    expect(sayAt(one, 20)).toEqual(['step 3 → pager']);
  });

  test('takes out a step that was said, the next one is still said', () => {
    const one = after(at(50, 'owner'), at(80), at(100, 'pager'));
    edit(one, at(80), at(100, 'pager'));
    expect(sayAt(one, 17)).toEqual([]);
    expect(sayAt(one, 20)).toEqual(['step 2 → pager']);
  });

  test('takes a step out and puts it back, it is not said again', () => {
    const one = after(at(80), at(100, 'pager'));
    edit(one, at(100, 'pager'));
    one.run();
    one.restart();
    edit(one, at(80), at(100, 'pager'));
    expect(sayAt(one, 17)).toEqual([]);
    expect(sayAt(one, 20)).toEqual(['step 2 → pager']);
  });

  test('changes a threshold alone, what was said is not said again', () => {
    const one = after(at(80), at(120, 'pager'));
    edit(one, at(85), at(110, 'pager'));
    expect(sayAt(one, 17)).toEqual([]);
    expect(sayAt(one, 22)).toEqual(['step 2 → pager']);
  });

  test('takes one out and puts another in beyond the next, the new one is said', () => {
    const one = after(at(80), at(100));
    edit(one, at(100), at(120));
    expect(sayAt(one, 20)).toEqual(['step 1 → ops']);
    expect(sayAt(one, 24)).toEqual(['step 2 → ops']);
  });

  test('puts a step before one of a deadline that was said, only the new one is said', () => {
    const expiry = (...steps: string[]) => file(policy('expiry: {}', ...steps), generous);
    const last = '{ alert: ops }';
    const one = story(expiry('{ before: 7d, alert: ops }', last), key('User 1', { expiresAt: monday + day }));
    expect(said(one.pass())).toEqual(['step 1 → ops']);
    one.policy = expiry('{ before: 30d, alert: ops }', '{ before: 7d, alert: ops }', last);
    expect(said(one.pass())).toEqual(['step 1 → ops']);
    expect(said(one.pass({ after: day }))).toEqual(['step 3 → ops']);
  });

  test('puts a step before others while the case is over, it begins again', () => {
    const one = after(at(80), at(100, 'pager'));
    edit(one, at(120));
    one.run();
    expect([...one.findings.values()].map(({ closedAt }) => closedAt)).toEqual([expect.any(Number)]);
    edit(one, at(50, 'owner'), at(80), at(100, 'pager'));
    expect(sayAt(one, 17)).toEqual(['step 1 → owner']);
    expect([...one.findings.values()].map(({ closedAt }) => closedAt)).toEqual([null]);
    expect(sayAt(one, 20)).toEqual(['step 3 → pager']);
  });

  test('changes the channels, nothing is said again', () => {
    const one = after(at(80));
    edit(one, at(80, 'pager'));
    expect(sayAt(one, 17)).toEqual([]);
  });

  test('changes a threshold and the order of the channels, nothing is said again', () => {
    const one = after(at(80, '[owner, ops]'));
    edit(one, at(85, '[ops, owner]'));
    expect(sayAt(one, 17)).toEqual([]);
  });

  test('takes a step out that was not said, it is forgotten', () => {
    const one = after(at(80), at(100, 'pager'));
    edit(one, at(80, 'owner'));
    one.run();
    expect([...one.findings.values()][0]?.steps).toHaveLength(1);
  });

  test.each([
    ['to rename as well', at(80, 'owner', ', rename: "OVER {{ name }}"')],
    ['to rename otherwise', at(80, 'owner', ', rename: "FAR {{ name }}"'), ', rename: "OVER {{ name }}"'],
    ['to delete', at(80, 'owner', ', delete: { notice: 24h }')],
  ])('makes one that was said do something else, the new one is said: %s', (_what, step, before = '') => {
    const one = after(at(80, 'ops', before));
    edit(one, step);
    expect(said(one.run()).filter((line) => line.endsWith('→ owner'))).toHaveLength(1);
  });

  test('makes a forecast of a step that was said, which is another', () => {
    const one = after(at(80, 'ops'));
    one.policy = file(policy(monthly, '{ at: 80%, basis: forecast, alert: owner }'), generous);
    one.run();
    const [finding] = [...one.findings.values()];
    expect(finding?.fired.map(({ step }) => step)).toEqual([1]);
  });

  test('gives a new step the number of one that was said, its alert is another', () => {
    const one = after(at(80));
    const ids = new Set([...one.findings.keys()]);
    edit(one, at(82, 'owner', ', repeat: 1h'), at(80).replace('80%', '84%'));
    const { alerts } = one.run();
    expect(said(alerts)).toEqual(['step 1 → owner']);
    expect(alerts[0]?.id).not.toBe(`${[...ids][0] ?? ''}/step-1`);
    expect(alerts[0]?.id).toMatch(/step-1\/2026-/);
  });

  test('moves a rename that was done, it is not done again', () => {
    const rename = '{ at: 80%, rename: "OVER {{ name }}" }';
    const one = story(file(policy(monthly, rename), generous), key('User 1'));
    expect(done(one.run({ usage: { 'User 1': 17 } }))).toEqual(['rename User 1 → OVER User 1']);
    edit(one, at(50), '{ at: 60%, rename: "HALF {{ name }}" }', rename);
    one.rename('User 1', 'Mine');
    expect(done(one.run({ after: hour }))).toEqual([]);
  });

  test('puts a rename in place of one that was done before, it is done', () => {
    const one = after('{ at: 50%, rename: "HALF {{ name }}" }', '{ at: 80%, rename: "OVER {{ name }}" }');
    edit(one, '{ at: 50%, rename: "HALF {{ name }}" }');
    expect(done(one.run())).toEqual(['rename OVER User 1 → HALF User 1']);
  });

  test('moves the step of a deletion whose notice runs, it is due when that has run', () => {
    const deletes = '{ at: 80%, alert: owner, delete: { notice: 24h } }';
    const one = after(deletes);
    edit(one, at(50), at(60, 'pager'), deletes);
    expect(said(one.run({ after: hour }))).toEqual(['step 2 → ops, pager']);
    expect(done(one.pass({ after: day }))).toEqual(['delete User 1']);
    expect([...one.findings.values()][0]?.deletions).toMatchObject([{ keyId: id('User 1'), step: 2 }]);
  });

  test('takes the step of a deletion out, whoever was told of it hears that it is called off', () => {
    const one = after(at(50), '{ at: 80%, alert: owner, delete: { notice: 24h } }');
    edit(one, at(50));
    expect(said(one.run())).toEqual(['cancelled → ops, owner']);
  });
});

test('a finding that was written before its steps were remembered counts by the file as it is', () => {
  const one = after(at(80), at(100, 'pager'));
  const old = [...one.findings].map(([name, { steps: _, ...rest }]): [string, Finding] => [name, rest]);
  one.findings = new Map(old);
  expect(sayAt(one, 17)).toEqual([]);
  expect([...one.findings.values()][0]?.steps).toHaveLength(2);
  edit(one, at(50, 'owner'), at(80), at(100, 'pager'));
  expect(sayAt(one, 17)).toEqual(['step 1 → owner']);
});

test('nothing changes as long as the file does not', () => {
  const one = after(at(80), at(100, 'pager'));
  expect(one.pass().findings).toEqual([]);
});

test('nor is anything counted anew, also where only steps after the others are gone', () => {
  const one = after(at(80), at(100, 'pager'), at(120, 'owner'));
  one.pass();
  expect(countedAnew(one.court())).toBe(one.court());
  edit(one, at(80), at(100, 'pager'));
  one.pass();
  expect(countedAnew(one.court())).toBe(one.court());
  edit(one, at(80), at(90, 'pager'));
  one.pass();
  expect(countedAnew(one.court())).not.toBe(one.court());
});

test('a finding whose policy is gone keeps its steps', () => {
  const one = after(at(80));
  one.policy = file(policyOf('q', monthly, at(50)), generous);
  one.run();
  expect([...one.findings.values()][0]?.steps).toMatchObject([{ at: '80%' }]);
});

describe('where a step is now that a finding refers to', () => {
  const of = (...steps: string[]) => {
    const [found] = file(policy(monthly, ...steps)).policies;
    if (found === undefined) throw new Error('there is a policy');
    return found;
  };
  const before = [at(50), at(80, 'owner'), at(100, 'pager')];
  const written = after(...before);
  const [finding] = [...written.findings.values()];
  if (finding === undefined) throw new Error('there is a finding');
  const { steps: _, ...early } = finding;

  test.each([
    ['where it was', finding, before, 1, 1],
    ['elsewhere, after an edit', finding, before.slice(1), 1, 0],
    ['nowhere, where it is gone', finding, before.slice(1), 0, null],
    ['where it was, if that is not known', early, before.slice(1), 1, 1],
    ['nowhere, if there are not so many', early, before.slice(1), 2, null],
    ['where it was, of a finding that is forgotten', undefined, before, 2, 2],
  ] as const)('%s', (_what, about, steps, step, place) => {
    expect(placeNow(about, of(...steps), step)).toBe(place);
  });
});
