/** Whose usage is it? */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bounds } from '../../src/core/evidence.ts';
import type { Counters, Key, KeyId, Window } from '../../src/core/key.ts';
import { settle } from '../../src/core/settle.ts';
import type { Change, KeyRecord, SampleRun } from '../../src/core/state.ts';
import type { Court } from '../../src/core/court.ts';
import { attribute } from '../../src/ledger/attribution.ts';
import type { Attribution, AttributionInput, Trail } from '../../src/ledger/attribution.ts';
import type { Readings } from '../../src/ledger/readings.ts';
import { register } from '../../src/ledger/registry.ts';
import { extend, keepRuns, sample } from '../../src/ledger/samples.ts';
import { rowsByName } from '../../src/core/rows.ts';
import type { Aggregate, AggregateRow, KeyReading } from '../../src/ports.ts';
import { day, file, id, key, minute, monday, policy } from '../core/story.ts';
import * as build from './building.ts';

function counters(amount: number): Counters {
  return { costMicroUsd: amount * 3, tokens: amount * 2, requests: amount };
}

function aggregate(rows: Readonly<Record<string, number>>, total?: number): Aggregate {
  const sum = Object.values(rows).reduce((a, b) => a + b, 0);
  const row = (amount: number): AggregateRow => ({
    ...counters(amount),
    models: new Map([['m', counters(amount)]]),
  });
  return {
    at: monday,
    total: counters(total ?? sum),
    rows: rowsByName(Object.entries(rows).map(([name, amount]) => [name, row(amount)])),
  };
}

function reading(amount: number, at = monday): KeyReading {
  return { ...counters(amount), at, promptTokens: amount, completionTokens: amount };
}

function recordOf(one: Key, more: Partial<KeyRecord> = {}): KeyRecord {
  return build.recordOf(one, { firstSeenAt: monday, ...more });
}

interface Given {
  readonly live?: readonly KeyRecord[];
  readonly rows?: Readonly<Record<string, number>>;
  readonly total?: number;
  readonly windows?: Readonly<Partial<Record<Window, Readonly<Record<string, number>>>>>;
  /** Own readings by name, lifetime. */
  readonly own?: Readonly<Record<string, number>>;
  /** The same, over the last 24 hours. */
  readonly ownDay?: Readonly<Record<string, number>>;
  readonly runs?: Readonly<Record<string, number>>;
  readonly distrust?: string;
  readonly alone?: readonly KeyId[];
  /** By name, how long ago the last key went of those that bore it. */
  readonly gone?: Readonly<Record<string, number>>;
}

const runFrom = monday - 9 * minute;

function ownOf(window: Window | 'lifetime', amounts: Given['own'] = {}) {
  return Object.entries(amounts).map(
    ([name, amount]) => [id(name), new Map([[window, reading(amount)]])] as const,
  );
}

function look(given: Given): Attribution {
  const windows = Object.entries(given.windows ?? {}) as [Window, Record<string, number>][];
  const readings: Readings = {
    lifetime: given.rows === undefined ? null : aggregate(given.rows, given.total),
    distrust: given.distrust ?? (given.rows === undefined ? 'it could not be read' : null),
    windows: new Map(windows.map(([window, rows]) => [window, aggregate(rows)])),
    own: new Map([...ownOf('lifetime', given.own), ...ownOf('24h', given.ownDay)]),
    unanswered: new Set(),
  };
  const runs = Object.entries(given.runs ?? {}).map(([name, amount]): [KeyId | 'account', SampleRun] => {
    const of = name === 'account' ? name : id(name);
    const createdAt = name === 'account' ? 0 : key(name).createdAt;
    return [
      of,
      { key: of, createdAt, firstAt: runFrom, lastAt: monday - minute, counters: counters(amount) },
    ];
  });
  const live = given.live ?? [recordOf(key('A')), recordOf(key('B'))];
  return attribute({
    at: monday,
    doneAt: monday,
    live,
    readings,
    runs: new Map(runs),
    marks: new Map(),
    alone: new Set(given.alone),
    lastBorneAt: new Map(Object.entries(given.gone ?? {}).map(([name, ago]) => [name, monday - ago])),
    models: true,
  });
}

