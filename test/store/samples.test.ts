import { statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '../../src/core/key.ts';
import type { Mark, SampleRun } from '../../src/core/state.ts';
import { openForWriting } from '../../src/store/database.ts';
import { openSqlite, storeOver } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { dayMs, faultOf, hourMs, keyId, keyRecord, now, run, stateFile } from './fixtures.ts';

const minuteMs = 60_000;

/**
 * The runs of one key up to now: pauses and lengths of every magnitude, so that they fall into every tier,
 * mostly in round figures, so that they often end exactly where a tier or an hour does.
 */
function runsOf(key: SampleRun['key']): fc.Arbitrary<readonly SampleRun[]> {
  const times = (unit: number, max: number): fc.Arbitrary<number> =>
    fc.integer({ min: 0, max }).map((n) => n * unit);
  const span = fc.oneof(
    times(1, 2),
    times(10 * minuteMs, 6),
    times(hourMs, 12),
    times(dayMs, 3),
    times(100 * dayMs, 2),
    times(1, 40 * dayMs),
  );
  const piece = fc.tuple(fc.oneof(fc.constant(0), span), fc.oneof(fc.constant(0), span), fc.boolean());
  return fc.array(piece, { maxLength: 60 }).map((pieces) => {
    let next = now;
    return pieces.map(([length, pause, backwards], n) => {
      // Runs may touch, but never begin together; one that was seen once may end before it begins.
      const late = next - pause - (length === 0 || backwards ? 1 : 0);
      const early = late - length;
      next = early;
      const cost = pieces.length - n;
      return backwards ? run(key, late, early, cost) : run(key, early, late, cost);
    });
  });
}

const ledger = fc.tuple(runsOf('account'), runsOf(keyId(1)), runsOf(keyId(2))).map((runs) => runs.flat());
const lag = fc.constantFrom(0, 1, 2 * minuteMs, 10 * minuteMs, hourMs);

/** Somewhere in the last months, or within a millisecond of where some run begins or ends, lag or no lag. */
type Somewhere = (runs: readonly SampleRun[], lagMs: number) => EpochMs;
const somewhere: fc.Arbitrary<Somewhere> = fc.oneof(
  fc.integer({ min: now - 500 * dayMs, max: now + hourMs }).map((at) => () => at),
  fc
    .tuple(fc.nat(), fc.boolean(), fc.boolean(), fc.integer({ min: -1, max: 1 }))
    .map(([n, atEnd, lagging, offset]) => (runs: readonly SampleRun[], lagMs: number) => {
      const some = runs[n % runs.length] ?? run('account', now, now, 1);
      return (atEnd ? some.lastAt : some.firstAt) - (lagging ? lagMs : 0) + offset;
    }),
);
const instants = fc.array(somewhere, { maxLength: 6 });

const byTime = (runs: readonly SampleRun[]): SampleRun[] => runs.toSorted((a, b) => a.firstAt - b.firstAt);

const ofKey = (runs: readonly SampleRun[], key: string): SampleRun[] =>
  byTime(runs.filter((one) => one.key === key));

const keysIn = (runs: readonly SampleRun[]): Set<SampleRun['key']> => new Set(runs.map(({ key }) => key));

/** The two runs around an instant, found the slow way. */
function around(runs: readonly SampleRun[], at: EpochMs, lagMs: number): (SampleRun | undefined)[] {
  return [runs.findLast(({ firstAt }) => firstAt <= at), runs.find(({ lastAt }) => lastAt >= at + lagMs)];
}

function naiveMarks(runs: readonly SampleRun[], at: EpochMs, lagMs: number): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  for (const key of keysIn(runs)) {
    const [before, after] = around(ofKey(runs, key), at, lagMs);
    if (before ?? after) {
      marks.set(key, { before: before?.counters ?? null, after: after?.counters ?? null });
    }
  }
  return marks;
}

/** Nothing is thinned until an hour's worth of runs has passed the first two hours; then what began by this. */
const thinnedUntil = (all: readonly SampleRun[]): EpochMs =>
  all.some(({ firstAt }) => firstAt <= now - 3 * hourMs) ? now - 2 * hourMs : -Infinity;

