/** What a look at the account asks, what it says of itself, and what is not believed of it. */
import { describe, expect, test } from 'vitest';
import { rowsByName } from '../../src/core/rows.ts';
import type { Question } from '../../src/core/evidence.ts';
import type { Key } from '../../src/core/key.ts';
import { Secret } from '../../src/core/secret.ts';
import { ask, look } from '../../src/ledger/look.ts';
import type { Before, Sight } from '../../src/ledger/look.ts';
import { livingIn, register } from '../../src/ledger/registry.ts';
import type { Change } from '../../src/core/state.ts';
import type { AdminReader, Aggregate, Listing } from '../../src/ports.ts';
import { day, hour, id, key, minute, monday } from '../core/story.ts';
import { counters, reading, runOf } from './building.ts';

const second = 1000;
const keys = ['A', 'B', 'C', 'D', 'E'].map((name) => key(name));
const never = (): Promise<never> => Promise.reject(new Error('not asked for here'));

function listingOf(listed: readonly Key[], at = monday): Listing {
  const secrets = new Map(listed.map((one) => [one.id, new Secret(one.name)]));
  return { at, serverAt: null, keys: listed, secrets };
}

function aggregate(...names: readonly string[]): Aggregate {
  const rows = names.map((name) => [name, { ...counters(5), models: new Map() }] as const);
  return { at: monday, total: counters(5 * names.length), rows: rowsByName(rows) };
}

/** What the account has used, all time and in every window. */
const usage = aggregate('A');

/** The five keys as the pass a minute before knew them. */
function remembered(more: Partial<Before> = {}): Before {
  const { records, live } = register(new Map(), listingOf(keys), [], () => null);
  return {
    ...{ records, living: livingIn(records), listed: live, attempted: [], account: undefined },
    lastClock: { at: monday - minute, serverAt: null, monotonicMs: 0 },
    ...{ clockDoubtedSince: null, shrunkSince: null },
    ...more,
  };
}

/** Each call takes a second by every clock, and a minute has passed since the last look. */
function account(more: Partial<AdminReader> = {}, listed: readonly Key[] = keys) {
  let passed = 0;
  const clock = {
    now: () => monday + passed,
    monotonic: () => minute + passed,
    sleep: never,
  };
  const taking = <T>(answer: T): Promise<T> => {
    passed += second;
    return Promise.resolve(answer);
  };
  const reader: AdminReader = {
    listKeys: () => taking(listingOf(listed, monday + passed)),
    usage: () => taking(usage),
    keyUsage: () => taking(reading(5, monday + passed)),
    series: never,
    transactions: never,
    ...more,
  };
  return { reader, clock };
}

const going = (): AbortSignal => new AbortController().signal;

async function looked(
  { reader, clock }: ReturnType<typeof account> = account(),
  before: Before = remembered(),
  intervalMs = minute,
): Promise<Sight> {
  return look(reader, clock, before, { intervalMs }, going());
}

const codes = ({ troubles }: Sight): string[] => troubles.map(({ code }) => code);

test('a look is two calls, and stands in nothing’s way', async () => {
  const sight = await looked();
  expect(sight).toMatchObject({
    ...{ at: monday, doneAt: monday + 2 * second, rowsAt: monday + 2 * second, monotonicMs: minute },
    clock: { trusted: true, elapsedMs: minute, setByMs: 0 },
    ...{ hold: null, away: false, troubles: [] },
    readings: { distrust: null, windows: new Map(), own: new Map(), unanswered: new Set() },
  });
  expect(sight.readings.lifetime).toBe(usage);
  expect(sight.registry.live.map(({ id: of }) => of)).toEqual(keys.map(({ id: of }) => of));
  expect(sight.calls).toEqual([
    { what: 'list of keys', why: 'every pass' },
    { what: 'usage of all keys, all time', why: 'every pass' },
  ]);
});

describe('usage that cannot be read', () => {
  test('holds everything, with the reason', async () => {
    const sight = await looked(account({ usage: () => Promise.reject(new Error('the server failed')) }));
    const because = 'the account’s usage could not be read: the server failed';
    expect([sight.hold, sight.readings.distrust, sight.readings.lifetime]).toEqual([because, because, null]);
    expect(sight.troubles).toMatchObject([
      {
        code: 'usage',
        severity: 'warning',
        text: `${because}. Nothing is renamed or deleted until this is over.`,
      },
    ]);
  });

  test('is no trouble while the program ends', async () => {
    const stopping = new AbortController();
    stopping.abort();
    const { reader, clock } = account({ usage: () => Promise.reject(new Error('aborted')) });
    await expect(look(reader, clock, remembered(), { intervalMs: minute }, stopping.signal)).rejects.toThrow(
      'aborted',
    );
  });

  test.each([
    ['an account that had used something', 1, true],
    ['an account that had used nothing', 0, false],
    ['an account never seen before', null, false],
  ])('is such that has become empty: of %s', async (_what, used, doubted) => {
    const empty = account({ usage: () => Promise.resolve(aggregate()) });
    const run = used === null ? undefined : runOf('account', used, [0, monday - minute]);
    const { hold } = await looked(empty, remembered({ account: run }));
    expect(hold).toBe(doubted ? 'the account’s usage is empty, and was not before' : null);
    const { hold: filled } = await looked(account(), remembered({ account: run }));
    expect(filled).toBeNull();
  });
});

