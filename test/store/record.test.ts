import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/store/record.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { RecordCheck } from '../../src/store/store.ts';
import { faultOf, keyRecord, now, stateFile } from './fixtures.ts';

const entry = (n: number, facts: Record<string, unknown> = {}) => ({
  at: now + n,
  kind: 'held',
  facts: { n, ...facts },
});

/** A record of five entries, written in two commits, after somebody had their hands on the file. */
async function tampered(sql: string): Promise<RecordCheck> {
  const path = stateFile();
  {
    await using store = await openSqlite(path);
    await store.commit({ record: [1, 2, 3].map((n) => entry(n, { findingId: `f${n}` })) });
    await store.commit({ record: [4, 5].map((n) => entry(n)) });
  }
  const db = new DatabaseSync(path);
  db.exec(
    'DROP TRIGGER record_never_changes; DROP TRIGGER record_never_shrinks; DROP TRIGGER record_keeps_order',
  );
  db.exec(sql);
  db.close();
  await using store = await openSqlite(path, { readOnly: true });
  return store.verifyRecord();
}

describe('the record', () => {
  it('is read newest last, of one finding or of all', async () => {
    await using store = await openSqlite(':memory:');
    await store.commit({ record: [entry(1, { findingId: 'a' }), entry(2, { findingId: 'b' })] });
    await store.commit({ record: [entry(3, { findingId: 'a' }), entry(4)] });
    const seqs = async (query: { limit: number; findingId?: string }): Promise<number[]> =>
      (await store.recorded(query)).map(({ seq }) => seq);
    expect(await seqs({ limit: 10 })).toEqual([1, 2, 3, 4]);
    expect(await seqs({ limit: 2 })).toEqual([3, 4]);
    expect(await seqs({ limit: 10, findingId: 'a' })).toEqual([1, 3]);
    expect((await store.recorded({ limit: 1, findingId: 'a' }))[0]).toMatchObject({
      seq: 3,
      ...entry(3, { findingId: 'a' }),
    });
  });

  it('chains each entry to the one before by what anybody can compute', async () => {
    await using store = await openSqlite(':memory:');
    await store.commit({ record: [{ at: 7, kind: 'b', facts: { z: 1, a: [{ y: null, x: 'é' }] } }] });
    await store.commit({ record: [{ at: 8, kind: 'c', facts: {} }] });
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
    const first = sha256(
      `${'0'.repeat(64)}{"at":7,"facts":{"a":[{"x":"é","y":null}],"z":1},"kind":"b","seq":1}`,
    );
    const second = sha256(`${first}{"at":8,"facts":{},"kind":"c","seq":2}`);
    expect((await store.recorded({ limit: 9 })).map(({ hash }) => hash)).toEqual([first, second]);
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 2 });
  });

  it('takes any facts, gives them back and holds together', async () => {
    const facts = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(fc.array(facts, { maxLength: 5 }), async (all) => {
        await using store = await openSqlite(':memory:');
        await store.commit({ record: all.map((one) => ({ at: now, kind: 'x', facts: one })) });
        const read = (await store.recorded({ limit: 9 })).map((one) => JSON.stringify(sorted(one.facts)));
        expect(read).toEqual(all.map((one) => JSON.stringify(sorted(JSON.parse(JSON.stringify(one))))));
        expect(await store.verifyRecord()).toEqual({ ok: true, entries: all.length });
      }),
    );
  });

  it('goes on after a restart, and leaves no entry of a commit that failed', async () => {
    const path = stateFile();
    for (const n of [1, 2]) {
      await using store = await openSqlite(path);
      await store.commit({ record: [entry(n)] });
      const broken = keyRecord(1, { goneAt: 0.5 });
      await expect(store.commit({ record: [entry(9)], keys: [broken] })).rejects.toThrow();
    }
    await using store = await openSqlite(path);
    expect((await store.recorded({ limit: 9 })).map(({ facts }) => facts.n)).toEqual([1, 2]);
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 2 });
  });

  it.each([
    `UPDATE record SET body = '{}' WHERE seq = 1`,
    'DELETE FROM record WHERE seq = 2',
    'INSERT OR REPLACE INTO record SELECT 1, finding, body, hash FROM record WHERE seq = 2',
    'INSERT INTO record SELECT 7, finding, body, hash FROM record WHERE seq = 2',
  ])('refuses %s', async (statement) => {
    const path = stateFile();
    await using store = await openSqlite(path);
    await store.commit({ record: [entry(1), entry(2)] });
    const db = new DatabaseSync(path);
    expect(() => db.exec(statement)).toThrow('the record is append-only');
    db.close();
    expect(await store.verifyRecord()).toEqual({ ok: true, entries: 2 });
  });
});

