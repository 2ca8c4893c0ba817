/** A secret is written nowhere by accident. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';

test('a secret is told on request only, however it is written', () => {
  const secret = new Secret('hunter2');
  expect(secret.reveal()).toBe('hunter2');
  const written = [String(secret), `${secret.toString()}`, JSON.stringify({ secret }), inspect({ secret })];
  expect(written).toEqual(['[secret]', '[secret]', '{"secret":"[secret]"}', '{ secret: [secret] }']);
});
