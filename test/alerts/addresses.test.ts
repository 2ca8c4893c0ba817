import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { domainAllowed, mailboxOf, parseAddress } from '../../src/alerts/addresses.ts';
import { hostileNames } from './build.ts';

describe('one plain mailbox', () => {
  test.each([
    ['user@example.com', 'user@example.com'],
    ['First.Last+tag@Sub.Example.COM', 'First.Last+tag@sub.example.com'],
    ["o'brien@example.com", "o'brien@example.com"],
    ['user@bücher.example', 'user@xn--bcher-kva.example'],
    ['user@例え.jp', 'user@xn--r8jz45g.jp'],
  ])('%s', (text, address) => {
    expect(parseAddress(text, { allowLocal: false })).toBe(address);
  });
});

describe('anything else is none', () => {
  test.each([
    '',
    'user',
    '@example.com',
    'user@',
    'user@localhost',
    'a@b@example.com',
    '"a b"@example.com',
    'a,b@example.com',
    'a@example.com,b@example.com',
    'a@example.com; b@example.com',
    'Name <a@example.com>',
    '<a@example.com>',
    ' a@example.com',
    'a@example.com ',
    'a@example.com\n',
    'a@example.com\r\nBcc: b@example.com',
    'a\u0000@example.com',
    'a@example.com\u0000',
    'a..b@example.com',
    '.a@example.com',
    'a.@example.com',
    'a@-example.com',
    'a@example-.com',
    'a@example..com',
    'a@.example.com',
    'a@exa_mple.com',
    'a@127.0.0.1',
    'a@[127.0.0.1]',
    'a@[IPv6:::1]',
    'a@example.com/path',
    'a@example.com:25',
    'a@exa%6dple.com',
    'a(comment)@example.com',
    'ü@example.com',
    'a@evil.example\u202Emoc',
    'a@exa\u200Bmple.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(64)}.com`,
    `a@${'b.'.repeat(126)}com`,
  ])('%j', (text) => {
    expect(parseAddress(text, { allowLocal: false })).toBeNull();
  });

  test('hostile names', () => {
    for (const name of Object.values(hostileNames))
      expect(parseAddress(name, { allowLocal: true })).toBeNull();
  });
});

test('an operator may write to a local mailbox', () => {
  expect(parseAddress('root@localhost', { allowLocal: true })).toBe('root@localhost');
});

test('whatever passes can be put into a header and a list as it is', () => {
  const parts = fc.constantFrom(
    'a',
    'example',
    '.',
    '@',
    ',',
    ';',
    '<',
    '>',
    '"',
    ' ',
    '\r\n',
    ':',
    '(',
    '\\',
    'com',
    'ü',
    '\u0000',
    '%',
    '[',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
      const address = parseAddress(pieces.join(''), { allowLocal: true });
      if (address !== null) expect(address).toMatch(/^[^\s,;:<>"()[\]\\@\p{Cc}]+@[a-z0-9.-]+$/u);
    }),
    { numRuns: 2000 },
  );
});

test('addresses that differ in case are one mailbox, and no others are', () => {
  expect(mailboxOf('Ann@x.org')).toBe(mailboxOf('ann@x.org'));
  expect(mailboxOf('Ann@x.org,B@x.org')).toBe(mailboxOf('ann@x.org,b@x.org'));
  for (const other of ['ann@y.org', 'an.n@x.org', 'ann+1@x.org', 'ann@x.org,b@x.org'])
    expect(mailboxOf(other)).not.toBe(mailboxOf('ann@x.org'));
});

test('domains are compared whole', () => {
  expect(domainAllowed('a@example.com', ['Example.com'])).toBe(true);
  expect(domainAllowed(parseAddress('Ann@EXAMPLE.com', { allowLocal: false }) ?? '', ['example.com'])).toBe(
    true,
  );
  expect(domainAllowed('a@notexample.com', ['example.com'])).toBe(false);
  expect(domainAllowed('a@example.com', [])).toBe(false);
});
