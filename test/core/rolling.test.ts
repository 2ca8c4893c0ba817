/** A step of a rolling budget that was surely reached once, while its level is only known between two bounds. */
import { describe, expect, test } from 'vitest';
import type { Bounds } from '../../src/core/evidence.ts';
import type { Window } from '../../src/core/key.ts';
import type { Amount, Pass } from './story.ts';
import {
  day,
  done,
  file,
  generous,
  held,
  hour,
  id,
  key,
  minute,
  monday,
  policy,
  policyOf,
  said,
  story,
} from './story.ts';

const rule = 'spend: { cost: 20, per: 24h }';
const step = '{ at: 100%, alert: owner, rename: "OVER {{ name }}" }';
const renaming = policy(rule, step);
/** Older than the window, so that its lifetime is not its level. */
const user = key('User 1', { createdAt: monday - 100 * day });

function bounds([low, high]: readonly [number, number]): Bounds {
  const of = (amount: number) => ({ costMicroUsd: amount * 1e6, tokens: amount, requests: amount });
  return { low: of(low), high: of(high) };
}

/** What the last day's reading says; `between` two bounds, where one only is known so far. */
const read = (amount: number, lifetime: Amount = 100): Pass => ({
  usage: { 'User 1': lifetime },
  windows: { 'User 1': { '24h': amount } },
});
const between = (low: number, high: number): Pass => ({
  usage: { 'User 1': 100 },
  about: { 'User 1': { windows: new Map<Window, Bounds>([['24h', bounds([low, high])]]) } },
});
const unread: Pass = { usage: { 'User 1': 100 } };

/** Fired surely, and not yet renamed. */
function fired(text = renaming) {
  const one = story(file(text, generous), user);
  expect(said(one.pass(read(25)))).toEqual(['step 1 → owner']);
  return one;
}

describe('a step that fired', () => {
  test('stays reached while only bounds are known, and is not announced again', () => {
    const one = fired();
    for (const pass of [between(19, 30), unread, between(1, 20)]) {
      const decision = one.pass({ ...pass, after: hour });
      expect(said(decision)).toEqual([]);
      expect(decision.views).toMatchObject([{ state: 'open', step: 1 }]);
    }
    // Nor is it told to be uncertain, however long.
    expect(said(one.pass({ ...unread, after: 3 * day }))).toEqual([]);
  });

  test('changes nothing until it is sure again, and asks what would tell', () => {
    const one = fired();
    const decision = one.pass(between(19, 30));
    expect([done(decision), held(decision)]).toEqual([[], ['rename: unconfirmed']]);
    const unsure = one.pass(unread);
    expect([done(unsure), held(unsure)]).toEqual([[], ['rename: unconfirmed']]);
    expect(unsure.questions).toMatchObject([{ kind: 'aggregate', window: '24h', excess: Infinity }]);
    expect(done(one.pass(read(21)))).toEqual(['rename User 1 → OVER User 1']);
  });

  test('asks nothing pressing where it changes nothing', () => {
    const one = fired(policy(rule, '{ at: 100%, alert: owner }'));
    expect(one.pass(unread).questions).toEqual([]);
    expect(one.pass({ ...unread, after: day }).questions).toEqual([]);
  });

  test('lingers above 90 %, and is over below', () => {
    const one = fired();
    expect(said(one.pass(read(18)))).toEqual([]);
    expect([...one.findings.values()]).toMatchObject([{ closedAt: null }]);
    expect(done(one.pass(read(18)))).toEqual([]);
    // Up again: the same finding, not announced again.
    expect(said(one.pass(read(25)))).toEqual([]);
    expect(said(one.pass(read(17.9)))).toEqual(['resolved → owner']);
    expect([...one.findings.values()]).toMatchObject([{ closedBecause: expect.any(String) as string }]);
    expect(said(one.pass({ ...read(25), after: minute }))).toEqual(['step 1 → owner']);
  });

  test('is not over while its level may be above 90 %', () => {
    const one = fired();
    one.pass(between(3, 19));
    expect([...one.findings.values()]).toMatchObject([{ closedAt: null }]);
    one.pass(between(3, 17));
    expect([...one.findings.values()]).toMatchObject([{ closedAt: one.now() }]);
  });

  test('is forgotten with an edit of what is measured', () => {
    for (const edited of ['spend: { cost: 20, per: 7d }', 'spend: { requests: 20, per: 24h }']) {
      const one = fired();
      one.policy = file(policy(edited, step), generous);
      const decision = one.pass(unread);
      expect(decision.views).toMatchObject([{ state: 'uncertain', step: null }]);
      expect(held(decision)).toEqual([]);
    }
  });

  test('is remembered with an edit of the limit, and by a restart', () => {
    const one = fired();
    one.policy = file(policy('spend: { cost: 24, per: 24h }', step), generous);
    one.restart();
    expect(one.pass(unread).views).toMatchObject([{ state: 'open', step: 1 }]);
  });

  test('says nothing of a higher one that did not', () => {
    const one = fired(policy(rule, '{ at: 80%, alert: owner }', '{ at: 150%, alert: ops }'));
    const decision = one.pass(between(14, 40));
    expect(said(decision)).toEqual([]);
    expect(decision.views).toMatchObject([{ step: 1 }]);
    expect(one.pass(unread).questions).toMatchObject([{ kind: 'aggregate', window: '24h' }]);
    expect(said(one.pass(between(30, 40)))).toEqual(['step 2 → ops']);
  });
});

test('a step that never fired is uncertain between two bounds, and asked about', () => {
  const one = story(file(renaming, generous), user);
  const decision = one.pass(unread);
  expect(decision.views).toMatchObject([{ state: 'uncertain' }]);
  expect(decision.questions).toMatchObject([{ kind: 'aggregate', window: '24h' }]);
  expect(held(decision)).toEqual([]);
});

test('a notice of deletion that is running is kept while only bounds are known, and nothing is deleted', () => {
  const one = story(file(policy(rule, '{ at: 100%, alert: owner, delete: { notice: 2h } }'), generous), user);
  expect(said(one.run(read(25)))).toEqual(['notice 1 → owner']);
  const due = one.pass({ ...unread, after: 3 * hour });
  expect([said(due), done(due), held(due)]).toEqual([[], [], ['delete: unconfirmed']]);
  expect([...one.findings.values()][0]?.deletions).toMatchObject([{ keyId: id('User 1') }]);
  expect(done(one.pass(read(25)))).toEqual(['delete User 1']);
});

describe('a case is continued', () => {
  test('by its own policy’s judgement alone: another’s level near its step begins none', () => {
    const policies = [
      policyOf('p', rule, '{ at: 100%, alert: owner }'),
      policyOf('q', 'spend: { cost: 10, per: 24h }', '{ at: 100%, alert: ops }'),
    ];
    for (const order of [policies, policies.toReversed()]) {
      const one = story(file(order.join('\n'), generous), user);
      expect(said(one.pass(read(19)))).toEqual(['step 1 → ops']);
      expect(one.pass(read(19)).views).toMatchObject([{ policy: 'q' }]);
    }
  });

  test('of its own key alone, not of one made anew with the same fingerprint', () => {
    const one = fired(policy(rule, '{ at: 100%, alert: owner }'));
    one.account.set('User 1', key('User 1', { createdAt: monday - 50 * day }));
    const decision = one.pass(read(19));
    expect([said(decision), decision.views]).toEqual([['resolved → owner'], []]);
  });
});
