/** What was consumed since an instant, as an interval: from counters around it and from windows. */
import { describe, expect, test } from 'vitest';
import type { Bounds, Estimate, Evidence, KeyEvidence } from '../../src/core/evidence.ts';
import type { Counters, Window } from '../../src/core/key.ts';
import { windowMs } from '../../src/core/key.ts';
import { accountLevel, goneLevel, keyLevel, spanOf, undecided } from '../../src/core/levels.ts';
import type { Span } from '../../src/core/levels.ts';
import type { KeyRecord, Mark } from '../../src/core/state.ts';
import { counters, recordOf } from '../ledger/building.ts';
import { evidenceAt, known } from './measuring.ts';
import { day, key } from './story.ts';

const start = Date.parse('2026-11-01T00:00:00Z');
/** The tenth of November has ended. */
const at = start + 10 * day;
const requests = { measure: 'requests', models: null } as const;
const user = key('A', { createdAt: start - 100 * day });
const old = recordOf(user);
const young = recordOf(key('A', { createdAt: start }));

/** The month, with what the key and the account had come to around its start. */
function month(before: number | null = null, after: number | null = null): Span {
  const mark: Mark = {
    before: before === null ? null : counters(before),
    after: after === null ? null : counters(after),
  };
  const marks = new Map([[user.id, mark] as const, ['account', mark] as const]);
  return { period: { start, end: start + 30 * day }, window: null, marks };
}

const lifetime: Span = { period: { start: null, end: null }, window: null, marks: undefined };
const week: Span = { period: { start: at - 7 * day, end: null }, window: '7d', marks: undefined };

function bounds(low: number, high: number | null, likely?: number): Bounds {
  return {
    low: counters(low),
    high: high === null ? null : counters(high),
    ...(likely === undefined ? {} : { likely: counters(likely) }),
  };
}

/** Windows by what they say: an amount, or its bounds. */
function read(of: Partial<Record<Window, number | Bounds>>): ReadonlyMap<Window, Bounds> {
  return new Map(
    (Object.keys(of) as Window[]).map((window) => {
      const value = of[window] ?? 0;
      return [window, typeof value === 'number' ? bounds(value, value) : value];
    }),
  );
}

const level = (low: number, high: number | null, likely = high): Estimate => ({ low, high, likely });

