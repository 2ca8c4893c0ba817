import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visible, visibleJson } from '../../src/cli/terminal.ts';

describe('visible', () => {
  it.each([
    ['User 7 – Jürgen 🚀 日本', 'User 7 – Jürgen 🚀 日本'],
    ['red \u001b[31m', 'red ⟨U+001B⟩[31m'],
    ['one\r\ntwo\tthree', 'one⟨U+000D⟩⟨U+000A⟩two⟨U+0009⟩three'],
    ['\u009b2J', '⟨U+009B⟩2J'],
    ['exe\u202etxt', 'exe⟨U+202E⟩txt'],
    ['a\u200bb\u2060\ufeff', 'a⟨U+200B⟩b⟨U+2060⟩⟨U+FEFF⟩'],
    ['a\u2028b', 'a⟨U+2028⟩b'],
    ['\u3164\u115f', '⟨U+3164⟩⟨U+115F⟩'],
    ['tag\u{e0041}', 'tag⟨U+E0041⟩'],
    ['half\ud800', 'half⟨U+D800⟩'],
    [`z${'\u0301'.repeat(40)}!`, `z${'\u0301'.repeat(4)}…!`],
  ])('shows %j as %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it.each([
    ['abcde', 5, 'abcde'],
    ['abcdef', 5, 'abcd…'],
    ['e\u0301e\u0301e\u0301', 3, 'e\u0301e\u0301e\u0301'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['👍🏽👍🏽👍🏽', 2, '👍🏽…'],
    ['', 1, ''],
  ])('of %j shows at most %i characters: %j', (text, max, shown) => {
    expect(visible(text, max)).toBe(shown);
  });

  it('leaves nothing that a terminal obeys or hides, and never more than was asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
        const shown = visible(text, max);
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect([...new Intl.Segmenter().segment(shown)].length).toBeLessThanOrEqual(max);
      }),
    );
  });
});

describe('visibleJson', () => {
  it('says the same as the JSON it stands for, with nothing hidden', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const shown = visibleJson(value);
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('is indented', () => {
    expect(visibleJson({ a: ['\u202e\n'] })).toBe('{\n  "a": [\n    "\\u202E\\n"\n  ]\n}');
  });
});
