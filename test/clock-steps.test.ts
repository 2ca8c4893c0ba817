/** What a clock does that is set, ahead or back, and what comes of it: nothing, but that it is told. */
import { describe, expect, test } from 'vitest';
import { day, file, generous, hour, minute, policy } from './core/story.ts';
import { old, watched } from './watched.ts';
import type { Watched } from './watched.ts';

const month = 'spend: { cost: 20, per: month }';
const lifetime = 'spend: { cost: 20, per: lifetime }';
const renaming = file(policy(month, '{ at: 100%, alert: ops, rename: "OVER {{ name }}" }'), generous);
const deleting = (notice: string, top = generous) =>
  file(policy(lifetime, `{ at: 100%, alert: ops, delete: { notice: ${notice} } }`), top);
const december = Date.parse('2026-12-01T00:00:00Z');
const [a, b] = [old('A'), old('B')];

/** Everything the state holds of the account and of what was decided. */
async function stateOf(one: Watched) {
  const { keys, findings, changes, samples, meta } = await one.store.load(one.now());
  const { elapsedMs, lastPassAt, notices } = meta;
  return { keys, findings, changes, samples, elapsedMs, lastPassAt, notices };
}

async function overLimit(notice: string, date: boolean): Promise<Watched> {
  const one = await watched(deleting(notice), a);
  one.date = date;
  await one.pass();
  one.spend(a, 25);
  await one.pass();
  expect(one.kinds().at(-1)).toBe('notice');
  return one;
}

describe('a pass whose clock is doubted', () => {
  test.each([-3 * day, 40 * day])('by %i ms leaves nothing but its trouble', async (skewMs) => {
    await using one = await watched(renaming, a, b, ...['C', 'D', 'E'].map((name) => old(name)));
    one.spend(a, 25);
    await one.passes(4);
    const before = await stateOf(one);
    const said = one.told.length;
    one.skewMs = skewMs;
    one.spend(b, 25);
    one.account.delete(a.id);
    const report = await one.pass();
    await one.pass();
    expect(report.hold).toMatch(/^the local clock/);
    expect(report.decision).toMatchObject({ alerts: [], findings: [], changes: [] });
    expect(await stateOf(one)).toEqual(before);
    expect(one.kinds().slice(said)).toEqual(['The clock cannot be trusted']);
    one.skewMs = 0;
    await one.passes(3);
    expect(one.kinds().slice(said)).toEqual([
      'The clock cannot be trusted',
      'step',
      'resolved',
      'Over: The clock cannot be trusted',
    ]);
  });

  test.each([true, false])('makes no level of the month that it took for the present one', async (anew) => {
    await using one = await watched(renaming, a);
    one.skewMs = 40 * day;
    await one.pass();
    one.skewMs = 0;
    await one.passes(3);
    one.wait(2 * day);
    one.spend(a, 15);
    one.wait(december + day - one.now());
    one.spend(a, 6);
    if (anew) await one.restart();
    await one.passes(5);
    expect([one.log, one.kinds().filter((kind) => kind === 'step')]).toEqual([[], []]);
  });

  test.each([-hour, 40 * day])(
    'by %i ms sees a person’s hand on a key all the same, though the name was given back before it was over',
    async (skewMs) => {
      await using one = await overLimit('3h', true);
      await one.deliver();
      await one.pass();
      one.skewMs = skewMs;
      one.change(a, { name: 'Mine' });
      await one.pass();
      one.change(a, { name: 'A' });
      await one.pass();
      one.skewMs = 0;
      await one.pass();
      one.wait(3 * hour);
      await one.passes(3);
      expect(one.log).toEqual([]);
      expect(one.kinds().filter((kind) => kind === 'vetoed')).toHaveLength(1);
      const renamed = (await one.store.recorded({ limit: 100 })).filter(({ kind }) => kind === 'key-renamed');
      expect(renamed.map(({ at, facts }) => [at < one.now(), facts['from'], facts['to']])).toEqual([
        [true, 'A', 'Mine'],
        [true, 'Mine', 'A'],
      ]);
    },
  );

  test('closes no finding, so that nothing is said twice', async () => {
    await using one = await watched(renaming, a);
    one.spend(a, 25);
    await one.passes(4);
    one.skewMs = 40 * day;
    await one.pass();
    one.skewMs = 0;
    await one.passes(4);
    expect(one.kinds()).toEqual(['step', 'The clock cannot be trusted', 'Over: The clock cannot be trusted']);
  });
});

describe('limits hold', () => {
  const scarce = 'protect: []\nlimits: { delete: { per_run: 1, per_day: 1, percent: 100 } }';
  const keys = Array.from({ length: 10 }, (_, index) => old(`K${String(index)}`));

  async function deleted(of: (typeof keys)[number], one: Watched, minutes: number): Promise<void> {
    one.spend(of, 25);
    for (let nth = 0; nth < minutes; nth += 1) {
      await one.pass();
      await one.deliver();
    }
  }

  test.each(['in a pass', 'at a start', 'for hours, and the API says no time'])(
    'though the clock is ahead %s',
    async (when) => {
      const [first, second] = keys as [(typeof keys)[0], (typeof keys)[0]];
      await using one = await watched(deleting('0s', scarce), ...keys);
      await deleted(first, one, 3);
      expect(one.log).toEqual(['delete K0']);
      one.skewMs = 3 * day;
      if (when === 'at a start') await one.restart();
      else if (when === 'in a pass') await one.pass();
      else one.date = false;
      if (one.date) one.skewMs = 0;
      await deleted(second, one, 5 * 60);
      expect(one.log).toEqual(['delete K0']);
      one.wait(19 * hour);
      await deleted(second, one, 2);
      expect(one.log).toEqual(['delete K0', 'delete K1']);
    },
  );
});

