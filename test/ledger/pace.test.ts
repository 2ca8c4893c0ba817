/** How fast keys are used: the fastest of late, fading. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pace } from '../../src/core/evidence.ts';
import { quicken } from '../../src/ledger/pace.ts';
import type { Peaks } from '../../src/ledger/pace.ts';
import { id, minute, monday } from '../core/story.ts';
import { counters, runOf } from './building.ts';

const a = id('A');
/** After so long a pace counts half. */
const pause = 3 * minute;

/** A's pace after it was read so many times, with such pauses, in requests a pause. */
function paces(...amounts: readonly number[]): number[] {
  let peaks: Peaks = new Map();
  let last = 0;
  return amounts.map((amount, index) => {
    const at = monday + index * pause;
    const quickening = quicken(peaks, at);
    if (index > 0) quickening.note(a, runOf(a, last, [at - pause, at - pause]), counters(amount));
    peaks = quickening.next();
    last = amount;
    return Math.round((quickening.now().get(a)?.requests ?? 0) * pause * 1000) / 1000;
  });
}

describe('a pace', () => {
  test('is what was used since the last sample, by the time since', () => {
    expect(paces(0, 8)).toEqual([0, 8]);
    const quickening = quicken(new Map(), monday);
    quickening.note(a, runOf(a, 10, [monday - 5 * minute, monday - 4 * minute]), counters(30));
    const pace: Pace | undefined = quickening.now().get(a);
    expect(pace?.requests).toBeCloseTo(20 / (4 * minute), 12);
    expect(pace?.tokens).toBeCloseTo(40 / (4 * minute), 12);
    expect(pace?.costMicroUsd).toBeCloseTo(60 / (4 * minute), 12);
  });

  test('counts half after each three minutes in which it is not seen again, and is forgotten after fifteen', () => {
    expect(paces(0, 16, 16, 16, 16, 16, 16, 16)).toEqual([0, 16, 8, 4, 2, 1, 0, 0]);
  });

  test('fades in every counter alike', () => {
    const quickening = quicken(new Map(), monday);
    quickening.note(a, runOf(a, 0, [monday - pause, monday - pause]), counters(pause));
    expect(
      quicken(quickening.next(), monday + pause)
        .now()
        .get(a),
    ).toEqual(counters(0.5));
  });

  test('is not kept of a key that is far from everything, but always of the account', () => {
    const quickening = quicken(new Map(), monday, ({ requests }) => requests < 5);
    for (const subject of [a, id('B'), 'account'] as const)
      quickening.note(
        subject,
        runOf(subject, 0, [monday - minute, monday - minute]),
        counters(subject === a ? 5 : 4),
      );
    expect([...quickening.next().keys()]).toEqual([a, 'account']);
  });

  test('keeps to the fastest of late: a slower pause does not slow it, a faster one hurries it', () => {
    expect(paces(0, 16, 18, 20, 50)).toEqual([0, 16, 8, 4, 30]);
    expect(paces(0, 16, 28)).toEqual([0, 16, 12]);
  });

  test.each([
    ['a key without an earlier sample', null, 5],
    ['a key that was not used', runOf(a, 5, [monday - minute, monday - minute]), 5],
    ['counters that fell', runOf(a, 9, [monday - minute, monday - minute]), 5],
    ['a sample no older than the reading', runOf(a, 1, [monday, monday]), 5],
  ] as const)('is not told by %s', (_what, run, amount) => {
    const quickening = quicken(new Map(), monday);
    quickening.note(a, run, counters(amount));
    expect([...quickening.now()]).toEqual([]);
    expect([...quickening.next()]).toEqual([]);
  });

  test('that comes of one counter while another falls is never negative', () => {
    const quickening = quicken(new Map(), monday);
    const run = {
      ...runOf(a, 0, [monday - minute, monday - minute]),
      counters: { costMicroUsd: 9, tokens: 0, requests: 0 },
    };
    quickening.note(a, run, { costMicroUsd: 3, tokens: 5, requests: 0 });
    expect(quickening.now().get(a)).toEqual({ costMicroUsd: 0, tokens: 5 / minute, requests: 0 });
  });
});

test('no pace is below what was used in the last pause, nor above the fastest there was', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ after: fc.integer({ min: 1, max: 2 * pause }), grown: fc.nat(20) }), {
        maxLength: 12,
      }),
      (script) => {
        let peaks: Peaks = new Map();
        let at = monday;
        let amount = 0;
        const seen: { readonly at: number; readonly per: number }[] = [];
        for (const { after, grown } of script) {
          const run = runOf(a, amount, [at, at]);
          at += after;
          amount += grown;
          const quickening = quicken(peaks, at);
          quickening.note(a, run, counters(amount));
          peaks = quickening.next();
          if (grown > 0) seen.push({ at, per: grown / after });
          const pace = quickening.now().get(a)?.requests ?? 0;
          expect(pace).toBeGreaterThanOrEqual(grown / after);
          const fastest = Math.max(0, ...seen.map(({ per }) => per));
          expect(pace).toBeLessThanOrEqual(fastest * (1 + 1e-9));
          // Not seen for so long, it is forgotten.
          if (seen.every((one) => at - one.at >= 5 * pause)) expect(pace).toBe(0);
        }
      },
    ),
  );
});
