/** Renames and their undoing. */
import { describe, expect, test } from 'vitest';
import {
  day,
  done,
  file,
  generous,
  held,
  hour,
  key,
  minute,
  monday,
  policy,
  policyOf,
  said,
  story,
} from './story.ts';
import type { Story } from './story.ts';

const hourly = 'spend: { cost: 20, per: hour }';
const rename = '{ at: 100%, alert: owner, rename: "OVER {{ name }}" }';
const born = { createdAt: monday };
const over = { usage: { 'User 1': 20 } };

describe('a rename', () => {
  test('is wanted until it is done, and once only', () => {
    const one = story(policy(hourly, rename), key('User 1', born));
    expect(done(one.pass(over))).toEqual(['rename User 1 → OVER User 1']);
    expect(done(one.run())).toEqual(['rename User 1 → OVER User 1']);
    expect(done(one.run())).toEqual([]);
  });

  test('is undone when its finding closes', () => {
    const one = story(policy(hourly, rename), key('User 1', born));
    one.run(over);
    const closing = one.run({ after: hour });
    expect([said(closing), done(closing)]).toEqual([['resolved → owner'], ['restore OVER User 1 → User 1']]);
    expect(done(one.run())).toEqual([]);
    expect([...one.records.values()]).toMatchObject([{ originalName: 'User 1', standing: [] }]);
  });

  test('stays with `restore: false`', () => {
    const keeping = '{ at: 100%, alert: owner, rename: "OVER {{ name }}", restore: false }';
    const one = story(policy(hourly, keeping), key('User 1', born));
    one.run(over);
    expect(done(one.run({ after: hour }))).toEqual([]);
  });

  test.each([
    ['its characters', 'User: a@example.com', 'OVER User- a-example.com'],
    ['its length', 'x'.repeat(101), `OVER ${'x'.repeat(95)}`],
    ['there being none', ' ', 'OVER'],
  ])('that could not be undone, for the name’s %s, is held, unless it is to stay', (_what, name, to) => {
    const strange = key(name, born);
    const usage = { [name]: 20 };
    const one = story(policy(hourly, rename), strange);
    const pass = one.run({ usage });
    expect([done(pass), held(pass)]).toEqual([[], [expect.stringMatching(/^rename: unknown/)]]);
    const keeping = '{ at: 100%, alert: owner, rename: "OVER {{ name }}", restore: false }';
    const other = story(policy(hourly, keeping), strange);
    expect(done(other.run({ usage }))).toEqual([`rename ${name} → ${to}`]);
  });

  test('gives way to a person’s, and is not tried again', () => {
    const one = story(policy(hourly, rename), key('User 1', born));
    one.run(over);
    one.rename('User 1', 'My own name');
    expect(done(one.run())).toEqual([]);
    expect(done(one.run({ after: hour }))).toEqual([]);
  });

  test('of a later step follows that of an earlier one, and both are undone at once', () => {
    const steps = ['{ at: 50%, rename: "NEAR {{ name }}", alert: ops }', rename];
    const one = story(policy(hourly, ...steps), key('User 1', born));
    expect(done(one.run({ usage: { 'User 1': 10 } }))).toEqual(['rename User 1 → NEAR User 1']);
    expect(done(one.run(over))).toEqual(['rename NEAR User 1 → OVER User 1']);
    expect(done(one.run({ after: hour }))).toEqual(['restore OVER User 1 → User 1']);
    expect(done(one.run())).toEqual([]);
  });

  test('is not undone for a step that is no longer the highest, while the finding is open', () => {
    const rolling = policy('spend: { cost: 20, per: 24h }', '{ at: 50%, alert: owner }', rename);
    const one = story(rolling, key('User 1', { createdAt: monday - 9 * day }));
    const at = (amount: number) =>
      done(one.run({ usage: { 'User 1': 99 }, windows: { 'User 1': { '24h': amount } } }));
    expect([20, 11, 20, 1].map(at)).toEqual([
      ['rename User 1 → OVER User 1'],
      [],
      [],
      ['restore OVER User 1 → User 1'],
    ]);
  });

  test('to the name that the key bears is none', () => {
    const one = story(policy(hourly, rename.replace('OVER {{ name }}', '{{ name }}')), key('User 1', born));
    expect(done(one.run(over))).toEqual([]);
  });

  test('by a template whose metadata is missing is held', () => {
    const one = story(
      policy(hourly, rename.replace('{{ name }}', '{{ metadata.team }}')),
      key('User 1', born),
    );
    const decision = one.run(over);
    expect([done(decision), held(decision), decision.held[0]?.detail]).toEqual([
      [],
      ['rename: unknown'],
      'metadata.team is missing',
    ]);
  });

  test.each([
    ['a protection', generous.replace('[]', '[{ name: "User*" }]'), {}, 'protected'],
    [
      'a silence',
      `${generous}\nsilences:\n  - { select: all, until: 2026-12-01T00:00:00Z, suppress: [actions] }`,
      {},
      'silenced',
    ],
    ['the mode', `${generous}\nmode: alert`, {}, 'mode'],
    ['doubt', generous, { hold: 'the list shrank' }, 'unknown'],
    ['a limit', generous.replace('rename: { per_run: 100', 'rename: { per_run: 0'), {}, 'limit'],
  ])('and its undoing are held by %s', (_what, top, pass, because) => {
    const one = story(file(policy(hourly, rename), top), key('User 1', born));
    const decision = one.pass({ ...over, ...pass });
    expect([done(decision), held(decision)]).toEqual([[], [`rename: ${because}`]]);
    one.policy = file(policy(hourly, rename), generous);
    one.run();
    one.policy = file(policy(hourly, rename), top);
    const closing = one.pass({ after: hour, ...pass });
    expect([done(closing), held(closing)]).toEqual([[], [`restore: ${because}`]]);
    one.policy = file(policy(hourly, rename), generous);
    expect(done(one.pass())).toEqual(['restore OVER User 1 → User 1']);
  });

  test('is undone as far as its own policy’s mode lets it be', () => {
    const other = policyOf(
      'q',
      'mode: dry-run\n  spend: { cost: 900, per: month }',
      '{ at: 100%, alert: ops }',
    );
    const mine = (mode: string) =>
      file(`${other}\n${policy(`mode: ${mode}\n  ${hourly}`, rename)}`, generous);
    const one = story(mine('enforce'), key('User 1', born));
    one.run(over);
    one.policy = mine('alert');
    const decision = one.run({ after: hour });
    expect(decision.held).toMatchObject([
      { kind: 'restore', because: 'mode', policy: 'p', subject: { name: 'OVER User 1' } },
    ]);
    one.policy = mine('enforce');
    const [change, ...more] = one.run().changes;
    expect(more).toEqual([]);
    expect(change).toMatchObject({ kind: 'restore', policy: 'p', to: 'User 1' });
  });

  test('is undone when its policy is gone', () => {
    const one = story(policy(hourly, rename), key('User 1', born));
    one.run(over);
    one.policy = file(policyOf('q', 'spend: { cost: 900, per: month }', '{ at: 100%, alert: ops }'));
    expect(done(one.run())).toEqual(['restore OVER User 1 → User 1']);
  });

  test('is remembered over a restart', () => {
    const one = story(policy(hourly, rename), key('User 1', born));
    one.run(over);
    one.restart();
    expect(done(one.run())).toEqual([]);
    one.restart();
    expect(done(one.run({ after: hour }))).toEqual(['restore OVER User 1 → User 1']);
  });
});

