/** What one mistake may cost. */
import { describe, expect, test } from 'vitest';
import { allowance } from '../../src/core/limits.ts';
import type { Story } from './story.ts';
import { day, done, file, held, hour, id, key, minute, monday, policy, said, story } from './story.ts';

const names = Array.from({ length: 20 }, (_, index) => `User ${String(index + 10)}`);
const expired = policy('expiry: {}', '{ alert: owner, delete: { notice: 0s } }');

/** The first `count` keys of twenty have a deadline, one an hour from Monday on, and an accepted notice. */
function expiring(limits: string): Story {
  const keys = names.map((name, index) => key(name, { expiresAt: monday + index * hour }));
  return story(file(expired, `protect: []\nlimits: { delete: ${limits} }`), ...keys);
}

describe('deletions', () => {
  test('over `per_run` are all held, and people are told', () => {
    const one = expiring('{ per_run: 2, per_day: 100, percent: 100 }');
    one.run({ after: 2 * hour + minute });
    const decision = one.pass();
    expect([done(decision), held(decision)]).toEqual([
      [],
      ['delete: limit', 'delete: limit', 'delete: limit'],
    ]);
    expect(decision.held[0]?.detail).toBe(
      '3 deletions are wanted; limits.delete.per_run: 2 holds all of them',
    );
    expect(decision.troubles).toMatchObject([{ code: 'limit:delete' }]);
  });

  test('over `per_day` are held for as long as those of the last 24 hours count', () => {
    const one = expiring('{ per_run: 5, per_day: 2, percent: 100 }');
    const counts = Array.from({ length: 27 }, () => done(one.run({ after: hour })).length);
    // Each is deleted an hour after it was announced, two of them; from then on ever more are wanted.
    expect(counts.slice(0, 4)).toEqual([0, 1, 1, 0]);
    expect(one.changes.size).toBe(2);
  });

  test('one at a time pass through a sliding window', () => {
    const one = story(
      file(expired, 'protect: []\nlimits: { delete: { per_run: 5, per_day: 1, percent: 100 } }'),
      key('A', { expiresAt: monday }),
      key('B', { expiresAt: monday + hour }),
    );
    one.run();
    expect(done(one.run())).toEqual(['delete A']);
    const deletedAt = one.now();
    one.run({ after: hour });
    expect(held(one.pass({ after: deletedAt + day - one.now() - minute }))).toEqual(['delete: limit']);
    expect(done(one.pass())).toEqual(['delete B']);
  });

  test('survive a restart', () => {
    const one = expiring('{ per_run: 5, per_day: 1, percent: 100 }');
    one.run({ after: 0 });
    expect(done(one.run())).toHaveLength(0);
    expect(done(one.run())).toEqual(['delete User 10']);
    one.restart();
    one.run({ after: hour });
    expect(held(one.pass())).toEqual(['delete: limit']);
  });

  test('that failed do not count, those whose outcome is unknown do', () => {
    const one = story(
      file(expired, 'protect: []\nlimits: { delete: { per_run: 5, per_day: 1, percent: 100 } }'),
      key('A', { expiresAt: monday }),
    );
    one.run();
    one.carryOut(one.pass(), 'failed');
    expect(held(one.pass())).toEqual(['delete: unknown']);
    expect(done(one.pass({ after: hour }))).toEqual(['delete A']);
    const [failed] = [...one.changes.values()];
    if (failed === undefined) throw new Error('nothing was tried');
    one.changes.set(failed.id, { ...failed, outcome: null, settledAt: null });
    expect(held(one.pass())).toEqual(['delete: limit']);
  });

  test('are limited by what may be renamed no more than renames by what may be deleted', () => {
    const both = policy(
      'expiry: {}',
      '{ before: 1h, alert: owner, rename: "EXPIRED {{ name }}" }',
      '{ alert: owner, delete: { notice: 0s } }',
    );
    const one = story(
      file(both, 'protect: []\nlimits: { delete: { per_run: 0 }, rename: { per_run: 1 } }'),
      key('A', { expiresAt: monday }),
    );
    expect(done(one.run())).toEqual(['rename A → EXPIRED A']);
    expect(held(one.pass())).toEqual(['delete: limit']);
  });
});

