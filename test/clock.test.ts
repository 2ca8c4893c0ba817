import { describe, expect, it } from 'vitest';
import { scaledClock, systemClock } from '../src/clock.ts';

describe('systemClock', () => {
  it('shows the machine’s time', () => {
    const before = Date.now();
    const now = systemClock().now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('sleeps, and stops at once with the signal’s own reason', async () => {
    await systemClock().sleep(1);
    const stop = new AbortController();
    const sleep = systemClock().sleep(3_600_000, stop.signal);
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(sleep).rejects.toBe(reason);
    await expect(systemClock().sleep(1, stop.signal)).rejects.toBe(reason);
  });

  it('does not wake at once from a sleep longer than a timer takes', async () => {
    const stop = new AbortController();
    let woken = false;
    const sleep = systemClock()
      .sleep(60 * 86_400_000, stop.signal)
      .then(() => (woken = true));
    // Node.js turns a delay beyond 2³¹−1 ms into one millisecond.
    await systemClock().sleep(10);
    expect(woken).toBe(false);
    stop.abort(new Error('stopped'));
    await expect(sleep).rejects.toThrow('stopped');
  });
});

describe('scaledClock', () => {
  it('starts where it is told and runs as fast as it is told', async () => {
    const realStart = Date.now();
    const clock = scaledClock({ realStart, start: 1_000_000, speed: 1_000 });
    await clock.sleep(20_000);
    const shown = clock.now() - 1_000_000;
    const real = Date.now() - realStart;
    expect(shown).toBeGreaterThanOrEqual(19_000);
    expect(shown).toBeLessThanOrEqual((real + 2) * 1_000);
  });

  it('shows the same in every process that has the same scale', () => {
    const scale = { realStart: Date.now() - 5_000, start: 0, speed: 10 };
    expect(Math.abs(scaledClock(scale).now() - scaledClock(scale).now())).toBeLessThan(1_000);
  });

  it('has no speed of nothing', () => {
    expect(() => scaledClock({ realStart: 0, start: 0, speed: 0 })).toThrow(RangeError);
  });
});
