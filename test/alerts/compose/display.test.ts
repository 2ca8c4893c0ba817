import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { display, fitLines, shorten } from '../../../src/alerts/compose/display.ts';
import { hostileNames } from '../build.ts';

describe('what cannot be seen is spelled out', () => {
  test.each([
    ['abc\u202Egnp', 'abc⟨U+202E⟩gnp'],
    ['a\r\nb', 'a⟨U+000D⟩⟨U+000A⟩b'],
    ['\u001B[31m', '⟨U+001B⟩[31m'],
    ['ad\u200Bmin', 'ad⟨U+200B⟩min'],
    ['half \uD83D', 'half ⟨U+D83D⟩'],
    ['a\u2028b', 'a⟨U+2028⟩b'],
    ['x\u{E0041}', 'x⟨U+E0041⟩'],
    ['a\u200Db', 'a⟨U+200D⟩b'],
  ])('%j', (text, shown) => {
    expect(display(text)).toBe(shown);
  });

  test('joiners that belong to what they join stay', () => {
    expect(display('👩‍💻 👩🏽‍🚀 🏳️‍🌈 می‌خواهم')).toBe('👩‍💻 👩🏽‍🚀 🏳️‍🌈 می‌خواهم');
  });
});

describe('length', () => {
  test('a hundred graphemes and no more, whole ones', () => {
    const shown = display('👩‍💻'.repeat(700));
    expect(shown).toBe(`${'👩‍💻'.repeat(99)}…`);
  });

  test('exactly as many as fit are not cut', () => {
    expect(display('x'.repeat(100))).toBe('x'.repeat(100));
    expect(display('x'.repeat(101))).toBe(`${'x'.repeat(99)}…`);
  });

  test('a single endless grapheme is cut as well', () => {
    expect(display(`e${'\u0301'.repeat(100_000)}`).length).toBeLessThan(1000);
  });

  test('lines are kept whole', () => {
    expect(fitLines(['aa', 'bb', 'cc'], 5)).toEqual({ text: 'aa\nbb', left: 1 });
    expect(fitLines([], 5)).toEqual({ text: '', left: 0 });
  });
});

test('whatever is written, what is shown has no controls and is short', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(...Object.values(hostileNames)),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 120 }), (raw, max) => {
      const shown = display(raw, max);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\u200B\u2028\u2029\uFEFF]/u);
      expect(Array.from(new Intl.Segmenter('en').segment(shorten(raw, max))).length).toBeLessThanOrEqual(max);
    }),
  );
});
