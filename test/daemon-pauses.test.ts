/** The loop's own part: how long it waits after a pass, what it says of that, and whether it is still going round. */
import { expect, test } from 'vitest';
import type { App } from '../src/app.ts';
import { createDaemon } from '../src/daemon.ts';
import type { DaemonPorts } from '../src/daemon.ts';
import type { Court } from '../src/core/court.ts';
import type { Approach } from '../src/core/plan.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import type { Overshoot, Outlook } from '../src/core/schedule.ts';
import type { Finding } from '../src/core/state.ts';
import type { PassReport } from '../src/pass.ts';
import { file, hour, key, minute, monday, policy, story } from './core/story.ts';

const rolling = file(policy('spend: { cost: 1, per: 24h }', '{ at: 100%, alert: ops }'));
const hourly = file(policy('spend: { cost: 1, per: hour }', '{ at: 100%, alert: ops }'));
const deleting = file(
  policy('spend: { cost: 20, per: month }', '{ at: 100%, alert: [owner, ops], delete: { notice: 2m } }'),
);

interface Scene {
  readonly policy: PolicyFile;
  /** What the passes say of what is to come; an error: it failed. */
  readonly outlook?: Partial<Outlook> | Error;
  readonly findings?: App['memory']['findings'];
  /** A change whose outcome was not known by then. */
  readonly unsettled?: boolean;
  readonly acceptances?: Court['acceptances'];
  readonly callsFreeAt?: number;
}

/** Goes round so many times; nothing takes any time but the pauses. */
async function goRound(rounds: number, scene: Scene) {
  const { outlook = {}, findings = new Map<string, Finding>(), acceptances = new Map(), callsFreeAt } = scene;
  let now = monday;
  const pauses: number[] = [];
  const overshoots: Overshoot[] = [];
  const health: unknown[] = [];
  const stop = new AbortController();
  const quiet = { views: [], alerts: [], held: [] };
  const app = {
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: async (ms: number) => {
        pauses.push(ms);
        health.push(daemon.health());
        now += ms;
        if (pauses.length === rounds) stop.abort();
      },
    },
    policy: () => scene.policy,
    memory: {
      findings,
      changes: new Map([['one', { settledAt: scene.unsettled === true ? null : now }]]),
    },
    deliverer: { run: () => new Promise<void>(() => undefined), kick: () => undefined },
    callsLeft: () => 0,
    callsFreeAt: () => callsFreeAt ?? now,
    tidy: async () => undefined,
    tell: async () => undefined,
    pass: async () => {
      if (outlook instanceof Error) throw outlook;
      const report = {
        decision: quiet,
        outcomes: [],
        keys: 0,
        calls: [],
        hold: null,
        court: { acceptances },
      };
      return { at: now, approach: null, unasked: false, rowless: 0, ...report, ...outlook } as Partial<
        Record<keyof PassReport, unknown>
      > as PassReport;
    },
  } as Partial<Record<keyof App, unknown>> as App;
  const silent = () => undefined;
  const daemon = createDaemon({
    app,
    log: { info: silent, error: silent, debug: silent } as Partial<DaemonPorts['log']> as DaemonPorts['log'],
    pace: { intervalMs: 10 * minute, minIntervalMs: 5000, usageLagMs: 2 * minute, maxCallsPerMinute: 60 },
    readPolicy: () => Promise.reject(new Error('nobody reloads')),
    observer: { passed: silent, failed: silent, reloaded: silent, waits: (one) => overshoots.push(one) },
    monotonic: () => now,
    rest: silent,
  });
  const before = daemon.health();
  const running = daemon.run(stop.signal);
  await new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // The deliveries of this one never end by themselves.
  void running;
  const later = (ms: number): boolean => {
    now += ms;
    return daemon.health().alive;
  };
  return { pauses, overshoots, before, health, later };
}

