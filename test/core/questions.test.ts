/** What is asked of the API to narrow a level, and what is not asked again. */
import { describe, expect, test } from 'vitest';
import { questionKey } from '../../src/core/evidence.ts';
import type { Bounds, Evidence, KeyEvidence, Question } from '../../src/core/evidence.ts';
import { windowMs } from '../../src/core/key.ts';
import type { Window } from '../../src/core/key.ts';
import type { Span } from '../../src/core/levels.ts';
import { accountQuestions, keyQuestions } from '../../src/core/questions.ts';
import { counters, recordOf } from '../ledger/building.ts';
import { evidenceAt, known } from './measuring.ts';
import { day, file, hour, key, minute, monday, policy, story } from './story.ts';

const start = Date.parse('2026-11-01T00:00:00Z');
const old = recordOf(key('A', { createdAt: start - 100 * day }));
const month: Span = { period: { start, end: null }, window: null, marks: undefined };
const motive = { why: 'p', excess: 0 };

const words = (questions: readonly Question[]): string[] =>
  questions.map((one) => questionKey(one).replace(old.id, 'A'));
const ask = (evidence: Evidence, of: Partial<KeyEvidence> = {}, span = month, models = false) =>
  words(keyQuestions(old, span, known(of), evidence, models, motive));

describe('to narrow a level', () => {
  const at = start + 10 * day;

  test('the longest window inside the period and the shortest around it are read, for all keys at once', () => {
    expect(ask(evidenceAt(at))).toEqual(['aggregate 7d', 'aggregate 30d']);
    expect(ask(evidenceAt(start + hour / 2))).toEqual(['aggregate 1h']);
    expect(words(accountQuestions(month, evidenceAt(at), motive))).toEqual(['aggregate 7d', 'aggregate 30d']);
  });

  test('a key that has no row of its own is read by itself', () => {
    expect(ask(evidenceAt(at), { credited: false })).toEqual(['key A lifetime', 'key A 7d', 'key A 30d']);
    const individual = new Set(['lifetime', '7d'] as const);
    expect(ask(evidenceAt(at), { credited: false, individual })).toEqual(['key A 30d']);
    // How usage is spread over models only the aggregate tells.
    expect(ask(evidenceAt(at), { credited: false }, month, true)).toEqual([]);
  });

  test('a row that was not checked is checked once the windows are read', () => {
    const both = new Map<Window, Bounds>([
      ['7d', { low: counters(1), high: null }],
      ['30d', { low: counters(1), high: null }],
    ]);
    expect(ask(evidenceAt(at), { checked: false, windows: both })).toEqual(['key A lifetime']);
    expect(ask(evidenceAt(at), { windows: both })).toEqual([]);
  });

  test('a key is asked by itself where a window’s aggregate was no answer', () => {
    const account = {
      lifetime: null,
      windows: new Map<Window, ReturnType<typeof counters>>(),
      because: null,
    };
    for (const window of ['7d', '30d'] as const) account.windows.set(window, counters(0));
    expect(ask(evidenceAt(at, { account }))).toEqual(['key A 7d', 'key A 30d']);
  });

  test('nothing is put again that could not be answered in this pass', () => {
    expect(ask(evidenceAt(at, { unanswered: new Set(['aggregate 7d']) }))).toEqual(['aggregate 30d']);
  });

  test('no window is read of a key younger than the period', () => {
    const span: Span = { ...month, period: { start: old.createdAt, end: null } };
    expect(ask(evidenceAt(at), {}, span)).toEqual([]);
    expect(ask(evidenceAt(at), { checked: false }, span)).toEqual(['key A lifetime']);
  });
});

