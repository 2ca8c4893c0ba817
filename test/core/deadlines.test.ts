/** Expiry and idleness. */
import { describe, expect, test } from 'vitest';
import { questionKey, zeroCounters } from '../../src/core/evidence.ts';
import { idleQuestions, surelyUsedWithin } from '../../src/core/deadlines.ts';
import type { Bounds, Evidence, KeyEvidence } from '../../src/core/evidence.ts';
import type { Key, Window } from '../../src/core/key.ts';
import { counters, recordOf } from '../ledger/building.ts';
import { evidenceAt, known } from './measuring.ts';
import type { Pass, Story } from './story.ts';
import {
  day,
  done,
  file,
  generous,
  held,
  hour,
  id,
  key,
  minute,
  monday,
  policy,
  said,
  story,
} from './story.ts';

describe('an expiry', () => {
  test.each([
    ['the key’s own expires_at', '{}', { expiresAt: monday + day }, monday + day],
    ['nothing, without one', '{}', {}, null],
    ['its age', '{ max_age: 90d }', { createdAt: monday - 80 * day }, monday + 10 * day],
    [
      'the earlier of its own and its age',
      '{ max_age: 90d }',
      { createdAt: monday - 80 * day, expiresAt: monday + day },
      monday + day,
    ],
    [
      'its age, when that is earlier',
      '{ max_age: 90d }',
      { createdAt: monday - 80 * day, expiresAt: monday + 20 * day },
      monday + 10 * day,
    ],
    [
      'its creation, when it has none and must',
      '{ require_expires_at: true }',
      { createdAt: monday - day },
      monday - day,
    ],
    [
      'its own, when it must and has',
      '{ require_expires_at: true }',
      { createdAt: monday - day, expiresAt: monday + day },
      monday + day,
    ],
    [
      'its age, when it must and has none',
      '{ max_age: 90d, require_expires_at: true }',
      { createdAt: monday - 80 * day },
      monday + 10 * day,
    ],
  ])('is %s', (_what, rule, more, deadline) => {
    const one = story(policy(`expiry: ${rule}`, '{ before: 400d, alert: owner }'), key('A', more));
    const [view] = one.pass().views;
    expect(view?.figures.kind === 'expiry' ? view.figures.deadline : null).toBe(deadline);
  });

  test.each([
    ['{}', { expiresAt: monday }, 'its own expires_at'],
    ['{ max_age: 90d }', {}, 'created more than 90 days before'],
    ['{ max_age: 36h }', {}, 'created more than 36 hours before'],
    ['{ require_expires_at: true }', {}, 'it has no expires_at'],
  ])('says why: %s', (rule, more, why) => {
    const one = story(policy(`expiry: ${rule}`, '{ before: 400d, alert: owner }'), key('A', more));
    expect(one.pass().views).toMatchObject([{ figures: { why } }]);
  });

  test('fires each step at its time, before and after', () => {
    const steps = ['{ before: 14d, alert: owner }', '{ alert: ops }', '{ after: 7d, alert: pager }'];
    const one = story(policy('expiry: {}', ...steps), key('A', { expiresAt: monday + 14 * day }));
    expect(said(one.pass({ after: 0 }))).toEqual([]);
    expect(said(one.pass())).toEqual(['step 1 → owner']);
    expect(said(one.pass({ after: 14 * day - 1 }))).toEqual([]);
    expect(said(one.pass({ after: 1 }))).toEqual(['step 2 → ops']);
    expect(said(one.pass({ after: 7 * day }))).toEqual(['step 3 → pager']);
  });
});

