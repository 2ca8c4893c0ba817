import { expect, test } from 'vitest';
import { Secret } from '../src/core/secret.ts';
import { hide, redact } from '../src/scrub.ts';

test.each([
  ['a key', 'no tk_abcdef123 here', 'no [secret] here'],
  ['an admin key', 'admin_abcdef123', '[secret]'],
  ['a Slack webhook', 'https://hooks.slack.com/services/T0/B0/xyz.', 'https://hooks.slack.com/[secret]'],
  ['a login in a URL', 'smtp://me:pass@host', 'smtp://[secret]@host'],
  ['a bearer', 'Authorization: Bearer abc, and more', 'Authorization: Bearer [secret], and more'],
  ['nothing of the kind', 'task_force tk_ok Bearer', 'task_force tk_ok Bearer'],
])('%s', (_, text, shown) => {
  expect(redact(text)).toBe(shown);
});

test('what was hidden is taken out by its value, whatever it looks like', () => {
  expect(redact('whisper correct-horse')).toBe('whisper correct-horse');
  hide(new Secret('correct-horse'));
  expect(redact('whisper correct-horse')).toBe('whisper [secret]');
});

test('of a URL also the path with its query, and the password as it is and as it is written', () => {
  hide(new Secret('https://user:p%40ssword9@alerts.example/hooks/0123456789?sig=abcdef'));
  expect(redact('POST /hooks/0123456789?sig=abcdef failed')).toBe('POST [secret] failed');
  expect(redact('535 p@ssword9 or p%40ssword9')).toBe('535 [secret] or [secret]');
  expect(redact('alerts.example refused')).toBe('alerts.example refused');
});

test('also as it stands in JSON, in which a line of the log is', () => {
  const secret = String.raw`very"secret\words`;
  hide(new Secret(secret));
  expect(redact(JSON.stringify({ said: secret }))).toBe('{"said":"[secret]"}');
});

test('of one secret that begins with another, nothing is left standing', () => {
  hide(new Secret('https://two.example/a'));
  hide(new Secret('https://two.example/a/bcdef'));
  expect(redact('POST https://two.example/a/bcdef failed')).toBe('POST [secret] failed');
});

test('too short to be told from other words, or a plain path, is left', () => {
  hide(new Secret('short'));
  hide(new Secret('https://alerts.example/hook'));
  expect(redact('a short hook at /hook')).toBe('a short hook at /hook');
});

test('a long text of what might have become a URL takes no time', { timeout: 1500 }, () => {
  const text = 'a.'.repeat(60_000);
  expect(redact(text)).toBe(text);
});