describe('a window that was read in an earlier pass', () => {
  const marked: Span = { ...month, marks: new Map([[old.id, { before: counters(1), after: counters(2) }]]) };
  /** Whether it is read again at `now`, having been read at `last`. */
  const again = (window: Window, last: number, now: number, span = marked, models = false): boolean =>
    ask(evidenceAt(now, { readAt: new Map([[`aggregate ${window}`, last]]) }), {}, span, models).includes(
      `aggregate ${window}`,
    );

  test('within the period is not read again: what it tells only becomes less', () => {
    expect(again('7d', start + 7 * day, start + 7 * day + minute)).toBe(false);
    expect(again('7d', start + 7 * day, start + 20 * day)).toBe(false);
  });

  test('around the period’s start is read again once it lies within', () => {
    expect(again('7d', start + 7 * day - 1, start + 7 * day)).toBe(true);
  });

  test('around it is read again when it began a tenth nearer to it', () => {
    // 30 days that began 20 days before the start: a tenth of them is two days.
    const last = start + 10 * day;
    expect(again('30d', last, last + minute)).toBe(false);
    expect(again('30d', last, last + 2 * day - 1)).toBe(false);
    expect(again('30d', last, last + 2 * day)).toBe(true);
  });

  test('is read a few times in a period, however often it is wanted', () => {
    for (const window of ['7d', '30d'] as const) {
      let last = start + hour;
      let reads = 0;
      for (let now = last; now < start + 30 * day; now += 10 * minute) {
        if (!again(window, last, now)) continue;
        reads += 1;
        last = now;
      }
      expect(reads).toBeGreaterThan(10);
      // A tenth nearer each time, from a window's length to a pass's: not one reading in a hundred passes.
      expect(reads).toBeLessThan((1.5 * Math.log(windowMs[window] / (10 * minute))) / Math.log(1 / 0.9));
    }
  });

  test('is read again for a key that it left nothing for, its row not having been proved then', () => {
    const [last, now] = [start + 10 * day, start + 10 * day + minute];
    expect([again('7d', last, now, month), again('30d', last, now, month)]).toEqual([true, true]);
    const before: Span = { ...month, marks: new Map([[old.id, { before: counters(1), after: null }]]) };
    expect([again('7d', last, now, before), again('30d', last, now, before)]).toEqual([true, false]);
    // While it is not proved it would leave nothing again.
    const evidence = evidenceAt(now, {
      readAt: new Map(['7d', '30d'].map((one) => [`aggregate ${one}`, last])),
    });
    expect(ask(evidence, { checked: false })).toEqual(['key A lifetime']);
  });

  test('is read again for a rule of models, for nothing is remembered of those', () => {
    expect(again('7d', start + 10 * day, start + 10 * day + minute, marked, true)).toBe(true);
  });

  test('is read anew for a rolling period, which moves on with it', () => {
    const span: Span = { period: { start: monday - day, end: null }, window: '24h', marks: undefined };
    const evidence = evidenceAt(monday, { readAt: new Map([['aggregate 24h', monday - minute]]) });
    expect(ask(evidence, {}, span)).toEqual(['aggregate 24h']);
  });

  test('of the account’s is the same reading as of the keys’', () => {
    const evidence = evidenceAt(start + 20 * day, { readAt: new Map([['aggregate 7d', start + 8 * day]]) });
    expect(words(accountQuestions(month, evidence, motive))).toEqual(['aggregate 30d']);
  });
});

test('a group asks about a few of its members, those that make it most uncertain', () => {
  const keys = Array.from({ length: 60 }, (_, index) => key(`K${String(index)}`));
  const one = story(
    file(policy('spend: { cost: 1000, per: lifetime, across: selected }', '{ at: 100%, alert: ops }')),
    ...keys,
  );
  // The later, the wider; all of them may be past the limit together.
  const usage = Object.fromEntries(keys.map(({ name }, index) => [name, [0, 10 + index] as const]));
  const about = Object.fromEntries(keys.map(({ name }) => [name, { credited: false }]));
  const { questions } = one.pass({ usage, about });
  expect(questions.map((question) => (question.kind === 'key' ? question.id : ''))).toEqual(
    keys
      .slice(-20)
      .reverse()
      .map(({ id }) => id),
  );
  // Those of which nothing bounds the usage come before all of them.
  const unknown = one.pass({ usage: { ...usage, K3: [0, null] }, about });
  expect(unknown.questions[0]).toMatchObject({ kind: 'key', id: keys[3]?.id });
});
