/**
 * Lists that are older than what was done before they were asked for: a change that a list did not show is
 * Keywarden's own all the same when a later one does.
 */
import { expect, test } from 'vitest';
import { day, file, hour, minute, monday, policy } from './core/story.ts';
import { old, watched } from './watched.ts';
import type { Watched } from './watched.ts';

const keys = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => old(name));
const [a] = keys as [(typeof keys)[0]];
const renaming = file(
  policy('spend: { cost: 20, per: month }', '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }'),
);
const deleting = file(
  policy('spend: { cost: 20, per: lifetime }', '{ at: 100%, alert: ops, delete: { notice: 1h } }'),
);

const outcomes = async (one: Watched) =>
  (await one.store.load(one.now())).changes.map(({ kind, outcome }) => `${kind} ${outcome ?? '?'}`);

test('a rename that takes effect late is Keywarden’s own, and is undone when its case is over', async () => {
  await using one = await watched(renaming, ...keys);
  one.unanswered = true;
  one.spend(a, 25);
  await one.pass();
  await one.pass();
  one.policy = file(policy('spend: { cost: 20, per: month }', '{ at: 100%, alert: ops }'));
  await one.pass();
  expect(await outcomes(one)).toEqual(['rename not-done', 'rename not-done']);
  one.unanswered = false;
  one.policy = renaming;
  one.change(a, { name: 'OVER A' });
  await one.pass();
  expect(await outcomes(one)).toEqual(['rename not-done', 'rename done']);
  const { keys: records } = await one.store.load(one.now());
  expect(records.find(({ id }) => id === a.id)).toMatchObject({
    ...{ originalName: 'A', renamedByPersonAt: null },
    standing: [{ from: 'A', to: 'OVER A' }],
  });
  expect(one.kinds()).not.toContain('vetoed');
  one.wait(20 * day);
  await one.passes(2);
  expect(one.log.at(-1)).toBe('rename OVER A → A');
});

test('a rename of a key that the next list lacked is undone once the key is back', async () => {
  await using one = await watched(renaming, ...keys);
  one.unanswered = true;
  one.spend(a, 25);
  await one.pass();
  one.unanswered = false;
  one.account.delete(a.id);
  await one.pass();
  one.account.set(a.id, { ...a, name: 'OVER A' });
  await one.passes(2);
  expect(await outcomes(one)).toEqual(['rename done']);
  one.wait(20 * day);
  await one.passes(2);
  expect(one.log).toEqual(['rename A → OVER A', 'rename OVER A → A']);
});

test('a deletion that takes effect late is told and counted as one', async () => {
  await using one = await watched(deleting, ...keys);
  one.spend(a, 25);
  await one.pass();
  await one.deliver();
  await one.pass();
  one.wait(hour);
  one.unanswered = true;
  await one.pass();
  one.unanswered = false;
  one.wait(minute);
  one.account.delete(a.id);
  await one.pass();
  expect(await outcomes(one)).toEqual(['delete done']);
  expect(one.kinds()).toEqual(['notice', 'deleted']);
});

test('a rename that shows once a deletion is open, too, is Keywarden’s own, and no veto', async () => {
  const steps = [
    '{ at: 50%, rename: "OVER {{ name }}" }',
    '{ at: 100%, alert: ops, delete: { notice: 1h } }',
  ];
  await using one = await watched(file(policy('spend: { cost: 20, per: lifetime }', ...steps)), ...keys);
  one.unanswered = true;
  one.spend(a, 25);
  await one.pass();
  await one.deliver();
  await one.pass();
  one.wait(hour);
  await one.pass();
  expect((await outcomes(one)).toSorted().at(0)).toBe('delete ?');
  one.unanswered = false;
  one.change(a, { name: 'OVER A' });
  await one.passes(2);
  expect(one.log.at(-1)).toBe('delete OVER A');
  expect(one.kinds()).toEqual(['notice', 'deleted']);
  expect((await outcomes(one)).filter((outcome) => outcome.endsWith('done'))).toContain('rename done');
});

/** A deletion that the API did not answer, at this time. */
async function unclear(rules: typeof deleting, at: number): Promise<Watched> {
  const one = await watched(rules, ...keys);
  one.wait(at - one.now() - 2 * hour);
  await one.pass();
  one.spend(a, 25);
  await one.pass();
  await one.deliver();
  await one.pass();
  one.wait(at - one.now() - minute);
  one.unanswered = true;
  await one.pass();
  one.unanswered = false;
  expect([one.log, one.kinds()]).toEqual([['delete A'], ['notice']]);
  return one;
}

test('a deletion that only a dry run finds to be done is told once that is over', async () => {
  await using one = await unclear(deleting, monday + 9 * hour);
  one.account.delete(a.id);
  one.policy = { ...deleting, mode: 'dry-run' };
  await one.restart();
  await one.passes(2);
  expect(await outcomes(one)).toEqual(['delete done']);
  // It waits in the outbox: a dry run delivers nothing.
  const waiting = (await one.store.outbox.pending(one.now())).map(({ alert }) => alert);
  expect(waiting.map((alert) => alert.topic === 'case' && alert.event.kind)).toEqual(['deleted']);
  one.policy = deleting;
  await one.passes(2);
  expect(one.kinds()).toEqual(['notice', 'deleted']);
});

test.each([false, true])(
  'a deletion is not said to be called off while it is open whether it was done (it was: %s)',
  async (wasDone) => {
    const monthly = file(
      policy('spend: { cost: 20, per: month }', '{ at: 100%, alert: ops, delete: { notice: 1h } }'),
    );
    await using one = await unclear(monthly, Date.parse('2026-11-30T23:59:00Z'));
    // The list proves nothing, and the month ends; only then is it known.
    for (const { id } of keys.slice(wasDone ? 0 : 1, 4)) one.account.delete(id);
    await one.passes(3);
    await one.restart();
    await one.passes(2);
    expect(await outcomes(one)).toEqual(['delete ?']);
    for (const of of keys.slice(1, 4)) one.account.set(of.id, of);
    await one.passes(2);
    expect(await outcomes(one)).toEqual([`delete ${wasDone ? 'done' : 'not-done'}`]);
    const cases = one.told.filter(({ topic }) => topic === 'case');
    expect(cases.map((alert) => alert.topic === 'case' && alert.event)).toMatchObject([
      { kind: 'notice' },
      wasDone
        ? { kind: 'deleted' }
        : { kind: 'resolved', because: 'its period is over; its deletion is called off' },
    ]);
  },
);

test('a deletion that was called off before it was sent is not taken for the one that a person makes later', async () => {
  await using one = await watched(deleting, ...keys);
  one.spend(a, 25);
  await one.pass();
  await one.deliver();
  await one.pass();
  one.wait(hour);
  one.crossing = (side, call) => {
    if (side === 'after' || call !== 'deleteKey') return;
    const facts = { kind: 'aborted', retryable: false, outcome: 'none', status: null };
    throw Object.assign(new Error('the policy file has changed'), facts);
  };
  await one.pass();
  one.account.delete(a.id);
  await one.pass();
  expect([one.log, one.kinds()]).toEqual([[], ['notice', 'resolved']]);
  const record = await one.store.recorded({ limit: 100 });
  expect(record.map(({ kind }) => kind)).not.toContain('change-done');
});

test('a deletion of a key that became an admin key meanwhile is not said to be done while it is listed', async () => {
  await using one = await unclear(deleting, monday + 9 * hour);
  one.change(a, { isAdmin: true });
  await one.passes(2);
  expect(await outcomes(one)).toEqual(['delete not-done']);
  expect(one.kinds()).not.toContain('deleted');
});