describe('the level of a key', () => {
  const of = (span: Span, more: Partial<KeyEvidence>, record: KeyRecord = old, evidence = evidenceAt(at)) =>
    keyLevel(requests, span, record, known(more), evidence);

  test.each<[string, Span, Bounds, Estimate]>([
    ['lies between nothing and all, where nothing is known of the start', month(), bounds(9, 9), level(0, 9)],
    ['is what it used since', month(2, 2), bounds(9, 9), level(7, 7)],
    ['is at the least what it used since it was surely later', month(2, 4), bounds(8, 9), level(4, 7)],
    ['has no lower bound without a later mark', month(2, null), bounds(8, 9), level(0, 7)],
    ['has all as its upper bound without an earlier one', month(null, 4), bounds(8, 9), level(4, 9)],
    ['is never below nothing', month(12, 12), bounds(8, 9), level(0, 0)],
    ['has no upper bound where its lifetime has none', month(2, 4), bounds(8, null), level(4, null)],
    ['is guessed by the row where that bounds nothing', month(2, 4), bounds(8, null, 12), level(4, null, 10)],
    ['is all of it, for a lifetime', lifetime, bounds(8, 9), level(8, 9)],
    ['is all of it, for a lifetime without a bound', lifetime, bounds(8, null, 12), level(8, null, 12)],
  ])('%s', (_what, span, all, expected) => {
    expect(of(span, { lifetime: all })).toEqual(expected);
  });

  test('of a key that was made in the period, its first instant included, is all of it', () => {
    expect(of(month(2, 2), { lifetime: bounds(8, 9) }, young)).toEqual(level(8, 9));
    const before = recordOf(key('A', { createdAt: start - 1 }));
    expect(of(month(2, 2), { lifetime: bounds(9, 9) }, before)).toEqual(level(7, 7));
  });

  test.each<[string, Parameters<typeof read>[0], Estimate]>([
    ['one within the period raises its lower end', { '7d': 5 }, level(5, 9)],
    ['one around it lowers its upper end', { '30d': 5 }, level(1, 5)],
    ['both do', { '7d': 3, '30d': 5 }, level(3, 5)],
    ['none makes it wider', { '7d': 0, '30d': 20 }, level(1, 9)],
    ['the larger counts, where usage went on between two', { '7d': 6, '30d': 5 }, level(6, 6)],
    ['one without an upper bound lowers none', { '30d': bounds(2, null) }, level(1, 9)],
  ])('by windows: %s', (_what, windows, expected) => {
    const known = { lifetime: bounds(9, 9), windows: read(windows) };
    expect(of(month(0, 8), known)).toEqual(expected);
  });

  test('a window without an upper bound leaves the guess', () => {
    const guessed = { lifetime: bounds(9, null), windows: read({ '30d': bounds(2, null, 5) }) };
    expect(of(month(), guessed)).toEqual(level(0, null, 5));
    const raised = { lifetime: bounds(9, null), windows: read({ '7d': 6, '30d': bounds(2, null, 5) }) };
    expect(of(month(), raised)).toEqual(level(6, null, 6));
  });

  test('a window as long as the period is both, to the instant', () => {
    const known = { lifetime: bounds(9, 9), windows: read({ '7d': 5 }) };
    const evidence = (from: number, to: number) => ({ ...evidenceAt(start + from), doneAt: start + to });
    const long = windowMs['7d'];
    expect(of(month(), known, old, evidence(long, long))).toEqual(level(5, 5));
    expect(of(month(), known, old, evidence(long - 1, long))).toEqual(level(0, 5));
    expect(of(month(), known, old, evidence(long, long + 1))).toEqual(level(5, 9));
  });

  test('a rolling period is its window, whenever that was read', () => {
    const known = { lifetime: bounds(9, 9), windows: read({ '7d': 5 }) };
    expect(of(week, known, old, { ...evidenceAt(at), doneAt: at + day })).toEqual(level(5, 5));
    expect(of(week, known, old, { ...evidenceAt(at - day), doneAt: at - day })).toEqual(level(5, 5));
  });

  const [from, until] = [start - day, start + day];
  test.each<[string, KeyRecord['doubt'], Estimate]>([
    ['no bound', { from, until }, level(7, 9)],
    ['no bound, as long as the doubt goes on', { from, until: null }, level(7, 9)],
    ['no bound where it began with the period', { from: start, until }, level(7, 9)],
    ['a bound where it was over by then', { from, until: start }, level(7, 7)],
    ['a bound where it began later', { from: start + 1, until }, level(7, 7)],
    ['no more of a bound than its own reading', { from, until, counters: counters(1) }, level(7, 8)],
    ['no more of a bound than the sample', { from, until, counters: counters(3) }, level(7, 7)],
  ])('a sample from a time of doubt is %s', (_what, doubt, expected) => {
    const doubted = recordOf(user, doubt === undefined ? {} : { doubt });
    expect(of(month(2, 2), { lifetime: bounds(9, 9) }, doubted)).toEqual(expected);
    const unmarked = { ...month(), marks: new Map() };
    expect(of(unmarked, { lifetime: bounds(9, 9) }, doubted)).toEqual(level(0, 9));
  });

  test('without an earlier sample is bounded by all, whatever the doubt', () => {
    const doubted = recordOf(user, { doubt: { from, until, counters: counters(1) } });
    expect(of(month(null, 2), { lifetime: bounds(9, 9) }, doubted)).toEqual(level(7, 9));
  });
});

describe('the level of some models', () => {
  const rule = { measure: 'requests', models: (model: string) => model.startsWith('gpt') } as const;
  const rows = (ours: number): ReadonlyMap<string, Counters> =>
    new Map([
      ['gpt-a', counters(ours - 1)],
      ['gpt-b', counters(1)],
      ['llama', counters(100)],
    ]);
  const of = (span: Span, more: Partial<KeyEvidence>, record: KeyRecord = old) =>
    keyLevel(rule, span, record, known({ lifetime: bounds(9, 9), ...more }), evidenceAt(at));
  const models = (all: number | null, windows: Partial<Record<Window, number>> = {}) => ({
    lifetime: all === null ? null : rows(all),
    windows: new Map(
      (Object.keys(windows) as Window[]).map((window) => [window, rows(windows[window] ?? 0)]),
    ),
  });

  test.each<[string, Partial<KeyEvidence>, Estimate]>([
    ['is theirs alone', { models: models(4) }, level(4, 4)],
    ['is not known without a row', { models: models(null) }, level(0, 9)],
    ['is a guess by a row that was not checked', { models: models(4), checked: false }, level(0, 9, 9)],
  ])('of a young key %s', (_what, more, expected) => {
    expect(of(month(), more, young)).toEqual(expected);
  });

  test.each<[string, Partial<KeyEvidence>, Estimate]>([
    ['lies between nothing and what they ever used', { models: models(4) }, level(0, 4)],
    ['is no more than all', { models: models(20) }, level(0, 9)],
    ['is at the least that of a window within', { models: models(7, { '7d': 3 }) }, level(3, 7)],
    ['is at the most that of a window around', { models: models(7, { '30d': 5 }) }, level(0, 5)],
    ['lies between two windows', { models: models(7, { '7d': 3, '30d': 5 }) }, level(3, 5)],
  ])('of an older key %s', (_what, more, expected) => {
    expect(of(month(), more)).toEqual(expected);
  });

  test('is bounded by no row that was not checked', () => {
    const unchecked = { models: models(7, { '7d': 3, '30d': 5 }), checked: false };
    expect(of(month(), unchecked)).toEqual(level(0, 9, 9));
    expect(of(month(), { ...unchecked, lifetime: bounds(9, null, 9) })).toEqual(level(0, null, 5));
  });
});

