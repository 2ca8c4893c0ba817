/** What a change that was tried means for what is remembered, and what is told of it. */
import { describe, expect, test } from 'vitest';
import type { CaseEvent } from '../../src/core/alert.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
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
const renaming = '{ at: 100%, alert: owner, rename: "OVER {{ name }}" }';
const keeping = '{ at: 100%, alert: owner, rename: "OVER {{ name }}", restore: false }';
const deleting = '{ at: 100%, alert: owner, delete: { notice: 24h } }';
/** Comes first in the file, and has nothing to do with what follows. */
const other = policyOf('other', 'spend: { cost: 10, per: lifetime }', '{ at: 100%, alert: pager }');
const over = { usage: { A: 21 } };

function both(step: string): PolicyFile {
  return file(`${other}\n${policy(lifetime, step)}`, generous);
}

function recordOf(one: Story, name: string) {
  return one.records.get(id(name));
}

function findingOf(one: Story, name = 'p') {
  return [...one.findings.values()].find((finding) => finding.policy === name);
}

describe('a deletion that was done', () => {
  test('leaves a record of a key that is gone', () => {
    const one = story(both(deleting), key('A'));
    one.run(over);
    one.run({ after: day });
    expect(recordOf(one, 'A')).toMatchObject({ goneAt: one.now(), standing: [] });
    expect(findingOf(one)).toMatchObject({ renamed: [{ step: 0, keyId: id('A') }], closedAt: one.now() });
    expect(findingOf(one, 'other')).toMatchObject({ closedAt: null, renamed: [] });
  });

  test('is told with the time at which its notice was accepted', () => {
    const group = 'spend: { cost: 20, per: lifetime, across: selected }';
    const all = '{ at: 100%, alert: owner, pick: all, delete: { notice: 24h } }';
    const one = story(file(`${other}\n${policy(group, all)}`, generous), key('A'), key('B'));
    const first = one.pass({ usage: { A: 5, B: 25 } });
    const notices = first.alerts.filter(({ event }) => event.kind === 'notice');
    for (const notice of notices) {
      one.accept({ ...first, alerts: [notice] });
      one.pass();
    }
    const due = one.pass({ after: day });
    const [ofA, ofB] = due.changes;
    if (ofA === undefined || ofB === undefined) throw new Error('both are due');
    const acceptedAt = (events: readonly CaseEvent[]) =>
      events.map((event) => (event.kind === 'deleted' ? event.noticeAcceptedAt : null));
    const told = [ofB, ofA].flatMap((change) => one.carryOut({ ...due, changes: [change] }));
    expect(acceptedAt(told.map(({ event }) => event))).toEqual([monday + minute, monday]);
    expect(new Set(told.map((alert) => alert.id)).size).toBe(2);
    expect(told.map(({ subject }) => subject)).toMatchObject([{ id: id('B') }, { id: id('A') }]);
    expect(findingOf(one)).toMatchObject({ closedAt: null, deletions: [] });
  });

  test('of one key of a group leaves the notices of the others', () => {
    const group = 'spend: { cost: 20, per: lifetime, across: selected }';
    const all = '{ at: 100%, alert: owner, pick: all, delete: { notice: 24h } }';
    const one = story(file(policy(group, all), generous), key('A'), key('B'));
    one.run({ usage: { A: 5, B: 25 } });
    const due = one.pass({ after: day });
    one.carryOut({ ...due, changes: due.changes.slice(0, 1) });
    expect(findingOf(one)).toMatchObject({ closedAt: null, deletions: [{ keyId: id('B') }] });
  });

  test('is told though its notice is no longer remembered', () => {
    const one = story(both(deleting), key('A'));
    one.run(over);
    const due = one.pass({ after: day });
    for (const [of, finding] of one.findings) one.findings.set(of, { ...finding, deletions: [] });
    expect(one.carryOut(due)).toMatchObject([{ event: { kind: 'deleted', noticeAcceptedAt: one.now() } }]);
  });
});

describe('what is not of this key or not done changes nothing:', () => {
  test.each(['not-done', null] as const)('an outcome that is %s', (outcome) => {
    const one = story(both(renaming), key('A'));
    const decision = one.pass(over);
    const before = [recordOf(one, 'A'), findingOf(one)];
    expect(one.carryOut(decision, outcome)).toEqual([]);
    expect([recordOf(one, 'A'), findingOf(one)]).toEqual(before);
  });

  test('a key made anew with the same fingerprint', () => {
    const one = story(both(deleting), key('A'));
    one.run(over);
    const due = one.pass({ after: day });
    one.account.set('A', key('A', { createdAt: monday + hour }));
    one.pass();
    expect(one.carryOut(due)).toEqual([]);
    expect(recordOf(one, 'A')).toMatchObject({ createdAt: monday + hour, goneAt: null });
  });
});

