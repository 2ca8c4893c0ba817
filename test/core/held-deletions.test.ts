/** Whoever was told when a deletion would happen hears that a limit holds it. */
import { describe, expect, test } from 'vitest';
import type { Story } from './story.ts';
import { day, done, file, held, hour, key, minute, monday, policy, policyOf, said, story } from './story.ts';

const expired = policy('expiry: {}', '{ alert: [owner, ops], delete: { notice: 1h } }');
const lines = (limits: string, more = ''): string => `protect: []\nlimits: { delete: ${limits} }${more}`;
const told = 'held → owner, ops';

/** Two keys, and one of them deleted: the limit is one a day. */
function oneADay(): Story {
  const one = story(
    file(expired, lines('{ per_run: 5, per_day: 1, percent: 100 }')),
    key('A', { expiresAt: monday }),
    key('B', { expiresAt: monday + hour }),
  );
  one.run();
  expect(done(one.run({ after: hour }))).toEqual(['delete A']);
  return one;
}

describe('a deletion that a limit holds when its notice has run out', () => {
  test('is told once, with when it was announced for and when it may happen', () => {
    const one = oneADay();
    const deletedAt = one.now();
    const before = one.run({ after: minute });
    expect([said(before), held(before)]).toEqual([[], ['delete: notice']]);
    const decision = one.run({ after: hour });
    expect([said(decision), held(decision)]).toEqual([[told], ['delete: limit']]);
    expect(decision.alerts[0]).toMatchObject({
      subject: { kind: 'key', name: 'B' },
      event: {
        announcedFor: deletedAt + hour,
        because: '1 deletion is wanted; limits.delete.per_day: 1 (1 done in the last 24 hours) holds it',
        notBefore: deletedAt + day,
      },
    });
    expect(said(one.run())).toEqual([]);
    one.restart();
    expect(said(one.run({ after: hour }))).toEqual([]);
    const freed = one.pass({ after: deletedAt + day - one.now() });
    expect([said(freed), done(freed)]).toEqual([[], ['delete B']]);
    expect(said(one.carryOut(freed))).toEqual(['deleted → owner, ops']);
  });

  test('is told to be cancelled when it is', () => {
    const one = oneADay();
    expect(said(one.run({ after: hour }))).toEqual([told]);
    one.policy = file(expired, lines('{ per_day: 1 }').replace('[]', '[{ name: B }]'));
    expect(said(one.run())).toEqual(['cancelled → owner, ops']);
  });

  test('has no soonest time where even none of the last day would leave room', () => {
    const one = story(
      file(expired, lines('{ per_run: 1 }')),
      key('A', { expiresAt: monday }),
      key('B', { expiresAt: monday }),
    );
    one.run();
    const decision = one.run({ after: hour });
    expect(said(decision)).toEqual([told, told]);
    expect(decision.alerts.map(({ event }) => event)).toMatchObject([
      { notBefore: null },
      { notBefore: null },
    ]);
  });

  test('is told again when it was allowed in between', () => {
    const one = oneADay();
    expect(said(one.run({ after: hour }))).toEqual([told]);
    one.policy = file(expired, lines('{ per_run: 5, per_day: 9, percent: 100 }'));
    const allowed = one.pass();
    expect(done(allowed)).toEqual(['delete B']);
    // What was found on looking again kept it from being carried out.
    one.policy = file(expired, lines('{ per_run: 5, per_day: 1, percent: 100 }'));
    expect(said(one.run())).toEqual([told]);
    expect(said(one.run())).toEqual([]);
  });

  test('is told once though something else holds it in between', () => {
    const one = oneADay();
    expect(said(one.run({ after: hour }))).toEqual([told]);
    expect(held(one.run({ hold: 'the clock is off' }))).toEqual(['delete: unknown']);
    const decision = one.run();
    expect([said(decision), held(decision)]).toEqual([[], ['delete: limit']]);
  });

  test('is told when a silence is over, if it is held still', () => {
    const one = oneADay();
    const until = new Date(one.now() + 2 * hour).toISOString();
    const limits = '{ per_run: 5, per_day: 1, percent: 100 }';
    const silence = `\nsilences: [{ select: { name: B }, until: ${until}, suppress: [alerts], reason: a night }]`;
    one.policy = file(expired, lines(limits, silence));
    const silent = one.run({ after: hour });
    expect([said(silent), held(silent)]).toEqual([[], ['delete: limit']]);
    expect(said(one.run({ after: hour }))).toEqual([told]);
  });

  test('is told by every policy that announced it', () => {
    const both = [
      policyOf('p', 'expiry: {}', '{ alert: owner, delete: { notice: 1h } }'),
      policyOf('q', 'expiry: { max_age: 1s }', '{ alert: ops, delete: { notice: 1h } }'),
    ].join('\n');
    const one = story(file(both, lines('{ per_day: 0 }')), key('A', { expiresAt: monday }));
    one.run();
    expect(said(one.run({ after: hour }))).toEqual(['held → owner', 'held → ops']);
  });

  test('is told of the key of a group', () => {
    const group = policy(
      'spend: { cost: 20, per: month, across: selected }',
      '{ at: 100%, alert: owner, pick: highest, delete: { notice: 1h } }',
    );
    const one = story(file(group, lines('{ per_day: 0 }')), key('A'), key('B'));
    one.run({ usage: { A: 15, B: 6 } });
    const { alerts } = one.run({ after: hour });
    expect(alerts).toMatchObject([{ event: { kind: 'held' }, subject: { name: 'A' }, group: 'selected' }]);
  });
});