test('a rename by a template without the name is made', () => {
  const one = story(policy(hourly, rename.replace('OVER {{ name }}', 'BLOCKED')), key('User 1', born));
  expect(done(one.run(over))).toEqual(['rename User 1 → BLOCKED']);
});

describe('a person’s name for a key', () => {
  const steps = ['{ at: 50%, rename: "NEAR {{ name }}", alert: ops }', rename];

  test('is not written over by a later step of the same case', () => {
    const one = story(policy(hourly, ...steps), key('User 1', born));
    expect(done(one.run({ usage: { 'User 1': 10 } }))).toEqual(['rename User 1 → NEAR User 1']);
    one.rename('User 1', 'Mine');
    one.run();
    expect(done(one.run(over))).toEqual([]);
  });

  test('is written over where the case has renamed nothing yet', () => {
    const one = story(policy(hourly, '{ at: 50%, alert: ops }', rename), key('User 1', born));
    one.run({ usage: { 'User 1': 10 } });
    one.rename('User 1', 'Mine');
    one.run();
    expect(done(one.run(over))).toEqual(['rename Mine → OVER Mine']);
  });
});

describe('a case that ended, its name given back, and is open again in the same period,', () => {
  const capped = (cost: number, step = rename) =>
    file(policy(`spend: { cost: ${String(cost)}, per: month }`, step), generous);

  function openAgain(step = rename, between: (one: Story) => void = () => undefined): Story {
    const one = story(capped(20, step), key('User 1', born));
    expect(done(one.run(over))).toEqual(['rename User 1 → OVER User 1']);
    between(one);
    one.policy = capped(200, step);
    one.run();
    one.policy = capped(20, step);
    return one;
  }

  test('renames its key again, and says nothing again', () => {
    const one = openAgain();
    const again = one.run();
    expect([said(again), done(again)]).toEqual([[], ['rename User 1 → OVER User 1']]);
    expect(done(one.run())).toEqual([]);
    one.policy = capped(200);
    expect(done(one.run())).toEqual(['restore OVER User 1 → User 1']);
  });

  test('leaves a person’s name alone', () => {
    const one = openAgain(rename, (tale) => {
      tale.rename('User 1', 'User 1');
      tale.run();
    });
    expect([done(one.run()), done(one.run())]).toEqual([[], []]);
  });

  test('leaves a name that was to stay as it is', () => {
    expect(done(openAgain(rename.replace('}"', '}", restore: false')).run())).toEqual([]);
  });

  test('falls on the same key of a group', () => {
    const group = (cost: number) =>
      file(
        policy(
          `spend: { cost: ${String(cost)}, per: month, across: selected }`,
          '{ at: 100%, alert: owner, pick: highest, rename: "OVER {{ name }}" }',
        ),
        generous,
      );
    const one = story(group(20), key('A', born), key('B', born));
    expect(done(one.run({ usage: { A: 15, B: 6 } }))).toEqual(['rename A → OVER A']);
    one.policy = group(200);
    one.run();
    one.policy = group(20);
    expect(done(one.run({ usage: { B: 40 } }))).toEqual(['rename A → OVER A']);
  });
});

