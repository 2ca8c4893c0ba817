/** What was proven of a period stays true when the reading that proved it has moved on. */
import { expect, test } from 'vitest';
import { day, done, file, held, hour, key, policy, said, story } from './story.ts';

const spending = (per: string, cost = 20): string =>
  policy(
    `spend: { cost: ${String(cost)}, per: ${per} }`,
    '{ at: 100%, alert: owner, delete: { notice: 24h } }',
  );

/** Proven at first, by a window say; then only known to lie between nothing and all of it. */
const bracket = { usage: { 'User 1': [0, 25] as const } };

test('a level that was reached in a lifetime is not forgotten', () => {
  const one = story(spending('lifetime'), key('User 1'));
  expect(said(one.run({ usage: { 'User 1': 25 } }))).toEqual(['notice 1 → owner']);
  const later = one.pass({ after: hour, ...bracket });
  expect([said(later), held(later)]).toEqual([[], ['delete: notice']]);
  expect(later.views).toMatchObject([
    { state: 'open', figures: { level: { low: 25_000_000, high: 25_000_000 } } },
  ]);
  expect(done(one.pass({ after: 2 * day, ...bracket }))).toEqual(['delete User 1']);
});

test('nothing is done on it while nothing is known now', () => {
  const one = story(spending('lifetime'), key('User 1'));
  one.run({ usage: { 'User 1': 25 } });
  expect(held(one.pass({ after: 2 * day, usage: { 'User 1': [0, null] } }))).toEqual(['delete: unknown']);
});

test('it is not believed against a bound that is known now', () => {
  const one = story(spending('lifetime'), key('User 1'));
  one.run({ usage: { 'User 1': 25 } });
  const later = one.pass({ after: 2 * day, usage: { 'User 1': [0, 19] } });
  expect(done(later)).toEqual([]);
});

test('it is of one measuring only: an edit that measures otherwise forgets it, a new limit does not', () => {
  const one = story(spending('lifetime'), key('User 1'));
  one.run({ usage: { 'User 1': 25 } });
  one.policy = file(spending('lifetime', 24));
  expect(one.pass({ after: hour, ...bracket }).views).toMatchObject([{ state: 'open' }]);
  one.policy = file(spending('24h'));
  expect(one.pass({ after: hour, ...bracket }).views).not.toMatchObject([{ state: 'open', step: 1 }]);
});