test('a list that cannot be read is no look at all', async () => {
  const { reader, clock } = account({ listKeys: () => Promise.reject(new Error('the server failed')) });
  await expect(looked({ reader, clock })).rejects.toThrow('the server failed');
});

describe('a list that lacks most keys', () => {
  const short = () => account({}, keys.slice(0, 1));
  const shrank = 'the list of keys shrank from 5 to 1 at once';

  test('is not believed, and holds everything', async () => {
    const sight = await looked(short());
    expect([sight.hold, sight.registry.doubt]).toEqual([shrank, shrank]);
    expect(sight.registry.changed).toEqual([]);
    expect(sight.troubles).toMatchObject([{ code: 'list', severity: 'critical' }]);
  });

  test.each([
    ['for less than an hour is not', { shrunkSince: monday - hour + 1 }, shrank],
    ['for an hour is', { shrunkSince: monday - hour }, null],
    [
      'by a clock that was set since is not',
      { shrunkSince: monday - 2 * hour, lastClock: { at: monday - hour, serverAt: null, monotonicMs: null } },
      shrank,
    ],
  ] as const)('and has been so %s', async (_what, more, doubt) => {
    const { registry } = await looked(short(), remembered(more));
    expect(registry.doubt).toBe(doubt);
    expect(registry.events).toHaveLength(doubt === null ? 4 : 0);
  });

  test('is judged without those that an unsettled deletion of its own may have taken, each once', async () => {
    const change = (kind: Change['kind'], name: string) => ({ kind, keyId: id(name) }) as Change;
    const doubt = async (...attempted: readonly Change[]) => {
      const sight = await looked(account({}, keys.slice(0, 3)), remembered({ attempted }));
      return sight.registry.doubt;
    };
    expect(await doubt()).toBe('the list of keys shrank from 5 to 3 at once');
    expect(await doubt(change('delete', 'D'))).toBe('the list of keys shrank from 4 to 3 at once');
    expect(await doubt(change('delete', 'D'), change('delete', 'E'))).toBeNull();
    for (const other of [
      change('delete', 'D'),
      change('delete', 'A'),
      change('delete', 'never seen'),
      change('rename', 'E'),
    ])
      expect(await doubt(change('delete', 'D'), other)).toBe('the list of keys shrank from 4 to 3 at once');
  });
});

describe('a list that lacks what most keys had', () => {
  const before = register(
    new Map(),
    listingOf(keys.map((one) => ({ ...one, metadata: { critical: 'true' } }))),
    [],
    () => null,
  );
  const known = { records: before.records, listed: before.live };
  const lacks = 'the list lacks metadata of 5 of the 5 keys that had it';

  test.each([
    ['at once', {}, lacks],
    ['for less than a day', { shrunkSince: monday - day + 1 }, lacks],
    ['for a day', { shrunkSince: monday - day }, null],
  ] as const)('%s', async (_what, more, doubt) => {
    const { hold, registry } = await looked(account(), remembered({ ...known, ...more }));
    expect([hold, registry.doubt]).toEqual([doubt, doubt]);
    const kept = doubt === null ? {} : { critical: 'true' };
    expect(registry.live.map(({ facts }) => facts.metadata)).toEqual(keys.map(() => kept));
  });
});

test('a clock that cannot be trusted is what is told first', async () => {
  const sight = await looked(
    account({ usage: () => Promise.reject(new Error('the server failed')) }, []),
    remembered({ lastClock: { at: monday + minute, serverAt: null, monotonicMs: 0 } }),
  );
  expect(sight.hold).toBe('the local clock went back by 60 s');
  expect(codes(sight)).toEqual(['list', 'clock', 'usage']);
  expect(sight.troubles[1]).toMatchObject({ severity: 'critical' });
});