/** A level in requests, as it is known: `5`, `≥5`, `2–5`; `≥0, 5?` while a row says 5 and is unchecked. */
function known({ evidence }: Attribution, name = 'A'): string {
  return inWords(evidence.keys.get(id(name))?.lifetime);
}

function inWords(bounds: Bounds | undefined): string {
  if (bounds === undefined) return 'nothing';
  const low = String(bounds.low.requests);
  if (bounds.high === null)
    return `≥${low}${bounds.likely === undefined ? '' : `, ${String(bounds.likely.requests)}?`}`;
  const high = String(bounds.high.requests);
  return low === high ? low : `${low}–${high}`;
}

const checked = (amount: number) => ({
  check: { at: monday - minute, counters: counters(amount), agreed: true },
});
const unproved = { check: { at: monday - minute, counters: counters(5), agreed: false } };
const a = key('A');

describe('what is known of a key', () => {
  test.each<[string, Given, string, string | null]>([
    ['a row never checked', { rows: { A: 5 } }, '≥0, 5?', null],
    ['a row checked before', { live: [recordOf(a, checked(3))], rows: { A: 5 } }, '5', null],
    ['a row and its own reading that agree', { rows: { A: 5 }, own: { A: 5 } }, '5', null],
    ['its own reading, taken after a row that counts less', { rows: { A: 5 }, own: { A: 6 } }, '6', null],
    [
      'a row above its own reading',
      { rows: { A: 9 }, own: { A: 5 } },
      '5',
      'the account’s row of its name counts more than its own reading',
    ],
    [
      'a row below what it had used',
      { live: [recordOf(a, checked(3))], rows: { A: 4 }, runs: { A: 5 } },
      '≥3',
      'the account’s row of its name counts less than the key has used',
    ],
    [
      'no row at all, and it has used',
      { live: [recordOf(a, checked(3))], rows: { B: 1 }, runs: { A: 5 } },
      '≥3',
      'the account’s row of its name counts less than the key has used',
    ],
    [
      'no row at all, and it has not',
      { live: [recordOf(a, checked(0)), recordOf(key('B'))], rows: { B: 1 } },
      '0',
      null,
    ],
    [
      'no row, while a stranger’s may be its own',
      { live: [recordOf(a, checked(0))], rows: { B: 1 } },
      '≥0, 0?',
      null,
    ],
    ['no aggregate', { live: [recordOf(a, checked(3))], runs: { A: 5 } }, '≥5', null],
    ['no aggregate, and rows never checked', { runs: { A: 5 } }, '≥0', null],
    ['its own reading without an aggregate', { own: { A: 7 } }, '7', null],
    [
      'its own counters below an earlier reading',
      { live: [recordOf(a, checked(8))], rows: { A: 7 }, own: { A: 7 } },
      '≥0',
      'its own counters fell',
    ],
    [
      'its own counters below a sample of a row that was its own',
      { live: [recordOf(a, checked(3))], rows: { A: 7 }, own: { A: 7 }, runs: { A: 8 } },
      '≥0',
      'its own counters fell',
    ],
    [
      'its own counters below a sample of a row never checked',
      { rows: { A: 7 }, own: { A: 7 }, runs: { A: 8 } },
      '7',
      'the account’s row of its name counts more than its own reading',
    ],
    [
      'a shared name',
      { live: [recordOf(a), recordOf({ ...key('B'), name: 'A' })], rows: { A: 9 } },
      '≥0',
      null,
    ],
    [
      'a shared name, its own reading',
      { live: [recordOf(a), recordOf({ ...key('B'), name: 'A' })], rows: { A: 9 }, own: { A: 4 } },
      '4',
      null,
    ],
    [
      'a name shared with an admin key',
      { live: [recordOf(a), recordOf({ ...key('B', { isAdmin: true }), name: 'A' })], rows: { A: 9 } },
      '≥0',
      null,
    ],
    ['a name that was changed', { live: [recordOf(a, { nameChanged: true })], rows: { A: 9 } }, '≥0', null],
    [
      'a name that another key bore',
      { live: [recordOf(a), recordOf(key('B'), { formerNames: ['A'] })], rows: { A: 9 } },
      '≥0',
      null,
    ],
    [
      'a key about to be changed',
      { live: [recordOf(a, checked(3))], rows: { A: 9 }, alone: [a.id] },
      '≥3',
      null,
    ],
  ])('by %s', (_what, given, level, contradiction) => {
    const found = look(given);
    expect(known(found)).toBe(level);
    expect(found.contradictions.filter((one) => one.id === a.id).map(({ because }) => because)).toEqual(
      contradiction === null ? [] : [contradiction],
    );
  });

  test('is said to be unknown for a reason', () => {
    const why = (given: Given) => look(given).evidence.keys.get(a.id)?.because;
    const twin = recordOf({ ...key('B'), name: 'A' });
    expect(why({ rows: { A: 5 } })).toMatch(/^its row .* has not been checked/);
    expect(why({ rows: { A: 5 }, live: [recordOf(a, checked(5))] })).toBeNull();
    expect(why({})).toBe('it could not be read');
    expect(why({ live: [recordOf(a), twin], rows: {} })).toMatch(/^several keys bear its name/);
    expect(why({ live: [recordOf(a, { nameChanged: true })], rows: {} })).toMatch(/^its name was changed/);
    expect(why({ live: [recordOf(a, checked(5))], rows: {} })).toMatch(/counts less/);
    expect(why({ live: [recordOf(a, checked(8))], rows: { A: 7 }, own: { A: 7 } })).toBe(
      'its own counters fell',
    );
    expect(why({ live: [recordOf(a, checked(3))], rows: { A: 9 }, alone: [a.id] })).toBe(
      'its usage was not read in this pass',
    );
  });

  test('by an aggregate of a window without any row is nothing, though there is usage', () => {
    const windows = (given: Given) => [...(look(given).evidence.keys.get(a.id)?.windows.keys() ?? [])];
    expect(windows({ rows: { A: 5 }, windows: { '24h': {}, '7d': { B: 1 } } })).toEqual(['7d']);
    expect(windows({ rows: {}, windows: { '24h': {} } })).toEqual(['24h']);
    expect(windows({ rows: { A: 5, B: 1 }, own: { A: 4 }, windows: { '7d': { A: 1 } } })).toEqual([]);
  });

  test.each<[string, Given, string]>([
    ['is the row’s, once that is proved', { live: [recordOf(a, checked(5))], rows: { A: 5 } }, '2'],
    ['is a guess before', { rows: { A: 5 } }, '≥0, 2?'],
    ['is a guess while only the key’s own reading is known', { rows: { A: 5 }, own: { A: 6 } }, '≥0, 2?'],
    [
      'is the key’s own reading, where there is one',
      { live: [recordOf(a, checked(5))], rows: { A: 5 }, ownDay: { A: 3 } },
      '3',
    ],
    [
      'is not known under a name that is not its own',
      { live: [recordOf(a, { nameChanged: true })], rows: { A: 5 } },
      'nothing',
    ],
    [
      'is not known while its counters contradict themselves',
      { live: [recordOf(a, { ...checked(5), conflict: 'its own counters fell' })], rows: { A: 5 } },
      'nothing',
    ],
  ])('in a window %s', (_what, given, bounds) => {
    const found = look({ ...given, windows: { '24h': { A: 2 } } });
    expect(inWords(found.evidence.keys.get(a.id)?.windows.get('24h'))).toBe(bounds);
  });

  test.each([
    ['was the key’s alone', day, '2'],
    ['another key bore in it that is gone since', day - 1, '≥0, 2?'],
  ])('in a window is known by the row of a name that %s', (_what, ago, bounds) => {
    const given = { live: [recordOf(a, checked(5))], rows: { A: 5 }, gone: { A: ago, B: 0 } };
    const found = look({ ...given, windows: { '24h': { A: 2 } } }).evidence.keys.get(a.id);
    expect(inWords(found?.windows.get('24h'))).toBe(bounds);
    expect([...(found?.models.windows.keys() ?? [])]).toEqual(bounds === '2' ? ['24h'] : []);
  });

  test('of its models comes from a row that is its own', () => {
    const models = (given: Given) =>
      look(given).evidence.keys.get(a.id)?.models.lifetime?.get('m')?.tokens ?? null;
    expect(models({ rows: { A: 5 } })).toBe(10);
    expect(models({ live: [recordOf(a, { nameChanged: true })], rows: { A: 5 } })).toBeNull();
  });

  test('of its models in a window comes from the window’s row', () => {
    const of = (windows: Given['windows']) =>
      look({ rows: { A: 5 }, ...(windows && { windows }) }).evidence.keys.get(a.id)?.models.windows;
    expect(
      of({ '24h': { A: 2 } })
        ?.get('24h')
        ?.get('m'),
    ).toEqual(counters(2));
    expect(of({ '24h': { B: 2 } })?.get('24h')).toEqual(new Map());
  });

  test.each<[string, Given, boolean]>([
    ['by a proved row', { live: [recordOf(a, checked(5))], rows: { A: 5 } }, true],
    ['by its own reading', { rows: { A: 5 }, own: { A: 6 } }, true],
    ['not by a row never proved', { rows: { A: 5 } }, false],
    [
      'not by one that was not proved when it was read',
      { live: [recordOf(a, unproved)], rows: { A: 5 } },
      false,
    ],
    [
      'by an earlier reading, without a row of its own',
      { live: [recordOf(a, { ...unproved, nameChanged: true })] },
      true,
    ],
    ['not without either', { live: [recordOf(a, { nameChanged: true })] }, false],
  ])('is checked %s', (_what, given, isChecked) => {
    const evidence = look({ rows: {}, ...given }).evidence.keys.get(a.id);
    expect(evidence?.checked).toBe(isChecked);
    expect([...(evidence?.individual ?? [])]).toEqual(given.own === undefined ? [] : ['lifetime']);
  });

  test('since when its counter stands still is told by the ledger', () => {
    const since = (given: Given) => look(given).evidence.keys.get(a.id)?.unchangedSince;
    const live = [recordOf(a, checked(5))];
    expect(since({ live, rows: { A: 5 }, runs: { A: 5 } })).toBe(runFrom);
    expect(since({ live, rows: { A: 6 }, runs: { A: 5 } })).toBeNull();
    expect(since({ rows: { A: 5 }, runs: { A: 5 } })).toBeNull();
    expect(since({ runs: { A: 5 } })).toBeNull();
    const other = [{ ...recordOf(a, checked(5)), createdAt: monday }];
    expect(since({ live: other, rows: { A: 5 }, runs: { A: 5 } })).toBeNull();
  });
});

