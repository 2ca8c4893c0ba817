/** What is carried from list to list is what a look at the whole list would say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Key } from '../../src/core/key.ts';
import { namesOf, rowsOf } from '../../src/core/rows.ts';
import type { Names } from '../../src/core/rows.ts';
import type { KeyRecord } from '../../src/core/state.ts';
import { align, bearersOf, orderOf, placesOf, rowAt, rowPlacesOf } from '../../src/ledger/lineup.ts';
import type { Lineup } from '../../src/ledger/lineup.ts';
import { day, id, key, minute, monday } from '../core/story.ts';
import { recordOf } from './building.ts';

const names = ['A', 'B', 'C', 'D'];
const name = fc.constantFrom(...names);
const which = fc.nat(9);

type Deed =
  | { readonly kind: 'create'; readonly name: string; readonly age: number; readonly admin: boolean }
  | { readonly kind: 'remove' | 'touch' | 'again' | 'admin'; readonly which: number }
  | { readonly kind: 'rename'; readonly which: number; readonly to: string; readonly by: 'person' | 'us' }
  | { readonly kind: 'move'; readonly which: number; readonly to: number }
  /** `used`: the names that the aggregate has a row for, or null where it has none. */
  | { readonly kind: 'list'; readonly used: readonly string[] | null };

const deeds = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('create' as const),
        name,
        age: fc.nat(2),
        admin: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('remove' as const, 'touch' as const, 'again' as const, 'admin' as const),
        which,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('rename' as const),
        which,
        to: name,
        by: fc.constantFrom('person' as const, 'us' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), which, to: which }) },
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('list' as const), used: fc.option(fc.subarray(names)) }),
    },
  ),
  { minLength: 2, maxLength: 40, size: 'max' },
);

function renamed(record: KeyRecord, to: string, by: 'person' | 'us'): KeyRecord {
  const facts: Key = { ...record.facts, name: to };
  const from = record.facts.name;
  if (by === 'us') {
    const standing = { findingId: 'f', from, to, at: monday, restore: true };
    return { ...record, facts, nameChanged: true, standing: [...record.standing, standing] };
  }
  const formerNames = [...new Set([...(record.formerNames ?? []), record.originalName, from])];
  return { ...record, facts, nameChanged: true, originalName: to, standing: [], formerNames };
}

/** The list after a deed. Records that nothing happened to are the very same. */
function after(list: readonly KeyRecord[], deed: Deed, made: number): KeyRecord[] {
  if (deed.kind === 'list') return [...list];
  if (deed.kind === 'create') {
    const createdAt = monday - deed.age * minute;
    const one = key(deed.name, { id: id(`key ${String(made)}`), createdAt, isAdmin: deed.admin });
    return [...list, recordOf(one)];
  }
  const at = deed.which % Math.max(1, list.length);
  const record = list[at];
  if (record === undefined) return [...list];
  const others = list.filter((one) => one !== record);
  switch (deed.kind) {
    case 'remove':
      return others;
    case 'move':
      return others.toSpliced(deed.to % list.length, 0, record);
    case 'touch':
      return list.with(at, { ...record, check: { at: monday, counters: record.check?.counters ?? zero } });
    case 'again': {
      const createdAt = record.createdAt - 5 * minute;
      return list.with(at, { ...record, createdAt, facts: { ...record.facts, createdAt } });
    }
    case 'admin':
      return list.with(at, { ...record, facts: { ...record.facts, isAdmin: !record.facts.isAdmin } });
    case 'rename':
      return list.with(at, renamed(record, deed.to, deed.by));
    default:
      return deed satisfies never;
  }
}

const nothing = { evidence: [], runs: [], steady: [], steadfast: new Uint8Array(), rows: null };

const rowNamed = (of: string) => ({ ...zero, requests: 1 + names.indexOf(of) });

const zero = { costMicroUsd: 0, tokens: 0, requests: 0 };

function claimants(list: readonly KeyRecord[], of: string): string[] {
  return list
    .filter(({ facts, originalName, standing, formerNames = [] }) =>
      [facts.name, originalName, ...standing.map(({ from }) => from), ...formerNames].includes(of),
    )
    .map((one) => one.id)
    .sort();
}

function byAge(list: readonly KeyRecord[]): string[] {
  return list
    .filter(({ facts }) => !facts.isAdmin)
    .map(({ createdAt, id: of }) => `${String(createdAt).padStart(15, '0')} ${of}`)
    .sort();
}