test('a group’s key whose rename failed is renamed later, though the others are', () => {
  const group = policy(
    'spend: { cost: 20, per: lifetime, across: selected }',
    '{ at: 100%, alert: owner, pick: all, rename: "OVER {{ name }}" }',
  );
  const one = story(file(group, generous), key('A'), key('B'));
  const decision = one.pass({ usage: { A: 10, B: 10 } });
  one.carryOut({ ...decision, changes: decision.changes.slice(0, 1) });
  one.carryOut({ ...decision, changes: decision.changes.slice(1) }, 'failed');
  expect(done(one.run())).toEqual([]);
  expect(done(one.run({ after: hour }))).toEqual(['rename B → OVER B']);
  expect(done(one.run())).toEqual([]);
});

describe('two policies’ renames of one key', () => {
  const both = [
    policyOf(
      'cost',
      'spend: { cost: 20, per: hour }',
      '{ at: 100%, alert: owner, rename: "OVER {{ name }}" }',
    ),
    policyOf(
      'tokens',
      'spend: { tokens: 40, per: day }',
      '{ at: 100%, alert: ops, rename: "BUSY {{ name }}" }',
    ),
  ].join('\n');

  function renamedTwice() {
    const one = story(both, key('User 1', born));
    expect(done(one.run(over))).toEqual(['rename User 1 → OVER User 1']);
    expect(done(one.run({ usage: { 'User 1': 40 } }))).toEqual(['rename OVER User 1 → BUSY User 1']);
    return one;
  }

  test('are one change a pass', () => {
    const one = story(both, key('User 1', born));
    expect(done(one.run({ usage: { 'User 1': 40 } }))).toEqual(['rename User 1 → OVER User 1']);
    expect(done(one.run())).toEqual(['rename OVER User 1 → BUSY User 1']);
  });

  test('are undone from the top: the lower one’s name comes first', () => {
    const one = renamedTwice();
    // The cost finding stays open into the next hour; the token finding closes with its limit.
    one.policy = file(both.replace('tokens: 40', 'tokens: 400'));
    expect(done(one.run())).toEqual(['restore BUSY User 1 → OVER User 1']);
    expect(done(one.run({ after: hour }))).toEqual(['restore OVER User 1 → User 1']);
  });

  test('leave the upper one standing when the lower one closes first, and then go back to the first name', () => {
    const one = renamedTwice();
    expect(done(one.run({ after: hour }))).toEqual([]);
    expect(done(one.run({ after: day }))).toEqual(['restore BUSY User 1 → User 1']);
  });

  test('leave the lower one’s name where that is to stay', () => {
    const keeping = both.replace('OVER {{ name }}"', 'OVER {{ name }}", restore: false');
    const one = story(keeping, key('User 1', born));
    one.run(over);
    one.run({ usage: { 'User 1': 40 } });
    expect(done(one.run({ after: hour }))).toEqual([]);
    expect(done(one.run({ after: day }))).toEqual(['restore BUSY User 1 → OVER User 1']);
    expect(done(one.run({ after: day }))).toEqual([]);
  });

  test('need no undoing where the upper one gave the first name back', () => {
    const one = story(both.replace('BUSY {{ name }}', '{{ name }}'), key('User 1', born));
    one.run(over);
    expect(done(one.run({ usage: { 'User 1': 40 } }))).toEqual(['rename OVER User 1 → User 1']);
    expect(done(one.run({ after: hour }))).toEqual([]);
    expect(done(one.run({ after: day }))).toEqual([]);
  });

  test('are both forgotten when a person names the key', () => {
    const one = renamedTwice();
    one.rename('User 1', 'Mine');
    expect(done(one.run({ after: day }))).toEqual([]);
    expect([...one.records.values()]).toMatchObject([{ originalName: 'Mine', standing: [] }]);
  });
});

