import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLister } from '../../src/tinfoil/lister.ts';
import { parseListing } from '../../src/tinfoil/parse.ts';
import { row } from './harness.ts';

const answer = (text: string, sentAt = 1000) => ({ sentAt, serverAt: null, bytes: Buffer.from(text) });

/** Keys whose secrets also stand in what is said about others, or are not written as they are. */
const secret = fc
  .array(fc.constantFrom('a', 'b', '0', '_', '-'), { minLength: 1, maxLength: 6 })
  .map((parts) => `tk_${parts.join('')}`);
const listText = fc
  .uniqueArray(secret, { minLength: 1, maxLength: 14 })
  .chain((secrets) =>
    fc.record({
      secrets: fc.constant(secrets),
      notes: fc.array(fc.constantFrom(...secrets), { minLength: secrets.length, maxLength: secrets.length }),
      escaped: fc.boolean(),
      noteFirst: fc.boolean(),
    }),
  )
  .map(({ secrets, notes, escaped, noteFirst }) => {
    const rows = secrets.map((key, n) => {
      const { key: _key, ...rest } = row({ metadata: { note: notes[n] } });
      return noteFirst ? { ...rest, key } : { key, ...rest };
    });
    const text = JSON.stringify(rows);
    return escaped ? text.replaceAll('tk_', '\\u0074k_') : text;
  });

test('a list that says the same again gives the very same keys, each with its own secret', () => {
  fc.assert(
    fc.property(listText, (text) => {
      const list = createLister();
      const first = list(answer(text));
      for (const sentAt of [2000, 3000]) {
        const again = list(answer(text, sentAt));
        expect(again.at).toBe(sentAt);
        expect(again.keys).toBe(first.keys);
        const afresh = parseListing(JSON.parse(text), answer(text));
        for (const { id } of again.keys)
          expect(again.secrets.get(id)?.reveal()).toBe(afresh.secrets.get(id)?.reveal());
        expect(again.secrets.get('k_0000000000000000')).toBeUndefined();
      }
    }),
  );
});

test('one that says anything else is read anew', () => {
  const list = createLister();
  const one = JSON.stringify([row({ name: 'Alice' })]);
  const other = JSON.stringify([row({ name: 'Alicf' })]);
  expect(list(answer(one)).keys[0]?.name).toBe('Alice');
  expect(list(answer(other)).keys[0]?.name).toBe('Alicf');
  expect(list(answer(one)).keys[0]?.name).toBe('Alice');
});

test('one that cannot be read does not take the place of one that could', () => {
  const list = createLister();
  const one = JSON.stringify([row()]);
  const { keys } = list(answer(one));
  expect(() => list(answer('[{'))).toThrow();
  expect(list(answer(one)).keys).toBe(keys);
});