describe('an idle key', () => {
  const old = { createdAt: monday - 200 * day };
  const steps = [
    '{ alert: owner }',
    '{ after: 7d, rename: "IDLE {{ name }}", alert: ops }',
    '{ after: 14d, alert: owner, delete: { notice: 7d } }',
  ];
  const idle = policy('idle: { for: 60d }', ...steps);
  const none = {
    low: { costMicroUsd: 0, tokens: 0, requests: 0 },
    high: { costMicroUsd: 0, tokens: 0, requests: 0 },
  };

  /** Used before the story, and since then in none of these windows; `own`: by its own readings. */
  function unused(...windows: Window[]): Partial<KeyEvidence> {
    return { windows: new Map(windows.map((window) => [window, none])) };
  }
  const own = (...windows: Window[]): Partial<KeyEvidence> => ({
    ...unused(...windows),
    individual: new Set(windows),
  });
  const pass = (about: Partial<KeyEvidence>, after = minute): Pass => ({
    after,
    usage: { A: 5 },
    about: { A: about },
  });
  const idleStory = (more: Partial<Key> = {}, rules = idle): Story =>
    story(file(rules, generous), key('A', { ...old, ...more }));

  test.each([
    ['it was not used in a window that long', {}, unused('60d'), true],
    ['it was not used in a shorter window', {}, unused('30d'), false],
    ['nothing is known', {}, {}, false],
    ['its counter has stood still for that long', {}, { unchangedSince: monday - 60 * day }, true],
    ['its counter has stood still for less', {}, { unchangedSince: monday - 59 * day }, false],
    ['the list says it was used since', { lastUsedAt: monday - 59 * day }, unused('60d'), false],
    ['the list says it was not', { lastUsedAt: monday - 90 * day }, unused('60d'), true],
    ['the list alone says it was not', { lastUsedAt: monday - 90 * day }, {}, false],
    ['it is younger', { createdAt: monday - 59 * day }, unused('60d'), false],
    ['its row was never checked', {}, { ...unused('60d'), checked: false }, false],
  ])('is one or not: %s', (_why, more, about, fires) => {
    expect(said(idleStory(more).pass(pass(about)))).toEqual(fires ? ['step 1 → owner'] : []);
  });

  test('that was never used has been idle since it was created', () => {
    const one = story(idle, key('A', { createdAt: monday - 60 * day }));
    expect(said(one.pass())).toEqual(['step 1 → owner']);
  });

  test('is asked after first with the window inside it, then with the one that covers it', () => {
    const asked = (about: Partial<KeyEvidence>) => idleStory().pass(pass({ ...about })).questions;
    expect(asked({})).toMatchObject([{ kind: 'aggregate', window: '30d' }]);
    expect(asked(unused('30d'))).toMatchObject([{ kind: 'aggregate', window: '60d' }]);
    expect(asked({ credited: false })).toMatchObject([{ kind: 'key', id: key('A').id, window: '30d' }]);
    const used = { low: { ...none.low, requests: 1 }, high: null };
    expect(asked({ windows: new Map([['60d', used]]) })).toEqual([]);
  });

  test.each([
    ['a window without requests', unused('60d'), 'no requests in the last 60d'],
    ['the longest of several', unused('60d', '90d'), 'no requests in the last 90d'],
    ['its counter', { unchangedSince: monday - 61 * day }, 'its request counter has not moved'],
    ['its total', { lifetime: none }, 'never used'],
  ])('says by what it is known: %s', (_what, about, why) => {
    expect(idleStory().pass(pass(about)).views).toMatchObject([{ figures: { kind: 'idle', why } }]);
  });

  test('is confirmed by its counter where no window is as long as its rule', () => {
    const one = idleStory({}, policy('idle: { for: 100d }', '{ alert: owner, rename: "IDLE {{ name }}" }'));
    const decision = one.pass({ about: { A: { lifetime: none } } });
    expect(held(decision)).toEqual(['rename: unconfirmed']);
    expect(decision.questions).toMatchObject([{ kind: 'key', id: id('A'), window: null }]);
  });

  test('is renamed only after two readings of its own, ten minutes apart', () => {
    const one = idleStory();
    one.run(pass(unused('90d')));
    const wanting = one.run(pass(unused('90d')));
    expect([done(wanting), held(wanting)]).toEqual([[], ['delete: notice', 'rename: unconfirmed']]);
    expect(wanting.questions).toMatchObject([{ kind: 'key', id: key('A').id, window: '60d' }]);
    expect(done(one.run(pass(own('90d'))))).toEqual([]);
    expect(done(one.run(pass(own('90d'), 9 * minute)))).toEqual([]);
    expect(done(one.run(pass(own('90d'))))).toEqual(['rename A → IDLE A']);
  });

  test('is deleted only after two readings of its own, whatever the notice', () => {
    const one = idleStory({}, policy('idle: { for: 60d }', '{ alert: owner, delete: { notice: 0s } }'));
    one.run(pass(unused('60d')));
    expect(held(one.run(pass(unused('60d'))))).toEqual(['delete: unconfirmed']);
    one.run(pass(own('60d')));
    expect(held(one.run(pass(own('60d'), 10 * minute - 1)))).toEqual(['delete: unconfirmed']);
    expect(done(one.run(pass(own('60d'), 1)))).toEqual(['delete A']);
  });

  test('that is used again closes its case, and a pending deletion with it', () => {
    const one = idleStory();
    expect(said(one.run(pass(unused('90d'))))).toEqual(['notice 3 → owner, ops']);
    const used = {
      windows: new Map([['1h', { ...none, low: { ...none.low, requests: 1 }, high: null }]] as const),
    };
    expect(said(one.run(pass(used)))).toEqual(['resolved → owner, ops']);
    expect(done(one.run(pass(unused('1h'), 9 * day)))).toEqual([]);
  });

  test('whose usage cannot be read stays a case, uncertain, and nothing is done', () => {
    const one = idleStory();
    one.run(pass(unused('90d')));
    const decision = one.run(pass({ credited: false, because: 'it was not read' }, 9 * day));
    expect([said(decision), done(decision)]).toEqual([[], []]);
    expect(decision.views).toMatchObject([{ state: 'uncertain', because: 'it was not read' }]);
  });

  test('is taken for used on the word of the ledger, without asking', () => {
    const one = idleStory();
    one.pass(pass(unused('1h'), hour));
    const [[id, record] = []] = [...one.records];
    if (id === undefined || record === undefined) throw new Error('no record');
    one.records = new Map([[id, { ...record, usedAfter: monday - 30 * day }]]);
    expect(one.pass(pass({})).questions).toEqual([]);
  });

  describe('by steps before its deadline, too,', () => {
    const warning = policy('idle: { for: 60d }', '{ before: 30d, alert: owner }', '{ alert: ops }');

    test('is one when the first of them has come', () => {
      expect(said(idleStory({}, warning).pass(pass(unused('30d'))))).toEqual(['step 1 → owner']);
    });

    test('is one though it is too young for the last', () => {
      const young = { createdAt: monday - 40 * day };
      expect(said(idleStory(young, warning).pass(pass(unused('30d'))))).toEqual(['step 1 → owner']);
    });
  });

  test.each([
    ['the next step, beyond what is proved', {}, unused('60d'), [{ kind: 'aggregate', window: '90d' }]],
    ['nothing, once all is proved', {}, unused('90d'), []],
    ['nothing, where the counter proves all to the day', {}, { unchangedSince: monday - 74 * day }, []],
    ['nothing, where it is too young for the next step', { createdAt: monday - 65 * day }, unused('60d'), []],
  ])('is asked about for %s', (_what, more, about, questions) => {
    const alerting = policy(
      'idle: { for: 60d }',
      '{ alert: owner }',
      '{ after: 7d, alert: ops }',
      '{ after: 14d, alert: ops }',
    );
    expect(idleStory(more, alerting).pass(pass(about)).questions).toMatchObject(questions);
  });

  test('is not confirmed by a reading of its own that is shorter than its rule', () => {
    const one = idleStory();
    const short: Partial<KeyEvidence> = { ...unused('90d', '1h'), individual: new Set(['1h']) };
    one.run(pass(short));
    for (const after of [10 * minute, 10 * minute])
      expect(held(one.run(pass(short, after)))).toEqual(['delete: notice', 'rename: unconfirmed']);
  });

  test.each([
    ['its notice runs', '{ alert: owner, delete: { notice: 7d } }', generous, 'delete: notice'],
    [
      'its mode is to alert',
      '{ alert: owner, rename: "X {{ name }}" }',
      `${generous}\nmode: alert`,
      'rename: mode',
    ],
  ])('is asked nothing while %s, for then nothing waits for the answer', (_what, step, top, holds) => {
    const one = story(file(policy('idle: { for: 60d }', step), top), key('A', old));
    one.run(pass(unused('60d')));
    const decision = one.run(pass(unused('60d')));
    expect([held(decision), decision.questions]).toEqual([[holds], []]);
  });

  test('stays confirmed in passes that do not read it by itself', () => {
    const one = idleStory();
    one.run(pass(own('90d')));
    expect(done(one.run({ ...pass(own('90d'), 10 * minute), hold: 'the clock went back' }))).toEqual([]);
    expect(done(one.run(pass(unused('90d'))))).toEqual(['rename A → IDLE A']);
  });
});

