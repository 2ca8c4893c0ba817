/** What the answers of a pass say of a key's row: agreed, contradicted, or neither. */
import { describe, expect, test } from 'vitest';
import type { KeyRecord } from '../../src/core/state.ts';
import {
  contradictionOf,
  crossChecked,
  ownFell,
  rowCountsLess,
  rowCountsMore,
  surely,
} from '../../src/ledger/check.ts';
import type { Answers } from '../../src/ledger/check.ts';
import { key, minute, monday } from '../core/story.ts';
import { counters, reading, recordOf, runOf } from './building.ts';

const a = key('A');

interface Given {
  /** The last check: so much, and whether the row agreed. */
  readonly check?: readonly [amount: number, agreed: boolean];
  readonly conflict?: string;
  readonly run?: number;
  readonly reading?: number;
  readonly row?: number;
  readonly nameIsOwn?: boolean;
  readonly away?: boolean;
  readonly hidden?: boolean;
}

function judged(given: Given): { record: KeyRecord; before: KeyRecord; contradiction: string | null } {
  const before = recordOf(a, {
    conflict: given.conflict ?? null,
    check: given.check
      ? { at: monday - minute, counters: counters(given.check[0]), agreed: given.check[1] }
      : null,
  });
  const answers: Answers = {
    at: monday,
    run: given.run === undefined ? null : runOf(a.id, given.run, [monday - minute, monday - minute]),
    reading: given.reading === undefined ? null : reading(given.reading),
    row: given.row === undefined ? null : counters(given.row),
    nameIsOwn: given.nameIsOwn ?? true,
    away: given.away ?? false,
    hidden: given.hidden ?? false,
  };
  const contradiction = contradictionOf(before, answers);
  return { record: crossChecked(before, answers, contradiction), before, contradiction };
}

function verdict({ conflict, check }: KeyRecord): string {
  return conflict ?? (check?.agreed === true ? 'agreed' : 'unproved');
}

const proved = { check: [5, true], run: 5 } as const;
const unused = { check: [0, true], run: 0 } as const;

describe('a row is', () => {
  test.each<[string, Given, string]>([
    ['unproved while nothing was read', { row: 5 }, 'unproved'],
    ['agreed by an equal reading', { row: 5, reading: 5 }, 'agreed'],
    ['agreed by two that are zero', { row: 0, reading: 0 }, 'agreed'],
    ['unproved by a reading above it', { row: 5, reading: 6 }, 'unproved'],
    ['unproved by a reading without a row', { reading: 5 }, 'unproved'],
    [
      'unproved by an equal reading, under a shared name',
      { row: 5, reading: 5, nameIsOwn: false },
      'unproved',
    ],
    ['contradicted by a reading below it', { row: 6, reading: 5 }, rowCountsMore],
    ['contradicted by a sample above it', { row: 4, run: 5 }, rowCountsLess],
    ['contradicted by a check above it', { row: 4, check: [5, false] }, rowCountsLess],
    ['still agreed as it grows', { ...proved, row: 9 }, 'agreed'],
    ['still agreed while no aggregate is had', { ...proved }, 'agreed'],
    ['still agreed, in use between it and the reading', { ...proved, row: 9, reading: 10 }, 'agreed'],
    [
      'still agreed when it grew while somebody was away from a key that stood still',
      { ...proved, row: 5, away: true },
      'agreed',
    ],
    ['unproved when it moved while nobody looked', { ...proved, row: 6, away: true }, 'unproved'],
    [
      'agreed again at once by an equal reading, though nobody looked',
      { ...proved, row: 6, reading: 6, away: true },
      'agreed',
    ],
    [
      'unproved under a name that another key has come to',
      { ...proved, row: 5, nameIsOwn: false },
      'unproved',
    ],
    ['agreed at zero while it stays there', { ...unused, row: 0 }, 'agreed'],
    ['unproved once it moves from zero', { ...unused, row: 1 }, 'unproved'],
    ['agreed again once the moved row is read', { ...unused, row: 1, reading: 1 }, 'agreed'],
    [
      'unproved at zero, while some usage shows under no one’s name',
      { ...unused, row: 0, hidden: true },
      'unproved',
    ],
    ['unaffected by such usage once it was in use itself', { ...proved, row: 5, hidden: true }, 'agreed'],
    [
      'unaffected by such usage, proved unused but used since',
      { check: [0, true], run: 3, row: 3, hidden: true },
      'agreed',
    ],
    ['contradicted by counters of its own that fell', { ...proved, row: 4, reading: 4 }, ownFell],
    [
      'contradicted by counters below an agreed sample',
      { check: [5, true], run: 8, row: 7, reading: 7 },
      ownFell,
    ],
    [
      'not contradicted by counters below a sample of a row never proved',
      { check: [5, false], run: 8, row: 7, reading: 7 },
      rowCountsMore,
    ],
  ])('%s', (_what, given, expected) => {
    const { record } = judged(given);
    expect(verdict(record)).toBe(expected);
    // Only a contradiction casts doubt on samples.
    expect(record.doubt === undefined).toBe(record.conflict === null);
  });

  test('remembered as the very same record where nothing is new', () => {
    for (const given of [
      { ...proved, row: 9 },
      { ...proved },
      { ...unused, row: 0 },
      { row: 5 },
      { check: [5, false], row: 7 },
      { conflict: rowCountsLess, check: [5, false], run: 8, row: 6 },
      { conflict: rowCountsLess, run: 5, row: 4 },
    ] as Given[]) {
      const { record, before } = judged(given);
      expect(record).toBe(before);
    }
  });
});

