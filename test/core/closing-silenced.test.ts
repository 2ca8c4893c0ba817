/** A case that ends within a silence on alerts: those who heard of it hear that it is over once the silence is. */
import { expect, test } from 'vitest';
import type { Story } from './story.ts';
import { day, file, generous, hour, key, monday, policy, said, story } from './story.ts';

const until = monday + 4 * hour;
const silence = (select: string): string =>
  `${generous}\nsilences: [{ select: ${select}, until: ${new Date(until).toISOString()}, suppress: [alerts] }]`;
const hourly = (limit: number): string =>
  policy(`spend: { cost: ${String(limit)}, per: day }`, '{ at: 80%, alert: owner }');

/** The first step was told; then a silence began. */
function silencedAfterStep(select = 'all'): Story {
  const one = story(file(hourly(20), generous), key('A'));
  expect(said(one.pass({ usage: { A: 17 } }))).toEqual(['step 1 → owner']);
  one.policy = file(hourly(20), silence(select));
  return one;
}

/** The limit is raised, so that the case is over. */
function end(one: Story): string[] {
  one.policy = file(hourly(200), silence('all'));
  return said(one.pass());
}

const untilAfter = (one: Story): { after: number } => ({ after: until - one.now() });

test('is told as over when the silence is, once', () => {
  const one = silencedAfterStep();
  expect(end(one)).toEqual([]);
  one.restart();
  expect(said(one.pass({ after: hour }))).toEqual([]);
  const decision = one.pass(untilAfter(one));
  expect(said(decision)).toEqual(['resolved → owner']);
  expect(decision.alerts[0]?.event).toMatchObject({ because: 'the level is below its first step again' });
  expect(said(one.pass())).toEqual([]);
  one.restart();
  expect(said(one.pass({ after: 2 * day }))).toEqual([]);
});

test('is told at once where another key is silenced', () => {
  const one = silencedAfterStep('{ name: B }');
  one.policy = file(hourly(200), silence('{ name: B }'));
  expect(said(one.pass())).toEqual(['resolved → owner']);
  expect(said(one.pass(untilAfter(one)))).toEqual([]);
});

test('is told as over also when the key is gone by then', () => {
  const one = silencedAfterStep();
  one.remove('A');
  expect(said(one.pass())).toEqual([]);
  const decision = one.pass(untilAfter(one));
  expect(said(decision)).toEqual(['resolved → owner']);
  expect(decision.alerts[0]?.event).toMatchObject({ because: 'the key is gone' });
});

test('that was opened and ended in it is not told at all', () => {
  const one = story(file(hourly(20), silence('all')), key('A'));
  expect(said(one.pass({ usage: { A: 17 } }))).toEqual([]);
  expect(end(one)).toEqual([]);
  expect(said(one.pass(untilAfter(one)))).toEqual([]);
});

test('that is open again by then is told as over when it is', () => {
  const one = silencedAfterStep();
  expect(end(one)).toEqual([]);
  one.policy = file(hourly(20), silence('all'));
  expect(said(one.pass())).toEqual([]);
  expect(said(one.pass(untilAfter(one)))).toEqual([]);
  one.policy = file(hourly(200), generous);
  expect(said(one.pass())).toEqual(['resolved → owner']);
});

test('of which the next period’s is open by then is told as that one', () => {
  const one = silencedAfterStep();
  one.policy = file(
    hourly(20),
    silence('all').replace(new Date(until).toISOString(), new Date(monday + 2 * day).toISOString()),
  );
  expect(said(one.pass({ after: day }))).toEqual([]);
  expect(said(one.pass({ usage: { A: 40 } }))).toEqual([]);
  expect(said(one.pass({ after: monday + 2 * day - one.now(), usage: { A: 60 } }))).toEqual([
    'step 1 → owner',
  ]);
  expect(said(one.pass())).toEqual([]);
});

test('says that its deletion is off', () => {
  const deleting = (limit: number): string =>
    policy(
      `spend: { cost: ${String(limit)}, per: day }`,
      '{ at: 100%, alert: owner, delete: { notice: 9h } }',
    );
  const one = story(file(deleting(20), generous), key('A'));
  expect(said(one.run({ usage: { A: 21 } }))).toEqual(['notice 1 → owner']);
  one.policy = file(deleting(200), silence('all'));
  expect(said(one.pass())).toEqual([]);
  expect([...one.findings.values()]).toMatchObject([{ deletions: [] }]);
  expect(one.pass(untilAfter(one)).alerts[0]?.event).toMatchObject({
    kind: 'resolved',
    because: 'the level is below its first step again; its deletion is called off',
  });
});

test('waits for a dry run to be over, too', () => {
  const one = silencedAfterStep();
  expect(end(one)).toEqual([]);
  one.mode = 'dry-run';
  expect(said(one.pass(untilAfter(one)))).toEqual([]);
  one.mode = null;
  expect(said(one.pass())).toEqual(['resolved → owner']);
});

test.each([
  ['of all keys', 'all', [], ['resolved → owner']],
  ['of one of them', '{ name: A }', ['resolved → owner'], []],
] as const)('of a group, in a silence %s', (_what, select, atItsEnd, afterTheSilence) => {
  const group = (limit: number): string =>
    policy(`spend: { cost: ${String(limit)}, per: day, across: selected }`, '{ at: 80%, alert: owner }');
  const one = story(file(group(20), generous), key('A'), key('B'));
  expect(said(one.pass({ usage: { A: 9, B: 9 } }))).toEqual(['step 1 → owner']);
  one.policy = file(group(200), silence(select));
  expect(said(one.pass())).toEqual(atItsEnd);
  expect(said(one.pass(untilAfter(one)))).toEqual(afterTheSilence);
});

test('of a group that has lost its keys, all of which are silenced', () => {
  const group = policy('spend: { cost: 20, per: day, across: metadata.team }', '{ at: 80%, alert: owner }');
  const one = story(file(group, generous), key('A', { metadata: { team: 'ml' } }));
  expect(said(one.pass({ usage: { A: 18 } }))).toEqual(['step 1 → owner']);
  one.policy = file(group, silence('{ metadata: { team: ml } }'));
  one.remove('A');
  const to = new Date(monday + 2 * day).toISOString();
  one.policy = file(group, silence('{ metadata: { team: ml } }').replace(new Date(until).toISOString(), to));
  expect(said(one.pass({ after: day }))).toEqual([]);
  expect(said(one.pass({ after: day }))).toEqual(['resolved → owner']);
});

test.each([
  ['that was all there was of it is silenced', '{ metadata: { team: ml } }', []],
  ['of another is silenced', '{ metadata: { team: web } }', ['step 1 → owner']],
])('a group opens no case that is told of where the key %s', (_what, select, told) => {
  const group = policy('spend: { cost: 20, per: month, across: metadata.team }', '{ at: 80%, alert: owner }');
  const other = policy('spend: { cost: 99, per: month }', '{ at: 80%, alert: owner }');
  const keys = [key('A', { metadata: { team: 'ml' } }), key('B', { metadata: { team: 'web' } })];
  const one = story(file(other, generous), ...keys);
  one.pass({ usage: { A: 18 } });
  one.remove('A');
  one.pass();
  one.policy = file(group, silence(select));
  expect(said(one.pass())).toEqual(told);
});
