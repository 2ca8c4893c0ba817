/** Which names the Admin API takes. */
import { expect, test } from 'vitest';
import { asLegal, illegalRuns, isLegalName, maxNameLength } from '../../src/core/names.ts';

test('a name is legal up to its greatest length, of the letters that are taken, and not of nothing', () => {
  const longest = 'x'.repeat(maxNameLength);
  expect([longest, 'User 1', 'a.b_c-d', ' a'].map(isLegalName)).toEqual([true, true, true, true]);
  expect([`${longest}x`, '', '  ', 'a@b', 'Zoë'].map(isLegalName)).toEqual(Array(5).fill(false));
});

test('what is not taken becomes one hyphen, run by run', () => {
  expect(illegalRuns('a: b/@c')).toEqual([':', '/@']);
  expect(illegalRuns('a b')).toEqual([]);
  expect(asLegal('a: b/@c')).toBe('a- b-c');
});
