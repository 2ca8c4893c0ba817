import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { redact, serverMessage } from '../../src/tinfoil/redact.ts';

test.each([
  ['{"status":"error","message":"Invalid admin API key"}', 'Invalid admin API key'],
  [
    '{"error":"API key name must not contain special characters"}',
    'API key name must not contain special characters',
  ],
  ['{"error":{"message":"nested","code":7}}', 'nested'],
  ['{"error":{"code":7},"message":12}', null],
  ['"just text"', 'just text'],
  ['upstream connect error', 'upstream connect error'],
  ['{"status":"error","mess', '{"status":"error","mess'],
  ['<!doctype html><title>502</title>', null],
  ['', null],
  ['   \n', null],
  ['null', null],
  ['[]', null],
])('of the body %s it passes on %j', (body, words) => {
  expect(serverMessage(body, [])).toBe(words);
});

test('control characters, line breaks and reversed text do not get through', () => {
  expect(redact('a\u001b[31mb\r\nc\u202ed\u2028e\u0000f', [])).toBe('a[31mb cd ef');
});

test('what looks like a key is replaced, known or not', () => {
  expect(redact('key tk_abc123... of admin_x-Y.z and TK_UP', [])).toBe(
    'key [secret] of [secret] and [secret]',
  );
});

test('a key broken by invisible characters is put together, then replaced', () => {
  expect(redact('tk_\u0000abc\u200bdef', [])).toBe('[secret]');
});

test('a long message is cut', () => {
  expect(redact('x'.repeat(5000), [])).toHaveLength(200);
});

test('no known secret survives, wherever it stands and however it is encoded', () => {
  const words = fc.string({ maxLength: 250 });
  fc.assert(
    fc.property(fc.stringMatching(/^[\x21-\x7e]{6,40}$/), words, words, (value, before, after) => {
      const line = redact(`${before}${value}${after} ${encodeURIComponent(value)}`, [new Secret(value)]);
      fc.pre(!'[secret]'.includes(value));
      expect(line).not.toContain(value);
      expect(line).not.toContain(encodeURIComponent(value));
    }),
  );
});
