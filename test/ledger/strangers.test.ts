/** Rows under names that nobody bears: whether one shows usage of a key that seems unused. */
import { describe, expect, test } from 'vitest';
import { rowsByName } from '../../src/core/rows.ts';
import type { Readings } from '../../src/ledger/readings.ts';
import { strangersOf } from '../../src/ledger/strangers.ts';
import type { Strangers } from '../../src/ledger/strangers.ts';
import { monday } from '../core/story.ts';
import { counters } from './building.ts';

interface Look {
  /** Requests by name; null: the usage was not read, or is not believed. */
  readonly rows: Readonly<Record<string, number>> | null;
  /** Who bears a name; left out: as before. */
  readonly names?: readonly string[];
}

function readings(rows: Look['rows']): Readings {
  const list = Object.entries(rows ?? { A: 99 }).map(
    ([name, amount]) => [name, { ...counters(amount), models: new Map() }] as const,
  );
  return {
    lifetime: { at: monday, total: counters(99), rows: rowsByName(list) },
    distrust: rows === null ? 'it is not believed' : null,
    ...{ windows: new Map(), own: new Map(), unanswered: new Set() },
  };
}

/** Look by look: whether a strange row has grown for the first time. A name that was borne once counts 0 bearers. */
function hidden(...looks: readonly Look[]): boolean[] {
  let before: Strangers | null = null;
  let bearers: ReadonlyMap<string, number> = new Map();
  return looks.map(({ rows, names }) => {
    if (names !== undefined)
      bearers = new Map([
        ...[...bearers.keys()].map((name) => [name, 0] as const),
        ...names.map((name) => [name, 1] as const),
      ]);
    const found = strangersOf(readings(rows), bearers, before);
    before = found.strangers;
    return found.hidden;
  });
}

describe('a row under a name that nobody bears', () => {
  test.each<[string, readonly Look[], readonly boolean[]]>([
    [
      'is none while a key bears the name',
      [{ rows: { A: 5 }, names: ['A'] }, { rows: { A: 9 } }],
      [false, false],
    ],
    ['is told at a start, for nobody knows what it was', [{ rows: { old: 5 }, names: ['A'] }], [true]],
    ['is not told while it counts nothing', [{ rows: { old: 0 }, names: ['A'] }], [false]],
    [
      'is told when it grows, once',
      [{ rows: { old: 0 }, names: ['A'] }, { rows: { old: 0 } }, { rows: { old: 1 } }, { rows: { old: 2 } }],
      [false, false, true, false],
    ],
    [
      'is told when it grows beside one that has grown before',
      [
        { rows: { one: 5, other: 5 }, names: ['A'] },
        { rows: { one: 6, other: 5 } },
        { rows: { one: 7, other: 6 } },
      ],
      [true, true, true],
    ],
    [
      'of a key that is gone stands still',
      [
        { rows: { A: 5, B: 5 }, names: ['A', 'B'] },
        { rows: { A: 5, B: 5 }, names: ['A'] },
        { rows: { A: 6, B: 5 } },
      ],
      [false, false, false],
    ],
    [
      'of a key that is gone is told when it grows',
      [{ rows: { B: 5 }, names: ['B'] }, { rows: { B: 5 }, names: ['A'] }, { rows: { B: 6 } }],
      [false, false, true],
    ],
    [
      'that nobody ever bore is told as it comes',
      [{ rows: { A: 5 }, names: ['A'] }, { rows: { A: 5, new: 1 } }],
      [false, true],
    ],
    [
      'that comes back is told again, for what it was is forgotten',
      [
        { rows: { old: 5 }, names: ['A'] },
        { rows: { old: 5, A: 1 } },
        { rows: { A: 1 } },
        { rows: { old: 5, A: 1 } },
      ],
      [true, false, false, true],
    ],
    [
      'is none once it is no longer there',
      [{ rows: { old: 5 }, names: ['A'] }, { rows: { A: 5 } }],
      [true, false],
    ],
    [
      'is a deleted key’s, though the usage was not believed while there was that key',
      [
        { rows: null, names: ['A', 'B'] },
        { rows: { B: 5 }, names: ['A'] },
      ],
      [false, false],
    ],
    [
      'is not asked about while the usage is not believed',
      [{ rows: null, names: ['B'] }, { rows: { B: 1 } }, { rows: null }, { rows: { B: 1, old: 0 } }],
      [false, false, false, false],
    ],
  ])('%s', (_what, looks, told) => {
    expect(hidden(...looks)).toEqual(told);
  });
});