/** What the ledger keeps of one key, as a set put together from what is asked for. */
function naivelyKept(
  runs: readonly SampleRun[],
  { until, boundaries, lagMs }: { until: EpochMs; boundaries: readonly EpochMs[]; lagMs: number },
): SampleRun[] {
  const [old, recent] = [
    runs.filter((one) => one.firstAt <= until),
    runs.filter((one) => one.firstAt > until),
  ];
  const age = ({ lastAt }: SampleRun): number => now - lastAt;
  const lastOfEach = (ms: number): Set<SampleRun> =>
    new Set(
      Map.groupBy(runs, ({ firstAt }) => Math.floor(firstAt / ms))
        .values()
        .map((some) => some.at(-1) as SampleRun),
    );
  const kept = new Set([
    ...recent,
    ...old.slice(-1),
    ...runs.filter((one) => age(one) < 2 * hourMs),
    ...runs.filter((one) => age(one) < 48 * hourMs && lastOfEach(hourMs).has(one)),
    ...runs.filter((one) => age(one) <= 400 * dayMs && lastOfEach(dayMs).has(one)),
    ...boundaries.flatMap((at) => around(runs, at, lagMs)),
  ]);
  return runs.filter((one) => kept.has(one));
}

function openInMemory(): { store: Store; rows: () => SampleRun[] } {
  const opened = openForWriting(':memory:');
  const rows = (): SampleRun[] =>
    opened.db
      .prepare(
        `SELECT k.key, created_at, first_at, held_ms, cost, tokens, requests
         FROM (
           SELECT key AS id, first_at, held_ms, cost, tokens, requests FROM samples
           UNION ALL SELECT key, first_at, held_ms, cost, tokens, requests FROM recent
         ) JOIN sample_keys k USING (id) ORDER BY k.key, first_at`,
      )
      .all()
      .map((row) => ({
        key: row.key as SampleRun['key'],
        createdAt: Number(row.created_at),
        firstAt: Number(row.first_at),
        lastAt: Number(row.first_at) + Number(row.held_ms),
        counters: {
          costMicroUsd: Number(row.cost),
          tokens: Number(row.tokens),
          requests: Number(row.requests),
        },
      }));
  return { store: storeOver(opened, { now: () => now }), rows };
}