describe('a conflict', () => {
  /** Pass by pass: rows, own readings, and what is known after each. */
  function passes(first: KeyRecord, ...each: readonly (Given & { readonly then: string })[]): void {
    let record = first;
    let run: number | undefined;
    for (const { then, ...given } of each) {
      const found = look({ live: [record], ...given, ...(run === undefined ? {} : { runs: { A: run } }) });
      expect(known(found)).toBe(then);
      record = found.changed[0] ?? record;
      run = found.counters.get(a.id)?.requests ?? run;
    }
  }

  test('of a row ends when its own reading agrees again', () => {
    passes(
      recordOf(a, checked(3)),
      { rows: { A: 5 }, then: '5' },
      { rows: {}, then: '≥3' },
      { rows: { A: 6 }, then: '≥3' },
      { rows: { A: 6 }, own: { A: 6 }, then: '6' },
      { rows: { A: 7 }, then: '7' },
    );
  });

  test('of its own counters lasts until they are back where they were', () => {
    passes(
      recordOf(a, checked(3)),
      { rows: { A: 8 }, own: { A: 8 }, then: '8' },
      { rows: { A: 7 }, own: { A: 7 }, then: '≥0' },
      { rows: { A: 7 }, then: '≥0' },
      { rows: { A: 7 }, own: { A: 7 }, then: '≥0' },
      { rows: { A: 9 }, own: { A: 9 }, then: '9' },
      { rows: { A: 10 }, then: '10' },
    );
  });

  test('begins with a row of someone else’s usage, and only its own readings count from then on', () => {
    passes(
      recordOf(a),
      { rows: { A: 50 }, then: '≥0, 50?' },
      { rows: { A: 50 }, own: { A: 0 }, then: '0' },
      { rows: { A: 51 }, then: '≥0' },
      { rows: { A: 51 }, own: { A: 2 }, then: '2' },
    );
  });

  test('is no word of a check once another key has borne the name', () => {
    const twin = recordOf({ ...key('B'), name: 'A' });
    passes(
      recordOf(a, checked(3)),
      { rows: { A: 5 }, then: '5' },
      { rows: { A: 5 }, live: [recordOf(a, checked(3)), twin], then: '≥5' },
      { rows: { A: 9 }, then: '≥5, 9?' },
      { rows: { A: 9 }, own: { A: 5 }, then: '5' },
    );
  });
});

