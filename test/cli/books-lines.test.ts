/** The account's books as a plan prints them. */
import { expect, test } from 'vitest';
import { booksLines } from '../../src/cli/books-lines.ts';
import type { Books } from '../../src/core/books.ts';
import { hour, monday, noBooks } from '../core/story.ts';

const known = <T>(value: T) => ({ known: true, value }) as const;

test('fit a narrow terminal, and leave out what is nothing', () => {
  const books: Books = {
    ...noBooks,
    spent: known({ low: 123_456_789_123, high: 234_567_891_234 }),
    billed: known({ invoiced: 99e6, charged: 25.5e6, other: -1e6, pending: 0 }),
    rates: known({
      lastDay: { tokensPerHour: 1_234_567.8, requestsPerHour: 0.4567 },
      latest: { tokensPerHour: 0, requestsPerHour: 12.3, from: monday - 2.4 * hour, to: monday },
    }),
  };
  const lines = booksLines(books);
  expect(lines).toEqual([
    'spent     between $123456.789123 and $234567.891234',
    'invoiced  $99.00',
    'charged   $25.50',
    'other     -$1.00',
    'last 24 h 1,234,568 tokens/h, 0.46 requests/h',
    'latest    0 tokens/h, 12 requests/h',
    '          in the 144 min from 2026-11-23 07:36Z',
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(58);
});

test('say why something is unknown', () => {
  expect(booksLines({ ...noBooks, spent: known({ low: 5e6, high: null }) })).toEqual([
    'spent     at least $5.00',
    'billed    unknown',
    '  not read yet',
    'rate      unknown',
    '  not read yet',
  ]);
});