describe('a rename that a person overtook', () => {
  test('is not tried again in its finding', () => {
    const one = story(both(renaming), key('A'));
    one.carryOut(one.pass(over), 'overtaken');
    expect(recordOf(one, 'A')).toMatchObject({ renamedByPersonAt: one.now(), nameChanged: true });
    expect(findingOf(one)?.renamed).toEqual([{ step: 0, keyId: id('A') }]);
    expect(findingOf(one, 'other')?.renamed).toEqual([]);
    expect(done(one.pass())).toEqual([]);
  });

  test('counts for the key where its finding is forgotten', () => {
    const one = story(both(renaming), key('A'));
    const decision = one.pass(over);
    one.findings.clear();
    one.carryOut(decision, 'overtaken');
    expect(recordOf(one, 'A')).toMatchObject({ renamedByPersonAt: one.now() });
    expect(one.findings.size).toBe(0);
  });
});

test('a deletion that a person overtook is a veto', () => {
  const one = story(both(deleting), key('A'));
  one.run(over);
  one.carryOut(one.pass({ after: day }), 'overtaken');
  expect(findingOf(one)?.renamed).toEqual([]);
  expect(held(one.pass())).toEqual(['delete: vetoed']);
});

describe('a rename that was done', () => {
  test('is undone by the word of its own policy’s step, as the file has it by then', () => {
    const restoring = policyOf('other', 'spend: { cost: 900, per: lifetime }', renaming);
    const one = story(file(`${restoring}\n${policy(lifetime, keeping)}`, generous), key('A'));
    one.run(over);
    expect(recordOf(one, 'A')?.standing).toMatchObject([{ from: 'A', to: 'OVER A', restore: false }]);
  });

  test('by a step that has moved by then is that step’s still', () => {
    const one = story(both(keeping), key('A'));
    const decision = one.pass(over);
    const half = '{ at: 50%, alert: ops, rename: "HALF {{ name }}" }';
    one.policy = file(`${other}\n${policy(lifetime, half, keeping)}`, generous);
    // The new file is there, and nothing was counted by it yet.
    one.mode = 'dry-run';
    one.pass();
    one.carryOut(decision);
    expect(recordOf(one, 'A')?.standing).toMatchObject([{ to: 'OVER A', restore: false }]);
  });

  test('by a step that is gone by then is to be undone', () => {
    const one = story(both(keeping), key('A'));
    const decision = one.pass(over);
    one.policy = file(other, generous);
    one.pass();
    one.carryOut(decision);
    expect(recordOf(one, 'A')?.standing).toMatchObject([{ restore: true }]);
    expect(done(one.pass())).toEqual(['restore OVER A → A']);
  });
});

describe('a change that failed', () => {
  const failed = (one: Story, more: Parameters<Story['pass']>[0]) => one.carryOut(one.pass(more), 'failed');

  test('is told to its step’s channels and to whoever heard of the case, in the policy’s words', () => {
    const described = policy(
      `description: Their money.\n  ${lifetime}`,
      '{ at: 50%, alert: ops }',
      '{ at: 75%, alert: pager }',
      renaming,
    );
    const one = story(file(`${other}\n${described}`, generous), key('A'));
    one.run({ usage: { A: 10 } });
    one.run({ usage: { A: 15 } });
    one.policy = file(`${other.replace('pager', 'owner')}\n${described.replace('pager', 'ops')}`, generous);
    const [alert, ...more] = failed(one, over);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      event: { kind: 'failed', change: 'rename', because: 'refused' },
      description: 'Their money.',
      policy: 'p',
      channels: ['owner', 'ops', 'pager'],
      subject: { id: id('A') },
    });
  });

  test('is not told to a channel that is no more', () => {
    const one = story(both(renaming), key('A'));
    one.run({ usage: { A: 10 } });
    const decision = one.pass(over);
    const finding = findingOf(one);
    if (finding === undefined) throw new Error('there is a case');
    one.findings.set(finding.id, { ...finding, heardBy: ['owner', 'gone', 'ops'] });
    expect(said(one.carryOut(decision, 'failed'))).toEqual(['failed → owner, ops']);
  });

  test('is told again after a day, as another alert', () => {
    const one = story(both(deleting), key('A'));
    one.run(over);
    const first = failed(one, { after: day });
    expect(failed(one, { after: day - 1 })).toEqual([]);
    const second = failed(one, { after: hour });
    expect([first.length, second.length]).toEqual([1, 1]);
    expect(first[0]?.id).not.toBe(second[0]?.id);
  });

  test('is told to nobody while its key’s alerts are silenced, but when it fails after that', () => {
    const until = new Date(monday + hour).toISOString();
    const silence = `silences: [{ select: { name: A }, until: ${until}, suppress: [alerts] }]`;
    const one = story(file(policy(lifetime, renaming), `${generous}\n${silence}`), key('A'));
    expect(failed(one, over)).toEqual([]);
    expect(said(failed(one, { after: hour }))).toEqual(['failed → owner']);
  });

  test('is told to nobody where its finding is forgotten', () => {
    const one = story(both(renaming), key('A'));
    const decision = one.pass(over);
    one.findings.clear();
    expect(one.carryOut(decision, 'failed')).toEqual([]);
  });

  test.each([
    ['a rename', renaming, minute],
    ['a deletion', deleting, day],
  ])('is told to whoever heard of the case where its policy is gone by then: %s', (_what, step, after) => {
    const one = story(both(step), key('A'));
    one.accept(one.pass(over));
    const decision = one.pass({ after });
    one.policy = file(other, generous);
    one.pass();
    expect(said(one.carryOut(decision, 'failed'))).toEqual(['failed → owner']);
  });
});