describe('a limit that holds changes is told', () => {
  const renaming = policy(
    'spend: { cost: 20, per: hour }',
    '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }',
  );

  test.each([
    [
      'of one deletion',
      expired,
      '{ delete: { per_day: 0 } }',
      '1 deletion is wanted; limits.delete.per_day: 0 (0 done in the last 24 hours) holds it',
      { code: 'limit:delete', title: 'A limit holds 1 deletion' },
    ],
    [
      'of a share of the keys',
      expired,
      '{ delete: { percent: 0 } }',
      '1 deletion is wanted; limits.delete.percent: 0 (of 1 keys, 0 done in the last 24 hours) holds it',
      { code: 'limit:delete', title: 'A limit holds 1 deletion' },
    ],
    [
      'of one rename',
      renaming,
      '{ rename: { per_run: 0 } }',
      '1 rename is wanted; limits.rename.per_run: 0 holds it',
      { code: 'limit:rename', title: 'A limit holds 1 rename' },
    ],
  ])('%s', (_what, policies, limits, detail, trouble) => {
    const one = story(
      file(policies, `protect: []\nlimits: ${limits}`),
      key('A', { createdAt: monday, expiresAt: monday }),
    );
    one.run({ usage: { A: 20 } });
    const { held: holds, troubles } = one.pass();
    expect(holds.map((one) => one.detail)).toEqual([detail]);
    expect(troubles).toMatchObject([{ ...trouble, severity: 'critical' }]);
    expect(troubles[0]?.text).toContain(`${detail}. `);
  });

  test('of renames that are to be undone, which are renames', () => {
    const one = story(file(renaming, 'protect: []'), key('A', { createdAt: monday }));
    one.run({ usage: { A: 20 } });
    one.policy = file(renaming, 'protect: []\nlimits: { rename: { per_run: 0 } }');
    const decision = one.pass({ after: hour });
    expect([done(decision), held(decision)]).toEqual([[], ['restore: limit']]);
    expect(decision.troubles).toMatchObject([{ code: 'limit:rename' }]);
  });
});

describe('what counts of the last 24 hours', () => {
  const own = 'protect: []\nlimits: { delete: { per_run: 5, per_day: 1, percent: 100 } }';

  /** With one deletion, intended `ago` before the next pass, whose outcome was this; another is due. */
  function after(ago: number, outcome: 'done' | 'failed' | 'not-done' | 'overtaken' | null) {
    const one = story(
      file(expired, own),
      key('A', { expiresAt: monday }),
      key('B', { expiresAt: monday + hour }),
    );
    one.run();
    one.run();
    one.run({ after: hour });
    const [first] = [...one.changes.values()];
    if (first === undefined) throw new Error('nothing was deleted');
    const intentAt = one.now() + minute - ago;
    one.changes.set(first.id, { ...first, outcome, intentAt, settledAt: outcome === null ? null : intentAt });
    return held(one.pass());
  }

  test.each([
    ['one that was done', day - 1, 'done', ['delete: limit']],
    // Its request may have taken a minute.
    ['one that may have been', day + minute - 1, null, ['delete: limit']],
    ['none that was not', day - 1, 'not-done', []],
    ['none that a person overtook', day - 1, 'overtaken', []],
    ['none of before', day, 'done', []],
    ['none of before that may have been', day + minute, null, []],
  ] as const)('%s', (_what, ago, outcome, holds) => {
    expect(after(ago, outcome)).toEqual(holds);
  });
});

describe('of the renames of the last 24 hours counts', () => {
  const marking = policy('expiry: {}', '{ alert: owner, rename: "EXPIRED {{ name }}" }');
  const own = 'protect: []\nlimits: { rename: { per_run: 5, per_day: 1 } }';

  test.each([
    ['none that a list showed at once not to be done', { outcome: 'not-done' }, minute, []],
    [
      'one of which a later list showed that it is not, or no more',
      { outcome: 'not-done' },
      minute + 1,
      ['rename: limit'],
    ],
    ['one whose key has a third name', { outcome: 'overtaken' }, minute, ['rename: limit']],
    ['none that was not asked for', { outcome: 'not-done', noEffect: true }, hour, []],
    ['none that failed', { outcome: 'failed' }, hour, []],
  ] as const)('%s', (_what, how, afterMs, holds) => {
    const keys = [key('A', { expiresAt: monday }), key('B', { expiresAt: monday + 3 * hour })];
    const one = story(file(marking, own), ...keys);
    expect(done(one.run())).toEqual(['rename A → EXPIRED A']);
    const [first] = [...one.changes.values()];
    if (first === undefined) throw new Error('nothing was renamed');
    one.changes.set(first.id, { ...first, ...how, settledAt: first.intentAt + afterMs });
    const decision = one.pass({ after: 4 * hour });
    expect(held(decision)).toEqual(holds);
  });
});

