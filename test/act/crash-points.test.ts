/**
 * The process dies on either side of every call that a pass with a change makes, and of every call of the
 * start after it. Whatever had happened by then: the change falls on its key and on no other, once, its
 * outcome is known in the end, and it is told once.
 */
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../src/core/alert.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
import { day, file, minute, policy } from '../core/story.ts';
import { old, watched } from '../watched.ts';
import type { Watched } from '../watched.ts';

const keys = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => old(name));
const [a] = keys as [(typeof keys)[0]];
const monthly = 'spend: { cost: 20, per: month }';
const renaming = file(policy(monthly, '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }'));
const deleting = file(policy(monthly, '{ at: 100%, alert: ops, delete: { notice: 1h } }'));

/** What is about to happen, and how it looks when it has. */
interface Story {
  readonly kind: 'delete' | 'rename' | 'restore';
  readonly rules: PolicyFile;
  /** Until the pass before that of the change. */
  ready(one: Watched): Promise<void>;
  /** As the API was asked for it. */
  readonly request: string;
  /** The key's name in the end; null: it is gone. */
  readonly name: string | null;
  readonly standing: readonly string[];
  /** All that is told of cases, in order. */
  readonly told: readonly string[];
}

const stories: readonly Story[] = [
  {
    ...{ kind: 'delete', rules: deleting, request: 'delete A', name: null, standing: [] },
    ready: async (one) => {
      one.spend(a, 25);
      await one.pass();
      await hear(one);
      await one.pass();
      one.wait(59 * minute);
    },
    told: ['notice', 'deleted'],
  },
  {
    ...{ kind: 'rename', rules: renaming, request: 'rename A → OVER A', name: 'OVER A', standing: ['A'] },
    ready: (one) => Promise.resolve(one.spend(a, 25)),
    told: ['step'],
  },
  {
    ...{ kind: 'restore', rules: renaming, request: 'rename OVER A → A', name: 'A', standing: [] },
    ready: async (one) => {
      one.spend(a, 25);
      await one.passes(2);
      one.wait(20 * day);
      one.log.length = 0;
    },
    told: ['step', 'resolved'],
  },
];

class Crash extends Error {}

/** All that its people heard: what waited for them, delivered. */
const heard = new WeakMap<Watched, Alert[]>();

async function hear(one: Watched): Promise<void> {
  const waiting = await one.store.outbox.pending(one.now());
  heard.set(one, [...(heard.get(one) ?? []), ...waiting.map(({ alert }) => alert)]);
  await one.deliver();
}

/** Every list begins with another key. */
function shuffle(one: Watched): void {
  one.beforeLook = () => {
    const [first] = one.account.values();
    if (first === undefined) return;
    one.account.delete(first.id);
    one.account.set(first.id, first);
  };
}

/** That of the change, and one that sees what it has come to. */
const passesOfChange = 2;

async function run(one: Watched): Promise<void> {
  for (let nth = 0; nth < passesOfChange; nth += 1) {
    await one.pass();
    await hear(one);
  }
}

/** Dies at a crossing: from then on nothing this process tries comes to anything. Null: it never came to it. */
async function dies(one: Watched, at: number): Promise<string | null> {
  let crossings = 0;
  let died: string | null = null;
  one.crossing = (side, call) => {
    if (died === null && crossings === at) died = `${side} ${call}`;
    crossings += 1;
    if (died !== null) throw new Crash(`the process died ${died}`);
  };
  await run(one).catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
  one.crossing = () => undefined;
  await one.restart();
  return died;
}

/** One call fails, on either of its sides; the process goes on. */
async function fails(one: Watched, at: number): Promise<void> {
  let crossings = 0;
  one.crossing = () => {
    crossings += 1;
    if (crossings === at + 1) throw new Crash('it failed');
  };
  for (let nth = 0; nth < passesOfChange; nth += 1) {
    await one.pass().catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
    await hear(one);
  }
}

/** What the process before had sent takes effect only now. */
async function lands(one: Watched, at: number, { kind, name }: Story): Promise<void> {
  let crossings = 0;
  one.crossing = () => {
    if (crossings === at && kind === 'delete') one.account.delete(a.id);
    if (crossings === at && name !== null && one.account.has(a.id)) one.change(a, { name });
    crossings += 1;
  };
  await run(one);
}

/** Both sides of the calls of a whole run. `first`: of the run after one that died there; null: of the first. */
async function crossingsOf(story: Story, first: number | null): Promise<readonly string[]> {
  await using one = await watched(story.rules, ...keys);
  await story.ready(one);
  if (first !== null) await dies(one, first);
  const seen: string[] = [];
  one.crossing = (side, call) => void seen.push(`${side} ${call}`);
  await run(one);
  return seen;
}