describe('the level of a key that is gone', () => {
  const gone = (more: Partial<KeyRecord> = {}, of = user): KeyRecord =>
    recordOf(of, { goneAt: start + 5 * day, unseen: counters(0), ...more });

  test.each<[string, Span, KeyRecord, Counters | null, Estimate]>([
    ['is what it used since the start', month(2, 2), gone(), counters(9), level(7, 7)],
    [
      'may be what it can have used unseen',
      month(2, 2),
      gone({ unseen: counters(3) }),
      counters(9),
      level(7, 10),
    ],
    ['has no bound where that has none', month(2, 2), gone({ unseen: null }), counters(9), level(7, null, 7)],
    ['is not known without a counter', month(2, 2), gone(), null, level(0, null)],
    ['is nothing once it was gone by the start', month(), gone({ goneAt: start }), null, level(0, 0)],
    ['is not nothing an instant later', month(), gone({ goneAt: start + 1 }), counters(9), level(0, 9)],
    ['is all of it for a lifetime', lifetime, gone(), counters(9), level(9, 9)],
    [
      'is all of it where it was made within',
      month(2, 2),
      gone({ createdAt: start }),
      counters(9),
      level(9, 9),
    ],
  ])('%s', (_what, span, record, last, expected) => {
    expect(goneLevel(requests, span, record, last)).toEqual(expected);
  });

  test('has no lower bound for some models', () => {
    const rule = { measure: 'requests', models: () => true } as const;
    expect(goneLevel(rule, month(2, 2), gone(), counters(9))).toEqual(level(0, 7));
  });

  test('has no bound where what it can have used was not written down', () => {
    const { unseen: _, ...before } = gone();
    expect(goneLevel(requests, month(2, 2), before, counters(9))).toEqual(level(7, null, 7));
  });
});

describe('the level of the account', () => {
  const of = (span: Span, all: Bounds | null, windows: Partial<Record<Window, number>> = {}) => {
    const readings = new Map(
      (Object.keys(windows) as Window[]).map((window) => [window, counters(windows[window] ?? 0)]),
    );
    const account: Evidence['account'] = { lifetime: all, windows: readings, because: null };
    return accountLevel(requests, span, evidenceAt(at, { account }));
  };

  test.each<[string, Estimate, Estimate]>([
    ['is not known without a total', of(month(2, 2), null), level(0, null)],
    ['is all of it for a lifetime', of(lifetime, bounds(8, 9)), level(8, 9)],
    ['is its total’s since the start', of(month(2, 4), bounds(9, 9)), level(5, 7)],
    ['lies between its windows', of(month(), bounds(9, 9), { '7d': 3, '30d': 5 }), level(3, 5)],
    [
      'has no upper bound by windows where its total fell',
      of(month(), bounds(9, null), { '7d': 3, '30d': 5 }),
      level(3, null),
    ],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual(expected);
  });
});

test('a span knows what was marked at its start, a rolling one by its window', () => {
  const marks = new Map();
  const evidence = evidenceAt(at, {
    marks: new Map<number | Window, typeof marks>([
      [start, marks],
      ['7d', marks],
    ]),
  });
  const calendar = { kind: 'calendar', unit: 'month', timeZone: 'UTC', startsOn: 1 } as const;
  expect(spanOf(calendar, at, evidence)).toMatchObject({ window: null, period: { start } });
  expect(spanOf(calendar, at, evidence).marks).toBe(marks);
  expect(spanOf({ kind: 'rolling', window: '7d' }, at, evidence)).toMatchObject({ window: '7d' });
  expect(spanOf({ kind: 'rolling', window: '7d' }, at, evidence).marks).toBe(marks);
  expect(spanOf({ kind: 'rolling', window: '24h' }, at, evidence).marks).toBeUndefined();
  expect(spanOf({ kind: 'lifetime' }, at, evidence)).toEqual(lifetime);
});

test.each([
  ['below', level(3, 4), false],
  ['reached', level(5, 9), false],
  ['at the lower end', level(5, 5), false],
  ['in the interval', level(3, 9), true],
  ['at the upper end', level(3, 5), true],
  ['above what nothing bounds', level(3, null), true],
  ['above what a row says that was not checked', level(3, null, 4), false],
  ['at what a row says that was not checked', level(3, null, 5), true],
])('whether five is reached cannot be told: %s', (_what, estimate, open) => {
  expect(undecided(estimate, 5)).toBe(open);
});