describe('the account', () => {
  const account = (given: Given) => look(given).evidence.account;

  test.each<[string, Given, number, number | null]>([
    ['its total, deleted keys included', { rows: { A: 5 }, total: 9 }, 9, 9],
    ['a total that fell', { rows: { A: 5 }, runs: { account: 9 } }, 9, null],
    ['no aggregate', { runs: { account: 9 } }, 9, null],
  ])('is known by %s', (_what, given, low, high) => {
    const { lifetime } = account(given);
    expect([lifetime?.low.requests, lifetime?.high?.requests ?? null]).toEqual([low, high]);
  });

  test('has its totals of the windows that were read', () => {
    const { windows } = account({ rows: { A: 5 }, windows: { '24h': { A: 2 }, '7d': { A: 3, B: 1 } } });
    expect([...windows]).toEqual([
      ['24h', counters(2)],
      ['7d', counters(4)],
    ]);
  });

  test('is unknown for a reason', () => {
    expect(account({ rows: { A: 5 } }).because).toBeNull();
    expect(account({}).because).toBe('it could not be read');
    expect(account({ rows: { A: 5 }, runs: { account: 9 } }).because).toBe(
      'the account’s total fell, as it may when keys are deleted',
    );
  });

  test('is not known at all before its first aggregate', () => {
    expect(account({}).lifetime).toBeNull();
  });
});