async function expectDone(one: Watched, story: Story, requests: number): Promise<void> {
  one.crossing = () => undefined;
  for (let nth = 0; nth < 4; nth += 1) await run(one);
  // Nothing was asked for any other key, nor of this one anything else.
  expect(one.log.filter((request) => request !== story.request)).toEqual([]);
  expect(one.log.length).toBeLessThanOrEqual(requests);
  const others = [...one.account.values()].filter(({ id }) => id !== a.id).map(({ name }) => name);
  expect(others.toSorted()).toEqual(['B', 'C', 'D', 'E', 'F']);
  expect(one.account.get(a.id)?.name ?? null).toBe(story.name);
  const state = await one.store.load(one.now());
  const mine = state.changes.filter(({ kind }) => kind === story.kind);
  expect(mine.every(({ settledAt }) => settledAt !== null)).toBe(true);
  expect(mine.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
  const record = state.keys.find(({ id }) => id === a.id);
  expect(record?.standing.map(({ from }) => from)).toEqual(story.standing);
  expect([record?.originalName, record?.renamedByPersonAt]).toEqual(['A', null]);
  expect(record?.goneAt === null).toBe(story.name !== null);
  expect(
    (heard.get(one) ?? []).flatMap((alert) => (alert.topic === 'case' ? [alert.event.kind] : [])),
  ).toEqual(story.told);
  expect(await one.store.verifyRecord()).toMatchObject({ ok: true });
}

describe.each(stories)('a $kind', (story) => {
  const asked = story.kind === 'delete' ? 'deleteKey' : 'renameKey';

  async function ready(): Promise<Watched> {
    const one = await watched(story.rules, ...keys);
    shuffle(one);
    await story.ready(one);
    return one;
  }

  test('crosses the same calls each time, the request among them', async () => {
    const seen = await crossingsOf(story, null);
    expect(seen).toEqual(await crossingsOf(story, null));
    for (const call of ['listKeys', 'usage', 'keyUsage', 'commit', asked])
      for (const side of ['before', 'after']) expect(seen).toContain(`${side} ${call}`);
  });

  test('is done once, wherever the process dies', async () => {
    const { length } = await crossingsOf(story, null);
    for (let at = 0; at < length; at += 1) {
      await using one = await ready();
      expect(await dies(one, at)).not.toBeNull();
      await expectDone(one, story, 1);
    }
  });

  test('is done once, wherever the next process dies, too', async () => {
    const seen = await crossingsOf(story, null);
    for (const side of ['before', 'after']) {
      const first = seen.indexOf(`${side} ${asked}`);
      const { length } = await crossingsOf(story, first);
      for (let at = 0; at < length; at += 1) {
        await using one = await ready();
        await dies(one, first);
        await dies(one, at);
        await expectDone(one, story, 1);
      }
    }
  });

  test('is done once, whichever call fails of a process that lives on', async () => {
    const seen = await crossingsOf(story, null);
    for (const [at, crossing] of seen.entries()) {
      // What SQLite says it could not write it has not written.
      if (crossing === 'after commit') continue;
      await using one = await ready();
      await fails(one, at);
      await expectDone(one, story, 1);
    }
  });

  test('is done once, though a request of the process that died lands at any moment of the next one', async () => {
    const first = (await crossingsOf(story, null)).indexOf(`before ${asked}`);
    const { length } = await crossingsOf(story, first);
    for (let at = 0; at < length; at += 1) {
      await using one = await ready();
      await dies(one, first);
      await lands(one, at, story);
      await expectDone(one, story, 2);
    }
  });
});

test('a deletion is not asked for when a person renamed the key while the process was dead', async () => {
  const [story] = stories as [Story];
  const seen = await crossingsOf(story, null);
  const request = seen.indexOf('before deleteKey');
  for (let at = 0; at <= request; at += 1) {
    await using one = await watched(story.rules, ...keys);
    await story.ready(one);
    await dies(one, at);
    one.change(a, { name: 'Mine' });
    await run(one);
    one.change(a, { name: 'A' });
    await run(one);
    await run(one);
    expect([one.log, one.account.has(a.id)]).toEqual([[], true]);
    expect((heard.get(one) ?? []).map((alert) => (alert.topic === 'case' ? alert.event.kind : ''))).toEqual([
      'notice',
      'vetoed',
    ]);
  }
});
