/** What an alert of a case says beside its event: whom it is about, what comes next, and in whose time. */
import { describe, expect, test } from 'vitest';
import type { CaseAlert, Next } from '../../src/core/alert.ts';
import type { Decision } from '../../src/core/plan.ts';
import { day, done, file, generous, hour, id, key, minute, monday, policy, said, story } from './story.ts';

const monthly = 'spend: { cost: 20, per: month }';
const team = { metadata: { team: 'ml' } };

function only({ alerts }: Decision): CaseAlert {
  const [one] = alerts;
  if (one === undefined || alerts.length > 1) throw new Error(`${String(alerts.length)} alerts`);
  return one;
}

test('an alert of a key carries all that a message needs', () => {
  const described = policy(`description: The budget\n  ${monthly}`, '{ at: 80%, alert: owner }');
  const one = story(described, key('User 1', team));
  const start = Date.parse('2026-11-01T00:00:00Z');
  expect(only(one.pass({ usage: { 'User 1': 17 } }))).toEqual({
    topic: 'case',
    id: `p/${id('User 1')}/2026-11-01T00:00:00Z/step-1/2026-11-23T10:00:00Z`,
    at: monday,
    findingId: `p/${id('User 1')}/2026-11-01T00:00:00Z`,
    policy: 'p',
    description: 'The budget',
    subject: { kind: 'key', id: id('User 1'), name: 'User 1', originalName: 'User 1' },
    figures: {
      ...{ kind: 'spend', measure: 'cost', level: { low: 17e6, high: 17e6 }, limit: 20e6, percent: 85 },
      ...{ period: 'November 2026', periodStart: start, periodEnd: start + 30 * day, basis: 'level' },
    },
    event: { kind: 'step', step: 1, of: 1, repeated: false },
    next: [],
    timeZone: 'UTC',
    channels: ['owner'],
    variables: {
      ...{ name: 'User 1', id: id('User 1'), ...team, policy: 'p', percent: '85', limit: '20.00' },
      ...{ level: '17.00', period: 'November 2026', deadline: '' },
    },
  });
});

test('an alert of a group is the group’s, and its notice is of the key, with the group whose numbers it tells', () => {
  const steps = [
    '{ at: 50%, alert: owner }',
    '{ at: 100%, alert: ops, pick: highest, delete: { notice: 24h } }',
  ];
  const selected = policy('spend: { cost: 20, per: month, across: selected }', ...steps);
  const one = story(file(selected, generous), key('A', team), key('B'));
  const first = only(one.pass({ usage: { A: 9, B: 3 } }));
  expect([first.subject, first.group]).toEqual([{ kind: 'group', group: 'selected' }, undefined]);
  expect(first.variables).toMatchObject({ name: 'selected', id: 'selected', metadata: {}, percent: '60' });
  const notice = only(one.pass({ usage: { A: 15, B: 6 } }));
  expect([notice.subject, notice.group]).toMatchObject([{ kind: 'key', name: 'A' }, 'selected']);
  expect(notice.variables).toMatchObject({ name: 'A', id: id('A'), ...team, percent: '105' });
});

test('a key’s own alert names no group', () => {
  const deleting = policy(monthly, '{ at: 100%, alert: ops, delete: { notice: 24h } }');
  const notice = only(story(deleting, key('A')).pass({ usage: { A: 20 } }));
  expect([notice.event.kind, notice.group]).toEqual(['notice', undefined]);
});

test.each([
  ['the calendar’s own', 'spend: { cost: 20, per: month, timezone: America/New_York }', 'America/New_York'],
  ['the file’s, where it goes by the file’s calendar', monthly, 'Europe/Berlin'],
  ['the file’s for a rolling period', 'spend: { cost: 20, per: 24h }', 'Europe/Berlin'],
  ['the file’s for a deadline', 'expiry: { max_age: 1m }', 'Europe/Berlin'],
])('times are told in a zone: %s', (_what, rule, zone) => {
  const step = rule.startsWith('spend') ? '{ at: 100%, alert: ops }' : '{ alert: ops }';
  const one = story(file(policy(rule, step), 'timezone: Europe/Berlin\nprotect: []'), key('A'));
  expect(only(one.pass({ usage: { A: 20 } })).timeZone).toBe(zone);
});

