/** An answer that is small on the wire and large in memory is not read. */
import { expect, test } from 'vitest';
import { parseJson } from '../../src/tinfoil/json.ts';
import { Malformed } from '../../src/tinfoil/schemas.ts';
import { clientOf, errorOf, never } from './harness.ts';

test.each([
  ['lists', `[${'[],'.repeat(4_000_001)}0]`],
  ['objects', `[${'{},'.repeat(4_000_001)}0]`],
  ['numbers', `[${'1.5,'.repeat(4_000_001)}0]`],
  ['fields', `{${Array.from({ length: 4_000_001 }, (_, index) => `"${index.toString(36)}":0`).join(',')}}`],
  ['a list in a list in a list', '['.repeat(4_000_001)],
])('of too many %s', (_, text) => {
  expect(() => parseJson(Buffer.from(text))).toThrow(Malformed);
});

test.each([0, 1, 2, 3])('exactly as many as may be, and one more, %i bytes into the memory', (lead) => {
  const numbers = (count: number): Buffer =>
    Buffer.from(' '.repeat(lead) + `[${'0,'.repeat(count - 1)}0]`).subarray(lead);
  expect(parseJson(numbers(4_000_000))).toHaveLength(4_000_000);
  expect(() => parseJson(numbers(4_000_001))).toThrow(Malformed);
});

test('what stands in texts does not count, escaped quotation marks and all', () => {
  const names = Array.from({ length: 60 }, () => `${'[{:'.repeat(50_000)}"\\`);
  expect(parseJson(Buffer.from(JSON.stringify(names)))).toEqual(names);
});

test('an account of 100,000 keys with their models fits', () => {
  const models = { 'gpt-oss-120b': { cost: 1, tokens: 1, requests: 1 } };
  const row = JSON.stringify({ cost: 1, total_tokens: 1, total_requests: 1, models });
  const rows = Array.from({ length: 100_000 }, (_, index) => `"User ${String(index)}":${row}`);
  expect(parseJson(Buffer.from(`{"keys":{${rows.join(',')}}}`))).toHaveProperty('keys.User 99999.cost', 1);
});

test('it is told as an answer that cannot be understood, and not asked for again', async () => {
  const body = `[${'{},'.repeat(4_000_001)}{}]`;
  let asked = 0;
  const fetch = async (): Promise<Response> => ((asked += 1), new Response(body));
  const error = await errorOf(clientOf({ fetch }).reader.listKeys(never));
  expect(error).toMatchObject({
    kind: 'malformed',
    detail: 'it has more than 4000000 values',
    retryable: false,
  });
  expect(asked).toBe(1);
});

test('more than 64 MiB are not taken', async () => {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  const fetch = async (): Promise<Response> =>
    new Response(new ReadableStream({ pull: (controller) => void controller.enqueue(chunk) }));
  const error = await errorOf(clientOf({ fetch }).reader.listKeys(never));
  expect(error).toMatchObject({ kind: 'too-large' });
});
