import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { fit, span, writeTable, type Column } from '../../src/cli/output.ts';
import { screen } from './account.ts';

describe('fit', () => {
  test.each([
    ['short', 10, 'short'],
    ['exactly ten', 11, 'exactly ten'],
    ['more than ten', 10, 'more than…'],
    ['実験実験', 6, '実験…'],
    ['実験実験', 5, '実験…'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['abc', 1, '…'],
  ])('%j in %i columns is %j', (text, width, expected) => {
    expect(fit(text, width)).toBe(expected);
  });

  test('never takes more than it may', () => {
    const texts = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 40 }), (text, width) => {
        expect(stringWidth(fit(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('a table', () => {
  const columns: Column<string>[] = [
    { title: 'ID', text: () => 'k_1' },
    { title: 'NAME', text: (row) => row, min: 4, colour: () => (c, text) => c.red(text) },
    { title: 'NOTE', text: () => 'something', drop: 1 },
  ];

  test('drops what may be dropped before it cuts', () => {
    const out = screen(12);
    writeTable(out, columns, ['abcdefghij']);
    expect(out.text()).toBe('ID   NAME\nk_1  abcdef…\n');
  });

  test('stays whole where nothing is left to give', () => {
    const out = screen(3);
    writeTable(out, columns, ['abcdefghij']);
    expect(out.text()).toBe('ID   NAME\nk_1  abc…\n');
  });

  test('is coloured only where there are colours', () => {
    const out = screen(80, true);
    writeTable(out, columns, ['abc']);
    expect(out.text()).toBe('\u001b[1mID   NAME  NOTE\u001b[22m\nk_1  \u001b[31mabc \u001b[39m  something\n');
  });
});

test.each([
  [30_000, '0 min'],
  [119 * 60_000, '119 min'],
  [47 * 3_600_000, '47 h'],
  [322.9 * 86_400_000, '322 d'],
  [-5, '0 min'],
])('%i ms is %s', (ms, words) => {
  expect(span(ms)).toBe(words);
});