describe('what comes next', () => {
  const steps = [
    '{ at: 50%, alert: owner }',
    '{ at: 80%, alert: owner, rename: "NEAR {{ name }}" }',
    '{ at: 100%, alert: owner, delete: { notice: 24h } }',
  ];
  const next = (usage: number, top = generous, own = ''): readonly Next[] =>
    only(story(file(policy(`${own}${monthly}`, ...steps), top), key('A')).pass({ usage: { A: usage } })).next;

  test('is the step above, and what that does', () => {
    expect(next(10)).toEqual([{ kind: 'step', at: '80%', does: 'renames it' }]);
  });

  test('is a rename that is about to be done, before the step above', () => {
    expect(next(16)).toEqual([
      { kind: 'rename', to: 'NEAR A' },
      { kind: 'step', at: '100%', does: 'deletes it after 1 d of notice' },
    ]);
  });

  test('is the deletion first, and nothing above the last step', () => {
    expect(next(20)).toEqual([
      { kind: 'delete', noticeMs: day, dueAt: monday + day },
      { kind: 'rename', to: 'NEAR A' },
    ]);
  });

  test('is in words what would be, where it is only to be told of', () => {
    const alerting = `${generous}\nmode: alert`;
    expect(next(10, alerting)).toEqual([
      { kind: 'step', at: '80%', does: 'would be the step that renames it' },
    ]);
    expect(next(10, generous, 'mode: alert\n  ')).toEqual(next(10, alerting));
    expect(next(16, alerting)).toEqual([
      { kind: 'would', change: 'rename', because: 'mode is alert' },
      { kind: 'step', at: '100%', does: 'would be the step that deletes it after 1 d of notice' },
    ]);
  });

  test('is nothing that an earlier alert announced', () => {
    const early = [...steps.slice(2), '{ at: 150%, alert: ops }', '{ at: 200%, alert: ops }'];
    const one = story(file(policy(monthly, ...early), generous), key('A'));
    one.run({ usage: { A: 20 } });
    const twice = only(one.pass({ usage: { A: 30 } }));
    expect(twice.next).toEqual([{ kind: 'step', at: '200%', does: 'alerts' }]);
    // Nor the deletion itself, which is told when it is done.
    const due = one.pass({ after: day, usage: { A: 40 } });
    expect([done(due), only(due).next]).toEqual([['delete A'], []]);
  });

  test('is only an alert in every mode', () => {
    const twice = policy(monthly, '{ at: 50%, alert: owner }', '{ at: 80%, alert: owner }');
    const one = story(file(twice, `${generous}\nmode: alert`), key('A'));
    expect(only(one.pass({ usage: { A: 10 } })).next).toEqual([{ kind: 'step', at: '80%', does: 'alerts' }]);
  });

  test('is told of a few of a group’s keys, and once of what holds all of them', () => {
    const all = '{ at: 100%, alert: ops, pick: all, rename: "OVER {{ name }}" }';
    const group = policy('spend: { cost: 20, per: month, across: selected }', all);
    const keys = ['A', 'B', 'C', 'D', 'E'].map((name) => key(name));
    const of = (top: string) => only(story(file(group, top), ...keys).pass({ usage: { A: 20 } })).next;
    expect(of(generous).map((one) => one.kind)).toEqual(['rename', 'rename', 'rename']);
    expect(of(`${generous}\nmode: alert`)).toEqual([
      { kind: 'would', change: 'rename', because: 'mode is alert' },
    ]);
  });
});

