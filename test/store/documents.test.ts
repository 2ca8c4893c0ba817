import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { change, dayMs, finding, hourMs, keyRecord, now, run, stateFile } from './fixtures.ts';

const ids = (documents: readonly { id: string }[]): string[] => documents.map(({ id }) => id);

describe('documents', () => {
  it('come back as they were written, after the file was closed and opened again', async () => {
    const path = stateFile();
    const written = {
      keys: [keyRecord(1), keyRecord(2)],
      findings: [finding('f1'), finding('f2')],
      changes: [change('c1')],
      samples: [run('account', now, now, 5)],
      meta: { policyHash: 'sha256:00' },
    };
    {
      await using store = await openSqlite(path);
      await store.commit(written);
    }
    await using again = await openSqlite(path);
    expect(await again.load(now)).toEqual(written);
  });

  it('replace those of the same identity', async () => {
    await using store = await openSqlite(':memory:');
    await store.commit({ keys: [keyRecord(1)], findings: [finding('f1')], changes: [change('c1')] });
    const key = keyRecord(1, { originalName: 'New' });
    const closed = finding('f1', { closedAt: now });
    const failed = change('c1', { outcome: 'failed' });
    await store.commit({ keys: [key], findings: [closed], changes: [failed], meta: { a: '1' } });
    await store.commit({ meta: { a: '2' } });
    expect(await store.load(now)).toEqual({
      keys: [key],
      findings: [closed],
      changes: [failed],
      samples: [],
      meta: { a: '2' },
    });
  });

  it('tell a key from a later one with the same fingerprint', async () => {
    await using store = await openSqlite(':memory:');
    const first = keyRecord(1, { createdAt: 1 });
    const second = keyRecord(1, { createdAt: 2 });
    await store.commit({ keys: [second, first] });
    expect((await store.load(now)).keys).toEqual([first, second]);
  });

  it('are loaded for as long as a pass may need them', async () => {
    await using store = await openSqlite(':memory:');
    const yesterday = now - dayMs - 60_001;
    await store.commit({
      keys: [
        keyRecord(1, { goneAt: now - 399 * dayMs }),
        keyRecord(2, { goneAt: now - 401 * dayMs }),
        keyRecord(3),
      ],
      findings: [
        finding('open, its period over', { periodEnd: now - 1 }),
        finding('closed, its period over', { closedAt: now - 5, periodEnd: now }),
        finding('closed, its period not over', { closedAt: now - 5, periodEnd: now + 1 }),
        finding('closed, without a period', { closedAt: now - 5, periodEnd: null }),
      ],
      changes: [
        // Its request may have taken a minute.
        change('of today', { intentAt: yesterday + 1 }),
        change('of yesterday', { intentAt: yesterday }),
        change('of yesterday, unsettled', { intentAt: yesterday, settledAt: null, outcome: null }),
      ],
    });
    const state = await store.load(now);
    expect(state.keys.map(({ id }) => id)).toEqual([keyRecord(1).id, keyRecord(3).id]);
    expect(ids(state.findings)).toEqual(['closed, its period not over', 'open, its period over']);
    expect(ids(state.changes)).toEqual(['of yesterday, unsettled', 'of today']);
  });

  it('are forgotten 400 days after they were over, and not before', async () => {
    const path = stateFile();
    await using store = await openSqlite(path);
    const long = now - 400 * dayMs - 1;
    const gone = keyRecord(1, { goneAt: long, createdAt: long - dayMs });
    await store.commit({
      keys: [gone, keyRecord(2, { goneAt: long + 1 })],
      findings: [
        finding('old', { closedAt: long, periodEnd: null }),
        finding('open', { openedAt: long, periodEnd: null }),
      ],
      changes: [
        change('old', { intentAt: long }),
        change('unsettled', { intentAt: long, settledAt: null, outcome: null }),
      ],
      samples: [{ ...run(gone.id, now, now, 1), createdAt: gone.createdAt }],
    });
    await store.thin(now, [], 0);
    const state = await store.load(now - 2 * dayMs);
    expect(ids(state.keys)).toEqual([keyRecord(2).id]);
    expect(ids(state.findings)).toEqual(['open']);
    expect(ids(state.changes)).toEqual(['unsettled']);
    expect(state.samples).toEqual([]);
  });
});

describe('strangers’ text', () => {
  it('keeps metadata without a prototype, whatever its names', async () => {
    await using store = await openSqlite(':memory:');
    const metadata = JSON.parse('{"__proto__":{"plan":"vip"},"constructor":"c","n":null}') as Record<
      string,
      unknown
    >;
    const key = keyRecord(1);
    await store.commit({ keys: [{ ...key, facts: { ...key.facts, metadata } }] });
    const loaded = (await store.load(now)).keys[0]?.facts.metadata;
    expect(Object.getPrototypeOf(loaded)).toBeNull();
    expect(Object.keys(loaded ?? {})).toEqual(['__proto__', 'constructor', 'n']);
    expect('toString' in (loaded ?? {})).toBe(false);
  });

  it('in the id of a finding cannot make it another one', async () => {
    await using store = await openSqlite(':memory:');
    const names = ['a\ud800', 'a\ud801', 'a\u0000b', 'a\u0000c', "'; DROP TABLE findings; --"];
    await store.commit({ findings: names.map((name) => finding(name)) });
    expect(new Set(ids((await store.load(now)).findings))).toEqual(new Set(names));
  });
});

describe('a commit', () => {
  it('is all or nothing', async () => {
    await using store = await openSqlite(':memory:');
    await store.commit({ keys: [keyRecord(1)], record: [{ at: now, kind: 'first', facts: {} }] });
    const before = await everything(store);
    const half = { ...run('account', now, now, 1), firstAt: 0.5 };
    await expect(
      store.commit({
        keys: [keyRecord(2)],
        findings: [finding('f1')],
        samples: [run('account', 1, 1, 1), half],
      }),
    ).rejects.toThrow();
    expect(await everything(store)).toEqual(before);
    await store.commit({ samples: [run('account', now, now + hourMs, 1)] });
    expect((await store.load(now)).samples).toHaveLength(1);
  });
});

async function everything(store: Store): Promise<unknown> {
  return { state: await store.load(now), record: await store.recorded({ limit: 100 }) };
}
