import { describe, expect, test } from 'vitest';
import { postClock } from '../src/post-clock.ts';

const start = Date.UTC(2026, 10, 23, 10);
const day = 86_400_000;

function machine() {
  let [passed, setBy] = [0, 0];
  return {
    clock: {
      now: () => start + passed + setBy,
      monotonic: () => 5000.25 + passed,
      sleep: () => Promise.resolve(),
    },
    wait: (ms: number) => void (passed += ms),
    set: (ms: number) => void (setBy += ms),
  };
}

test('is the machine’s, where no pass has been', () => {
  const { clock, wait } = machine();
  const post = postClock(clock, { meta: new Map(), lookedAt: null });
  wait(1000);
  expect([post.now(), post.monotonic()]).toEqual([start + 1000, 6000.25]);
  wait(0.3);
  expect(post.now()).toBe(start + 1000);
});

test.each([40 * day, -5 * day])('goes on however the machine’s is set, by %d say', (by) => {
  const { clock, wait, set } = machine();
  const lookedAt = { at: start, monotonicMs: clock.monotonic() };
  const post = postClock(clock, { meta: new Map(), lookedAt });
  wait(1000);
  set(by);
  wait(1000);
  expect(post.now()).toBe(start + 2000);
});

test('begins where the last process had it, until a look of this one knows better', () => {
  const { clock, wait } = machine();
  const meta = new Map([['lastPassAt', String(start - day)]]);
  const memory: Parameters<typeof postClock>[1] = { meta, lookedAt: null };
  const post = postClock(clock, memory);
  wait(1000);
  expect(post.now()).toBe(start - day + 1000);
  memory.lookedAt = { at: clock.now(), monotonicMs: clock.monotonic() };
  wait(1000);
  expect(post.now()).toBe(start + 2000);
});

test('begins no earlier than what was posted before, where the clock was in doubt then', () => {
  const { clock } = machine();
  const meta = new Map([
    ['lastPassAt', String(start - 9 * day)],
    ['postedAt', String(start - 2 * day)],
    ['clockDoubtedSince', String(start - 8 * day)],
  ]);
  const post = postClock(clock, { meta, lookedAt: null });
  expect(post.now()).toBe(start - 2 * day);
  // Nor does it run away with what it posts itself.
  meta.set('postedAt', String(start - day));
  expect(post.now()).toBe(start - 2 * day);
});

test('begins no earlier than what was posted before, unless the machine’s is earlier', () => {
  const { clock } = machine();
  const begunAt = (postedAt: number): number => {
    const meta = new Map([
      ['lastPassAt', String(start - 9 * day)],
      ['postedAt', String(postedAt)],
    ]);
    return postClock(clock, { meta, lookedAt: null }).now();
  };
  expect([start - day, start, start + 1].map(begunAt)).toEqual([start - day, start, start - 9 * day]);
});

describe('the time of day, until a look of this process trusted the clock,', () => {
  const lastPassAt = String(start - day);

  test('is that of the machine', () => {
    const { clock, wait } = machine();
    const memory: Parameters<typeof postClock>[1] = {
      meta: new Map([['lastPassAt', lastPassAt]]),
      lookedAt: null,
    };
    const post = postClock(clock, memory);
    wait(1000);
    expect([post.now(), post.timeOfDay()]).toEqual([start - day + 1000, start + 1000]);
    memory.lookedAt = { at: start - 1000, monotonicMs: clock.monotonic() };
    expect([post.now(), post.timeOfDay()]).toEqual([start - 1000, start - 1000]);
  });

  test('is no earlier than what is known', () => {
    const { clock } = machine();
    const meta = new Map([['lastPassAt', String(start + day)]]);
    expect(postClock(clock, { meta, lookedAt: null }).timeOfDay()).toBe(start + day);
  });

  test('is not that of a machine whose clock was in doubt', () => {
    const { clock } = machine();
    const meta = new Map([
      ['lastPassAt', lastPassAt],
      ['clockDoubtedSince', lastPassAt],
    ]);
    const post = postClock(clock, { meta, lookedAt: null });
    expect(post.timeOfDay()).toBe(start - day);
    // It was, when the process began.
    meta.set('clockDoubtedSince', '');
    expect(post.timeOfDay()).toBe(start - day);
  });
});