test('a step that goes to nobody is done in silence', () => {
  const one = story(policy(monthly, '{ at: 50%, rename: "HALF {{ name }}" }'), key('A'));
  const first = one.run({ usage: { A: 10 } });
  expect([said(first), done(first)]).toEqual([[], ['rename A → HALF A']]);
  expect(said(one.pass({ after: 8 * day }))).toEqual([]);
});

describe('the end of a deletion', () => {
  const steps = [
    '{ at: 50%, alert: ops }',
    '{ at: 100%, alert: owner, pick: highest, delete: { notice: 24h } }',
  ];
  const selected = policy('spend: { cost: 20, per: month, across: selected }', ...steps);

  test('is told of the key that it was to fall on, apart from every other alert', () => {
    const one = story(file(selected, generous), key('A'), key('B'));
    one.run({ usage: { A: 9, B: 3 } });
    one.run({ usage: { A: 15, B: 6 } });
    one.rename('A', 'Mine');
    const vetoed = one.pass();
    expect(said(vetoed)).toEqual(['vetoed → owner']);
    expect(only(vetoed).subject).toMatchObject({ kind: 'key', id: id('A') });
    expect(only(vetoed).id).toContain('/vetoed/');
  });

  test('goes to all whom its notices went to, also to those of another step', () => {
    const one = story(file(selected, generous), key('A'), key('B'));
    expect(said(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['notice 2 → ops, owner']);
    one.rename('A', 'Mine');
    expect(said(one.pass())).toEqual(['vetoed → owner, ops']);
  });

  test('goes to those whom an earlier notice of it went to', () => {
    const own = steps.map((step) => step.replace('pick: highest, ', ''));
    const one = story(file(policy(monthly, ...own), generous), key('A'));
    expect(said(one.pass({ usage: { A: 20 } }))).toEqual(['notice 2 → ops, owner']);
    // Nobody accepted it; the next one is for its own step alone.
    expect(said(one.run({ after: day }))).toEqual(['notice 2 → owner']);
    one.restart();
    one.policy = file(policy(monthly, ...own), generous.replace('protect: []', 'protect: [{ name: A }]'));
    expect(said(one.pass())).toEqual(['cancelled → owner, ops']);
  });

  test('goes to all who heard of the case, where its step is gone from the file', () => {
    const own = steps.map((step) => step.replace('pick: highest, ', ''));
    const one = story(file(policy(monthly, ...own), generous), key('A'));
    expect(said(one.run({ usage: { A: 20 } }))).toEqual(['notice 2 → ops, owner']);
    one.policy = file(policy(monthly, '{ at: 50%, alert: ops }'), generous);
    expect(said(one.pass())).toEqual(['cancelled → ops, owner']);
  });

  test('goes to none of them that is gone from the file, too', () => {
    const own = steps.map((step) => step.replace('pick: highest, ', ''));
    const one = story(file(policy(monthly, ...own), generous), key('A'));
    one.run({ usage: { A: 20 } });
    const channels = 'channels:\n  ops: { slack: { webhook_url: "${OPS}" } }';
    one.policy = file(policy(monthly, '{ at: 50%, alert: ops }'), `${generous}\n${channels}`);
    const cancelled = one.pass();
    expect(said(cancelled)).toEqual(['cancelled → ops']);
    expect(only(cancelled).id).toContain('/cancelled/');
  });
});

test('what cannot be told is said with its reason', () => {
  const one = story(policy(monthly, '{ at: 100%, alert: ops }'), key('A'));
  const about = { A: { because: 'several keys bear its name' } };
  one.pass({ usage: { A: [10, null] }, about });
  const doubt = one.pass({ after: hour, about });
  expect(only(doubt).event).toEqual({ kind: 'uncertain', because: 'several keys bear its name' });
  expect(only(doubt).id).toBe(`p/${id('A')}/2026-11-01T00:00:00Z/uncertain/2026-11-23T11:00:00Z`);
  expect(said(one.pass({ after: minute, about }))).toEqual([]);
});