describe('an open case of an idle key', () => {
  const rule = 'idle: { for: 60d }';
  const steps = ['{ alert: owner }', '{ after: 7d, rename: "IDLE {{ name }}", alert: ops }'];
  /** Nothing can be told of it, but by reading it by itself. */
  const unclear: Partial<KeyEvidence> = { credited: false, because: 'another key bears its name' };
  const none = { low: zeroCounters, high: zeroCounters };
  const some = { low: { ...zeroCounters, requests: 1 }, high: null };
  const pass = (about: Partial<KeyEvidence>, after = minute): Pass => ({
    after,
    usage: { A: 5 },
    about: { A: about },
  });
  /** A fiftieth of 60 days. */
  const readAgainMs = 28.8 * hour;

  /** Since Monday, on which its deadline is. */
  function opened(...own: string[]): Story {
    const one = story(
      file(policy(rule, ...(own.length > 0 ? own : steps)), generous),
      key('A', { createdAt: monday - 200 * day }),
    );
    const decision = one.run(pass({ windows: new Map([['60d', none]]) }));
    expect(decision.views).toMatchObject([{ state: 'open', step: 1, figures: { deadline: monday } }]);
    return one;
  }

  /** Its record was last certain at this time. */
  function readAt(one: Story, at: number, conflict: string | null = null): void {
    const check = { at, counters: zeroCounters };
    one.records = new Map([...one.records].map(([of, record]) => [of, { ...record, check, conflict }]));
  }

  test('goes on as it was for a while after a reading, and then asks for another', () => {
    const one = opened();
    readAt(one, monday);
    const soon = one.pass(pass(unclear, readAgainMs - 1));
    expect([said(soon), soon.questions]).toEqual([[], []]);
    expect(soon.views).toMatchObject([
      { state: 'open', step: 1, figures: { deadline: monday, why: 'no requests in the last 60d' } },
    ]);
    const later = one.pass(pass(unclear, 1));
    expect(later.views).toMatchObject([{ state: 'open', step: 1 }]);
    expect(later.questions).toMatchObject([{ kind: 'key', id: id('A'), window: null, excess: 0 }]);
    expect(one.pass(pass(unclear, readAgainMs - 1)).views).toMatchObject([{ state: 'open', step: 1 }]);
    expect(one.pass(pass(unclear, 1)).views).toMatchObject([{ state: 'uncertain', step: null }]);
  });

  test.each([
    ['goes on while its counter stands still since it was judged', monday, 'open'],
    ['is over when that has moved since', monday + 1, undefined],
  ])('%s', (_what, unchangedSince, state) => {
    const one = opened();
    const [view] = one.pass(pass({ unchangedSince }, hour)).views;
    expect(view?.state).toBe(state);
    if (view !== undefined)
      expect(view.figures).toMatchObject({
        deadline: monday,
        why: 'unused when first judged, and its counter has not moved',
      });
  });

  test('asks at once when its next step is due, which waits for the answer', () => {
    const one = opened();
    readAt(one, monday + 7 * day - hour);
    expect(one.pass(pass(unclear, 7 * day - 1)).questions).toEqual([]);
    const due = one.pass(pass(unclear, 1));
    expect([said(due), done(due)]).toEqual([[], []]);
    expect(due.views).toMatchObject([{ state: 'open', step: 1 }]);
    expect(due.questions).toMatchObject([{ kind: 'key', id: id('A'), window: null, excess: Infinity }]);
    const told = one.pass(pass({ windows: new Map([['90d', none]]), individual: new Set(['90d']) }));
    expect(said(told)).toEqual(['step 2 → ops']);
  });

  test('changes nothing by a step that fired, until it is confirmed', () => {
    const one = opened('{ alert: owner, rename: "IDLE {{ name }}" }');
    readAt(one, monday);
    const decision = one.pass(pass(unclear, hour));
    expect([done(decision), held(decision)]).toEqual([[], ['rename: unconfirmed']]);
    expect(decision.questions).toMatchObject([{ kind: 'key', window: '60d', excess: Infinity }]);
  });

  test('goes on by the steps that are left, where the file has fewer', () => {
    const one = opened();
    one.run(pass({ windows: new Map([['90d', none]]) }, 7 * day));
    readAt(one, one.now());
    one.policy = file(policy(rule, '{ alert: owner }'), generous);
    const decision = one.pass(pass(unclear, hour));
    expect([said(decision), decision.questions]).toEqual([[], []]);
    expect(decision.views).toMatchObject([{ state: 'open', step: 1 }]);
  });

  test.each([
    ['its row was contradicted since', unclear, 'it fell'],
    ['it was never read', unclear, null],
  ])('is uncertain when %s', (_what, about, conflict) => {
    const one = opened();
    if (conflict !== null) readAt(one, monday, conflict);
    const decision = one.pass(pass(about, hour));
    expect(decision.views).toMatchObject([
      {
        state: 'uncertain',
        step: null,
        because: 'another key bears its name',
        figures: { deadline: monday },
      },
    ]);
    // The counter says whether it goes on.
    expect(decision.questions).toMatchObject([{ kind: 'key', window: null }]);
    const told = one.pass(pass(about, hour));
    expect(said(told)).toEqual(['uncertain → owner, ops']);
  });

  test('is uncertain when its row is no more, and why is not known', () => {
    const one = opened();
    expect(one.pass(pass({ credited: false }, hour)).views).toMatchObject([
      { state: 'uncertain', because: 'its usage could not be read' },
    ]);
  });

  test.each([
    ['its counter has moved', { unchangedSince: monday + minute }],
    [
      'its own reading tells nothing of the kind',
      { credited: false, individual: new Set(['lifetime'] as const) },
    ],
    [
      'a window has usage, whatever else is unclear',
      { ...unclear, windows: new Map([['1h', some] as const]), individual: new Set(['1h'] as const) },
    ],
  ])('is over when %s', (_what, about) => {
    const one = opened();
    readAt(one, monday);
    expect(said(one.pass(pass(about, hour)))).toEqual(['resolved → owner']);
  });

  test('of another rule is none of its own', () => {
    const spend = policy('spend: { cost: 5, per: lifetime }', '{ at: 100%, alert: owner }');
    const one = story(file(spend, generous), key('A', { createdAt: monday - 200 * day }));
    expect(said(one.run(pass({})))).toEqual(['step 1 → owner']);
    readAt(one, monday);
    one.policy = file(policy(rule, ...steps), generous);
    const decision = one.pass(pass(unclear, hour));
    expect([said(decision), decision.views]).toEqual([['resolved → owner'], []]);
  });

  test('is begun by no key that cannot be judged, however lately it was read', () => {
    const one = story(file(policy(rule, ...steps), generous), key('A', { createdAt: monday - 200 * day }));
    one.pass({ usage: { A: 5 } });
    readAt(one, monday);
    const decision = one.pass(pass(unclear, hour));
    expect(decision.views).toEqual([]);
    expect(decision.questions).toMatchObject([{ kind: 'key', window: '30d' }]);
  });
});

