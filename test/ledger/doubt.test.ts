/** An aggregate that counts less than before for many keys at once is not believed for any of them. */
import { describe, expect, test } from 'vitest';
import type { KeyId } from '../../src/core/key.ts';
import { rowsByName } from '../../src/core/rows.ts';
import type { SampleRun } from '../../src/core/state.ts';
import { attribute } from '../../src/ledger/attribution.ts';
import type { Attribution } from '../../src/ledger/attribution.ts';
import { rowCountsLess } from '../../src/ledger/check.ts';
import { usageTrouble } from '../../src/ledger/look.ts';
import { id, key, minute, monday } from '../core/story.ts';
import { counters, reading, recordOf, runOf } from './building.ts';

const before = monday - minute;
const name = (index: number): string => `K${String(index)}`;

/** So many keys that had used 10, and so many that never used anything; the first `less` of them count less now. */
function looked(
  spent: number,
  less: number,
  { unused = 0, own = [] as readonly number[], to = 4 } = {},
): Attribution {
  const used = (index: number): number => (index < spent ? 10 : 0);
  const all = Array.from({ length: spent + unused }, (_, index) => index);
  const live = all.map((index) =>
    recordOf(key(name(index)), { check: { at: before, counters: counters(used(index)), agreed: true } }),
  );
  const runs = new Map<KeyId | 'account', SampleRun>(
    live.map((record, index) => [
      record.id,
      runOf(record.id, used(index), [before, before], record.createdAt),
    ]),
  );
  const row = (index: number) => ({ ...counters(index < less ? to : used(index)), models: new Map() });
  return attribute({
    at: monday,
    doneAt: monday,
    live,
    readings: {
      lifetime: {
        at: monday,
        total: counters(10 * spent),
        rows: rowsByName(
          all.filter((index) => row(index).requests > 0).map((index) => [name(index), row(index)]),
        ),
      },
      distrust: null,
      windows: new Map(),
      own: new Map(own.map((index) => [id(name(index)), new Map([['lifetime' as const, reading(10)]])])),
      unanswered: new Set(),
    },
    runs,
    marks: new Map(),
    alone: new Set(),
  });
}

const level = ({ evidence }: Attribution, index: number) => {
  const { low, high } = evidence.keys.get(id(name(index)))?.lifetime ?? {};
  return [low?.requests, high?.requests ?? null];
};

describe('an aggregate that counts less', () => {
  test.each([
    ['for two of two', 2, 2, {}, false],
    ['for three of three', 3, 3, {}, true],
    ['for three of fifteen, a fifth', 15, 3, {}, false],
    ['for three of fourteen', 14, 3, {}, true],
    ['for four of fifteen', 15, 4, {}, true],
    ['for twenty of a hundred', 100, 20, {}, false],
    ['for twenty-one of a hundred', 100, 21, {}, true],
    ['for three of fourteen that were ever used', 14, 3, { unused: 50 }, true],
    ['for three of three, without any row of theirs', 3, 3, { to: 0 }, true],
  ] as const)('%s', (_what, spent, less, more, doubted) => {
    const found = looked(spent, less, more);
    expect(found.doubt !== null).toBe(doubted);
    if (doubted) expect(found.doubt).toContain(`for ${String(less)} of ${String(spent)} keys`);
    // A conflict is of single keys; a doubt is of all of them, and lasts no longer than itself.
    expect(found.contradictions).toHaveLength(doubted ? 0 : less);
    expect(found.changed.filter(({ conflict }) => conflict !== null)).toHaveLength(doubted ? 0 : less);
  });

  test('is believed for no key, not even where it counts what it did', () => {
    const found = looked(5, 3);
    for (let index = 0; index < 5; index += 1) {
      expect(level(found, index)).toEqual([10, null]);
      expect(found.evidence.keys.get(id(name(index)))?.because).toBe(found.doubt);
    }
    expect(found.evidence.account).toMatchObject({ lifetime: null, because: found.doubt });
    expect([...found.counters]).toEqual([]);
  });

  test('leaves every proof as it was, for the next that can be believed', () => {
    expect(looked(5, 3).changed).toEqual([]);
  });

  test('takes nothing from a key’s own reading', () => {
    const found = looked(5, 3, { own: [0, 4] });
    expect(level(found, 0)).toEqual([10, 10]);
    expect(level(found, 4)).toEqual([10, 10]);
    expect(level(found, 1)).toEqual([10, null]);
  });

  test('for a few keys is a conflict of theirs alone', () => {
    const found = looked(15, 3);
    expect(found.contradictions.map(({ because }) => because)).toEqual([
      rowCountsLess,
      rowCountsLess,
      rowCountsLess,
    ]);
    expect(level(found, 0)).toEqual([10, null]);
    expect(level(found, 3)).toEqual([10, 10]);
  });

  test('is told as a trouble', () => {
    expect(usageTrouble(looked(5, 3).doubt)).toMatchObject([{ code: 'usage-doubt', severity: 'critical' }]);
    expect(usageTrouble(looked(5, 0).doubt)).toEqual([]);
  });
});
