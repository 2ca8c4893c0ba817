/** Sums and comparisons of what is known, and questions that several ask. */
import { describe, expect, test } from 'vitest';
import { addLevels, addQuestion, falls, sameCounters } from '../../src/core/evidence.ts';
import type { Motive, Question } from '../../src/core/evidence.ts';

describe('a question that several ask is put once,', () => {
  const motive = (why: string, excess: number, now = false): Motive => ({
    ...{ why, excess },
    ...(now && { nowOrNever: true }),
  });
  const asked = (...motives: readonly Motive[]): string[] => {
    const questions = new Map<string, Question>();
    for (const one of motives) addQuestion(questions, { kind: 'aggregate', window: '7d', ...one });
    return [...questions].map(([of, { why }]) => `${of}: ${why}`);
  };

  test.each<[string, readonly Motive[], string]>([
    ['for the gravest motive', [motive('a', 0.1), motive('b', 0.5), motive('c', 0.2)], 'b'],
    ['of two that are as grave for the first', [motive('a', 0.5), motive('b', 0.5)], 'a'],
    ['though it is surely below', [motive('a', -3)], 'a'],
    ['for the one that cannot wait', [motive('a', 0.5), motive('b', 0, true)], 'b'],
    ['also where that came first', [motive('a', 0, true), motive('b', Infinity)], 'a'],
    ['of two that cannot wait for the first', [motive('a', 0, true), motive('b', 1, true)], 'a'],
  ])('%s', (_what, motives, why) => {
    expect(asked(...motives)).toEqual([`aggregate 7d: ${why}`]);
  });

  test('and another is another', () => {
    const questions = new Map<string, Question>();
    for (const window of ['7d', null] as const)
      addQuestion(questions, { kind: 'key', id: 'k_1', window, ...motive('a', 0) });
    expect([...questions.keys()]).toEqual(['key k_1 7d', 'key k_1 lifetime']);
  });
});

const nothing = { costMicroUsd: 0, tokens: 0, requests: 0 };
const each = ['costMicroUsd', 'tokens', 'requests'] as const;

test.each(each)('counters whose %s differ are not the same, and one of them fell', (name) => {
  const more = { ...nothing, [name]: 1 };
  expect([sameCounters(nothing, more), sameCounters(more, { ...more })]).toEqual([false, true]);
  expect([falls(nothing, more), falls(more, nothing), falls(more, more)]).toEqual([true, false, false]);
});

test('a sum has an upper end, and a best guess, where all that is added has one', () => {
  const known = { low: 1, high: 2, likely: 2 };
  expect(addLevels(known, known)).toEqual({ low: 2, high: 4, likely: 4 });
  const open = { low: 3, high: null, likely: 5 };
  expect(addLevels(known, open)).toEqual({ low: 4, high: null, likely: 7 });
  expect(addLevels(open, known)).toEqual({ low: 4, high: null, likely: 7 });
  const dark = { low: 3, high: null, likely: null };
  expect([addLevels(known, dark), addLevels(dark, known)].map(({ likely }) => likely)).toEqual([null, null]);
});