describe('to tell whether a key has been idle for 60 days', () => {
  const at = monday;
  const record = recordOf(key('A', { createdAt: at - 200 * day }));
  const zero = { low: zeroCounters, high: zeroCounters };
  const windowsOf = (of: Partial<Record<Window, Bounds>>) =>
    new Map(Object.entries(of) as [Window, Bounds][]);
  const nothing = { unusedMs: 0, before: false };
  const ask = (more: Partial<KeyEvidence>, about: Partial<Evidence> = {}, proved = nothing, ms = 60 * day) =>
    idleQuestions(ms, record, known(more), evidenceAt(at, about), proved, 'why').map((one) =>
      questionKey(one).replace(record.id, 'A'),
    );
  const readAgo = (ago: number) => ({ readAt: new Map([['aggregate 30d', at - ago]]) });
  const answered = {
    account: { lifetime: null, windows: new Map([['30d', zeroCounters] as const]), because: null },
  };
  const lost = { credited: false, because: 'another key bears its name' };

  test.each<[string, string[], string[]]>([
    ['the longest window inside is read first', ask({}), ['aggregate 30d']],
    ['then the one that covers it', ask({ windows: windowsOf({ '30d': zero }) }), ['aggregate 60d']],
    ['then nothing', ask({ windows: windowsOf({ '30d': zero, '60d': zero }) }), []],
    ['not what was read a while ago', ask({}, readAgo(28.8 * hour - 1)), ['aggregate 60d']],
    ['but what was read a fiftieth of that ago', ask({}, readAgo(28.8 * hour)), ['aggregate 30d']],
    ['not what is proved', ask({}, {}, { unusedMs: 30 * day, before: false }), ['aggregate 60d']],
    ['nothing, once all is proved', ask({}, {}, { unusedMs: 60 * day, before: false }), []],
    ['its own, where the window had no row', ask({}, answered), ['key A 30d']],
    ['its own, without a row of its own', ask({ credited: false }), ['key A 30d']],
    [
      'its counter, where more was proved before',
      ask(lost, {}, { unusedMs: 0, before: true }),
      ['key A lifetime'],
    ],
    ['its window, where nothing was', ask(lost), ['key A 30d']],
    [
      'its window, where its counter was read',
      ask({ ...lost, individual: new Set(['lifetime']) }, {}, { unusedMs: 0, before: true }),
      ['key A 30d'],
    ],
    [
      'the row, where that was proved before and is its own',
      ask({}, {}, { unusedMs: 0, before: true }),
      ['aggregate 30d'],
    ],
    [
      'its counter, to check a row without usage',
      ask({ checked: false, windows: windowsOf({ '30d': { ...zero, high: null, likely: zeroCounters } }) }),
      ['key A lifetime'],
    ],
    ['nothing that could not be answered', ask({}, { unanswered: new Set(['aggregate 30d']) }), []],
    ['the shortest there is', ask({}, {}, nothing, hour), ['aggregate 1h']],
    ['the longest there is', ask({}, {}, nothing, 100 * day), ['aggregate 90d']],
  ])('%s', (_what, asked, expected) => {
    expect(asked).toEqual(expected);
  });

  test('what was read about less than two days is read again after an hour', () => {
    const readAt = (ago: number) => ({ readAt: new Map([['aggregate 24h', at - ago]]) });
    expect(ask({}, readAt(hour - 1), nothing, 1.5 * day)).toEqual(['aggregate 7d']);
    expect(ask({}, readAt(hour), nothing, 1.5 * day)).toEqual(['aggregate 24h']);
  });

  test('only a row that was not checked makes it urgent', () => {
    const excess = (checked: boolean) =>
      idleQuestions(60 * day, record, known({ checked }), evidenceAt(at), nothing, 'why').map(
        (one) => one.excess,
      );
    expect([excess(true), excess(false)]).toEqual([[0], [Infinity]]);
  });

  test.each<[string, boolean, Partial<Record<Window, Bounds>>, number?]>([
    ['by a window within that has requests', true, { '30d': some(1, 1) }],
    ['by one as long', true, { '60d': some(1, 1) }],
    ['not by a longer one', false, { '90d': some(1, 1) }],
    ['not by one without', false, { '30d': some(0, 0) }],
    ['by what a row says', true, { '30d': { ...some(0, null), likely: counters(1) } }],
    ['not by what one may hide', false, { '30d': some(0, null) }],
    ['by what is known of its last use', true, {}, at - 60 * day + 1],
    ['not by a use before', false, {}, at - 60 * day],
  ])('it was surely used within: %s', (_what, used, windows, usedAfter) => {
    const one = usedAfter === undefined ? record : { ...record, usedAfter };
    expect(surelyUsedWithin(60 * day, one, known({ windows: windowsOf(windows) }), evidenceAt(at))).toBe(
      used,
    );
  });

  function some(low: number, high: number | null): Bounds {
    return { low: counters(low), high: high === null ? null : counters(high) };
  }
});
