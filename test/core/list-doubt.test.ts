import { expect, test } from 'vitest';
import { listDoubt, lossDoubt } from '../../src/core/list-doubt.ts';

test.each([
  [0, 0, 0, null],
  [0, 0, 5, null],
  [5, 5, 6, null],
  [10, 8, 8, null],
  [10, 7, 7, 'the list of keys shrank from 10 to 7 at once'],
  [2, 1, 1, 'the list of keys shrank from 2 to 1 at once'],
  [1, 0, 0, 'the list of keys is empty; the pass before it had 1'],
  // Some keys gave way to others.
  [2, 1, 2, null],
  [10, 5, 10, null],
  // Another account's list, as long or longer.
  [10, 4, 10, 'the list lacks 6 of the 10 keys that there were'],
  [10, 0, 20, 'the list lacks 10 of the 10 keys that there were'],
  [1, 0, 1, 'the list lacks 1 of the 1 keys that there were'],
])('of %d keys, a list has %d and is %d long: %s', (known, still, listed, doubt) => {
  expect(listDoubt(known, still, listed)).toBe(doubt);
});

test.each([
  [10, 2, null],
  [10, 3, 'the list lacks metadata of 3 of the 10 keys that had it'],
  [1, 1, 'the list lacks metadata of 1 of the 1 keys that had it'],
])('of %d keys that had it, %d lack it: %s', (had, lost, doubt) => {
  const little = { field: 'chat', had: 10, lost: 1 };
  expect(lossDoubt([little, { field: 'metadata', had, lost }])).toBe(doubt);
});

test('of nothing that is lacking there is no doubt', () => {
  expect(lossDoubt([])).toBeNull();
});
