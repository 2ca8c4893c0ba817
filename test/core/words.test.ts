import { expect, test } from 'vitest';
import type { SpendFigures } from '../../src/core/alert.ts';
import {
  amountText,
  amountWords,
  durationWords,
  figuresWords,
  instantWords,
  minuteWords,
  stepAtWords,
  stepDoesWords,
} from '../../src/core/words.ts';
import { file, monday, policy } from './story.ts';

test.each([
  [0, '0 s'],
  [999, '999 ms'],
  [1000, '1 s'],
  [61_000, '61 s'],
  [15 * 60_000, '15 min'],
  [36 * 3_600_000, '36 h'],
  [90 * 86_400_000, '90 d'],
])('%d ms are %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});

test('amounts and instants', () => {
  expect([amountWords(20e6, 'cost'), amountWords(7, 'tokens'), amountWords(1, 'requests')]).toEqual([
    '$20.00',
    '7 tokens',
    '1 requests',
  ]);
  expect([amountText(1, 'cost'), amountText(1, 'tokens')]).toEqual(['0.000001', '1']);
  expect([instantWords(monday), instantWords(monday + 5), minuteWords(monday)]).toEqual([
    '2026-11-23T10:00:00Z',
    '2026-11-23T10:00:00.005Z',
    '2026-11-23 10:00Z',
  ]);
});

const spend: SpendFigures = {
  kind: 'spend',
  measure: 'cost',
  level: { low: 21.4e6, high: 21.4e6 },
  limit: 20e6,
  percent: 107,
  period: 'November 2026',
  periodStart: null,
  periodEnd: null,
  basis: 'level',
};

test.each([
  [spend, '$21.40 of $20.00 (107%), November 2026'],
  [
    { ...spend, level: { low: 21.4e6, high: 30e6 } },
    'between $21.40 and $30.00 of $20.00 (107%), November 2026',
  ],
  [{ ...spend, level: { low: 21.4e6, high: null } }, 'at least $21.40 of $20.00 (107%), November 2026'],
  [
    { ...spend, basis: 'forecast' } as const,
    '$21.40 expected at the period’s end of $20.00 (107%), November 2026',
  ],
  [
    { kind: 'expiry', deadline: monday, why: 'its own expires_at' } as const,
    'deadline 2026-11-23 10:00Z: its own expires_at',
  ],
  [
    { kind: 'idle', deadline: monday, why: 'never used' } as const,
    'idle since 2026-11-23 10:00Z: never used',
  ],
])('%j in words', (figures, words) => {
  expect(figuresWords(figures)).toBe(words);
});

test('when a step fires and what it does', () => {
  const of = (rule: string, ...steps: string[]) => {
    const [one] = file(policy(rule, ...steps)).policies;
    if (one === undefined) throw new Error('no policy');
    return one.steps.map((step) => `${stepAtWords(one, step)}: ${stepDoesWords(step)}`);
  };
  expect(
    of(
      'spend: { cost: 1, per: month }',
      '{ at: 100%, basis: forecast, alert: ops }',
      '{ at: 100%, alert: ops, delete: { notice: 24h } }',
    ),
  ).toEqual(['100% by forecast: alerts', '100%: deletes it after 1 d of notice']);
  expect(
    of(
      'expiry: {}',
      '{ before: 36h, alert: ops }',
      '{ rename: "OLD {{ name }}" }',
      '{ after: 7d, alert: ops, delete: { notice: 0s } }',
    ),
  ).toEqual([
    '36 h before the deadline: alerts',
    'the deadline: renames it',
    '7 d after the deadline: deletes it after 0 s of notice',
  ]);
});