describe('samples', () => {
  it('replace the run of the same key and beginning, and keep every digit', async () => {
    await using store = await openSqlite(':memory:');
    const counters = { costMicroUsd: Number.MAX_SAFE_INTEGER, tokens: 0, requests: 1 };
    await store.commit({ samples: [run('account', now, now, 1), run(keyId(1), now, now, 1)] });
    await store.commit({ samples: [{ ...run('account', now, now + 5, 1), counters }] });
    expect((await store.load(now)).samples).toEqual([
      { ...run('account', now, now + 5, 1), counters },
      run(keyId(1), now, now, 1),
    ]);
  });

  it('go to their own key also after a write that failed half-way', async () => {
    await using store = await openSqlite(':memory:');
    const broken = { ...run(keyId(2), now, now, 1), firstAt: 0.5 };
    await expect(store.commit({ samples: [run(keyId(1), now, now, 1), broken] })).rejects.toThrow();
    const written = [run(keyId(1), now, now, 1), run(keyId(2), now, now, 2)];
    for (const one of written.toReversed()) await store.commit({ samples: [one] });
    expect((await store.load(now)).samples).toEqual(written);
  });

  it('go to their own key also after that was forgotten and is back', async () => {
    await using store = await openSqlite(':memory:');
    const gone = keyRecord(1, { goneAt: now - 401 * dayMs });
    const old = { ...run(keyId(1), now - 500 * dayMs, now - 500 * dayMs, 9), createdAt: gone.createdAt };
    await store.commit({ keys: [gone], samples: [old] });
    await store.thin(now, [], 0);
    const back = { ...old, firstAt: now, lastAt: now };
    const other = run(keyId(2), now, now, 1);
    for (const one of [other, back]) await store.commit({ samples: [one] });
    expect((await store.load(now)).samples).toEqual([back, other]);
  });

  it('dated later than a clock that was set right are forgotten, moved or not, and new ones take their place', async () => {
    await fc.assert(
      fc.asyncProperty(
        ledger,
        fc.integer({ min: 0, max: 60 * dayMs }),
        fc.boolean(),
        async (runs, back, moved) => {
          await using store = await openSqlite(':memory:');
          const right = now - back;
          const next = ['account', keyId(1), keyId(2)].map((key) =>
            run(key as SampleRun['key'], right + 1, right + 2, 99),
          );
          await store.commit({ samples: runs });
          if (moved)
            await store.thin(
              now,
              runs.map(({ firstAt }) => firstAt),
              0,
            );
          await store.rewind(right);
          const { samples } = await store.load(right);
          for (const one of samples) {
            const was = runs.find(({ key, firstAt }) => key === one.key && firstAt === one.firstAt);
            expect(one).toEqual({
              ...was,
              lastAt: (was?.lastAt ?? 0) > right ? Math.min(one.firstAt, was?.lastAt ?? 0) : was?.lastAt,
            });
            expect(one.firstAt).toBeLessThanOrEqual(right);
          }
          await store.commit({ samples: next });
          expect((await store.load(right)).samples).toEqual(
            next.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are loaded as the newest run of each key, however they were written', async () => {
    await fc.assert(
      fc.asyncProperty(ledger, async (runs) => {
        await using store = await openSqlite(':memory:');
        await store.commit({ samples: runs });
        const newest = [...keysIn(runs)].sort().map((key) => ofKey(runs, key).at(-1));
        expect((await store.load(now)).samples).toEqual(newest);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the last runs', () => {
  it('are what a search through all runs finds', async () => {
    await fc.assert(
      fc.asyncProperty(ledger, instants, async (runs, places) => {
        await using store = await openSqlite(':memory:');
        await store.commit({ samples: runs });
        const at = places.map((place) => place(runs, 0));
        for (const key of ['account', keyId(1), keyId(3)] as const) {
          const found = at.map((one) => ofKey(runs, key).findLast(({ firstAt }) => firstAt <= one) ?? null);
          expect(await store.lastRuns(key, at)).toEqual(found);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('by the midnights of UTC are the same after others were thinned', async () => {
    const midnights = Array.from({ length: 31 }, (_, days) => (Math.floor(now / dayMs) - days) * dayMs);
    await fc.assert(
      fc.asyncProperty(ledger, async (runs) => {
        await using store = await openSqlite(':memory:');
        await store.commit({ samples: runs });
        // A run that begins at midnight is of the day that begins.
        const by = midnights.map((midnight) => midnight - 1);
        const before = await store.lastRuns(keyId(1), by);
        await store.thin(now, [], 0);
        const kept = before.map((one) => (one !== null && one.lastAt >= now - 400 * dayMs ? one : null));
        const after = await store.lastRuns(keyId(1), by);
        expect(after.map((one, index) => (kept[index] === null ? null : one))).toEqual(kept);
      }),
      { numRuns: 100 },
    );
  });

  it('are of the newest key under a fingerprint', async () => {
    await using store = await openSqlite(':memory:');
    const old = { ...run(keyId(1), now - hourMs, now, 9), createdAt: 1 };
    const fresh = { ...run(keyId(1), now - minuteMs, now, 2), createdAt: 2 };
    await store.commit({ samples: [old, fresh] });
    expect(await store.lastRuns(keyId(1), [now - 2 * minuteMs, now])).toEqual([null, fresh]);
  });
});

describe('marks', () => {
  it('are what a search through all runs finds', async () => {
    await fc.assert(
      fc.asyncProperty(ledger, instants, lag, async (runs, places, lagMs) => {
        await using store = await openSqlite(':memory:');
        await store.commit({ samples: runs });
        for (const at of places.map((place) => place(runs, lagMs))) {
          expect(await store.marks(at, lagMs)).toEqual(naiveMarks(runs, at, lagMs));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are the same when runs came late, or grew, after others were thinned', async () => {
    const cuts = fc.constantFrom(0, hourMs, 3 * hourMs, 4 * hourMs, 3 * dayMs).map((age) => now - age);
    await fc.assert(
      fc.asyncProperty(ledger, instants, lag, cuts, async (runs, places, lagMs, cut) => {
        await using store = await openSqlite(':memory:');
        const at = places.map((place) => place(runs, lagMs));
        const early = runs.filter(({ firstAt }) => firstAt <= cut);
        const growing = [...keysIn(early)].map((key) => ofKey(early, key).at(-1) as SampleRun);
        const small = growing.map((one) => ({ ...one, lastAt: Math.min(one.firstAt, one.lastAt) }));
        await store.commit({ samples: [...early, ...small] });
        await store.thin(Math.min(now, cut + 4 * hourMs), at, lagMs);
        await store.commit({ samples: [...runs.filter(({ firstAt }) => firstAt > cut), ...growing] });
        for (const one of at) expect(await store.marks(one, lagMs)).toEqual(naiveMarks(runs, one, lagMs));
        const newest = [...keysIn(runs)].sort().map((key) => ofKey(runs, key).at(-1));
        expect((await store.load(now)).samples).toEqual(newest);
      }),
      { numRuns: 200 },
    );
  });

  it('are of the newest key under a fingerprint', async () => {
    await using store = await openSqlite(':memory:');
    const old = { ...run(keyId(1), now - hourMs, now, 9), createdAt: 1 };
    const fresh = { ...run(keyId(1), now - minuteMs, now, 2), createdAt: 2 };
    await store.commit({ samples: [fresh, old] });
    expect(await store.marks(now - 2 * minuteMs, 0)).toEqual(
      new Map([[keyId(1), { before: null, after: fresh.counters }]]),
    );
    expect((await store.load(now)).samples).toEqual([old, fresh]);
  });
});

describe('the ledger', () => {
  it('of a year stays under 500 MB for 10,000 keys that are used all the time', async () => {
    const path = stateFile();
    const keys = 6;
    {
      await using store = await openSqlite(path);
      const use = (at: EpochMs, every: number, count: number): SampleRun[] =>
        [...Array(keys).keys()].flatMap((n) =>
          [...Array(count).keys()].map((i) =>
            run(keyId(n), at + i * every, at + i * every, (at - 1e12) / 100 + i),
          ),
        );
      for (let day = now - 365 * dayMs; day < now; day += dayMs) {
        await store.commit({ samples: use(day, hourMs, 24) });
        const weeks = [0, 1, 2, 3, 4].map((n) => day - n * 7 * dayMs);
        await store.thin(day + dayMs, [day, ...weeks], 2 * minuteMs);
      }
      // What comes within the two hours until a key has its turn, and the two hours that all is kept.
      await store.commit({ samples: use(now, minuteMs, 240) });
    }
    expect((statSync(path).size / keys) * 10_000).toBeLessThan(500e6);
  });
});

describe('thinning', () => {
  it('keeps exactly the runs of its tiers, the newest, and those on each side of a boundary', async () => {
    await fc.assert(
      fc.asyncProperty(ledger, instants, lag, async (runs, places, lagMs) => {
        const at = places.map((place) => place(runs, lagMs));
        const { store, rows } = openInMemory();
        await store.commit({ samples: runs });
        const went = await store.thin(now, at, lagMs);
        const rule = { until: thinnedUntil(runs), boundaries: at, lagMs };
        const kept = [...keysIn(runs)].sort().flatMap((key) => naivelyKept(ofKey(runs, key), rule));
        expect(rows()).toEqual(kept);
        expect(went).toBe(runs.length - kept.length);
        await store[Symbol.asyncDispose]();
      }),
      { numRuns: 400 },
    );
  });

  it('changes no mark at a boundary and no newest run, and a second time nothing', async () => {
    await fc.assert(
      fc.asyncProperty(ledger, instants, lag, async (runs, places, lagMs) => {
        const at = places.map((place) => place(runs, lagMs));
        await using store = await openSqlite(':memory:');
        await store.commit({ samples: runs });
        const look = async (): Promise<unknown> => ({
          marks: await Promise.all(at.map((one) => store.marks(one, lagMs))),
          newest: (await store.load(now)).samples,
        });
        const before = await look();
        await store.thin(now, at, lagMs);
        expect(await look()).toEqual(before);
        expect(await store.thin(now, at, lagMs)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('forgets a run 400 days after it was last seen, and not a millisecond before', async () => {
    const { store, rows } = openInMemory();
    const old = [-1, 0].map((offset) => run('account', now - 401 * dayMs, now - 400 * dayMs + offset, 1));
    for (const one of old) {
      await store.commit({ samples: [one, run('account', now - 5 * hourMs, now, 9)] });
      await store.thin(now, [], 0);
      expect(rows()).toHaveLength(one === old[0] ? 1 : 2);
    }
  });

  /** A thousand keys with one run each to drop. */
  const thousand = Array.from({ length: 1000 }, (_, n) => [
    run(keyId(n), now - 3 * hourMs, now - 3 * hourMs, 1),
    run(keyId(n), now - 3 * hourMs + 1, now - 3 * hourMs + 1, 2),
  ]).flat();

  it('takes the keys in turn, a bounded number a call, and goes on after a restart', async () => {
    const path = stateFile();
    {
      await using store = await openSqlite(path);
      await store.thin(now, [], 0);
      await store.commit({ samples: thousand });
    }
    const went: number[] = [];
    for (let minute = 1; minute <= 7; minute += 1) {
      await using store = await openSqlite(path);
      went.push(await store.thin(now + minute * minuteMs, [], 0));
    }
    expect(went).toEqual([150, 150, 150, 150, 150, 150, 100]);
    await using store = await openSqlite(path);
    expect(await store.thin(now + 8 * minuteMs, [], 0)).toBe(0);
  });

  it('is through with all keys within two hours, however seldom it is called', async () => {
    await using store = await openSqlite(':memory:');
    await store.thin(now, [], 0);
    await store.commit({ samples: thousand });
    expect(await store.thin(now + hourMs, [], 0)).toBe(600);
    expect(await store.thin(now + 2 * hourMs, [], 0)).toBe(400);
  });

  it('does not hurry when the clock has gone back', async () => {
    await using store = await openSqlite(':memory:');
    await store.thin(now + dayMs, [], 0);
    await store.commit({ samples: thousand });
    expect(await store.thin(now, [], 0)).toBe(150);
  });

  it('does nothing to an empty ledger', async () => {
    await using store = await openSqlite(':memory:');
    expect(await store.thin(now, [now], 0)).toBe(0);
    expect(await faultOf(store.thin(now, [], 0))).toBe('none');
  });
});
