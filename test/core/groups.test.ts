/** Budgets across several keys, and of some models only. */
import { describe, expect, test } from 'vitest';
import type { Counters } from '../../src/core/key.ts';
import type { KeyEvidence } from '../../src/core/evidence.ts';
import { day, done, file, generous, held, id, key, monday, policy, said, story } from './story.ts';

const across = (what: string, ...steps: string[]) =>
  policy(`spend: { cost: 20, per: month, across: ${what} }`, ...steps);
const team = (name: string, value: unknown) => key(name, { metadata: { team: value } });

describe('a budget across', () => {
  test('a metadata value is one for each value; keys without it are not covered', () => {
    const keys = [team('A', 'ml'), team('B', 'ml'), team('C', 'web'), team('D', ['ml']), key('E')];
    const one = story(across('metadata.team', '{ at: 100%, alert: ops }'), ...keys);
    const decision = one.pass({ usage: { A: 12, B: 8, C: 19, D: 50, E: 50 } });
    expect(decision.alerts.map(({ subject }) => subject)).toEqual([
      { kind: 'group', group: 'metadata.team=ml' },
    ]);
    expect(decision.views).toMatchObject([{ figures: { percent: 100, level: { low: 20e6, high: 20e6 } } }]);
  });

  test('a metadata value has cases of its own, in the order of the values', () => {
    const older = { createdAt: monday - day, metadata: { team: 'web' } };
    const keys = [key('C', older), team('A', 'ml'), team('D', 'ops')];
    const one = story(across('metadata.team', '{ at: 100%, alert: ops }'), ...keys);
    const groups = (usage: Record<string, number>) =>
      one.pass({ usage }).alerts.map(({ subject }) => (subject.kind === 'group' ? subject.group : ''));
    expect(groups({ C: 20, A: 20 })).toEqual(['metadata.team=ml', 'metadata.team=web']);
    expect(groups({ D: 20 })).toEqual(['metadata.team=ops']);
    expect(groups({ D: 30 })).toEqual([]);
  });

  test('metadata takes text, numbers and booleans alike', () => {
    const one = story(
      across('metadata.team', '{ at: 100%, alert: ops }'),
      team('A', '7'),
      team('B', 7),
      team('C', true),
    );
    const groups = one.pass({ usage: { A: 10, B: 10, C: 20 } }).alerts.map(({ subject }) => subject);
    expect(groups).toMatchObject([{ group: 'metadata.team=7' }, { group: 'metadata.team=true' }]);
  });

  test('the selected keys is one for all of them', () => {
    const selected = across('selected', '{ at: 100%, alert: ops }').replace(
      'select: all',
      'select: { name: "User *" }',
    );
    const one = story(selected, key('User 1'), key('User 2'), key('Other'));
    expect(said(one.pass({ usage: { 'User 1': 10, 'User 2': 9, Other: 99 } }))).toEqual([]);
    expect(said(one.pass({ usage: { 'User 2': 10 } }))).toEqual(['step 1 → ops']);
  });

  test('the account is by its own total, deleted keys included', () => {
    const one = story(across('account', '{ at: 100%, alert: ops }'), key('A'));
    const total: Counters = { costMicroUsd: 20e6, tokens: 0, requests: 0 };
    const account = {
      lifetime: { low: total, high: total },
      windows: new Map(),
      because: null,
    };
    // The period began before anything was seen, so only the account’s own windows can tell.
    const unknown = one.pass({ usage: { A: 1 }, account });
    expect([said(unknown), unknown.views[0]?.state]).toEqual([[], 'uncertain']);
    expect(unknown.questions).toMatchObject([
      { kind: 'aggregate', window: '7d' },
      { kind: 'aggregate', window: '30d' },
    ]);
    const windows = new Map([['7d', total]] as const);
    expect(said(one.pass({ account: { ...account, windows } }))).toEqual(['step 1 → ops']);
  });

  test('an account whose total fell claims no upper bound from its windows either', () => {
    const one = story(across('account', '{ at: 100%, alert: ops }'), key('A'));
    const low: Counters = { costMicroUsd: 30e6, tokens: 0, requests: 0 };
    const little: Counters = { costMicroUsd: 1e6, tokens: 0, requests: 0 };
    const windows = new Map([['30d', little]] as const);
    const fell = { lifetime: { low, high: null }, windows, because: 'the total fell' };
    expect(one.pass({ account: fell }).views).toMatchObject([
      { state: 'uncertain', because: 'the total fell', figures: { level: { high: null } } },
    ]);
  });

  describe('the account by forecast', () => {
    const used: Counters = { costMicroUsd: 8e6, tokens: 8, requests: 8 };
    const windows = new Map([['7d', used]] as const);
    const account = { lifetime: { low: used, high: used }, windows, because: null };
    // Seven and a half days are left of November: 8 and 2 a day are 23.
    const accountRate = { tokens: 2 / day, requests: 1 / day };
    const of = (measure: string) =>
      policy(
        `spend: { ${measure}: 20, per: month, across: account }`,
        '{ at: 100%, basis: forecast, alert: ops }',
      );

    test('goes by the vendor’s series from the first pass on, and without one waits for 48 hours', () => {
      expect(said(story(of('tokens'), key('A')).pass({ account, accountRate }))).toEqual(['step 1 → ops']);
      expect(said(story(of('requests'), key('A')).pass({ account, accountRate }))).toEqual([]);
      expect(said(story(of('tokens'), key('A')).pass({ account }))).toEqual([]);
    });

    test('of cost, or across something else, is not the series’ to tell', () => {
      const fast = { tokens: 100 / day, requests: 100 / day };
      const passes = { account, accountRate: fast, usage: { A: 8 } };
      expect(said(story(of('cost'), key('A')).pass(passes))).toEqual([]);
      const selected = of('tokens').replace('across: account', 'across: selected');
      expect(said(story(selected, key('A')).pass(passes))).toEqual([]);
    });

    test('takes the ledger’s rate where that is larger', () => {
      const one = story(of('requests'), key('A'));
      one.pass({ account });
      const later = {
        account: {
          ...account,
          windows: new Map([
            ['7d', used],
            ['24h', used],
          ] as const),
        },
      };
      // Five and a half days are left: the series alone would come to 13.5.
      expect(said(one.pass({ after: 2 * day, ...later, accountRate }))).toEqual(['step 1 → ops']);
    });
  });

  test('keys keeps what a key had used when it was deleted', () => {
    const one = story(across('selected', '{ at: 100%, alert: ops }'), key('A'), key('B'));
    expect(said(one.pass({ usage: { A: 15, B: 1 } }))).toEqual([]);
    one.remove('A');
    expect(said(one.pass({ usage: { B: 5 } }))).toEqual(['step 1 → ops']);
  });

  test('selected keys leaves out what another had used when it was deleted', () => {
    const selected = across('selected', '{ at: 100%, alert: ops }').replace('all', '{ name: "User *" }');
    const one = story(selected, key('User 1'), key('Other'));
    one.pass({ usage: { 'User 1': 15, Other: 15 } });
    one.remove('Other');
    expect(said(one.pass())).toEqual([]);
  });

  test('keys forgets in the next period a key that was gone before it', () => {
    const one = story(across('selected', '{ at: 50%, alert: ops }'), key('A'), key('B'));
    one.pass({ usage: { A: 15, B: 1 } });
    one.remove('A');
    one.pass();
    expect(said(one.pass({ after: 8 * day }))).toEqual(['resolved → ops']);
    expect(said(one.pass({ usage: { B: 6 } }))).toEqual([]);
    expect(said(one.pass({ usage: { B: 11 } }))).toEqual(['step 1 → ops']);
  });

  test('keys is uncertain while one of them is', () => {
    const one = story(across('selected', '{ at: 100%, alert: ops }'), key('A'), key('B'));
    expect(one.pass({ usage: { A: 15, B: [1, null] } }).views).toMatchObject([{ state: 'uncertain' }]);
    expect(said(one.pass({ usage: { B: [5, null] } }))).toEqual(['step 1 → ops']);
  });

  test('keys that is uncertain says of how many keys, and why of the first', () => {
    const first = key('B', { createdAt: monday - day });
    const one = story(across('selected', '{ at: 100%, alert: ops }'), key('A'), first, key('C'));
    const about = {
      B: { because: 'several keys bear its name' },
      C: { because: 'it was not read' },
    };
    const pass = { usage: { A: 1, B: [0, null], C: [0, null] } } as const;
    expect(one.pass({ ...pass, about }).views).toMatchObject([
      { because: '2 of 3 keys are unclear: several keys bear its name' },
    ]);
    expect(one.pass(pass).views).toMatchObject([{ because: 'its usage could not be read' }]);
  });
});