test('places, order and bearers are those of the list, however it came about', () => {
  fc.assert(
    fc.property(deeds, (script) => {
      let lineup: Lineup | null = null;
      let list: readonly KeyRecord[] = [];
      let told: readonly string[] = [];
      let known: Names = namesOf(told);
      script.forEach((deed, index) => {
        list = after(list, deed, index);
        if (deed.kind !== 'list') return;
        const alignment = align(list, lineup);
        const before: readonly KeyRecord[] = lineup?.live ?? [];
        const was = list.map(({ id: of }) => before.findIndex((one) => one.id === of));
        expect(alignment.from).toEqual(was);
        expect(alignment.changed).toEqual(
          [...list.keys()].filter((place) => before[was[place] ?? -1] !== list[place]),
        );
        expect(alignment.left).toEqual(before.filter((one) => !list.some(({ id: of }) => of === one.id)));
        const places = placesOf(list, lineup, alignment);
        expect([...places].sort()).toEqual(list.map(({ id: of }, place) => [of, place]).sort());
        const order = orderOf(list, lineup, alignment);

        expect(
          order.map(
            (place) => `${String(list[place]?.createdAt).padStart(15, '0')} ${list[place]?.id ?? ''}`,
          ),
        ).toEqual(byAge(list));
        const { bearers, disturbed } = bearersOf(list, lineup, alignment);
        for (const of of names) {
          expect(bearers.get(of) ?? 0).toBe(claimants(list, of).length);
          if (lineup !== null && !disturbed.has(of))
            expect(claimants(list, of)).toEqual(claimants(before, of));
        }
        if (deed.used !== null && deed.used.join() !== told.join()) known = namesOf((told = deed.used));
        const rows =
          deed.used === null
            ? null
            : rowPlacesOf(list, rowsOf(known, known.list.map(rowNamed)), lineup, alignment);
        if (rows !== null)
          expect(list.map((_, place) => rowAt(rows, place))).toEqual(
            list.map(({ facts }) => (deed.used?.includes(facts.name) === true ? rowNamed(facts.name) : zero)),
          );
        lineup = { ...nothing, live: list, places, bearers, order, rows };
      });
    }),
    { numRuns: 3000 },
  );
});

test('nothing is made anew for a list in which nothing has changed', () => {
  const list = ['B', 'A'].map((one) => recordOf(key(one)));
  const first = align(list, null);
  const lineup: Lineup = {
    ...nothing,
    live: list,
    places: placesOf(list, null, first),
    bearers: bearersOf(list, null, first).bearers,
    order: orderOf(list, null, first),
  };
  const again = align([...list], lineup);
  expect(again).toEqual({ from: [0, 1], changed: [], left: [], sameOrder: true });
  expect(placesOf(list, lineup, again)).toBe(lineup.places);
  expect(orderOf(list, lineup, again)).toBe(lineup.order);
  expect(bearersOf(list, lineup, again)).toEqual({ bearers: lineup.bearers, disturbed: new Set() });
  expect(bearersOf(list, lineup, again).bearers).toBe(lineup.bearers);
  const rows = rowsOf(namesOf(['A']), [rowNamed('A')]);
  const placed = rowPlacesOf(list, rows, lineup, again);
  expect(rowPlacesOf(list, rowsOf(rows.names, [zero]), { ...lineup, rows: placed }, again)?.at).toBe(
    placed?.at,
  );
});

test('the order is by age, then by id, and without admin keys', () => {
  const made = (age: number, more: Partial<Key> = {}) =>
    recordOf(key(`age ${String(age)}`, { createdAt: monday - age * minute, ...more }));
  const twins = [made(2, { id: 'k_bb' }), made(2, { id: 'k_aa' }), made(2, { id: 'k_cc' })];
  const list = [made(1), ...twins, made(5, { isAdmin: true }), made(3)];
  expect(orderOf(list, null, align(list, null))).toEqual([5, 2, 1, 3, 0]);
});