describe('a conflict', () => {
  const less = { conflict: rowCountsLess, check: [5, true], run: 8 } as const;
  const fell = { conflict: ownFell, check: [5, false], run: 8 } as const;

  test.each<[string, Given, string]>([
    ['goes on while the row is below', { ...less, row: 6 }, rowCountsLess],
    ['goes on while only the row is back', { ...less, row: 9 }, rowCountsLess],
    ['goes on while no row is had', { ...less }, rowCountsLess],
    ['goes on by a reading above the row', { ...less, row: 9, reading: 10 }, rowCountsLess],
    ['ends by an equal reading', { ...less, row: 9, reading: 9 }, 'agreed'],
    ['of its own counters goes on while none is read', { ...fell, row: 9 }, ownFell],
    ['of its own counters goes on while they are below', { ...fell, row: 4, reading: 4 }, ownFell],
    ['of its own counters ends once they are back', { ...fell, row: 8, reading: 8 }, 'agreed'],
    [
      'of its own counters ends once they are back, with a row that lags',
      { ...fell, row: 8, reading: 9 },
      'unproved',
    ],
    ['of its own counters becomes one of the row', { ...fell, row: 9, reading: 8 }, rowCountsMore],
  ])('%s', (_what, given, expected) => {
    const { record } = judged(given);
    expect(verdict(record)).toBe(expected);
    expect(record.check?.agreed).toBe(expected === 'agreed');
    // From a reading of its own on, samples are its own, whatever becomes of the row.
    expect(record.doubt?.until ?? null).toBe(given.reading === undefined ? null : monday);
  });

  test.each<[string, Given, object]>([
    [
      'with its last reading',
      { check: [5, false], row: 4 },
      { from: monday - minute, counters: counters(5) },
    ],
    ['with the beginning, if it was never read', { run: 5, row: 4 }, { from: 0 }],
    [
      'but what it read is not believed of counters that fell',
      { ...proved, row: 4, reading: 4 },
      { from: monday - minute },
    ],
  ])('casts doubt on samples that begins %s', (_what, given, expected) => {
    const { until, ...doubt } = judged(given).record.doubt ?? { until: null };
    expect(doubt).toEqual(expected);
    expect(until).toBe(given.reading === undefined ? null : monday);
  });

  test.each([
    ['for as long as nothing is read', { from: 7, until: null }, null, { from: 7, until: null }],
    ['until the next reading', { from: 7, until: null }, 10, { from: 7, until: monday }],
    ['no longer than until the first', { from: 7, until: 9 }, 10, { from: 7, until: 9 }],
    ['from the beginning, where none was remembered', undefined, 10, { from: 0, until: monday }],
  ])('goes on casting its doubt %s', (_what, doubt, read, expected) => {
    const before = recordOf(a, {
      ...{ conflict: rowCountsLess, check: { at: monday - minute, counters: counters(5), agreed: false } },
      ...(doubt && { doubt }),
    });
    const answers = { run: null, reading: read === null ? null : reading(read), row: counters(9) };
    const more = { at: monday, nameIsOwn: true, away: false, hidden: false };
    expect(crossChecked(before, { ...answers, ...more }, null).doubt).toEqual(expected);
  });

  test('does not take a row’s counters for those of a reading', () => {
    const withdrawn = judged({ check: [5, true], run: 8, row: 9, away: true }).record;
    const answers = { run: null, reading: null, row: counters(4) };
    const more = { at: monday, nameIsOwn: true, away: false, hidden: false };
    const { doubt } = crossChecked(withdrawn, { ...answers, ...more }, contradictionOf(withdrawn, answers));
    expect(doubt).toEqual({ from: monday - minute, until: null });
  });

  test('casts doubt from the first of several on', () => {
    const earlier = { from: 7, until: monday - minute, counters: counters(1) };
    const before = recordOf(a, { check: { at: monday - minute, counters: counters(5) }, doubt: earlier });
    const answers = { run: null, reading: null, row: counters(4) };
    const more = { at: monday, nameIsOwn: true, away: false, hidden: false };
    const { doubt } = crossChecked(before, { ...answers, ...more }, contradictionOf(before, answers));
    expect(doubt).toEqual({ ...earlier, until: null });
  });

  test('of its own counters is measured by what they had been, not by what they fell to', () => {
    const { record } = judged({ ...proved, row: 4, reading: 4 });
    expect(record.check).toMatchObject({ counters: counters(5), agreed: false });
    // 4 again is still too little; 5 is believed.
    for (const [amount, conflict] of [
      [4, ownFell],
      [5, null],
    ] as const) {
      const answers = { at: monday + minute, run: null, reading: reading(amount), row: counters(amount) };
      const more = { nameIsOwn: true, away: false, hidden: false };
      const again = crossChecked(record, { ...answers, ...more }, contradictionOf(record, answers));
      expect(again.conflict).toBe(conflict);
    }
  });

  test('takes the proof from its row', () => {
    expect(judged({ ...proved, row: 4 }).record.check).toMatchObject({
      counters: counters(5),
      agreed: false,
    });
  });
});

test('what a proof that is withdrawn had come to is kept as the least the key has used', () => {
  const { record } = judged({ check: [5, true], run: 8, row: 9, away: true });
  expect(record.check).toMatchObject({
    ...{ at: monday - minute, counters: counters(8) },
    ...{ agreed: false, later: true },
  });
  expect(surely(record, null)).toEqual(counters(8));
});

test.each<[string, Parameters<typeof surely>[0], number]>([
  ['nothing, never read', recordOf(a), 0],
  ['its agreed samples', recordOf(a, { check: { at: 0, counters: counters(5), agreed: true } }), 8],
  ['its own reading, without agreement', recordOf(a, { check: { at: 0, counters: counters(5) } }), 5],
  [
    'its own reading, while the row contradicts it',
    recordOf(a, { check: { at: 0, counters: counters(5), agreed: true }, conflict: rowCountsLess }),
    5,
  ],
  [
    'nothing, while its own counters contradict themselves',
    recordOf(a, { check: { at: 0, counters: counters(5) }, conflict: ownFell }),
    0,
  ],
])('a key has surely used %s', (_what, record, amount) => {
  expect(surely(record, runOf(a.id, 8, [0, 0]))).toEqual(counters(amount));
});
