/** How a key comes to be deleted, and all that keeps it from it. */
import { describe, expect, test } from 'vitest';
import type { Key } from '../../src/core/key.ts';
import type { Story } from './story.ts';
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

const lifetime = 'spend: { cost: 20, per: lifetime }';
const deletingStep = '{ at: 100%, alert: owner, delete: { notice: 24h } }';
const deleting = policy(lifetime, deletingStep);
const over = { usage: { 'User 1': 21 } };

/** With a notice that was accepted in the pass that announced it. */
function noticed(policies: Parameters<typeof story>[0] = deleting, more: Partial<Key> = {}): Story {
  const one = story(policies, key('User 1', more));
  expect(said(one.run(over))).toEqual(['notice 1 → owner']);
  return one;
}

describe('a deletion', () => {
  test('is announced, accepted, waits out its notice, and is due', () => {
    const one = story(deleting, key('User 1'));
    const first = one.pass(over);
    expect([said(first), done(first), held(first)]).toEqual([['notice 1 → owner'], [], []]);
    expect(first.alerts[0]?.next[0]).toEqual({ kind: 'delete', noticeMs: day, dueAt: monday + day });
    expect(held(one.pass())).toEqual(['delete: notice']);
    one.accept(first);
    const waiting = one.pass({ after: day - minute });
    expect([done(waiting), waiting.held[0]?.detail]).toEqual([[], 'its notice runs until 2026-11-24 10:01Z']);
    expect(done(one.pass())).toEqual(['delete User 1']);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('is told once it is done, and closes the finding', () => {
    const one = noticed();
    const due = one.pass({ after: day });
    expect(said(one.carryOut(due))).toEqual(['deleted → owner']);
    expect([...one.findings.values()]).toMatchObject([
      { closedBecause: 'the key was deleted', deletions: [] },
    ]);
    expect(said(one.pass())).toEqual([]);
  });

  test('without a notice needs an accepted one and a later pass all the same', () => {
    const one = story(deleting.replace('24h', '0s'), key('User 1'));
    const first = one.pass(over);
    expect(done(first)).toEqual([]);
    expect(held(one.pass())).toEqual(['delete: notice']);
    one.accept(first);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('whose notice nobody accepts is announced anew after a day, and never done', () => {
    const one = story(deleting, key('User 1'));
    one.pass(over);
    expect(said(one.pass({ after: day - minute }))).toEqual([]);
    expect(said(one.pass())).toEqual(['notice 1 → owner']);
    expect(said(one.pass())).toEqual([]);
    expect(held(one.pass({ after: hour }))).toEqual(['delete: notice']);
  });

  test('is not announced anew while alerts are silenced', () => {
    const one = story(deleting, key('User 1'));
    one.pass(over);
    const until = new Date(monday + 3 * day).toISOString();
    one.policy = file(
      deleting,
      `protect: []\nsilences:\n  - { select: all, until: ${until}, suppress: [alerts] }`,
    );
    expect(held(one.pass({ after: day }))).toEqual(['delete: silenced']);
    expect(said(one.pass({ after: 2 * day }))).toEqual(['notice 1 → owner']);
  });

  test.each([
    ['24h', '1h', day],
    ['24h', '48h', 2 * day],
    ['24h', '0s', day],
  ])('announced with %s and then edited to %s waits for the longer', (before, after, wait) => {
    const one = noticed(deleting.replace('24h', before));
    one.policy = file(deleting.replace('24h', after));
    expect(done(one.pass({ after: wait - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('is decided the same after a restart', () => {
    const one = noticed();
    one.restart();
    expect(said(one.pass({ after: day - minute }))).toEqual([]);
    one.restart();
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('failing is tried again, and told once a day', () => {
    const one = noticed();
    expect(said(one.carryOut(one.pass({ after: day }), 'failed'))).toEqual(['failed → owner']);
    expect(said(one.carryOut(one.pass({ after: hour }), 'failed'))).toEqual([]);
    expect(said(one.carryOut(one.pass({ after: 23 * hour }), 'failed'))).toEqual(['failed → owner']);
    expect(said(one.carryOut(one.pass({ after: hour })))).toEqual(['deleted → owner']);
  });

  test('falls on the key it was decided for: a fingerprint made anew is another key', () => {
    const one = noticed();
    one.account.set('User 1', key('User 1', { createdAt: monday + hour }));
    const decision = one.pass({ after: day });
    expect(done(decision)).toEqual([]);
    expect(said(decision).toSorted()).toEqual(['notice 1 → owner', 'resolved → owner']);
  });
});

describe('a notice is cancelled, said, and starts anew', () => {
  const silence = (until: number) =>
    `protect: []\nsilences:\n  - { select: { name: "User *" }, until: ${new Date(until).toISOString()}, suppress: [actions] }`;

  test.each([
    ['protected', file(deleting, 'protect: [{ name: "User *" }]'), 'protected'],
    ['silenced', file(deleting, silence(monday + 9 * day)), 'silenced'],
    ['only to be told of', file(deleting, 'mode: alert\nprotect: []'), 'mode'],
  ])('when its key is %s', (_what, edited, because) => {
    const one = noticed();
    one.policy = edited;
    const decision = one.pass({ after: hour });
    expect([said(decision), held(decision)]).toEqual([['cancelled → owner'], [`delete: ${because}`]]);
    expect(said(one.pass())).toEqual([]);
    one.policy = file(deleting);
    expect(said(one.run())).toEqual(['notice 1 → owner']);
    expect(done(one.pass({ after: day - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('when the level falls below its step, though not out of the finding', () => {
    const rolling = policy(
      'spend: { cost: 20, per: 24h }',
      '{ at: 50%, alert: owner }',
      '{ at: 100%, alert: owner, delete: { notice: 24h } }',
    );
    const one = story(rolling, key('User 1', { createdAt: monday - 9 * day }));
    const at = (amount: number) =>
      one.run({ usage: { 'User 1': 99 }, windows: { 'User 1': { '24h': amount } } });
    expect(said(at(20))).toEqual(['notice 2 → owner']);
    const below = at(19);
    expect([said(below), held(below)]).toEqual([['cancelled → owner'], []]);
    expect(below.alerts[0]?.event).toMatchObject({
      because: 'the step that asked for it is no longer reached',
    });
    expect(said(at(20))).toEqual(['notice 2 → owner']);
  });
});

describe('a notice says what is about to happen, or another is given:', () => {
  const step = (at: string, notice = '24h') => `{ at: ${at}, alert: owner, delete: { notice: ${notice} } }`;
  const edited = (rule: string, ...steps: string[]) => file(policy(rule, ...steps), generous);

  test.each([
    [
      'another rule under its name',
      edited('expiry: { max_age: 1h }', '{ alert: owner, delete: { notice: 24h } }'),
    ],
    ['a limit that is raised', edited('spend: { cost: 21, per: lifetime }', deletingStep)],
    ['another measure', edited('spend: { tokens: 20, per: lifetime }', deletingStep)],
    ['an earlier step', edited(lifetime, step('90%'))],
  ])('%s', (_what, policies) => {
    const one = noticed(edited(lifetime, deletingStep), { createdAt: monday - day });
    one.policy = policies;
    const first = one.run({ after: 2 * day });
    expect([said(first), done(first)]).toEqual([['notice 1 → owner'], []]);
    expect(done(one.pass({ after: day - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('a spend rule in the place of a deadline', () => {
    const expiry = edited('expiry: { max_age: 1h }', '{ alert: owner, delete: { notice: 24h } }');
    const one = story(expiry, key('User 1', { createdAt: monday - day }));
    expect(said(one.run(over))).toEqual(['notice 1 → owner']);
    one.policy = edited(lifetime, deletingStep);
    const first = one.pass({ after: 2 * day });
    expect([said(first), done(first)]).toEqual([['notice 1 → owner'], []]);
  });

  test.each([
    [
      'another description, and another key covered',
      `description: new\n  select: { name: "*" }\n  ${lifetime}`,
      [deletingStep],
    ],
    ['a step before it', lifetime, ['{ at: 50%, alert: ops }', deletingStep]],
    ['a graver step, reached too', lifetime, [deletingStep, step('101%')]],
    ['other channels', lifetime, ['{ at: 100%, alert: [owner, ops], delete: { notice: 24h } }']],
  ])('but not for %s', (_what, rule, steps) => {
    const one = noticed(edited(lifetime, deletingStep));
    one.policy = edited(rule, ...steps);
    expect(said(one.run({ after: hour })).filter((line) => line.startsWith('notice'))).toEqual([]);
    expect(done(one.pass({ after: 23 * hour }))).toEqual(['delete User 1']);
  });

  test('which is no shorter than the one before', () => {
    const one = noticed(edited(lifetime, deletingStep));
    one.policy = edited('spend: { cost: 19, per: lifetime }', step('100%', '1h'));
    expect(said(one.run({ after: hour }))).toEqual(['notice 1 → owner']);
    expect(done(one.pass({ after: day - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  describe('one of before this was written down', () => {
    function early(): Story {
      const one = noticed(edited(lifetime, deletingStep));
      for (const [id, finding] of one.findings)
        one.findings.set(id, {
          ...finding,
          deletions: finding.deletions.map(({ grounds: _, namedAt: _at, ...before }) => before),
        });
      return one;
    }

    test('goes on, and is bound from then on', () => {
      const one = early();
      expect(held(one.run({ after: hour }))).toEqual(['delete: notice']);
      one.policy = edited('spend: { cost: 19, per: lifetime }', deletingStep);
      expect(said(one.run({ after: day }))).toEqual(['notice 1 → owner']);
    });

    test('is due when it has run, though its level could not be told for a while', () => {
      const one = early();
      expect(held(one.run({ after: hour, usage: { 'User 1': [0, null] } }))).toEqual(['delete: unknown']);
      const back = one.run({ after: hour, ...over });
      expect([said(back), held(back)]).toEqual([[], ['delete: notice']]);
      expect(done(one.pass({ after: 22 * hour }))).toEqual(['delete User 1']);
    });

    test('is stopped by a person’s rename', () => {
      const one = early();
      one.rename('User 1', 'Mine');
      expect(held(one.run({ after: hour }))).toEqual(['delete: vetoed']);
    });
  });

  test('but not where a graver step was reached besides for a while, and is no more', () => {
    const rolling = policy('spend: { cost: 20, per: 24h }', step('100%'), step('150%'));
    const one = story(file(rolling, generous), key('User 1', { createdAt: monday - 9 * day }));
    const at = (amount: number, after = minute) =>
      one.run({ after, usage: { 'User 1': 99 }, windows: { 'User 1': { '24h': amount } } });
    expect(said(at(20))).toEqual(['notice 1 → owner']);
    expect([30, 20].flatMap((amount) => said(at(amount)))).toEqual(['step 2 → owner']);
    expect(done(at(20, day))).toEqual(['delete User 1']);
  });
});

describe('a dry run voids the notices that were given before it,', () => {
  const dry = `${generous}\nmode: dry-run`;

  test.each([
    ['of the file', file(deleting, dry)],
    ['of the policy', file(deleting.replace('select:', 'mode: dry-run\n  select:'), generous)],
    ['whose level is back below its step for a while', file(deleting.replace('20', '100'), dry)],
  ])('%s', (_what, policies) => {
    const one = noticed(file(deleting, generous));
    one.policy = policies;
    one.run({ after: hour });
    one.policy = file(deleting, generous);
    const first = one.run({ after: 7 * day });
    expect([said(first), done(first)]).toEqual([['notice 1 → owner'], []]);
    expect(done(one.pass({ after: day }))).toEqual(['delete User 1']);
  });

  test('but not a person’s veto', () => {
    const one = noticed(file(deleting, generous));
    one.rename('User 1', 'Mine');
    one.run();
    one.policy = file(deleting, dry);
    one.run();
    one.policy = file(deleting, generous);
    expect(held(one.run({ after: 7 * day }))).toEqual(['delete: vetoed']);
  });
});

test('a rename by a person that only a dry run sees is a veto all the same, though the name was given back in it', () => {
  const one = noticed(file(deleting, generous));
  one.policy = file(deleting, `${generous}\nmode: dry-run`);
  one.rename('User 1', 'Mine');
  expect(said(one.run())).toEqual([]);
  one.rename('User 1', 'User 1');
  one.run();
  one.policy = file(deleting, generous);
  expect(held(one.run())).toEqual(['delete: vetoed']);
  expect(done(one.run({ after: 7 * day }))).toEqual([]);
});

describe('a deletion is held, and its notice goes on,', () => {
  test('while nothing may be changed at all', () => {
    const one = noticed();
    expect(held(one.pass({ after: hour, hold: 'the clock went back' }))).toEqual(['delete: unknown']);
    expect(done(one.pass({ after: 23 * hour }))).toEqual(['delete User 1']);
  });

  test('while its level cannot be told', () => {
    const one = noticed();
    const decision = one.pass({ after: 2 * day, usage: { 'User 1': [0, null] } });
    expect([said(decision), held(decision)]).toEqual([[], ['delete: unknown']]);
    expect(done(one.pass(over))).toEqual(['delete User 1']);
  });

  test('and is shown with the step that it was announced for', () => {
    const one = story(policy(lifetime, '{ at: 50%, alert: ops }', deletingStep), key('User 1'));
    one.run(over);
    const decision = one.pass({ after: 2 * day, usage: { 'User 1': [0, null] } });
    expect(decision.held).toMatchObject([{ kind: 'delete', because: 'unknown', step: 1 }]);
  });
});

describe('a key renamed by a person while its notice runs', () => {
  test('is not deleted in that finding, and that is said once', () => {
    const one = noticed();
    one.rename('User 1', 'User 1 please keep');
    const decision = one.pass({ after: hour });
    expect([said(decision), held(decision)]).toEqual([['vetoed → owner'], ['delete: vetoed']]);
    const later = one.pass({ after: 9 * day });
    expect([said(later), done(later), held(later)]).toEqual([[], [], ['delete: vetoed']]);
    one.rename('User 1', 'User 1');
    expect(held(one.pass())).toEqual(['delete: vetoed']);
  });

  test('stays spared when its level dips below the step and comes back', () => {
    const rolling = policy(
      'spend: { cost: 20, per: 24h }',
      '{ at: 50%, alert: owner }',
      '{ at: 100%, alert: owner, delete: { notice: 1h } }',
    );
    const one = story(rolling, key('User 1', { createdAt: monday - 9 * day }));
    const at = (amount: number) =>
      one.run({ usage: { 'User 1': 99 }, windows: { 'User 1': { '24h': amount } } });
    at(20);
    one.rename('User 1', 'Spare me');
    expect(said(at(20))).toEqual(['vetoed → owner']);
    const below = at(15);
    expect([said(below), held(below), below.held[0]?.step]).toEqual([[], ['delete: vetoed'], 1]);
    const decision = at(25);
    expect([said(decision), held(decision)]).toEqual([[], ['delete: vetoed']]);
  });

  test.each([
    [hour - minute, ['delete: vetoed'], []],
    [hour, [], ['resolved → owner']],
  ])('stays spared when lists lack it, though not for an hour (%i ms)', (missed, holds, over) => {
    const one = noticed();
    one.rename('User 1', 'Spare me');
    one.run();
    const spared = one.account.get('User 1') ?? key('User 1');
    one.remove('User 1');
    expect(said(one.run())).toEqual([]);
    expect(said(one.run({ after: missed }))).toEqual(over);
    one.account.set('User 1', spared);
    const back = one.run();
    expect([said(back), held(back)]).toEqual(over.length > 0 ? [['notice 1 → owner'], []] : [[], holds]);
  });

  test('may be deleted in the next finding', () => {
    const one = story(deleting.replace('lifetime', 'month'), key('User 1'));
    one.run(over);
    one.rename('User 1', 'Spare me');
    one.run();
    expect(said(one.run({ after: 8 * day }))).toEqual(['resolved → owner']);
    expect(said(one.run({ usage: { 'User 1': 50 } }))).toEqual(['notice 1 → owner']);
  });

  test('is told from one that Keywarden renamed', () => {
    const both = policy(
      lifetime,
      '{ at: 50%, alert: owner, rename: "OVER {{ name }}" }',
      '{ at: 100%, alert: owner, delete: { notice: 24h } }',
    );
    const one = story(file(both, generous), key('User 1'));
    const first = one.run(over);
    expect([said(first), done(first)]).toEqual([['notice 2 → owner'], ['rename User 1 → OVER User 1']]);
    const later = one.pass({ after: day });
    expect([said(later), done(later)]).toEqual([[], ['delete OVER User 1']]);
  });

  test('is told from one that another policy renamed, and one whose rename was undone', () => {
    const other = policyOf(
      'q',
      'spend: { tokens: 20, per: hour }',
      '{ at: 100%, alert: ops, rename: "BUSY {{ name }}" }',
    );
    const one = story(file(`${deleting}\n${other}`, generous), key('User 1'));
    expect(done(one.run({ usage: { 'User 1': 0 } }))).toEqual([]);
    expect(done(one.run({ after: hour, ...over }))).toEqual(['rename User 1 → BUSY User 1']);
    expect(done(one.run({ after: hour }))).toEqual(['restore BUSY User 1 → User 1']);
    expect(done(one.pass({ after: day }))).toEqual(['delete User 1']);
  });
});

describe('protection', () => {
  test.each([
    ['a key protected by its name', 'protect: [{ name: "User*" }]', {}],
    [
      'a key protected by what cannot be judged',
      'protect: [{ metadata: { team: ml } }]',
      { metadata: { team: ['ml'] } },
    ],
  ])('%s is told of, and never deleted', (_what, top, more) => {
    const one = story(file(deleting, top), key('User 1', more));
    const first = one.run(over);
    expect([said(first), held(first)]).toEqual([['step 1 → owner'], ['delete: protected']]);
    const later = one.run({ after: 9 * day });
    expect([said(later), done(later), held(later)]).toEqual([[], [], ['delete: protected']]);
  });

  const both = policy(
    lifetime,
    '{ at: 50%, alert: owner, rename: "OVER {{ name }}" }',
    '{ at: 100%, alert: owner, delete: { notice: 24h } }',
  );

  test('of a name that Keywarden wrote over still holds', () => {
    const one = story(file(both, generous), key('User 1'));
    one.run(over);
    one.policy = file(both, 'protect: [{ name: "User 1" }]');
    expect(held(one.pass({ after: day }))).toEqual(['delete: protected']);
    one.policy = file(both, 'protect: [{ name: "OVER *" }]');
    expect(held(one.pass({ after: day }))).toEqual(['delete: protected']);
  });

  test.each(['User 1', 'OVER User 1'])('as does a silence on actions, by %s', (name) => {
    const one = story(file(both, generous), key('User 1'));
    one.run(over);
    const until = `until: 2026-12-23T00:00:00Z`;
    const silence = `silences: [{ select: { name: "${name}" }, ${until}, suppress: [actions] }]`;
    one.policy = file(both, `${generous}\n${silence}`);
    expect(held(one.pass({ after: day }))).toEqual(['delete: silenced']);
  });

  test('a silence on alerts keeps back what is told of a key by its original name only', () => {
    const one = story(file(both, generous), key('User 1'));
    one.run({ usage: { 'User 1': 15 } });
    const silence =
      'silences: [{ select: { name: "OVER *" }, until: 2026-12-23T00:00:00Z, suppress: [alerts] }]';
    one.policy = file(both, `${generous}\n${silence}`);
    expect(said(one.pass(over))).toEqual(['notice 2 → owner']);
  });
});

describe('of a group', () => {
  const group = (pick: string) =>
    policy(
      'spend: { cost: 20, per: lifetime, across: selected }',
      `{ at: 100%, alert: owner, pick: ${pick}, delete: { notice: 24h } }`,
    );

  test('the highest goes, and no other after it', () => {
    const one = story(group('highest'), key('A'), key('B'), key('C'));
    const told = one.run({ usage: { A: 5, B: 9, C: 7 } });
    expect(said(told)).toEqual(['notice 1 → owner']);
    expect(told.alerts).toMatchObject([{ subject: { name: 'B' }, group: 'selected' }]);
    // Another has become larger since: the notice was for this one.
    const due = one.run({ after: day, usage: { C: 30 } });
    expect(done(due)).toEqual(['delete B']);
    const later = one.run();
    expect([said(later), done(later), held(later)]).toEqual([[], [], []]);
  });

  test('the highest is the one of its period, whatever others used before', () => {
    const weekly = group('highest').replace('per: lifetime', 'per: week');
    const old = { createdAt: monday - 90 * day };
    const one = story(weekly, key('Old', old), key('New', old));
    one.run({ usage: { Old: 500, New: 1 } });
    // A new week begins with what is known of the old one's end.
    one.run({ after: 7 * day });
    const told = one.run({ after: hour, usage: { Old: 503, New: 21 } });
    expect(told.alerts).toMatchObject([{ event: { kind: 'notice' }, subject: { name: 'New' } }]);
    expect(done(one.run({ after: day }))).toEqual(['delete New']);
  });

  test('none that has used nothing of it goes for what one used that is gone', () => {
    const one = story(file(group('highest'), generous), key('A'), key('B'));
    one.run({ usage: { A: 0, B: 19 } });
    one.remove('B');
    one.policy = file(group('highest').replace('cost: 20', 'cost: 15'), generous);
    const decision = one.run();
    expect([said(decision), done(decision), held(decision)]).toEqual([
      ['step 1 → owner'],
      [],
      ['delete: unconfirmed'],
    ]);
    expect(decision.held[0]?.detail).toBe('none of its keys has surely used anything of it');
    expect(done(one.run({ after: 2 * day }))).toEqual([]);
  });

  test('no other goes where a person deleted the highest first; back in the list, it is that one again', () => {
    const one = story(file(group('highest'), generous), key('A'), key('B'));
    expect(one.run({ usage: { A: 5, B: 19 } }).alerts).toMatchObject([{ subject: { name: 'B' } }]);
    const b = one.account.get('B');
    one.remove('B');
    for (const after of [minute, hour, 2 * day])
      expect(one.run({ after })).toMatchObject({ alerts: [], changes: [], held: [] });
    one.restart();
    if (b) one.account.set('B', b);
    expect(one.run().alerts).toMatchObject([{ event: { kind: 'notice' }, subject: { name: 'B' } }]);
    expect(done(one.run({ after: day }))).toEqual(['delete B']);
  });

  test('it stays the highest though a list lacks it for a while, and none is told of another', () => {
    const one = story(group('highest'), key('A'), key('B'), key('C'));
    one.run({ usage: { A: 5, B: 9, C: 7 } });
    const b = one.account.get('B') ?? key('B');
    one.remove('B');
    expect(said(one.run())).toEqual([]);
    expect(said(one.run({ after: 50 * minute }))).toEqual([]);
    one.account.set('B', b);
    expect(held(one.run())).toEqual(['delete: notice']);
    expect(done(one.run({ after: day }))).toEqual(['delete B']);
  });

  test('none is announced while another may have used more; what was announced goes on', () => {
    const one = story(group('highest'), key('A'), key('B'));
    const unclear = one.run({ usage: { A: 21, B: [0, null] } });
    expect([said(unclear), held(unclear)]).toEqual([['step 1 → owner'], ['delete: unconfirmed']]);
    expect(unclear.questions).toMatchObject([{ kind: 'key', id: id('B'), window: null }]);
    const told = one.run({ usage: { B: 30 } });
    expect(told.alerts).toMatchObject([{ event: { kind: 'notice' }, subject: { name: 'B' } }]);
    expect(done(one.run({ after: day, usage: { A: [21, null] } }))).toEqual(['delete B']);
  });

  test('the highest goes once the file asks for that one alone, though notices ran for all', () => {
    const one = story(file(group('all'), generous), key('A', { createdAt: monday - hour }), key('B'));
    expect(said(one.run({ usage: { A: 5, B: 19 } }))).toEqual(['notice 1 → owner', 'notice 1 → owner']);
    one.policy = file(group('highest'), generous);
    const told = one.run();
    expect(said(told)).toEqual(['cancelled → owner', 'notice 1 → owner']);
    expect(told.alerts.map(({ subject }) => subject)).toMatchObject([{ name: 'A' }, { name: 'B' }]);
    expect(done(one.run({ after: day }))).toEqual(['delete B']);
    expect(done(one.run())).toEqual([]);
  });

  test('none is announced anew while it is not known which of all of them is the highest', () => {
    const one = story(file(group('all'), generous), key('A', { createdAt: monday - hour }), key('B'));
    one.run({ usage: { A: 5, B: 19 } });
    one.policy = file(group('highest'), generous);
    const unclear = one.run({ usage: { A: [5, null] } });
    expect([said(unclear), held(unclear)]).toEqual([['cancelled → owner'], ['delete: unconfirmed']]);
    const told = one.run({ usage: { A: 40 } });
    expect(said(told)).toEqual(['cancelled → owner', 'notice 1 → owner']);
    expect(told.alerts.map(({ subject }) => subject)).toMatchObject([{ name: 'B' }, { name: 'A' }]);
    expect(done(one.run({ after: day }))).toEqual(['delete A']);
  });

  test('all go', () => {
    const one = story(file(group('all'), generous), key('A'), key('B'));
    expect(said(one.run({ usage: { A: 5, B: 19 } }))).toEqual(['notice 1 → owner', 'notice 1 → owner']);
    expect(done(one.run({ after: day }))).toEqual(['delete A', 'delete B']);
  });

  test('a key that leaves it is spared, and that is said', () => {
    const team = group('all').replace('select: all', 'select: { metadata: { team: ml } }');
    const one = story(
      file(team, generous),
      key('A', { metadata: { team: 'ml' } }),
      key('B', { metadata: { team: 'ml' } }),
    );
    one.run({ usage: { A: 5, B: 30 } });
    one.account.set('A', key('A', { metadata: { team: 'web' } }));
    const decision = one.pass();
    expect(said(decision)).toEqual(['cancelled → owner']);
    expect(decision.alerts[0]?.event).toEqual({
      kind: 'cancelled',
      because: 'the policy no longer covers the key',
    });
    expect(done(one.run({ after: day }))).toEqual(['delete B']);
  });
});

describe('of a group whose keys come and go', () => {
  const group = policy(
    'spend: { cost: 20, per: lifetime, across: selected }',
    '{ at: 100%, alert: owner, pick: all, delete: { notice: 24h } }',
  );

  /** Notices run for both; B alone is over the limit. */
  function both(): Story {
    const one = story(file(group, generous), key('A'), key('B'));
    expect(said(one.run({ usage: { A: 5, B: 25 } }))).toEqual(['notice 1 → owner', 'notice 1 → owner']);
    return one;
  }

  test('one that is gone is spoken of no more', () => {
    const one = both();
    one.remove('A');
    const decision = one.run();
    expect([said(decision), decision.findings[0]?.deletions.length]).toEqual([[], 1]);
    expect(done(one.run({ after: day }))).toEqual(['delete B']);
  });

  test('one that a list lacks which proves nothing is deleted when it is seen again', () => {
    const one = both();
    const a = one.account.get('A') ?? key('A');
    one.account.delete('A');
    expect(said(one.pass({ listTrusted: false, hold: 'the list shrank' }))).toEqual([]);
    one.account.set('A', a);
    expect(done(one.pass({ after: day }))).toEqual(['delete A', 'delete B']);
  });

  test('each waits for the acceptance of its own notice', () => {
    const one = story(file(group, generous), key('A'), key('B'));
    const first = one.pass({ usage: { A: 5, B: 25 } });
    one.accept({ ...first, alerts: first.alerts.slice(1) });
    const later = one.pass({ after: day - minute });
    expect(held(later)).toEqual(['delete: notice', 'delete: notice']);
    const due = one.pass();
    expect([done(due), said(due)]).toEqual([['delete B'], ['notice 1 → owner']]);
  });

  describe('one that a person renamed is not deleted in that finding, though', () => {
    const users = group.replace('select: all', 'select: { name: "User *" }');

    /** Renamed to `name`, and a pass later under its first name again. */
    function renamed(name: string, meanwhile: (one: Story) => void): Story {
      const one = story(file(users, generous), key('User 1'), key('User 2'));
      one.run({ usage: { 'User 1': 5, 'User 2': 25 } });
      one.rename('User 1', name);
      expect(said(one.run())).toEqual(['vetoed → owner']);
      meanwhile(one);
      one.rename('User 1', 'User 1');
      return one;
    }

    test.each<[how: string, name: string, meanwhile: (one: Story) => void]>([
      ['the new name took it out of the group', 'Mine', () => undefined],
      [
        'a list lacked it since',
        'User 1 please keep',
        (one) => {
          const [first, ...others] = [...one.account];
          one.account.delete('User 1');
          one.run();
          one.account.clear();
          for (const [name, of] of [...(first ? [first] : []), ...others]) one.account.set(name, of);
        },
      ],
    ])('%s', (_how, name, meanwhile) => {
      const one = renamed(name, meanwhile);
      const back = one.run();
      expect([said(back), held(back).toSorted()]).toEqual([[], ['delete: notice', 'delete: vetoed']]);
      expect(done(one.run({ after: day }))).toEqual(['delete User 2']);
    });

    test('it may be in the next one, as another key may that its fingerprint is given to', () => {
      const one = renamed('Mine', () => undefined);
      one.account.set('User 1', key('User 1', { createdAt: monday + 1 }));
      expect(said(one.run())).toEqual(['notice 1 → owner']);
    });
  });

  test('another policy’s rename of one stops none of them', () => {
    const renaming = policyOf(
      'q',
      'spend: { cost: 20, per: lifetime }',
      '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }',
    );
    const one = both();
    one.policy = file(`${group}\n${renaming}`, generous);
    expect(done(one.run())).toEqual(['rename B → OVER B']);
    const due = one.run({ after: day });
    expect([said(due), done(due)]).toEqual([[], ['delete A', 'delete OVER B']]);
  });
});

test('a rename that comes together with an edit that takes the step away is a veto all the same', () => {
  const one = noticed();
  one.rename('User 1', 'User 1 please keep');
  one.policy = file(policy(lifetime.replace('20', '30'), '{ at: 50%, alert: owner }', deletingStep));
  expect(said(one.pass({ after: hour }))).toContain('vetoed → owner');
  one.policy = file(policy(lifetime, '{ at: 50%, alert: owner }', deletingStep));
  expect([done(one.pass({ after: 2 * day })), held(one.pass())]).toEqual([[], ['delete: vetoed']]);
});

describe('the acceptance of a notice', () => {
  const both = policy(
    lifetime,
    '{ at: 80%, alert: ops }',
    '{ at: 100%, alert: owner, delete: { notice: 24h } }',
  );

  test('counts only from a channel of its own step', () => {
    const one = story(both, key('User 1'));
    const first = one.pass(over);
    expect(said(first)).toEqual(['notice 2 → ops, owner']);
    one.accept(first, ['ops']);
    const later = one.pass({ after: day - minute });
    expect([done(later), held(later)]).toEqual([[], ['delete: notice']]);
    one.accept(first, ['owner']);
    expect(done(one.pass({ after: day - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('counts no more once its step no longer names the channel, and the notice is given anew', () => {
    const one = noticed(policy(lifetime, '{ at: 100%, alert: owner, delete: { notice: 48h } }'));
    one.policy = file(policy(lifetime, '{ at: 100%, alert: pager, delete: { notice: 48h } }'));
    const anew = one.run({ after: day });
    expect([said(anew), done(anew)]).toEqual([['notice 1 → pager'], []]);
    expect(done(one.pass({ after: 2 * day - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('counts from the first of its channels', () => {
    const one = story(deleting.replace('owner', '[owner, ops]'), key('User 1'));
    const first = one.pass(over);
    one.accept(first, ['ops']);
    one.pass({ after: hour });
    one.accept(first, ['owner']);
    expect(done(one.pass({ after: 23 * hour - 1 }))).toEqual([]);
    expect(done(one.pass({ after: 1 }))).toEqual(['delete User 1']);
  });

  test('counts from its own step’s channels though a graver one is reached by then', () => {
    const graver = '{ at: 150%, alert: pager, delete: { notice: 24h } }';
    const one = story(policy(lifetime, deletingStep, graver), key('User 1'));
    const first = one.pass(over);
    expect(said(one.pass({ usage: { 'User 1': 30 } }))).toEqual(['step 2 → pager']);
    one.accept(first, ['owner']);
    expect(done(one.pass({ after: day - minute }))).toEqual([]);
    expect(done(one.pass())).toEqual(['delete User 1']);
  });

  test('counts not from the channel of a forecast of the same threshold', () => {
    const monthly = 'spend: { cost: 20, per: month }';
    const one = story(
      policy(monthly, '{ at: 100%, basis: forecast, alert: ops }', deletingStep),
      key('User 1'),
    );
    const first = one.pass(over);
    expect(said(first)).toEqual(['notice 2 → owner']);
    one.accept(first, ['ops']);
    expect(held(one.pass({ after: day - minute }))).toEqual(['delete: notice']);
    expect(done(one.pass())).toEqual([]);
  });
});