test('a key is selected by its original name, and a person’s name is its original name from then on', () => {
  const one = story(policy(`select: { name: "User *" }\n  ${hourly}`, rename), key('User 1', born));
  one.run(over);
  expect(said(one.run())).toEqual([]);
  one.rename('User 1', 'Somebody else');
  expect(said(one.run({ after: minute }))).toEqual(['resolved → owner']);
});

describe('a mark is not put on a name twice', () => {
  const daily = 'spend: { cost: 20, per: day }';
  const both = file(policyOf('a', hourly, rename) + '\n' + policyOf('b', daily, rename), generous);

  test('by two policies that want the same', () => {
    const one = story(both, key('User 1', born));
    expect(done(one.run(over))).toEqual(['rename User 1 → OVER User 1']);
    expect(done(one.run())).toEqual([]);
  });

  test('by another policy later, which goes by the original name', () => {
    const near = policyOf('b', daily, '{ at: 150%, rename: "FAR {{ name }}" }');
    const one = story(file(policyOf('a', hourly, rename) + '\n' + near, generous), key('User 1', born));
    one.run(over);
    expect(done(one.run({ usage: { 'User 1': 30 } }))).toEqual(['rename OVER User 1 → FAR User 1']);
  });

  test('when the state was lost, or a person kept it', () => {
    const one = story(policy(hourly, rename), key('OVER User 1', born));
    expect(done(one.run({ usage: { 'OVER User 1': 20 } }))).toEqual([]);
    const other = story(policy(hourly, rename), key('OVERSEER', born));
    expect(done(other.run({ usage: { OVERSEER: 20 } }))).toEqual(['rename OVERSEER → OVER OVERSEER']);
  });

  test.each([
    ['as a suffix', '{{ name }} over', 'User 1 over', null],
    ['as a prefix of three characters', 'OLD{{ name }}', 'OLDUser', null],
    ['as one of two, which any name may have', '-- {{ name }}', '-- User', '-- -- User'],
    ['as both ends', 'ABC{{ name }}CBA', 'ABCxCBA', null],
    ['but not at one end alone', 'ABC{{ name }}CBA', 'ABCx', 'ABCABCxCBA'],
    ['but not without a name between', 'ABC{{ name }}CBA', 'ABCCBA', 'ABCABCCBACBA'],
    ['but not overlapping', 'ABC{{ name }}CBA', 'ABCBA', 'ABCABCBACBA'],
    [
      'but not where the name is in it twice',
      'X-{{ name }}-by-{{ name }}',
      'X-u-by-',
      'X-X-u-by--by-X-u-by-',
    ],
  ])('when it has it %s', (_how, template, name, to) => {
    const one = story(policy(hourly, rename.replace('OVER {{ name }}', template)), key(name, born));
    expect(done(one.run({ usage: { [name]: 20 } }))).toEqual(to === null ? [] : [`rename ${name} → ${to}`]);
  });
});
