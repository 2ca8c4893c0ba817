/** What goes on record of a decision: every change and every held one, with the numbers it was judged by. */
import { expect, test } from 'vitest';
import type { Decision } from '../src/core/plan.ts';
import type { Deliberation } from '../src/deliberate.ts';
import { decisionEntries, heldKeys } from '../src/record.ts';
import { file, generous, id, key, minute, policy, story } from './core/story.ts';

function entriesOf(decision: Decision, before: ReadonlySet<string> = new Set()) {
  const sight = { registry: { events: [], records: new Map() } };
  const found = { decision, sight, attribution: { contradictions: [] } } as unknown as Deliberation;
  return decisionEntries(found, before);
}

const rules = policy(
  'spend: { cost: 20, per: lifetime }',
  '{ at: 80%, rename: "OVER {{ name }}" }',
  '{ at: 100%, alert: ops, delete: { notice: 24h } }',
);

test('a change is on record before it is done, with its numbers', () => {
  const one = story(file(rules, generous), key('User 1'));
  const [entry] = entriesOf(one.pass({ usage: { 'User 1': 17 } })).filter(
    ({ kind }) => kind === 'change-planned',
  );
  expect(entry?.facts).toMatchObject({
    ...{ change: 'rename', policy: 'p', step: 1, keyId: id('User 1') },
    ...{ from: 'User 1', to: 'OVER User 1' },
  });
  expect(entry?.facts.figures).toMatch(/\$17\.00.*\$20\.00/);
});

test('a held one is on record once, with its reason and its numbers', () => {
  const one = story(file(rules, generous), key('User 1'));
  one.run({ usage: { 'User 1': 21 } });
  const decision = one.pass();
  const held = entriesOf(decision).filter(({ kind }) => kind === 'held');
  expect(held.map(({ facts }) => facts)).toMatchObject([
    { change: 'delete', policy: 'p', step: 2, keyId: id('User 1'), because: 'notice' },
  ]);
  expect(held[0]?.facts.figures).toMatch(/\$21\.00.*\$20\.00/);
  const later = entriesOf(one.pass({ after: minute }), heldKeys(decision));
  expect(later.filter(({ kind }) => kind === 'held')).toEqual([]);
});

test('a notice, a veto and what ends a finding are on record', () => {
  const one = story(file(rules, generous), key('User 1'));
  const kinds = (decision: Decision): string[] => entriesOf(decision).map(({ kind }) => kind);
  expect(kinds(one.run({ usage: { 'User 1': 21 } }))).toContain('alert-notice');
  one.rename('User 1', 'Mine');
  expect(kinds(one.run())).toContain('alert-vetoed');
  one.policy = file(policy('expiry: {}', '{ alert: ops }'), generous);
  expect(kinds(one.run())).toContain('finding-closed');
});
