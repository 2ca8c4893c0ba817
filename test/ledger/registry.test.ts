import { describe, expect, test } from 'vitest';
import type { Key, KeyId } from '../../src/core/key.ts';
import type { Loss } from '../../src/core/list-doubt.ts';
import type { Change, KeyRecord } from '../../src/core/state.ts';
import { livingIn, register } from '../../src/ledger/registry.ts';
import { id, key, minute, monday } from '../core/story.ts';

type Records = ReadonlyMap<KeyId, KeyRecord>;

function list(
  before: Records,
  keys: readonly Key[],
  more: { unsettled?: readonly Change[]; trusted?: boolean; at?: number } = {},
) {
  const listing = { at: more.at ?? monday, serverAt: null, keys, secrets: new Map() };
  return register(before, listing, more.unsettled ?? [], () =>
    more.trusted === false ? 'it is not believed' : null,
  );
}

const [a, b] = [key('A'), key('B')];
const both = list(new Map(), [a, b]).records;
const kinds = (registry: ReturnType<typeof list>) =>
  registry.events.map((event) => `${event.kind} ${event.id === a.id ? 'A' : 'B'}`);
const renaming = (to: string): Change => ({
  ...{
    id: 'x',
    kind: 'rename',
    keyId: a.id,
    keyCreatedAt: a.createdAt,
    policy: 'p',
    findingId: 'p/x',
    step: 0,
  },
  ...{ from: 'A', to, intentAt: monday, settledAt: null, outcome: null, detail: null },
});

describe('a listing', () => {
  test('brings new keys, once', () => {
    expect(kinds(list(new Map(), [a, b]))).toEqual(['key-new A', 'key-new B']);
    expect(list(new Map(), [a]).events[0]?.facts).toEqual({ name: 'A' });
    const again = list(both, [b, a], { at: monday + minute });
    expect([again.events, again.changed]).toEqual([[], []]);
    const same = list(both, [{ ...a }, { ...b }], { at: monday + minute });
    expect([same.events, same.changed]).toEqual([[], []]);
    expect(both.get(a.id)).toMatchObject({
      firstSeenAt: monday,
      originalName: 'A',
      nameChanged: false,
      ...{ standing: [], check: null },
    });
  });

  test.each([
    ['leaves out', null],
    ['has older', monday - 3 * minute],
  ])('that %s when a key was last used does not take back what an earlier one said', (_what, lastUsedAt) => {
    const used = list(both, [{ ...a, lastUsedAt: monday - minute }, b]);
    const after = list(used.records, [{ ...a, lastUsedAt }, b]).records.get(a.id);
    expect(after).toMatchObject({ facts: { lastUsedAt }, usedAfter: monday - minute });
  });

  test('that has a key used later, or in time to come, claims no more than is past', () => {
    const seen = (...instants: number[]) =>
      instants
        .reduce((records, lastUsedAt) => list(records, [{ ...a, lastUsedAt }, b]).records, both)
        .get(a.id);
    expect(seen(monday - minute, monday)).not.toHaveProperty('usedAfter');
    expect(seen(monday + minute, monday - minute)).toMatchObject({ usedAfter: monday });
  });

  test('that lacks a key says it is gone, and keeps its standing renames for when it comes back', () => {
    const standing = [{ findingId: 'p/x', from: 'A', to: 'B', at: monday, restore: true }];
    const before = new Map([...both].map(([of, record]) => [of, { ...record, standing }]));
    const after = list(before, [b], { at: monday + minute });
    expect(kinds(after)).toEqual(['key-gone A']);
    expect(after.events[0]?.facts).toEqual({ name: 'A' });
    expect(after.records.get(a.id)).toMatchObject({ goneAt: monday + minute, standing });
    expect(list(after.records, [b]).events).toEqual([]);
    const back = list(after.records, [a, b], { at: monday + 2 * minute });
    expect(back.records.get(a.id)).toMatchObject({ goneAt: null, standing });
  });

  test('that lacks another key says nothing anew of one that is gone', () => {
    const gone = list(both, [b]).records;
    expect(kinds(list(gone, []))).toEqual(['key-gone B']);
    expect([livingIn(both), livingIn(gone)]).toEqual([2, 1]);
  });

  test('that cannot be trusted says nothing of the keys that it lacks', () => {
    const after = list(both, [b], { trusted: false });
    expect([after.events, after.records.get(a.id)?.goneAt]).toEqual([[], null]);
  });

  test('has a key again that was gone', () => {
    const gone = list(both, [b]).records;
    expect(list(gone, [a, b]).records.get(a.id)).toMatchObject({ goneAt: null, firstSeenAt: monday });
  });

  test('with another creation time has another key', () => {
    const after = list(both, [{ ...a, createdAt: a.createdAt + 1 }, b], { at: monday + minute });
    expect(kinds(after)).toEqual(['key-new A']);
    expect(after.records.get(a.id)?.firstSeenAt).toBe(monday + minute);
  });

  test.each([
    ['expires_at', { expiresAt: monday }],
    ['max_tokens', { maxTokens: 5 }],
    ['metadata', { metadata: { team: 'ml' } }],
    ['last_used_at', { lastUsedAt: monday }],
    ['is_admin', { isAdmin: true }],
    ['chat', { chat: true }],
  ])('with other %s changes the record, without an event', (_what, more) => {
    const after = list(both, [{ ...a, ...more }, b]);
    expect([after.changed.length, after.events]).toEqual([1, []]);
    expect(after.records.get(a.id)?.facts).toMatchObject(more);
  });
});

