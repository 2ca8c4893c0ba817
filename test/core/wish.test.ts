/** On which keys a change falls, and what it still lacks before it may be done. */
import { describe, expect, test } from 'vitest';
import type { KeyEvidence } from '../../src/core/evidence.ts';
import type { KeyId } from '../../src/core/key.ts';
import type { Finding, KeyRecord } from '../../src/core/state.ts';
import { picked } from '../../src/core/pick.ts';
import { confirmation, highestReached, unconfirmed } from '../../src/core/wish.ts';
import type { Case } from '../../src/core/wish.ts';
import { counters, recordOf } from '../ledger/building.ts';
import { evidenceAt, known } from './measuring.ts';
import { day, file, hour, id, key, minute, monday, policy } from './story.ts';

const [a, b, c] = ['A', 'B', 'C'].map((name) => recordOf(key(name))) as [KeyRecord, KeyRecord, KeyRecord];
const names = (records: readonly KeyRecord[]): string[] => records.map(({ facts }) => facts.name);

interface Given {
  readonly rule: string;
  readonly steps: readonly string[];
  readonly members?: readonly KeyRecord[];
  readonly judgement?: Partial<Case['judgement']>;
  readonly finding?: Partial<Finding>;
  readonly evidence?: ReadonlyMap<KeyId, KeyEvidence>;
}

function caseOf({ rule, steps, members = [a], judgement, finding, evidence = new Map() }: Given): Case {
  const [one] = file(policy(rule, ...steps)).policies;
  const isGroup = rule.includes('across');
  const subject = isGroup ? { kind: 'group', group: 'selected' } : { kind: 'key', id: a.id, createdAt: 0 };
  return {
    court: { now: monday, bench: { now: monday, evidence: evidenceAt(monday, { keys: evidence }) } },
    judgement: {
      policy: one,
      subject,
      members,
      reached: [0],
      sure: [0],
      doubts: [],
      idle: null,
      ...judgement,
    },
    finding: { deletions: [], renamed: [], idle: null, ...finding },
  } as unknown as Case;
}

const change = (pick: string) => `{ at: 100%, alert: ops, ${pick}rename: "OVER {{ name }}" }`;

describe('a change of a group’s falls on', () => {
  const rule = 'spend: { cost: 20, per: month, across: selected }';
  const used = (...amounts: readonly (readonly [KeyRecord, number])[]) =>
    new Map(amounts.map(([{ id: of }, n]) => [of, known({ lifetime: { low: counters(n), high: null } })]));
  const on = (pick: string, more: Partial<Given> = {}) =>
    names(picked(caseOf({ rule, steps: [change(`pick: ${pick}, `)], members: [a, b, c], ...more }), 0));

  test('all of its keys, or the one that surely used the most', () => {
    const evidence = used([a, 1], [b, 3], [c, 2]);
    expect([on('all', { evidence }), on('highest', { evidence })]).toEqual([['A', 'B', 'C'], ['B']]);
    // Of a key of which nothing is known it is not known that it used anything.
    expect(on('highest', { evidence: used([c, 1]) })).toEqual(['C']);
    expect(on('highest', { members: [] })).toEqual([]);
  });

  test('the same of several that used as much, in whatever order they come', () => {
    const first = [a, b, c].sort((x, y) => (x.id < y.id ? -1 : 1))[0]?.facts.name;
    for (const members of [
      [a, b, c],
      [c, b, a],
      [b, c, a],
    ]) {
      expect(on('highest', { members, evidence: used([a, 5], [b, 5], [c, 5]) })).toEqual([first]);
    }
  });

  test('the one on which this step fell before, though another is larger now', () => {
    const evidence = used([a, 1], [b, 3], [c, 2]);
    const fell = (step: number) => ({ renamed: [{ step, keyId: c.id }] });
    expect(on('highest', { evidence, finding: fell(0) })).toEqual(['C']);
    expect(on('highest', { evidence, finding: fell(1) })).toEqual(['B']);
    // It has left the group, and no other takes its place.
    expect(on('highest', { evidence, members: [a, b], finding: fell(0) })).toEqual([]);
  });
});

