/** The loop's own part: reloads, one after another. */
import { expect, test } from 'vitest';
import type { App } from '../src/app.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { createDaemon } from '../src/daemon.ts';
import type { DaemonPorts } from '../src/daemon.ts';
import { file, policy } from './core/story.ts';

type Read = Awaited<ReturnType<DaemonPorts['readPolicy']>>;

const versions = [20, 30, 40].map((limit) =>
  file(policy(`spend: { cost: ${String(limit)}, per: month }`, '{ at: 100%, alert: ops }')),
);
const [first, second, third] = versions as [PolicyFile, PolicyFile, PolicyFile];

function rig() {
  const took: PolicyFile[] = [];
  const reads: ((read: Read) => void)[] = [];
  const app = {
    policy: () => took.at(-1) ?? first,
    setPolicy: (next: PolicyFile) => void took.push(next),
  } as Partial<App> as App;
  const daemon = createDaemon({
    app,
    log: { info: () => undefined, error: () => undefined } as Partial<
      DaemonPorts['log']
    > as DaemonPorts['log'],
    pace: { intervalMs: 60_000, minIntervalMs: 5000, usageLagMs: 0, maxCallsPerMinute: 60 },
    readPolicy: () => new Promise((resolve) => void reads.push(resolve)),
    observer: {
      passed: () => undefined,
      failed: () => undefined,
      reloaded: () => undefined,
      waits: () => undefined,
    },
    monotonic: () => 0,
    rest: () => undefined,
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { daemon, took, reads, settled };
}

test('of two reloads at once the later reads the file after the earlier has', async () => {
  const { daemon, took, reads, settled } = rig();
  const [one, other] = [daemon.reload(), daemon.reload()];
  await settled();
  expect(reads).toHaveLength(1);
  reads[0]?.({ ok: true, policy: second });
  expect(await one).toEqual({ ok: true });
  await settled();
  reads[1]?.({ ok: true, policy: third });
  expect(await other).toEqual({ ok: true });
  expect(took).toEqual([second, third]);
});

test('a reload after one that found faults is not kept from reading', async () => {
  const { daemon, took, reads, settled } = rig();
  const [bad, good] = [daemon.reload(), daemon.reload()];
  await settled();
  reads[0]?.({ ok: false, message: 'a fault' });
  expect(await bad).toMatchObject({ ok: false, message: 'a fault' });
  await settled();
  reads[1]?.({ ok: true, policy: second });
  expect(await good).toEqual({ ok: true });
  expect(took).toEqual([second]);
});
