/** Keys that hurry towards their thresholds all at once, and the calls that a minute may have. */
import { expect, test } from 'vitest';
import { keyId, meterOf, noWriter, readerOf, unhindered, virtualClock } from '../bench/traffic.ts';
import { createCallMeter } from '../src/call-meter.ts';
import { callsAPass, nextPassAt } from '../src/core/schedule.ts';
import { recall } from '../src/memory.ts';
import { pass } from '../src/pass.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { file, hour, minute, monday, policyOf } from './core/story.ts';

const steps = ['{ at: 80%, alert: ops }', '{ at: 100%, alert: ops }'];
const policies = file(
  [
    policyOf('monthly', 'spend: { cost: 20, per: month }', ...steps),
    policyOf('daily', 'spend: { cost: 3, per: 24h }', ...steps),
  ].join('\n'),
);

function busyKey(n: number) {
  const uses = [];
  for (let at = monday - hour; at < monday + hour; at += 2000 + n * 37)
    uses.push({ at, costMicroUsd: 8000 + n * 40, tokens: 10, requests: 1 });
  const facts = { metadata: {}, expiresAt: null, maxTokens: null, chat: false, isAdmin: false };
  const key = {
    ...facts,
    id: keyId(n),
    createdAt: monday - 40 * 24 * hour,
    name: `k${String(n)}`,
    lastUsedAt: null,
  };
  return { meter: meterOf(uses), key };
}

test.each([60, 20])('are never more than %i', async (maxCallsPerMinute) => {
  const keys = Array.from({ length: 100 }, (_, n) => busyKey(n));
  const clock = virtualClock(monday);
  const calls: number[] = [];
  const meter = createCallMeter(clock);
  const pace = { intervalMs: minute, minIntervalMs: 5000, usageLagMs: 0, maxCallsPerMinute };
  await using store = await openSqlite(':memory:');
  const memory = await recall(store, monday);
  const reader = readerOf(keys, clock, 150, () => {
    meter.count();
    calls.push(clock.now());
  });
  const ports = {
    ...{ reader, writer: noWriter, clock, store, pace, mode: null, ...unhindered },
    callBudget: () => meter.left(maxCallsPerMinute - callsAPass),
    route: () => ({ items: [], undeliverable: [] }),
  };
  let passes = 0;
  while (clock.now() < monday + 15 * minute) {
    const report = await pass(ports, memory, policies, [], new AbortController().signal);
    const left = { ...report, callsFreeAt: meter.freeAt(2 * callsAPass, maxCallsPerMinute) };
    clock.advanceTo(nextPassAt(clock.now(), policies, [], pace, left));
    passes += 1;
  }
  const inMinuteFrom = (start: number): number =>
    calls.filter((at) => at >= start && at < start + minute).length;
  const most = Math.max(...calls.map(inMinuteFrom));
  expect(most).toBeLessThanOrEqual(maxCallsPerMinute);
  // It is not that nobody hurries.
  expect(most).toBeGreaterThan(maxCallsPerMinute * 0.8);
  expect(passes).toBeGreaterThan(20);
});