test('a change of a key’s own falls on that key', () => {
  expect(names(picked(caseOf({ rule: 'spend: { cost: 20, per: month }', steps: [change('')] }), 0))).toEqual([
    'A',
  ]);
});

test('the highest reached of the steps that do something is that one', () => {
  const steps = [change(''), '{ at: 200%, alert: ops }', change('').replace('100%', '300%')];
  const highest = (...reached: number[]) => {
    const { judgement } = caseOf({ rule: 'spend: { cost: 20, per: month }', steps, judgement: { reached } });
    return highestReached(judgement, ({ rename }) => rename !== null);
  };
  expect([highest(0, 1), highest(0, 1, 2), highest(1), highest()]).toEqual([0, 2, null, null]);
});

describe('before an idle key is changed', () => {
  const rule = 'idle: { for: 60d }';
  const steps = ['{ alert: ops, rename: "IDLE {{ name }}" }'];
  const idle = (first: number | null, last: number | null = first) => ({
    ...{ unusedSince: 0, provedAt: monday, confirmedFirstAt: first, confirmedLastAt: last },
  });
  const lacks = (before: number | null, now: number | null) =>
    unconfirmed(
      caseOf({ rule, steps, finding: { idle: idle(before) }, judgement: { idle: idle(before, now) } }),
      0,
    );
  const asks = (first: number | null, more: Partial<KeyEvidence> | null = {}) =>
    confirmation(
      caseOf({
        ...{ rule, steps, judgement: { idle: first === null ? null : idle(first) } },
        evidence: more === null ? new Map() : new Map([[a.id, known(more)]]),
      }),
      a,
      0,
    );
  const wanted = {
    ...{ kind: 'key', id: id('A'), excess: Infinity },
    why: 'p: “A” is to be changed for being idle',
  };

  test('two readings of its own are needed, ten minutes apart', () => {
    const because = 'unconfirmed';
    const detail = 'its idleness needs two readings of its own, 10 min apart';
    expect(lacks(null, monday)).toEqual({ because, detail });
    expect(lacks(monday - 10 * minute, null)).toEqual({ because, detail });
    expect(lacks(monday - 10 * minute + 1, monday)).toEqual({ because, detail });
    expect(lacks(monday - 10 * minute, monday)).toBeNull();
  });

  test('a case without any reading lacks both', () => {
    expect(unconfirmed(caseOf({ rule, steps }), 0)).toMatchObject({ because: 'unconfirmed' });
  });

  test('a step that is not sure lacks that before all', () => {
    expect(unconfirmed(caseOf({ rule, steps, judgement: { sure: [] } }), 0)).toEqual({
      ...{ because: 'unconfirmed', detail: 'it is not certain that its level is still so high' },
    });
  });

  test('the first reading is asked for, and the second once it counts', () => {
    expect(asks(null)).toEqual([{ ...wanted, window: '60d' }]);
    expect(asks(monday - 10 * minute + 1)).toEqual([]);
    expect(asks(monday - 10 * minute)).toEqual([{ ...wanted, window: '60d' }]);
  });

  test('the counter itself says it, where that was seen to stand still for as long', () => {
    expect(asks(null, { unchangedSince: monday - 60 * day })).toEqual([{ ...wanted, window: null }]);
    expect(asks(null, { unchangedSince: monday - 60 * day + 1 })).toEqual([{ ...wanted, window: '60d' }]);
    expect(asks(null, { unchangedSince: monday - hour })).toEqual([{ ...wanted, window: '60d' }]);
  });

  test('nothing is asked of a key of which nothing is known', () => {
    expect(asks(null, null)).toEqual([]);
  });
});