describe('a record that somebody changed is told at its first wrong entry:', () => {
  const copy = (from: number): string => `(SELECT body FROM record WHERE seq = ${from})`;
  it.each<[string, string, number, RegExp]>([
    ['a word', `UPDATE record SET body = replace(body, 'held', 'done') WHERE seq = 3`, 3, /hash/],
    ['one hash', `UPDATE record SET hash = '${'1'.repeat(64)}' WHERE seq = 3`, 3, /hash/],
    ['one entry in place of another', `UPDATE record SET body = ${copy(2)} WHERE seq = 4`, 4, /hash/],
    ['an entry taken out', 'DELETE FROM record WHERE seq = 2', 2, /missing/],
    ['the first entries taken out', 'DELETE FROM record WHERE seq <= 2', 1, /missing/],
    ['the end cut off', 'DELETE FROM record WHERE seq >= 4', 4, /ends at 3, but 5/],
    ['everything cut off', 'DELETE FROM record', 1, /ends at 0, but 5/],
    ['the head gone', 'DELETE FROM record_head', 5, /last/],
    ['another head', `UPDATE record_head SET hash = '${'1'.repeat(64)}'`, 5, /last/],
    ['a finding’s name', `UPDATE record SET finding = 'f9' WHERE seq = 2`, 2, /another finding/],
    ['no JSON', `UPDATE record SET body = 'nonsense' WHERE seq = 5`, 5, /hash/],
  ])('%s', async (_, sql, seq, because) => {
    expect(await tampered(sql)).toEqual({
      ok: false,
      seq,
      because: expect.stringMatching(because) as string,
    });
  });

  it('and one that nobody changed is whole', async () => {
    expect(await tampered('SELECT 1')).toEqual({ ok: true, entries: 5 });
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order in which an object was put together', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { selector: ([name]) => name }),
        (fields) => {
          expect(canonicalJson(Object.fromEntries(fields.toReversed()))).toBe(
            canonicalJson(Object.fromEntries(fields)),
          );
        },
      ),
    );
  });

  it('orders names as text, also those that are numbers', () => {
    expect(canonicalJson({ 9: 0, 10: 0, b: 0, B: 0, é: 0 })).toBe('{"10":0,"9":0,"B":0,"b":0,"é":0}');
  });

  it('writes what JSON writes: no undefined, and what toJSON says', () => {
    expect(canonicalJson({ a: undefined, b: new Date(0), c: NaN, d: [undefined] })).toBe(
      '{"b":"1970-01-01T00:00:00.000Z","c":null,"d":[null]}',
    );
  });
});

describe('a fault in the file', () => {
  it('found while reading is told as such', async () => {
    const path = stateFile();
    await using store = await openSqlite(path);
    await store.commit({ record: [entry(1)] });
    const db = new DatabaseSync(path);
    db.exec('DROP TRIGGER record_never_changes');
    db.exec(`UPDATE record SET body = 'nonsense'`);
    db.close();
    expect(await faultOf(store.recorded({ limit: 1 }))).toBe('corrupt');
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]));
}