describe('when a key was surely used last', () => {
  const day = 86_400_000;
  const after = (given: Given, more: Partial<KeyRecord> = {}) =>
    look({
      live: [recordOf(key('A', { createdAt: a.createdAt }), { createdAt: a.createdAt, ...more })],
      ...given,
    }).changed[0]?.usedAfter;

  test('is remembered to the day, from windows and from counters that move', () => {
    const old = { createdAt: monday - 100 * day };
    expect(after({ rows: { A: 5 }, windows: { '30d': { A: 1 } } }, old)).toBe(monday - 30 * day);
    expect(after({ rows: { A: 5 }, windows: { '30d': { B: 1 } } }, old)).toBeUndefined();
    expect(
      after({ rows: { A: 5 }, windows: { '7d': { A: 1 } } }, { ...old, usedAfter: monday - 7.5 * day }),
    ).toBeUndefined();
    expect(
      after({ rows: { A: 5 }, windows: { '7d': { A: 1 } } }, { ...old, usedAfter: monday - 9 * day }),
    ).toBe(monday - 7 * day);
    const proved = { usedAfter: monday - 9 * day, ...checked(5) };
    // What was used before a sample may have been reported after it, for up to a day.
    expect(after({ rows: { A: 6 }, runs: { A: 5 } }, proved)).toBe(monday - minute - day);
    expect(after({ rows: { A: 5 }, runs: { A: 5 } }, proved)).toBeUndefined();
    expect(after({ rows: { A: 6 } }, proved)).toBeUndefined();
  });
});

