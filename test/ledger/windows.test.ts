/** What the windows read in a pass tell of their own beginnings. */
import { describe, expect, test } from 'vitest';
import type { Bounds, Evidence, KeyEvidence, Marks } from '../../src/core/evidence.ts';
import type { Counters, EpochMs, KeyId, Window } from '../../src/core/key.ts';
import { rowsByName } from '../../src/core/rows.ts';
import type { Readings } from '../../src/ledger/readings.ts';
import type { WindowReading } from '../../src/ledger/marks.ts';
import { answeredAt, foldWindows, windowReadings } from '../../src/ledger/windows.ts';
import type { Aggregate } from '../../src/ports.ts';
import { day, hour, id, key, minute, monday } from '../core/story.ts';
import { counters, reading, recordOf, runOf } from './building.ts';

const live = ['A', 'B'].map((name) => recordOf(key(name)));
const [a, b] = [id('A'), id('B')];

function exact(amount: number): Bounds {
  const one = counters(amount);
  return { low: one, high: one };
}

/** Each key's windows, and which of its readings are its own. */
function evidenceOf(
  windows: ReadonlyMap<Window, Bounds>,
  individual: readonly (Window | 'lifetime')[] = [],
): KeyEvidence {
  return { windows, individual: new Set(individual), lifetime: exact(10) } as unknown as KeyEvidence;
}

function aggregate(rows: Readonly<Record<string, number>>): Aggregate {
  const list = Object.entries(rows).map(
    ([name, amount]) => [name, { ...counters(amount), models: new Map() }] as const,
  );
  return { at: monday, total: counters(30), rows: rowsByName(list) };
}

function readingsOf(more: Partial<Readings>): Readings {
  const nothing = { windows: new Map(), own: new Map(), unanswered: new Set<string>() };
  return { lifetime: aggregate({ A: 10, B: 20 }), distrust: null, ...nothing, ...more };
}

/** What was used in each window and what had been reached, in requests, by key. */
function told(
  evidence: readonly KeyEvidence[],
  readings: Readings,
  account: Partial<Evidence['account']> = {},
): Record<string, Record<string, string>> {
  const found = windowReadings(
    {
      ...{ live, evidence, places: new Map([a, b].map((of, place) => [of, place])) },
      runs: [runOf(a, 9, [monday - minute, monday - minute]), null],
    },
    {
      ...{ at: monday, doneAt: monday + minute },
      account: { lifetime: null, windows: new Map(), because: null, ...account },
    } as unknown as Evidence,
    readings,
  );
  const names = new Map<string, string>([
    [a, 'A'],
    [b, 'B'],
  ]);
  return Object.fromEntries(
    found.map(({ window, used }) => [
      window,
      Object.fromEntries(
        [...used].map(([of, one]) => [
          names.get(of) ?? of,
          `${String(one.used.requests)} of ${String(one.reached.requests)}`,
        ]),
      ),
    ]),
  );
}

