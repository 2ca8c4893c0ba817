/** A key that is to be deleted now is not also to be renamed. */
import { expect, test } from 'vitest';
import { day, done, file, generous, held, key, policy, story } from './story.ts';

const nameless = '{ at: 50%, alert: ops, rename: "{{ metadata.team }} {{ name }}"';
const deleting = '{ at: 100%, alert: ops, delete: { notice: 24h }';

test('no rename is missed of a key that is about to go', () => {
  const rule = 'spend: { cost: 20, per: month }';
  const one = story(file(policy(rule, `${nameless} }`, `${deleting} }`), generous), key('A'));
  expect(held(one.run({ usage: { A: 21 } }))).toEqual(['rename: unknown']);
  const due = one.pass({ after: day });
  expect([done(due), held(due)]).toEqual([['delete A'], []]);
});

test('one of another key of its group still is', () => {
  const rule = 'spend: { cost: 20, per: month, across: selected }';
  const steps = [`${nameless}, pick: all }`, `${deleting}, pick: highest }`];
  const one = story(file(policy(rule, ...steps), generous), key('A'), key('B'));
  expect(held(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['rename: unknown', 'rename: unknown']);
  const due = one.pass({ after: day });
  expect(done(due)).toEqual(['delete A']);
  expect(due.held).toMatchObject([{ kind: 'rename', subject: { name: 'B' } }]);
  expect(due.held).toHaveLength(1);
});
