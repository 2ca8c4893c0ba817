/**
 * What comes between a decision and its request: the account, looked at afresh directly before a change, no
 * longer asks for it. Each obstacle arises after the pass has decided, before its second look.
 */
import { describe, expect, test } from 'vitest';
import { day, file, hour, minute, monday, policy } from './core/story.ts';
import { old, watched } from './watched.ts';
import type { Watched } from './watched.ts';

const keys = ['A', 'B', ...Array.from({ length: 8 }, (_, index) => `K${String(index)}`)].map((name) =>
  old(name),
);
const [a, b] = keys as [(typeof keys)[0], (typeof keys)[0]];

const top = `protect: [{ metadata: { critical: "true" } }]
limits: { delete: { per_run: 2, per_day: 2, percent: 20 } }
silences:
  - { select: { metadata: { paused: "*" } }, until: 2026-12-24T00:00:00Z, suppress: [actions] }`;
const spending = 'spend: { cost: 20, per: lifetime }';
const deleting = file(
  policy(
    `select: { not: { metadata: { keep: "*" } } }\n  ${spending}`,
    '{ at: 100%, alert: ops, delete: { notice: 1h } }',
  ),
  top,
);

/** A key whose notice has run but for a minute. */
async function due(...names: readonly (typeof keys)[0][]): Promise<Watched> {
  const one = await watched(deleting, ...keys);
  for (const name of names) one.spend(name, 25);
  await one.pass();
  expect(one.kinds()).toEqual(names.map(() => 'notice'));
  await one.deliver();
  await one.pass();
  one.wait(59 * minute);
  return one;
}

/** A pass in which this happens between its decision and its first request. */
async function between(one: Watched, happens: () => void) {
  one.beforeLook = (nth) => {
    if (nth === 2) happens();
  };
  const report = await one.pass();
  one.beforeLook = () => undefined;
  return report;
}

test('a deletion that nothing stands in the way of is done', async () => {
  await using one = await due(a);
  const { outcomes } = await between(one, () => undefined);
  expect(outcomes.map(({ result }) => result)).toEqual(['done']);
  expect(one.log).toEqual(['delete A']);
});

describe('a deletion is not done when, since it was decided,', () => {
  test.each<[what: string, happens: (one: Watched) => void, detail: string | RegExp]>([
    [
      'a person renamed the key',
      (one) => one.change(a, { name: 'Mine' }),
      'a person renamed the key while its notice ran',
    ],
    [
      'it came under a protection',
      (one) => one.change(a, { metadata: { critical: 'true' } }),
      'the key is protected',
    ],
    ['it was silenced', (one) => one.change(a, { metadata: { paused: 'yes' } }), /^silenced until/],
    [
      'the policy no longer selects it',
      (one) => one.change(a, { metadata: { keep: 'yes' } }),
      'checked afresh, it is no longer asked for',
    ],
    [
      'it became an admin key',
      (one) => one.change(a, { isAdmin: true }),
      'checked afresh, it is no longer asked for',
    ],
    ['its usage turned out to be less', (one) => one.spend(a, -10), 'its own counters fell'],
    ['it is gone', (one) => void one.account.delete(a.id), 'the key is no longer listed'],
    [
      'its secret was given to another key',
      (one) => one.change(a, { createdAt: monday }),
      'the key is no longer listed',
    ],
    [
      'the list has shrunk',
      (one) => keys.slice(2, 6).forEach(({ id }) => one.account.delete(id)),
      'the list of keys shrank from 10 to 6 at once',
    ],
    [
      'the account has become smaller, and a limit with it',
      (one) => {
        one.spend(b, 25);
        keys.slice(8).forEach(({ id }) => one.account.delete(id));
      },
      /^2 deletions are wanted; limits.delete.percent: 20 \(of 8 keys/,
    ],
    [
      'the clock was set',
      (one) => void (one.skewMs = day),
      'the local clock was set by 1440 minutes during the look at the account',
    ],
    ['another policy file came', (one) => void (one.superseded = true), 'the policy file has changed'],
    [
      'the API failed',
      () => {
        throw new Error('the API is tired');
      },
      'it could not be checked afresh: the API is tired',
    ],
  ])('%s', async (what, happens, detail) => {
    await using one = await due(...(what.includes('a limit') ? [a, b] : [a]));
    const { outcomes } = await between(one, () => happens(one));
    expect(one.log).toEqual([]);
    const [first] = outcomes;
    expect(first).toMatchObject({ result: 'cancelled' });
    expect(first?.detail).toMatch(detail);
    const record = await one.store.recorded({ limit: 100 });
    expect(record.find(({ kind }) => kind === 'change-cancelled')?.facts).toMatchObject({
      detail: first?.detail,
    });
  });

  test('it was used again, for which it was to go', async () => {
    const idle = file(policy('idle: { for: 60d }', '{ alert: ops, delete: { notice: 1h } }'), top);
    await using one = await watched(
      idle,
      a,
      ...keys.slice(2).map((one) => ({ ...one, createdAt: monday - day })),
    );
    for (let nth = 0; nth < 90 && !one.kinds().includes('notice'); nth += 1) await one.pass();
    expect(one.kinds()).toContain('notice');
    await one.deliver();
    await one.pass();
    one.wait(59 * minute);
    const { outcomes } = await between(one, () => one.spend(a, 1));
    expect([outcomes.map(({ result }) => result), one.log]).toEqual([['cancelled'], []]);
  });
});

test('a rename by a person that only the fresh look saw holds, though the name was given back at once', async () => {
  await using one = await due(a);
  await between(one, () => one.change(a, { name: 'Mine' }));
  one.change(a, { name: 'A' });
  await one.passes(3);
  one.wait(2 * hour);
  await one.passes(3);
  expect(one.log).toEqual([]);
  expect(one.kinds()).toEqual(['notice', 'vetoed']);
  const kinds = (await one.store.recorded({ limit: 100 })).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'key-renamed')).toHaveLength(2);
});

