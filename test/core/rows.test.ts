/** Usage by name. */
import { expect, test } from 'vitest';
import { entriesOf, namesOf, rowsByName, rowsOf } from '../../src/core/rows.ts';

test('a row is found by its name, the last of two, and all are told in their order', () => {
  const rows = rowsByName([
    ['a', 1],
    ['b', 2],
    ['a', 3],
  ]);
  expect([rows.size, rows.get('a'), rows.get('b'), rows.get('c')]).toEqual([3, 3, 2, undefined]);
  expect(rows.list).toEqual([1, 2, 3]);
  expect(entriesOf(rows)).toEqual([
    ['a', 1],
    ['b', 2],
    ['a', 3],
  ]);
});

test('rows of one answer to the next share their names', () => {
  const names = namesOf(['a', 'b']);
  const [before, after] = [rowsOf(names, [1, 2]), rowsOf(names, [3, 4])];
  expect(before.names).toBe(after.names);
  expect([before.get('b'), after.get('b')]).toEqual([2, 4]);
});