test('a clock that is set while the answers are under way is not trusted', async () => {
  const { reader, clock } = account();
  const set = { ...clock, now: () => (clock.now() === monday ? monday : clock.now() + hour) };
  expect((await looked({ reader, clock: set })).hold).toBe(
    'the local clock was set by 60 minutes during the look at the account',
  );
});

test.each([
  ['an hour', hour, minute, false],
  ['more than an hour', hour + 1, minute, true],
  ['three long intervals', 6 * hour, 2 * hour, false],
  ['more than three long intervals', 6 * hour + 1, 2 * hour, true],
])('keys may have come and gone unseen after a pause of %s: %#', async (_what, pause, intervalMs, away) => {
  const lastClock = { at: monday - pause, serverAt: null, monotonicMs: minute - pause };
  expect((await looked(account(), remembered({ lastClock }), intervalMs)).away).toBe(away);
});

test('before the first pass of all nobody was away', async () => {
  expect((await looked(account(), remembered({ lastClock: null }))).away).toBe(false);
});

describe('questions', () => {
  const [a, b] = [id('A'), id('B')];
  const motive = { why: 'it is near', excess: 1 };
  const ofKey = (of: Key['id'], window: '24h' | null = null): Question => {
    return { kind: 'key', id: of, window, ...motive };
  };
  const ofAll: Question = { kind: 'aggregate', window: '7d', ...motive };
  const asked = async (
    questions: readonly Question[],
    more: Partial<AdminReader> = {},
    first?: Sight,
    signal = going(),
  ) => {
    const { reader, clock } = account(more);
    return ask(reader, clock, first ?? (await looked({ reader, clock })), questions, signal);
  };

  test('are answered beside what was read before', async () => {
    const first = await asked([ofAll, ofKey(a)]);
    const { readings, doneAt, calls } = await asked([ofKey(a, '24h'), ofKey(b)], {}, first);
    expect([...readings.windows]).toEqual([['7d', usage]]);
    expect([...readings.own].map(([of, read]) => [of, [...read.keys()]])).toEqual([
      [a, ['lifetime', '24h']],
      [b, ['lifetime']],
    ]);
    expect(doneAt).toBe(monday + 2 * second);
    expect(readings.own.get(b)?.get('lifetime')).toMatchObject({ requests: 5, doneAt: monday + 2 * second });
    expect(calls.slice(2)).toEqual([
      { what: 'usage of all keys, last 7d', why: 'it is near' },
      { what: `usage of ${a}, all time`, why: 'it is near' },
      { what: `usage of ${a}, last 24h`, why: 'it is near' },
      { what: `usage of ${b}, all time`, why: 'it is near' },
    ]);
    // What was seen before stays as it was.
    expect([...(first.readings.own.get(a)?.keys() ?? [])]).toEqual(['lifetime']);
  });

  test('are put with the secret of the key, and for the window that was meant', async () => {
    const put: unknown[] = [];
    await asked([ofKey(b, '24h'), ofAll], {
      keyUsage: (secret, window) => (put.push(secret.reveal(), window), Promise.resolve(reading(5))),
      usage: (window) => (put.push(window), Promise.resolve(usage)),
    });
    expect(put).toEqual([null, 'B', '24h', '7d']);
  });

  test('that fail, or of a key that is not listed, are remembered as unanswered', async () => {
    const failing = { keyUsage: () => Promise.reject(new Error('the server failed')) };
    const { readings } = await asked([ofKey(a), ofAll], failing);
    expect([...readings.unanswered]).toEqual([`key ${a} lifetime`]);
    expect([readings.own.size, readings.windows.size]).toEqual([0, 1]);
    const other = await asked([ofKey(id('gone'))]);
    expect([...other.readings.unanswered]).toEqual([`key ${id('gone')} lifetime`]);
  });

  test('that fail because the program ends are not', async () => {
    const stopping = new AbortController();
    stopping.abort();
    const failing = { keyUsage: () => Promise.reject(new Error('aborted')) };
    await expect(asked([ofKey(a)], failing, undefined, stopping.signal)).rejects.toThrow('aborted');
  });

  test('are put four at a time', async () => {
    const under: (() => void)[] = [];
    let most = 0;
    let open = 0;
    const keyUsage = () =>
      new Promise<ReturnType<typeof reading>>((resolve) => {
        most = Math.max(most, ++open);
        under.push(() => {
          open -= 1;
          resolve(reading(5));
        });
        // Answered once nothing more is put meanwhile.
        setImmediate(() => under.shift()?.());
      });
    const { readings } = await asked([...keys.map(({ id: of }) => ofKey(of)), ofKey(a, '24h')], { keyUsage });
    expect(most).toBe(4);
    expect(readings.own.size).toBe(5);
  });
});