describe('a notice is as long as it says', () => {
  /** How long after its acceptance the key was deleted, looking every minute. */
  async function ran(one: Watched, acceptedAt: number, most: number): Promise<number> {
    for (let nth = 0; nth < most && one.log.length === 0; nth += 1) await one.pass();
    expect(one.log).toEqual(['delete A']);
    return one.now() - acceptedAt;
  }

  test('with every clock right, and a minute more for the pass that learns of its acceptance', async () => {
    await using one = await overLimit('3h', true);
    await one.deliver();
    expect(await ran(one, one.now(), 200)).toBe(3 * hour + minute);
  });

  test.each([5 * minute, day])(
    'when the clock steps forward by %i ms, and the API says no time',
    async (step) => {
      await using one = await overLimit('3h', false);
      await one.deliver();
      const acceptedAt = one.now();
      one.skewMs = step;
      expect(await ran(one, acceptedAt, 300)).toBeGreaterThanOrEqual(3 * hour);
    },
  );

  test('when the clock was back as it was accepted, and no pass had come through for long', async () => {
    await using one = await overLimit('3h', true);
    one.wait(23 * hour);
    one.skewMs = -22 * hour;
    expect(await one.deliver()).toBeGreaterThan(0);
    const acceptedAt = one.now();
    one.skewMs = 0;
    expect(await ran(one, acceptedAt, 300)).toBe(3 * hour + minute);
  });

  test('across a restart, by the API’s clock', async () => {
    await using one = await overLimit('3h', true);
    await one.deliver();
    await one.pass();
    const acceptedAt = one.now();
    one.wait(2 * hour);
    await one.restart();
    expect(await ran(one, acceptedAt, 300)).toBe(3 * hour);
  });

  test('across a restart with the clock ahead, where the API says no time', async () => {
    await using one = await overLimit('3h', false);
    await one.deliver();
    await one.pass();
    const acceptedAt = one.now();
    one.skewMs = 9 * day;
    await one.restart();
    expect(await ran(one, acceptedAt, 300)).toBeGreaterThanOrEqual(3 * hour);
  });
});

describe('a clock that was ahead from the first pass on, and is set right', () => {
  test.each([true, false])('is believed again (Date %s), and its false future is forgotten', async (date) => {
    await using one = await watched(renaming, a);
    // From here on as if it had never been right.
    one.date = false;
    one.skewMs = 40 * day;
    await one.restart();
    await one.passes(3);
    expect((await one.store.load(one.now())).meta['lastPassAt']).toBe(String(one.now() + 40 * day));
    one.skewMs = 0;
    one.date = date;
    await one.passes(date ? 1 : 62);
    const { meta, samples } = await one.store.load(one.now());
    expect(meta['lastPassAt']).toBe(String(one.now()));
    expect(samples.filter(({ firstAt, lastAt }) => Math.max(firstAt, lastAt) > one.now())).toEqual([]);
    one.wait(2 * day);
    one.spend(a, 15);
    one.wait(december + day - one.now());
    one.spend(a, 6);
    one.date = true;
    await one.restart();
    await one.passes(5);
    expect(one.log).toEqual([]);
  });
});

test('what the first pass of a new process tells in quiet hours waits for their end', async () => {
  const quiet = `${generous}
channels:
  ops: { slack: { webhook_url: "\${OPS}" }, quiet: { hours: "14:00-20:00" } }`;
  await using one = await watched(file(policy(month, '{ at: 100%, alert: ops }'), quiet), a);
  one.spend(a, 25);
  // Past two in the afternoon; by the last pass of the process before it is still morning.
  one.wait(5 * hour);
  await one.restart();
  await one.pass();
  expect(one.kinds()).toEqual(['step']);
  expect(await one.deliver()).toBe(0);
  await one.pass(6 * hour);
  expect(await one.deliver()).toBe(1);
});

test('runs from time to time, to which the API says no time, repeat alerts and try again to send them', async () => {
  const rule = policy(lifetime, '{ at: 100%, alert: ops, repeat: 1h }');
  await using one = await watched(file(rule), a);
  one.date = false;
  one.spend(a, 25);
  await one.pass();
  const [first] = await one.store.outbox.pending(one.now());
  const nextAttemptAt = one.now() + 15 * minute;
  const failure = { nextAttemptAt, error: 'no route' };
  await one.store.outbox.failed([first?.id ?? ''], failure);
  const waiting: number[] = [];
  for (let nth = 0; nth < 7; nth += 1) {
    await one.restart();
    await one.pass(10 * minute);
    waiting.push((await one.store.outbox.pending(one.now())).length);
  }
  expect(waiting).toEqual([0, 1, 1, 1, 1, 2, 2]);
  expect(one.kinds()).toEqual(['step', 'step']);
});