describe('a window’s reading', () => {
  const both = [
    evidenceOf(new Map<Window, Bounds>([['24h', exact(3)]])),
    evidenceOf(new Map<Window, Bounds>([['24h', exact(4)]])),
  ];
  const all = readingsOf({ windows: new Map([['24h', aggregate({})]]) });

  test('is beside what each key’s row had reached before it', () => {
    expect(told(both, all)).toEqual({ '24h': { A: '3 of 10', B: '4 of 20' } });
  });

  test('of the key’s own is beside what was sampled before, for its row may be later', () => {
    const own = new Map<KeyId, Map<Window, ReturnType<typeof reading>>>([
      [a, new Map([['24h', reading(3)]])],
      [b, new Map([['24h', reading(4)]])],
      [id('gone'), new Map([['24h', reading(5)]])],
    ]);
    const evidence = [
      evidenceOf(new Map<Window, Bounds>([['24h', exact(3)]]), ['24h']),
      evidenceOf(new Map<Window, Bounds>([['24h', exact(4)]]), ['24h']),
    ];
    // Of B there is no sample.
    expect(told(evidence, readingsOf({ own }))).toEqual({ '24h': { A: '3 of 9' } });
    expect(told(both.slice(0, 1), readingsOf({ own }))).toEqual({ '24h': { A: '3 of 10' } });
    // Only those are asked that were read.
    const one = new Map([...own].filter(([of]) => of === b));
    expect(told(both, readingsOf({ own: one }))).toEqual({ '24h': { B: '4 of 20' } });
  });

  test('that is a guess tells nothing', () => {
    const guess = { low: counters(0), high: null, likely: counters(3) };
    expect(told([evidenceOf(new Map<Window, Bounds>([['24h', guess]]))], all)).toEqual({});
  });

  test('tells nothing where no usage is known', () => {
    expect(told(both, { ...all, lifetime: null })).toEqual({});
  });

  test('of the account is beside its total, if that is known', () => {
    const windows = new Map<Window, Counters>([['7d', counters(6)]]);
    expect(told([], all, { windows, lifetime: exact(30) })).toEqual({ '7d': { account: '6 of 30' } });
    expect(told([], all, { windows })).toEqual({});
    expect(told([], all, { windows, lifetime: { low: counters(30), high: null } })).toEqual({});
  });

  test('began somewhere between the first request and the last answer, less its length', () => {
    const places = new Map([[a, 0]]);
    const found = windowReadings(
      { live, evidence: both, runs: [], places },
      {
        ...{ at: monday, doneAt: monday + minute },
        account: { lifetime: null, windows: new Map(), because: null },
      } as unknown as Evidence,
      all,
    );
    expect(found).toMatchObject([
      { window: '24h', earliestStart: monday - day, latestStart: monday + minute - day },
    ]);
  });
});

describe('a window that the pass before read', () => {
  const read: WindowReading = {
    ...{ window: '24h', earliestStart: monday - day, latestStart: monday - day + minute },
    used: new Map([
      [a, { used: counters(3), reached: counters(9) }],
      ['account', { used: counters(6), reached: counters(29) }],
    ]),
  };
  const after = (instant: EpochMs | Window, key_: Bounds | null, account: Bounds | null) => {
    const marks = foldWindows({
      marks: new Map([[instant, new Map() as Marks]]),
      ...{ before: [read], fresh: [], doubted: new Set() },
      evidence: {
        keys: new Map(key_ === null ? [] : [[a, { lifetime: key_ } as KeyEvidence]]),
        account: { lifetime: account, windows: new Map(), because: null },
      },
    }).get(instant);
    return [marks?.get(a)?.after?.requests, marks?.get('account')?.after?.requests];
  };
  const between = { low: counters(9), high: counters(12) };

  test.each<[string, EpochMs | Window, Bounds | null, Bounds | null, (number | undefined)[]]>([
    ['what had not been passed by its earliest start', monday - day, exact(10), exact(30), [7, 24]],
    ['and by any instant before', monday - day - hour, exact(10), exact(30), [7, 24]],
    ['but not by one after', monday - day + 1, exact(10), exact(30), [undefined, undefined]],
    ['nor by the moving start of a window', '24h', exact(10), exact(30), [undefined, undefined]],
    ['of a key that is exactly known now', monday - day, exact(10), null, [7, undefined]],
    ['of an account that is', monday - day, null, exact(30), [undefined, 24]],
    ['and of none that is not', monday - day, between, between, [undefined, undefined]],
  ])('tells %s', (_what, instant, key_, account, expected) => {
    expect(after(instant, key_, account)).toEqual(expected);
  });
});

test('each question that was answered is remembered by its name', () => {
  const own = new Map([
    [
      a,
      new Map([
        ['24h', reading(1)],
        ['lifetime', reading(2)],
      ] as const),
    ],
  ]);
  const windows = new Map([['7d', aggregate({})]] as const);
  expect([...answeredAt(readingsOf({ own, windows }), monday)]).toEqual([
    ['aggregate 7d', monday],
    [`key ${a} 24h`, monday],
    [`key ${a} lifetime`, monday],
  ]);
});