describe('a rename of a group’s', () => {
  const renaming = (pick: string) =>
    across('selected', `{ at: 100%, alert: ops, pick: ${pick}, rename: "OVER {{ name }}" }`);

  test('highest falls on one key, though another becomes larger', () => {
    const one = story(renaming('highest'), key('A'), key('B'));
    expect(done(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['rename A → OVER A']);
    expect(done(one.run({ usage: { B: 40 } }))).toEqual([]);
    expect(done(one.run({ after: 8 * day }))).toEqual(['restore OVER A → A']);
  });

  test('for the whole account, it falls on the selected keys only', () => {
    const step = '{ at: 100%, alert: ops, pick: all, rename: "OVER {{ name }}" }';
    const rule = across('account', step).replace('select: all', 'select: { name: "User *" }');
    const one = story(rule, key('User 1'), key('Other'));
    const total: Counters = { costMicroUsd: 30e6, tokens: 0, requests: 0 };
    const windows = new Map([['7d', total]] as const);
    const account = { lifetime: { low: total, high: total }, windows, because: null };
    expect(done(one.run({ usage: { 'User 1': 1, Other: 29 }, account }))).toEqual([
      'rename User 1 → OVER User 1',
    ]);
  });

  test('equals falls on the same one whatever the order', () => {
    const names = ['A', 'B', 'C'];
    const orders = [names, names.toReversed()].map((order) =>
      done(
        story(renaming('highest'), ...order.map((name) => key(name))).run({ usage: { A: 9, B: 9, C: 9 } }),
      ),
    );
    expect(orders[0]).toHaveLength(1);
    expect(orders[1]).toEqual(orders[0]);
  });

  test('highest falls on none while another may have used more, and asks for what that one has used', () => {
    const one = story(renaming('highest'), key('A'), key('B'), key('C'));
    const unclear = one.run({ usage: { A: 21, B: [0, null], C: 20 } });
    expect([said(unclear), done(unclear), held(unclear)]).toEqual([
      ['step 1 → ops'],
      [],
      ['rename: unconfirmed'],
    ]);
    expect(unclear.held[0]?.detail).toBe(
      'which of its keys has used most is not known: 1 may have used more',
    );
    expect(unclear.questions).toMatchObject([{ kind: 'key', id: id('B'), window: null, excess: Infinity }]);
    expect(done(one.run({ usage: { B: [5, 22] } }))).toEqual([]);
    expect(done(one.run({ usage: { B: [22, 23] } }))).toEqual(['rename B → OVER B']);
    expect(done(one.run({ usage: { A: [21, null] } }))).toEqual([]);
  });

  test('highest falls on one as soon as no other can have used more', () => {
    const one = story(renaming('highest'), key('A'), key('B'));
    expect(done(one.run({ usage: { A: [21, null], B: [0, 21] } }))).toEqual(['rename A → OVER A']);
  });

  test('all falls on every one', () => {
    const one = story(file(renaming('all'), generous), key('A'), key('B'));
    expect(done(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['rename A → OVER A', 'rename B → OVER B']);
    expect(done(one.run())).toEqual([]);
  });
});

describe('a budget of some models', () => {
  const models = policy('spend: { tokens: 100, per: month, models: ["gpt-*"] }', '{ at: 100%, alert: ops }');
  const rows = new Map([
    ['gpt-oss-120b', { costMicroUsd: 0, tokens: 100, requests: 1 }],
    ['llama3-3-70b', { costMicroUsd: 0, tokens: 900, requests: 1 }],
  ]);
  const about = (more: Partial<KeyEvidence>) => ({ usage: { A: 9000 }, about: { A: more } });

  test('counts only theirs', () => {
    const one = story(models, key('A'));
    const less = new Map([...rows, ['gpt-oss-120b', { costMicroUsd: 0, tokens: 99, requests: 1 }] as const]);
    expect(said(one.pass(about({ models: { lifetime: less, windows: new Map() } })))).toEqual([]);
    expect(said(one.pass(about({ models: { lifetime: rows, windows: new Map() } })))).toEqual([
      'step 1 → ops',
    ]);
  });

  test('counts only theirs across the account, too', () => {
    const rule = 'spend: { tokens: 100, per: month, models: ["gpt-*"], across: account }';
    const one = story(policy(rule, '{ at: 100%, alert: ops }'), key('A'));
    const total: Counters = { costMicroUsd: 0, tokens: 9000, requests: 9 };
    const account = { lifetime: { low: total, high: total }, windows: new Map(), because: null };
    const less = new Map([['gpt-oss-120b', { costMicroUsd: 0, tokens: 99, requests: 1 }]]);
    const pass = (lifetime: typeof rows) => ({
      ...about({ models: { lifetime, windows: new Map() } }),
      account,
    });
    expect(said(one.pass(pass(less)))).toEqual([]);
    expect(said(one.pass(pass(rows)))).toEqual(['step 1 → ops']);
  });

  test('cannot be judged of a key whose row is not credited to it, and says so', () => {
    const one = story(models, key('A'));
    const because = 'several keys bear its name';
    const shared = about({ credited: false, because, models: { lifetime: null, windows: new Map() } });
    const decision = one.pass(shared);
    expect(decision.views).toMatchObject([{ state: 'uncertain', because }]);
    expect(decision.questions).toEqual([]);
  });

  test('is bracketed by windows where the key is older than the period', () => {
    const one = story(models, key('A', { createdAt: monday - 90 * day }));
    const read = (tokens: number) => new Map([['gpt-oss-120b', { costMicroUsd: 0, tokens, requests: 1 }]]);
    const windows = new Map([
      ['7d', read(50)],
      ['30d', read(90)],
    ] as const);
    const decision = one.pass(about({ models: { lifetime: rows, windows }, windows: new Map() }));
    expect(decision.views).toEqual([]);
  });

  test('across the account has no upper end below what its other keys, admin keys say, can have used', () => {
    const whole = models.replace('per: month', 'per: lifetime, across: account');
    const one = story(whole, key('A'));
    const total: Counters = { costMicroUsd: 0, tokens: 9050, requests: 1 };
    const account = { lifetime: { low: total, high: total }, windows: new Map(), because: null };
    const used = new Map([...rows, ['gpt-oss-120b', { costMicroUsd: 0, tokens: 60, requests: 1 }] as const]);
    const known = about({ models: { lifetime: used, windows: new Map() } });
    expect(one.pass({ ...known, account }).views).toMatchObject([
      { state: 'uncertain', figures: { level: { low: 60, high: 110 } } },
    ]);
  });
});