describe('of one list to the next', () => {
  const [a, b, c] = ['A', 'B', 'C'].map((one, age) =>
    recordOf(key(one, { createdAt: monday - age * minute })),
  ) as [KeyRecord, KeyRecord, KeyRecord];
  const again = (record: KeyRecord, more: Partial<Key>): KeyRecord => ({
    ...record,
    createdAt: more.createdAt ?? record.createdAt,
    facts: { ...record.facts, ...more },
  });
  const rows = rowsOf(namesOf(names), names.map(rowNamed));

  function lineupOf(list: readonly KeyRecord[], before: Lineup | null): Lineup & { disturbed: string[] } {
    const alignment = align(list, before);
    const { bearers, disturbed } = bearersOf(list, before, alignment);
    return {
      ...{ ...nothing, live: list, bearers, disturbed: [...disturbed].sort() },
      places: placesOf(list, before, alignment),
      order: orderOf(list, before, alignment),
      rows: rowPlacesOf(list, rows, before, alignment),
    };
  }
  const counted = (bearers: ReadonlyMap<string, number>) =>
    [...bearers].filter(([, many]) => many > 0).sort();

  test.each<[string, readonly KeyRecord[], string, number[], string[], string[]]>([
    ['nothing has changed', [a, b, c], 'same', [], [], []],
    ['a record is another, of the same key', [a, { ...b }, c], 'same', [1], [], []],
    ['a key is older', [again(a, { createdAt: monday - day }), b, c], 'same', [0], [], []],
    ['a key is an admin key', [a, b, again(c, { isAdmin: true })], 'same', [2], [], []],
    ['a key has another name', [a, again(b, { name: 'D' }), c], 'same', [1], [], ['B', 'D']],
    ['a key was renamed by Keywarden', [a, renamed(b, 'C', 'us'), c], 'same', [1], [], ['B', 'C']],
    ['a key was renamed by a person', [renamed(a, 'D', 'person'), b, c], 'same', [0], [], ['A', 'D']],
    ['its former names were forgotten', [a, { ...b, formerNames: [] }, c], 'same', [1], [], ['B']],
    ['a key is new', [a, b, c, recordOf(key('D'))], '0 1 2 -1', [3], [], ['D']],
    ['a key is new, before the others', [recordOf(key('D')), a, b, c], '-1 0 1 2', [0], [], ['D']],
    ['a key is gone', [b, c], '1 2', [], ['A'], ['A']],
    ['the last key is gone', [a, b], '0 1', [], ['C'], ['C']],
    ['a key is gone and another is new', [a, recordOf(key('D')), c], '0 -1 2', [1], ['B'], ['B', 'D']],
    ['two have changed places', [b, a, c], '1 0 2', [], [], []],
    ['all are gone', [], '', [], ['A', 'B', 'C'], ['A', 'B', 'C']],
  ])('where %s', (_what, now, from, changed, left, disturbed) => {
    const before = lineupOf([a, b, c], null);
    const alignment = align(now, before);
    expect(alignment.from.join(' ')).toBe(from === 'same' ? '0 1 2' : from);
    expect(alignment.sameOrder).toBe(from === 'same');
    expect(alignment.changed).toEqual(changed);
    expect(alignment.left.map(({ facts }) => facts.name)).toEqual(left);
    const [carried, fresh] = [lineupOf(now, before), lineupOf(now, null)];
    expect(carried.disturbed).toEqual(disturbed);
    expect(carried.places).toEqual(fresh.places);
    expect(carried.order).toEqual(fresh.order);
    expect(counted(carried.bearers)).toEqual(counted(fresh.bearers));
    expect(carried.rows?.at).toEqual(fresh.rows?.at);
    // What stands as it stood is not made anew.
    if (from === 'same') expect(carried.places).toBe(before.places);
    if (disturbed.length === 0) expect(carried.bearers).toBe(before.bearers);
    if (from === 'same' && fresh.order.join() === before.order.join())
      expect(carried.order).toBe(before.order);
  });

  test('a name speaks of all that bear it or bore it', () => {
    const twice = renamed(renamed(a, 'C', 'us'), 'D', 'us');
    const { bearers } = bearersOf([twice, b, renamed(c, 'B', 'person')], null, align([], null));
    expect([...bearers].sort()).toEqual([
      ['A', 1],
      ['B', 2],
      ['C', 2],
      ['D', 1],
    ]);
  });

  test('rows are found for each key, none where the aggregate has none, and nowhere without it', () => {
    const list = [a, recordOf(key('nobody')), c];
    const placed = rowPlacesOf(list, rows, null, align(list, null));
    expect(placed?.at).toEqual(Int32Array.from([0, -1, 2]));
    expect(placed && list.map((_, place) => rowAt(placed, place).requests)).toEqual([1, 0, 3]);
    expect(placed && rowAt(placed, 9)).toEqual(zero);
    expect(rowPlacesOf(list, null, null, align(list, null))).toBeNull();
    const others = rowsOf(namesOf(['C', 'A']), ['C', 'A'].map(rowNamed));
    const lineup = { ...lineupOf(list, null), rows: placed };
    expect(rowPlacesOf(list, others, lineup, align(list, lineup))?.at).toEqual(Int32Array.from([1, -1, 0]));
  });
});