describe('a change that the API refused', () => {
  const both = policy(
    'expiry: {}',
    '{ before: 1h, alert: owner, rename: "EXPIRED {{ name }}" }',
    '{ alert: owner, delete: { notice: 0s } }',
  );

  test('is held for an hour, and that is said', () => {
    const one = story(expired, key('A', { expiresAt: monday }));
    one.run();
    one.carryOut(one.pass(), 'failed');
    const decision = one.pass({ after: hour - 1 });
    expect(decision.held).toMatchObject([
      {
        kind: 'delete',
        because: 'unknown',
        subject: { kind: 'key', id: id('A'), name: 'A' },
        detail: 'it failed at 2026-11-23 10:01Z and is tried again after an hour',
      },
    ]);
    expect(done(one.pass({ after: 1 }))).toEqual(['delete A']);
  });

  test('holds no other change of its key', () => {
    const one = story(both, key('A', { expiresAt: monday + hour }));
    expect(said(one.carryOut(one.pass(), 'failed'))).toEqual(['failed → owner']);
    expect(done(one.pass())).toEqual([]);
    one.policy = file(both.replace('EXPIRED', 'OLD'));
    expect(done(one.pass())).toEqual(['rename A → OLD A']);
  });

  test('holds the change of no other key', () => {
    const one = story(expired, key('A', { expiresAt: monday }), key('B', { expiresAt: monday }));
    one.policy = file(expired, 'protect: []\nlimits: { delete: { per_run: 5, per_day: 5, percent: 100 } }');
    one.run();
    const [first, second] = one.pass().changes;
    expect([first?.from, second?.from]).toEqual(['A', 'B']);
    one.carryOut({ ...one.pass(), changes: first === undefined ? [] : [first] }, 'failed');
    const decision = one.pass();
    expect([done(decision), held(decision)]).toEqual([['delete B'], ['delete: unknown']]);
  });
});

describe('how many more may be changed', () => {
  const limits = { perRun: 3, perDay: 10, percent: 10 };
  test.each([
    ['a large account, none yet', limits, 0, 1000, 3, 'per_run'],
    ['a large account, nine today', limits, 9, 1000, 1, 'per_day'],
    ['more than the day allows', limits, 12, 1000, -2, 'per_day'],
    ['ten percent of 29 keys', limits, 0, 29, 2, 'percent'],
    ['ten percent of 29 keys, two today', limits, 2, 29, 0, 'percent'],
    ['at least one of three keys', limits, 0, 3, 1, 'percent'],
    ['zero percent is never', { ...limits, percent: 0 }, 0, 1000, 0, 'percent'],
    ['zero a day is never', { ...limits, perDay: 0 }, 0, 1000, 0, 'per_day'],
    ['no limit in percent', { ...limits, percent: null }, 0, 3, 3, 'per_run'],
  ])('%s', (_what, allowed, changed, keys, count, limit) => {
    const result = allowance(allowed, changed, keys);
    expect([result.count, result.limit.split(':')[0]]).toEqual([count, limit]);
  });
});

test('a change that was done may be done again within the hour', () => {
  const renaming = policy(
    'spend: { cost: 20, per: hour }',
    '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }',
  );
  const one = story(renaming, key('A', { createdAt: monday }));
  expect(done(one.run({ after: 50 * minute, usage: { A: 20 } }))).toEqual(['rename A → OVER A']);
  expect(done(one.run({ after: 11 * minute }))).toEqual(['restore OVER A → A']);
  expect(done(one.run({ after: minute, usage: { A: 40 } }))).toEqual(['rename A → OVER A']);
});

test('the share in percent lets as many go one by one as at once', () => {
  const one = expiring('{ per_run: 5, per_day: 100, percent: 10 }');
  one.run();
  expect(done(one.run())).toEqual(['delete User 10']);
  one.run({ after: hour });
  expect(done(one.run())).toEqual(['delete User 11']);
});

test('the share in percent is of the account before what was deleted today', () => {
  const one = expiring('{ per_run: 5, per_day: 100, percent: 10 }');
  one.run({ after: hour + minute });
  expect(done(one.run())).toHaveLength(2);
  one.run({ after: hour });
  expect(held(one.pass())).toEqual(['delete: limit']);
});