test('the longest pause, where nothing is to come', async () => {
  const { pauses, overshoots } = await goRound(2, { policy: rolling });
  expect(pauses).toEqual([10 * minute, 10 * minute]);
  expect(overshoots[0]).toEqual({ expected: 0, worst: 0 });
});

test('half the way to the nearest threshold, and how far past it that may lead', async () => {
  const subject = { kind: 'group', group: 'account' } as const;
  const approach: Approach = { policy: 'p', subject, inMs: 4 * minute, sharePerMs: 0.01 / minute };
  const { pauses, overshoots } = await goRound(1, { policy: rolling, outlook: { approach } });
  expect(pauses).toEqual([2 * minute]);
  expect(overshoots[0]?.worst).toBeCloseTo(0.02, 12);
  expect(overshoots[0]?.expected).toBeCloseTo(0.01, 12);
});

test('until there are calls for it; what is due does not wait for them', async () => {
  const subject = { kind: 'group', group: 'account' } as const;
  const approach: Approach = { policy: 'p', subject, inMs: 1000, sharePerMs: 0.01 / minute };
  const callsFreeAt = monday + 0.75 * minute;
  const waiting = await goRound(1, { policy: rolling, outlook: { approach }, callsFreeAt });
  expect(waiting.pauses).toEqual([0.75 * minute]);
  const late = { policy: hourly, outlook: { approach }, callsFreeAt: monday + 55 * minute };
  const { pauses } = await goRound(1, late);
  // The hour's first usage is reported.
  expect(pauses).toEqual([2 * minute]);
});

test('a minute, where there was more to ask than there were calls', async () => {
  expect((await goRound(1, { policy: rolling, outlook: { unasked: true } })).pauses).toEqual([minute]);
});

test('a minute, where nobody knows what became of a change', async () => {
  expect((await goRound(1, { policy: rolling, unsettled: true })).pauses).toEqual([minute]);
});

test('as early as keys have to be read before a period ends', async () => {
  const { pauses } = await goRound(9, { policy: hourly, outlook: { rowless: 49 } });
  const instants = pauses.reduce<number[]>((times, ms) => [...times, (times.at(-1) ?? 0) + ms], []);
  // Monday, 10:00: read before 11:00 in time, once more a minute before it, and at it.
  expect(instants.map((ms) => ms / minute)).toEqual([2, 12, 22, 32, 42, 52, 56.25, 59, 60]);
});

test('until a notice has run, from its acceptance by a channel of its step', async () => {
  const one = story(deleting, key('A'));
  const decision = one.pass({ after: minute, usage: { A: 21 } });
  const { findings } = one;
  const unheard = await goRound(1, { policy: deleting, findings });
  expect(unheard.pauses).toEqual([2 * minute]);
  one.pass();
  one.accept(decision, ['ops']);
  const { acceptances } = one;
  expect((await goRound(1, { policy: deleting, findings, acceptances })).pauses).toEqual([3 * minute]);
  for (const [id, finding] of findings) findings.set(id, { ...finding, closedAt: monday });
  expect((await goRound(1, { policy: deleting, findings, acceptances })).pauses).toEqual([10 * minute]);
});

test('it is ready after a pass that succeeded, and alive for as long as it goes round', async () => {
  const fine = await goRound(2, { policy: rolling });
  expect(fine.before).toEqual({ alive: true, ready: false });
  expect(fine.health).toEqual(Array(2).fill({ alive: true, ready: true }));
  const failing = await goRound(3, { policy: rolling, outlook: new Error('the API is tired') });
  expect(failing.pauses).toEqual(Array(3).fill(10 * minute));
  expect(failing.health).toEqual(Array(3).fill({ alive: true, ready: false }));
  // The last turn began ten minutes ago; a pause and a pass may take twenty-one.
  expect([failing.later(10 * minute), failing.later(minute)]).toEqual([true, false]);
  expect((await goRound(1, { policy: rolling })).later(hour)).toBe(false);
});