test('keys of one name, once read, are bounded by what the total grew by and no row explains', () => {
  const twin = recordOf({ ...key('B'), name: 'A' });
  const other = key('C');
  const live = [recordOf(a), twin, recordOf(other, checked(4))];
  const readings = (rows: Readonly<Record<string, number>>, own: Readings['own']): Readings => {
    return { lifetime: aggregate(rows), distrust: null, windows: new Map(), own, unanswered: new Set() };
  };
  const both = [
    [a.id, new Map([['lifetime' as const, reading(5)]])],
    [twin.id, new Map([['lifetime' as const, reading(3)]])],
  ] as const;
  const common = { marks: new Map(), alone: new Set<KeyId>() };
  const at = monday - minute;
  const first = attribute({
    ...{
      ...common,
      live,
      at,
      doneAt: at,
      runs: new Map(),
      readings: readings({ A: 8, C: 4 }, new Map(both)),
    },
  });
  const runs = new Map(
    [...first.counters].map(([of, { requests }]) => {
      return [of, build.runOf(of, requests, [at, at], of === 'account' ? 0 : a.createdAt)] as const;
    }),
  );
  const { trail } = first;
  const grown = { ...common, live: trail.lineup.live, at: monday, doneAt: monday, runs, trail };
  const second = attribute({ ...grown, readings: readings({ A: 10, C: 5 }, new Map()) });
  expect(['A', 'B', 'C'].map((name) => known(second, name))).toEqual(['5–7', '3–5', '5']);
  expect(second.evidence.unread.map(({ id: of }) => of)).toEqual([a.id, twin.id]);
  // What has not grown is as good as read.
  const still = attribute({ ...grown, readings: readings({ A: 8, C: 9 }, new Map()) });
  expect(['A', 'B', 'C'].map((name) => known(still, name))).toEqual(['5', '3', '9']);
  expect(still.evidence.unread).toEqual([]);
});

describe('what was known of a key in the pass before', () => {
  const b = key('B');
  const [used, unused] = [recordOf(a, checked(5)), recordOf(b, checked(0))];
  const live = [used, unused];
  const run = (of: Key, amount: number): SampleRun =>
    build.runOf(of.id, amount, [runFrom, monday - minute], of.createdAt);
  const readings = (rows: Readonly<Record<string, number>>, more: Partial<Readings> = {}): Readings => ({
    lifetime: aggregate(rows),
    distrust: null,
    ...{ windows: new Map(), own: new Map(), unanswered: new Set() },
    ...more,
  });
  const before: AttributionInput = {
    ...{ at: monday, doneAt: monday, live, readings: readings({ A: 5 }), marks: new Map() },
    runs: new Map([
      [a.id, run(a, 5)],
      [b.id, run(b, 0)],
    ]),
    alone: new Set(),
  };
  const own = (of: Key, amount: number) =>
    readings({ A: 5 }, { own: new Map([[of.id, new Map([['lifetime' as const, reading(amount)]])]]) });
  const windows = readings({ A: 5 }, { windows: new Map([['24h', aggregate({ A: 1 })]]) });

  /** The names of the keys that are looked at anew in the last of such passes. */
  function anew(...passes: readonly Partial<AttributionInput>[]): string[] {
    let trail: Trail | null = null;
    let looked: string[] = [];
    for (const more of passes) {
      const known = trail?.lineup;
      const {
        evidence,
        counters: told,
        trail: next,
      } = attribute({
        ...before,
        live: known?.live ?? live,
        ...more,
        trail,
      });
      const { live: listed } = next.lineup;
      looked = listed
        .filter(({ id: of }) => evidence.keys.get(of) !== known?.evidence[known.places.get(of) ?? -1])
        .map(({ facts }) => facts.name);
      // Nothing is told of the others, and their samples are extended.
      for (const [place, { id: of, facts }] of listed.entries()) {
        expect(next.lineup.steady.includes(place)).toBe(!looked.includes(facts.name));
        if (!looked.includes(facts.name)) expect(told.has(of)).toBe(false);
        if (!looked.includes(facts.name)) expect(next.lineup.runs[place]).toBe(before.runs.get(of));
      }
      trail = next;
    }
    return looked;
  }

  test.each<[string, Partial<AttributionInput>, readonly string[]]>([
    ['nothing', {}, []],
    ['more usage', { readings: readings({ A: 6 }) }, ['A']],
    ['usage of one that was never used', { readings: readings({ A: 5, B: 1 }) }, ['B']],
    ['a row that is gone', { readings: readings({}) }, ['A']],
    ['a reading of its own', { readings: own(b, 0) }, ['B']],
    ['a change that is about to be made', { alone: new Set([a.id]) }, ['A']],
    ['a window that is read', { readings: windows }, ['A', 'B']],
    ['a policy of single models', { models: true }, ['A', 'B']],
    ['usage that is not believed', { readings: readings({ A: 5 }, { distrust: 'no' }) }, ['A', 'B']],
    ['another record', { live: [{ ...used }, unused] }, ['A']],
    [
      'another key of its name',
      { live: [...live, recordOf({ ...key('C'), name: 'A' }, checked(0))] },
      ['A', 'A'],
    ],
    ['usage under nobody’s name', { readings: readings({ A: 5, old: 1 }) }, ['B']],
    ['another place in the list', { live: [unused, used] }, []],
    ['the end of another key', { live: [unused] }, []],
  ])('serves again but for %s', (_what, more, names) => {
    expect(anew({}, more)).toEqual(names);
    expect(anew({}, {}, more)).toEqual(names);
  });

  test.each<[string, Partial<AttributionInput>, readonly string[]]>([
    ['windows were read', { readings: windows }, ['A', 'B']],
    ['its own reading was taken', { readings: own(b, 0) }, ['B']],
    ['usage by model was wanted', { models: true }, ['A', 'B']],
    ['the usage was not believed', { readings: readings({ A: 5 }, { distrust: 'no' }) }, ['A', 'B']],
    ['its row was not proved', { live: [recordOf(a), unused] }, ['A']],
    ['there was no sample of it', { runs: new Map([...before.runs].filter(([of]) => of !== a.id)) }, ['A']],
  ])('does not serve again after a pass in which %s', (_what, more, names) => {
    const { readings: _readings, models: _models, ...kept } = more;
    expect(anew(more, kept)).toEqual(names);
  });
});

