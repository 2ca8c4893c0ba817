import { decode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { chartOf } from '../../../src/alerts/compose/chart.ts';
import type { Measure } from '../../../src/core/key.ts';
import type { DailyUse } from '../../../src/ports.ts';
import { at, day } from '../build.ts';

const today = Math.floor(at / day) * day;

function days(...used: readonly (number | null)[]): DailyUse[] {
  return used.map((one, index) => ({ day: today - (used.length - 1 - index) * day, used: one }));
}

describe('in words', () => {
  test.each<[string, Measure, readonly (number | null)[], string]>([
    [
      'the highest day and the running one',
      'cost',
      [4_200_000, 1_309_999],
      'highest $4.20 on 22 Nov; today $1.30 so far',
    ],
    ['small sums with all their digits', 'cost', [4200, 0], 'highest $0.0042 on 22 Nov; today $0.00 so far'],
    ['tokens', 'tokens', [1_234_567, 1], 'highest 1,234,567 tokens on 22 Nov; today 1 token so far'],
    ['requests', 'requests', [7, 12], 'highest 12 requests on 23 Nov; today 12 requests so far'],
    ['no use at all', 'requests', [0, 0], 'nothing used; today 0 requests so far'],
    [
      'days that are not known',
      'requests',
      [null, 3, null],
      'highest 3 requests on 22 Nov; today not known; 2 days not known (hatched)',
    ],
  ])('%s', (_what, measure, used, words) => {
    expect(chartOf(days(...used), measure).summary).toBe(words);
  });

  test('what is drawn, and from when', () => {
    const chart = chartOf(days(...Array.from({ length: 30 }, () => 1)), 'cost');
    expect(chart).toMatchObject({ title: 'Spend a day, last 30 days (UTC)', from: '25 Oct' });
  });
});

/** Of four days: what is drawn in the middle of each, from the top down. */
function columns(png: DecodedPng): string[] {
  const slot = png.width / 4;
  return [0, 1, 2, 3].map((index) => {
    const x = Math.round((index + 0.5) * slot);
    const colours = Array.from({ length: png.height }, (_, y) => png.data[y * png.width + x]);
    return colours
      .map((one) => [' ', 'B', 'g'][one ?? 0])
      .join('')
      .replace(/(.)\1+/g, '$1');
  });
}

describe('as a picture', () => {
  const { png, width, height } = chartOf(days(0, 100, null, 50), 'requests');
  const picture = decode(png);

  test('has twice the pixels that it takes on the page', () => {
    expect([picture.width, picture.height]).toEqual([2 * width, 2 * height]);
  });

  test('stands on no ground of its own', () => {
    expect(picture.palette?.[0]).toEqual([0, 0, 0, 0]);
    expect(picture.data[0]).toBe(0);
  });

  test('draws no use as nothing, use as a bar, what is not known hatched, and the running day hollow', () => {
    const [none, full, unknown, running] = columns(picture);
    expect(none).toBe(' g');
    expect(full).toBe('Bg');
    expect(unknown).toMatch(/^ ?(g ){5,}/);
    expect(running).toBe(' B g');
  });

  test('draws bars as tall as what was used', () => {
    const one = decode(chartOf(days(0, 100, 50, 1, 0), 'requests').png);
    const slot = one.width / 5;
    const heights = [1, 2].map((index) => tallIn(one, Math.round((index + 0.5) * slot)));
    expect(heights[0]).toBe(one.height - 2);
    expect(heights[1]).toBe(Math.round((one.height - 2) / 2));
  });

  test.each([
    ['as different as can be', (index: number) => (index * 7919) % 101],
    ['none of them known', () => null],
  ])('takes few bytes: thirty days, %s', (_what, used) => {
    const { png: bytes } = chartOf(days(...Array.from({ length: 30 }, (_, index) => used(index))), 'cost');
    expect(bytes.length).toBeLessThan(6000);
  });
});

/** Pixels of a bar at `x`. */
function tallIn(png: DecodedPng, x: number): number {
  return Array.from({ length: png.height }, (_, y) => png.data[y * png.width + x]).filter((one) => one === 1)
    .length;
}