test('so does one that only the fresh look before another key’s deletion saw', async () => {
  await using one = await due(a, b);
  one.beforeLook = (nth) => {
    if (nth === 2) one.change(b, { name: 'Mine' });
    if (nth === 3) one.change(b, { name: 'B' });
  };
  await one.passes(3);
  expect(one.log).toEqual(['delete A']);
  expect(one.kinds()).toEqual(['notice', 'notice', 'deleted', 'vetoed']);
});

test.each<[what: string, happens: (one: Watched) => void, kinds: string[]]>([
  ['renamed by a person', (one) => one.change(a, { name: 'Mine' }), ['notice', 'vetoed']],
  ['protected', (one) => one.change(a, { metadata: { critical: 'true' } }), ['notice', 'cancelled']],
])('a key that is %s while its usage takes long to be read is not deleted', async (_what, happens, kinds) => {
  await using one = await due(a);
  let isFresh = false;
  one.beforeLook = (nth) => void (isFresh = nth === 2);
  one.crossing = (side, call) => {
    if (!isFresh || side === 'before' || call !== 'keyUsage') return;
    one.wait(30_000);
    happens(one);
  };
  const { outcomes } = await one.pass();
  expect(outcomes).toMatchObject([
    { result: 'cancelled', detail: 'the key changed while its usage was read' },
  ]);
  one.crossing = () => undefined;
  one.change(a, { name: 'A' });
  await one.passes(3);
  expect([one.log, one.kinds()]).toEqual([[], kinds]);
});

test('a key of which the list says the same once its usage was read at last is deleted', async () => {
  await using one = await due(a);
  one.crossing = (side, call) => {
    if (side === 'before' && call === 'keyUsage') one.wait(20_000);
  };
  await one.pass();
  expect(one.log).toEqual(['delete A']);
});

test.each([
  ['marks', 1],
  ['commit', 1],
  // Also for longer than the hand was there: neither the pass nor it could be written down.
  ['commit', 2],
])(
  'so does one that only a pass saw that failed: the state could for a moment not take or tell %s',
  async (failing, times) => {
    await using one = await due(a);
    one.change(a, { name: 'Mine' });
    await one.restart();
    let failures = 0;
    one.crossing = (side, call) => {
      if (side === 'before' && call === failing && (failures += 1) <= times) throw new Error('not now');
    };
    await expect(one.pass()).rejects.toThrow('not now');
    one.change(a, { name: 'A' });
    await one.passes(3);
    expect(one.log).toEqual([]);
    const kinds = (await one.store.recorded({ limit: 100 })).map(({ kind }) => kind);
    const hand = kinds.filter((kind) => ['key-renamed', 'alert-vetoed', 'change-planned'].includes(kind));
    expect(hand).toEqual(['key-renamed', 'key-renamed', 'alert-vetoed']);
  },
);

test('a hand that is seen while the clock is doubted is another than one seen just before', async () => {
  await using one = await watched(deleting, ...keys);
  one.change(a, { name: 'New' });
  one.spend(a, 25);
  // The list is asked for a millisecond after the look begins.
  one.beforeLook = (nth) => {
    if (nth === 1) one.wait(1);
  };
  await one.pass();
  expect(one.kinds()).toEqual(['notice']);
  await one.deliver();
  one.skewMs = day;
  one.change(a, { name: 'Mine' });
  await one.pass();
  one.change(a, { name: 'New' });
  await one.pass();
  one.skewMs = 0;
  await one.passes(2);
  one.wait(2 * hour);
  await one.passes(2);
  expect(one.log).toEqual([]);
});

test('a look that is older than a rename of Keywarden’s own shows no hand of a person', async () => {
  const renaming = policy('spend: { cost: 20, per: month }', '{ at: 100%, rename: "OVER {{ name }}" }');
  await using one = await watched(file(renaming), ...keys);
  one.spend(a, 25);
  one.spend(b, 25);
  one.beforeLook = (nth) => {
    if (nth === 3) one.change(a, { name: 'A' });
  };
  await one.pass();
  expect(one.log).toEqual(['rename A → OVER A', 'rename B → OVER B']);
  one.change(a, { name: 'OVER A' });
  one.beforeLook = () => undefined;
  one.wait(20 * day);
  await one.passes(2);
  expect(one.log.slice(2)).toEqual(['rename OVER A → A', 'rename OVER B → B']);
});

