/** The search for secrets that ends every test here must itself be able to find one. */
import { expect, test } from 'vitest';
import { leaks } from './leaks.ts';

const secret = 'p@ss/w:rd+7%Zq';
const quoted = '"Very" <secret> & \\more';

test.each([
  ['as it is', secret],
  ['in a URL', `smtp://u:${encodeURIComponent(secret)}@host`],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in a login', Buffer.from(`\0user\0${secret}`).toString('base64')],
  ['in base64 amid other text', Buffer.from(`ab${secret}cd`).toString('base64')],
  ['in base64 of URLs', Buffer.from(`a${secret}`).toString('base64url')],
  ['in hex', Buffer.from(secret).toString('hex')],
  ['in hex in capitals', Buffer.from(secret).toString('hex').toUpperCase()],
  ['cut off', `${secret.slice(0, 12)}…`],
  ['cut off, in a URL', encodeURIComponent(secret).slice(0, 22)],
  ['cut off, in base64', Buffer.from(secret.slice(0, 13)).toString('base64')],
])('a secret %s is found', (_, text) => {
  const traces = [
    { where: 'elsewhere', bytes: Buffer.from('nothing') },
    { where: 'here', bytes: Buffer.from(`before ${text} after`) },
  ];
  expect(leaks(traces, { password: secret, other: 'tk_neverSeen' })).toEqual(['here: password']);
});

test.each([
  ['in JSON', JSON.stringify({ quoted })],
  ['in HTML', '<b>&quot;Very&quot; &lt;secret&gt; &amp; \\more</b>'],
])('a secret %s is found', (_, text) => {
  expect(leaks([{ where: 'here', bytes: Buffer.from(text) }], { quoted })).toEqual(['here: quoted']);
});

test('nothing is found where there is nothing', () => {
  expect(leaks([{ where: 'here', bytes: Buffer.from('p@ss/w:rd') }], { password: secret })).toEqual([]);
});
