import fc from 'fast-check';
import { expect, it } from 'vitest';
import { globMatcher } from '../../src/policy/glob.ts';

/** By the definition, without any cleverness: exponential, for short texts. */
function oracle(pattern: readonly string[], text: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return text.length === 0;
  if (head === '*') return oracle(rest, text) || (text.length > 0 && oracle(pattern, text.slice(1)));
  return text.length > 0 && (head === '?' || head === text[0]) && oracle(rest, text.slice(1));
}

const letters = fc.constantFrom('a', 'b', 'A', '.', '😀');

it('agrees with the definition', () => {
  const pattern = fc.array(fc.oneof(letters, fc.constantFrom('*', '?')), { maxLength: 7 });
  fc.assert(
    fc.property(pattern, fc.array(letters, { maxLength: 7 }), (wanted, given) => {
      expect(globMatcher(wanted.join(''))(given.join(''))).toBe(oracle(wanted, given));
    }),
    { numRuns: 3000 },
  );
});

it('finds any text within itself', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (before, middle, after) => {
      fc.pre(!/[*?]/.test(middle));
      expect(globMatcher(`*${middle}*`)(before + middle + after)).toBe(true);
    }),
  );
});

it.each([
  ['User *', 'User 12', true],
  ['User *', 'user 12', false],
  ['User ?', 'User 12', false],
  ['User *', 'a User 12', false],
  ['*12', 'User 12', true],
  ['*12', 'User 123', false],
  ['U*12', 'User 12', true],
  ['U*12', 'User 13', false],
  ['*ser*', 'User 12', true],
  ['*a?', 'xaab', true],
  ['?x', 'ab', false],
  ['?x', 'abx', false],
  ['?', '😀', true],
  ['*', '', true],
  ['', '', true],
  ['', 'x', false],
  ['a.c', 'abc', false],
  ['[a]', 'a', false],
  ['(x+)+$', '(x+)+$', true],
])('%j against %j: %j', (pattern, text, matches) => {
  expect(globMatcher(pattern)(text)).toBe(matches);
});

it('is quick on what makes backtracking matchers hang', () => {
  const started = performance.now();
  expect(globMatcher(`${'*a'.repeat(50)}b`)('a'.repeat(5000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1000);
});