test('once another policy file came, the pass makes no further change, and the next one none that it does not ask for', async () => {
  await using one = await due(a, b);
  one.beforeLook = (nth) => {
    if (nth === 3) one.superseded = true;
  };
  const { outcomes } = await one.pass();
  expect(outcomes.map(({ result }) => result)).toEqual(['done', 'cancelled']);
  expect(outcomes[1]?.detail).toBe('the policy file has changed');
  one.superseded = false;
  one.beforeLook = () => undefined;
  one.policy = file(
    policy(spending, '{ at: 100%, alert: ops, delete: { notice: 1h } }'),
    'protect: [{ name: B }]',
  );
  one.wait(hour);
  await one.passes(2);
  expect(one.log).toEqual(['delete A']);
});

test.each([false, true])(
  'a deletion counts for 24 hours from when it was done, though its request took a while (restarted: %s)',
  async (restarted) => {
    const each = policy('expiry: {}', '{ alert: ops, delete: { notice: 0s } }');
    const rules = file(each, 'protect: []\nlimits: { delete: { per_run: 1, per_day: 1, percent: 100 } }');
    const at = monday + hour;
    const [first, second] = [old('X', { expiresAt: at }), old('Y', { expiresAt: at + 23 * hour })];
    await using one = await watched(rules, ...keys, first, second);
    one.wait(at - one.now());
    await one.passes(1);
    await one.deliver();
    let doneAt = 0;
    one.crossing = (side, call) => {
      if (side === 'after' || call !== 'deleteKey') return;
      one.wait(50_000);
      doneAt = one.now();
    };
    await one.pass();
    one.wait(23 * hour);
    await one.pass();
    await one.deliver();
    expect([one.log, one.kinds()]).toEqual([['delete X'], ['notice', 'deleted', 'notice']]);
    one.wait(doneAt + day - minute / 4 - one.now());
    if (restarted) await one.restart();
    const { decision } = await one.pass(0);
    expect(decision.held).toMatchObject([{ kind: 'delete', because: 'limit' }]);
    await one.pass();
    expect(one.log).toEqual(['delete X', 'delete Y']);
  },
);

test('what a pass tells is one batch, which is open for as long as the pass goes on', async () => {
  await using one = await due(a);
  const seen: (string | null)[] = [];
  one.beforeLook = () => void seen.push(one.openBatch());
  await one.pass();
  expect(one.log).toEqual(['delete A']);
  // Not known before the first look; open in the look before the deletion.
  expect(seen).toEqual([null, expect.stringMatching(/^pass-\d+$/)]);
  expect(one.openBatch()).toBeNull();
  const batches = (await one.store.outbox.pending(one.now())).map(({ batch }) => batch);
  expect(new Set(batches)).toEqual(new Set([seen[1]]));
});

test.each([
  ['a key’s', 'spend: { cost: 20, per: lifetime, models: ["gpt-*"] }', ''],
  ['a key’s of a day', 'spend: { cost: 20, per: 24h, models: ["gpt-*"] }', ''],
  ['a group’s', 'spend: { cost: 20, per: lifetime, across: selected, models: ["gpt-*"] }', 'pick: highest, '],
])(
  '%s usage of some models is judged afresh by the row that the key’s own reading proves',
  async (_what, rule, pick) => {
    await using one = await watched(
      file(policy(rule, `{ at: 100%, alert: ops, ${pick}rename: "OVER {{ name }}" }`)),
      ...keys,
    );
    one.spend(a, 25);
    await one.passes(12);
    expect(one.log).toEqual(['rename A → OVER A']);
  },
);

test.each([
  ['a key’s usage of some models', 'spend: { cost: 20, per: 24h, models: ["gpt-*"] }', '', a],
  ['a group’s', 'spend: { cost: 20, per: 24h, across: selected }', 'pick: highest, ', b],
  ['the account’s', 'spend: { cost: 20, per: 24h, across: account }', 'pick: highest, ', b],
])(
  '%s of a rolling period is read again, for it has moved on since the pass read it',
  async (_what, rule, pick, first) => {
    const step = `{ at: 100%, alert: ops, ${pick}rename: "OVER {{ name }}" }`;
    await using one = await watched(file(policy(rule, step)), ...keys);
    one.spend(first, 10);
    one.wait(day - minute / 2);
    one.spend(a, 12);
    one.beforeLook = (nth) => {
      // What was used first is a day ago by now.
      if (nth === 2) one.wait(minute);
    };
    const { outcomes } = await one.pass(0);
    expect(outcomes).toMatchObject([
      { result: 'cancelled', detail: 'checked afresh, it is no longer asked for' },
    ]);
    expect(one.log).toEqual([]);
  },
);