describe('a name that has changed', () => {
  test('was changed by a person, whose name is the original one from then on', () => {
    const standing = [{ findingId: 'p/x', from: 'A', to: 'OVER A', at: monday, restore: true }];
    const before = new Map(both).set(a.id, {
      ...(both.get(a.id) as KeyRecord),
      facts: { ...a, name: 'OVER A' },
      standing,
    });
    const after = list(before, [{ ...a, name: 'Mine' }, b], { at: monday + minute });
    expect(kinds(after)).toEqual(['key-renamed A']);
    expect(after.events[0]?.facts).toEqual({ from: 'OVER A', to: 'Mine' });
    expect(after.records.get(a.id)).toMatchObject({
      originalName: 'Mine',
      nameChanged: true,
      standing: [],
      renamedByPersonAt: monday + minute,
      formerNames: ['A', 'OVER A'],
    });
  });

  test('was changed by Keywarden, when a rename of its own that is still open asked for it', () => {
    const after = list(both, [{ ...a, name: 'OVER A' }, b], { unsettled: [renaming('OVER A')] });
    expect(kinds(after)).toEqual([]);
    expect(after.records.get(a.id)).toMatchObject({
      originalName: 'A',
      nameChanged: true,
      renamedByPersonAt: null,
    });
  });

  test('to the one that was asked for another key was changed by a person', () => {
    const unsettled = [{ ...renaming('OVER'), keyId: b.id }];
    expect(kinds(list(both, [{ ...a, name: 'OVER' }, b], { unsettled }))).toEqual(['key-renamed A']);
  });

  test('to another than was asked for was changed by a person', () => {
    const after = list(both, [{ ...a, name: 'OVER' }, b], { unsettled: [renaming('OVER A')] });
    expect(kinds(after)).toEqual(['key-renamed A']);
  });

  test('again and again leaves the last twenty names', () => {
    let records = both;
    for (let index = 0; index < 30; index += 1)
      records = list(records, [{ ...a, name: `Name ${String(index)}` }, b]).records;
    const names = records.get(a.id)?.formerNames ?? [];
    expect([names.length, names.at(-1)]).toEqual([20, 'Name 28']);
  });
});

test('ids do not depend on names', () => {
  expect(
    list(both, [
      { ...a, name: 'B' },
      { ...b, name: 'A' },
    ]).records.get(id('A'))?.facts.name,
  ).toBe('B');
});

test('a list is judged by how many it still has of the keys that there were', () => {
  const gone = list(both, [b]).records;
  const of = (records: Records, ...keys: Key[]) => {
    const asked: number[] = [];
    const listing = { at: monday, serverAt: null, keys, secrets: new Map() };
    register(records, listing, [], (still) => (asked.push(still), null));
    return asked;
  };
  expect([
    of(both, a, b),
    of(both, b, key('C')),
    of(both, { ...a, createdAt: monday }, b),
    of(both),
    of(gone, a, b),
  ]).toEqual([[2], [1], [1], [0], [1]]);
});

describe('what keys had before, and lack in a list,', () => {
  const full: Partial<Key> = {
    metadata: { critical: 'true' },
    ...{ expiresAt: monday, maxTokens: 7, chat: true, isAdmin: true },
  };
  const bare: Partial<Key> = {
    metadata: {},
    ...{ expiresAt: null, maxTokens: null, chat: false, isAdmin: false },
  };
  const before = list(new Map(), [key('A', full), key('B', { metadata: { n: 1 } }), key('C')]).records;
  const lossesIn = (...keys: Key[]) => {
    const asked: (readonly Loss[])[] = [];
    const listing = { at: monday, serverAt: null, keys, secrets: new Map() };
    register(before, listing, [], (_still, losses) => (asked.push(losses), null));
    return asked.flat().map(({ field, had, lost }) => `${field}: ${String(lost)} of ${String(had)}`);
  };

  test('is counted by its field', () => {
    expect(lossesIn(key('A', full), key('B', { metadata: { n: 2 } }), key('C', full))).toEqual([]);
    const one = ['expires_at: 1 of 1', 'max_tokens: 1 of 1', 'chat: 1 of 1', 'is_admin: 1 of 1'];
    expect(lossesIn(key('A', bare), key('B', { metadata: { n: 1 } }))).toEqual(['metadata: 1 of 2', ...one]);
    expect(lossesIn(key('A', { ...full, metadata: {} }), key('B'))).toEqual(['metadata: 2 of 2']);
    // Another key, and one that is gone, have lost nothing.
    expect(lossesIn(key('A', { ...bare, createdAt: monday }))).toEqual([]);
  });

  test('stays as it was while the list is not believed, and only that', () => {
    const listed = [key('A', { ...bare, name: 'A2' }), key('B', { metadata: { n: 2 } }), key('C', full)];
    const doubted = list(before, listed, { trusted: false });
    expect(doubted.live.map(({ facts }) => facts)).toEqual([
      key('A', { ...full, name: 'A2' }),
      ...listed.slice(1),
    ]);
    expect(list(doubted.records, listed, { trusted: false }).changed).toEqual([]);
    expect(list(doubted.records, listed).live.map(({ facts }) => facts)).toEqual(listed);
  });
});
