import { expect, test } from 'vitest';
import { parseHttpDate, retryAfterMs } from '../../src/tinfoil/retry-after.ts';

const now = Date.UTC(2026, 10, 23, 10);

test.each([
  ['30', 30_000],
  ['0', 0],
  ['1.5', 1500],
  [' 7 ', 7000],
  ['999999999999', 86_400_000],
  ['Mon, 23 Nov 2026 10:00:20 GMT', 20_000],
  ['Mon, 23 Nov 2026 09:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400_000],
])('"%s" is %d ms', (text, ms) => {
  expect(retryAfterMs(new Headers({ 'retry-after': text }), now)).toBe(ms);
});

test.each(['', 'soon', '-1', '1e3', '2026-11-23T10:00:20Z', 'Mon, 99 Nov 2026 10:00:20 GMT'])(
  '"%s" says nothing',
  (text) => {
    expect(retryAfterMs(new Headers({ 'retry-after': text }), now)).toBeNull();
  },
);

test('without the header nothing is said', () => {
  expect(retryAfterMs(new Headers(), now)).toBeNull();
});

test('a date counts from the answer’s own clock, however wrong ours is', () => {
  const headers = new Headers({
    'retry-after': 'Mon, 23 Nov 2026 12:00:20 GMT',
    date: 'Mon, 23 Nov 2026 12:00:00 GMT',
  });
  expect(retryAfterMs(headers, now)).toBe(20_000);
});

test('an HTTP date is read in its current form only', () => {
  expect(parseHttpDate('Mon, 23 Nov 2026 10:00:00 GMT')).toBe(now);
  expect(parseHttpDate('Monday, 23-Nov-26 10:00:00 GMT')).toBeNull();
  expect(parseHttpDate('1')).toBeNull();
  expect(parseHttpDate(null)).toBeNull();
});
