import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../src/sandbox/clock.ts';

describe('virtualClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = virtualClock(1_000);
    expect(clock.now()).toBe(1_000);
    await clock.advance(500);
    expect(clock.now()).toBe(1_500);
    await clock.advanceTo(1_200);
    expect(clock.now()).toBe(1_500);
  });

  it('wakes sleepers in order, each at its own instant, with those that they put to sleep', async () => {
    const clock = virtualClock(0);
    const woken: string[] = [];
    const note = (name: string) => woken.push(`${name}@${clock.now()}`);
    const twice = async () => {
      await clock.sleep(10);
      note('first');
      await clock.sleep(15);
      note('second');
    };
    const done = Promise.all([
      clock.sleep(20).then(() => note('b')),
      clock.sleep(20).then(() => note('c')),
      twice(),
    ]);
    await clock.advance(100);
    await done;
    expect(woken).toEqual(['first@10', 'b@20', 'c@20', 'second@25']);
    expect(clock.now()).toBe(100);
  });

  it('leaves those asleep whose time has not come', async () => {
    const clock = virtualClock(0);
    let woken = false;
    const sleep = clock.sleep(50).then(() => (woken = true));
    await clock.advance(49);
    expect([woken, clock.sleepers, clock.nextWakeAt]).toEqual([false, 1, 50]);
    await clock.advance(1);
    await sleep;
    expect([clock.sleepers, clock.nextWakeAt]).toEqual([0, null]);
  });

  it('lets a sleeper go with the reason of its signal', async () => {
    const clock = virtualClock(0);
    const stop = new AbortController();
    const sleep = clock.sleep(50, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    expect(clock.sleepers).toBe(0);
    await expect(clock.sleep(1, stop.signal)).rejects.toThrow('enough');
  });

  it('can be set forward and back without waking anybody earlier or later', async () => {
    const clock = virtualClock(1_000_000);
    let wokenAt = 0;
    const sleep = clock.sleep(100).then(() => (wokenAt = clock.now()));
    clock.step(-500_000);
    expect(clock.now()).toBe(500_000);
    await clock.advance(99);
    expect(wokenAt).toBe(0);
    await clock.advance(1);
    await sleep;
    expect(wokenAt).toBe(500_100);
  });

  it('tells when somebody sleeps', async () => {
    const clock = virtualClock(0);
    const two = clock.asleep(2);
    const sleeps = [clock.sleep(1), clock.sleep(2)];
    await two;
    expect(clock.sleepers).toBe(2);
    await clock.advance(2);
    await Promise.all(sleeps);
  });
});