describe('under every variant of what a rename does to the aggregate', () => {
  type Variant = 'follows' | 'splits' | 'stays';
  const names = ['X', 'Y', 'Z'];
  const which = fc.nat(3);
  const deeds = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('use' as const),
          key: which,
          amount: fc.integer({ min: 1, max: 9 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('rename' as const),
          key: which,
          to: fc.constantFrom(...names),
          by: fc.constantFrom('person', 'keywarden'),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('create' as const), name: fc.constantFrom(...names) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: which }) },
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('pass' as const), read: fc.subarray([0, 1, 2, 3]) }),
      },
    ),
    { minLength: 4, maxLength: 30, size: 'max' },
  );

  const nobody: Trail['lineup'] = {
    ...{ live: [], evidence: [], runs: [], steady: [], steadfast: new Uint8Array(), order: [], rows: null },
    places: new Map(),
    bearers: new Map(),
  };

  interface Real {
    readonly id: KeyId;
    name: string;
    /** As last listed. */
    listed: string | null;
    readonly first: string;
    used: number;
    deleted: boolean;
    /** By the name it bore then. */
    readonly under: Map<string, number>;
  }

  function rowsOf(keys: readonly Real[], variant: Variant, keepsDeleted: boolean): Record<string, number> {
    const rows: Record<string, number> = {};
    const add = (name: string, amount: number): void => void (rows[name] = (rows[name] ?? 0) + amount);
    for (const one of keys) {
      if (one.deleted && !keepsDeleted) continue;
      if (variant === 'follows') add(one.name, one.used);
      else if (variant === 'stays') add(one.first, one.used);
      else for (const [name, amount] of one.under) add(name, amount);
    }
    return rows;
  }

  test('no level of a key leaves out the truth', () => {
    fc.assert(
      fc.property(
        deeds,
        fc.constantFrom<Variant>('follows', 'splits', 'stays'),
        fc.boolean(),
        (script, variant, keepsDeleted) => {
          const keys: Real[] = [];
          const create = (name: string): void => {
            keys.push({
              id: id(`key ${String(keys.length)}`),
              name,
              listed: null,
              first: name,
              used: 0,
              deleted: false,
              under: new Map(),
            });
          };
          names.slice(0, 2).forEach(create);
          let at = monday;
          let records: ReadonlyMap<KeyId, KeyRecord> = new Map();
          let runs: ReadonlyMap<KeyId | 'account', SampleRun> = new Map();
          let trail: Trail | null = null;
          for (const deed of script) {
            at += minute;
            const one = 'key' in deed ? keys[deed.key] : undefined;
            if (deed.kind === 'create') create(deed.name);
            if (deed.kind === 'use' && one && !one.deleted) {
              one.used += deed.amount;
              one.under.set(one.name, (one.under.get(one.name) ?? 0) + deed.amount);
            }
            // What no listing saw cannot be known of: a key does not bear and lose a name between two passes.
            const seen = one !== undefined && one.listed === one.name;
            if (deed.kind === 'delete' && seen) one.deleted = true;
            if (deed.kind === 'rename' && seen && !one.deleted && one.name !== deed.to) {
              if (deed.by === 'keywarden') records = renamed(records, one.id, one.name, deed.to, at);
              one.name = deed.to;
            }
            if (deed.kind === 'pass')
              ({ records, runs, trail } = pass(
                keys,
                records,
                runs,
                trail,
                at,
                deed.read,
                rowsOf(keys, variant, keepsDeleted),
              ));
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  function renamed(
    records: ReadonlyMap<KeyId, KeyRecord>,
    of: KeyId,
    from: string,
    to: string,
    at: number,
  ): ReadonlyMap<KeyId, KeyRecord> {
    const record = records.get(of);
    if (record?.facts.name !== from) return records;
    const change = {
      kind: 'rename',
      keyId: of,
      keyCreatedAt: record.createdAt,
      findingId: 'p/x',
      policy: 'p',
      step: 0,
      from,
      to,
      outcome: 'done',
    } as Change;
    const court = {
      now: at,
      records,
      findings: [],
      policy: file(policy('expiry: {}', '{ alert: ops }')),
    } as unknown as Court;
    return new Map([...records, ...settle(court, change).records.map((one) => [one.id, one] as const)]);
  }

  function pass(
    keys: readonly Real[],
    before: ReadonlyMap<KeyId, KeyRecord>,
    runs: ReadonlyMap<KeyId | 'account', SampleRun>,
    trail: Trail | null,
    at: number,
    read: readonly number[],
    rows: Readonly<Record<string, number>>,
  ) {
    const listed = keys
      .filter(({ deleted }) => !deleted)
      .map((one): Key => ({ ...key(one.name), id: one.id }));
    const { records } = register(
      before,
      { at, serverAt: null, keys: listed, secrets: new Map() },
      [],
      () => null,
    );
    const live = listed.flatMap((one) => records.get(one.id) ?? []);
    const own = read.flatMap((index): [KeyId, Map<'lifetime', KeyReading>][] => {
      const one = keys[index];
      return one === undefined || one.deleted
        ? []
        : [[one.id, new Map([['lifetime', reading(one.used, at)]])]];
    });
    const readings: Readings = {
      lifetime: aggregate(rows),
      distrust: null,
      windows: new Map(),
      own: new Map(own),
      unanswered: new Set(),
    };
    const leaving = [...records.values()].filter(({ goneAt }) => goneAt === at);
    const input = {
      at,
      doneAt: at,
      live,
      leaving,
      readings,
      runs,
      marks: new Map(),
      alone: new Set<KeyId>(),
      trail,
    };
    const found = attribute(input);
    for (const one of keys) {
      one.listed = one.name;
      const level = found.evidence.keys.get(one.id)?.lifetime;
      if (level === undefined) continue;
      expect(level.low.requests).toBeLessThanOrEqual(one.used);
      expect(level.high?.requests ?? Infinity).toBeGreaterThanOrEqual(one.used);
    }
    // Without a trail of the pass before, the same is known, only slower.
    const slow = attribute({ ...input, trail: trail && { ...trail, lineup: nobody } });
    for (const { id: of } of live)
      expect(slow.evidence.keys.get(of)?.lifetime).toEqual(found.evidence.keys.get(of)?.lifetime);
    const taken = sample(runs, found.counters, () => key('').createdAt, { sentAt: at, doneAt: () => at }, []);
    const kept = new Map(runs);
    keepRuns(kept, found.trail.lineup, taken.runs);
    extend(found.trail.lineup, at, []).apply();
    return {
      records: new Map([...records, ...found.changed.map((one) => [one.id, one] as const)]),
      runs: kept,
      trail: found.trail,
    };
  }
});
