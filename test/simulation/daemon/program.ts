/** The program on one machine: started, stopped or killed, and started again. */
// Loaded by the program when it is first needed, which takes a while that is none of the simulation's.
import '../../../src/alerts/compose/chart.ts';
import { longestSleepMs } from '../../../src/alerts/deliver.ts';
import { openApp } from '../../../src/app.ts';
import type { App } from '../../../src/app.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createDaemon } from '../../../src/daemon.ts';
import type { Daemon, DaemonPorts } from '../../../src/daemon.ts';
import { createLogger } from '../../../src/log.ts';
import type { PassReport } from '../../../src/pass.ts';
import { formatFaults, loadPolicy } from '../../../src/policy/load.ts';
import type { PolicyFile } from '../../../src/core/policy.ts';
import type { SteadyClock } from '../../../src/ports.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { storeOver } from '../../../src/store/sqlite.ts';
import type { Chronicle } from './chronicle.ts';
import { onDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { createLife } from './life.ts';
import type { Life, Perils } from './life.ts';
import type { Network } from './network.ts';
import type { Plan } from './plan.ts';
import type { FileShape } from './policies.ts';
import type { Receivers } from './receivers.ts';
import type { Scheduler } from './scheduler.ts';
import { adminKey, environment, settingsOf } from './setting.ts';
import type { StateFile } from './state-file.ts';
import { hourMs, minuteMs } from './units.ts';
import { yamlOf } from './yaml.ts';

/** What programs find on their machines, and who looks at them. */
export interface Surroundings {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly chronicle: Chronicle;
  readonly network: Network;
  readonly receivers: Receivers;
  readonly state: StateFile;
  readonly disk: Disk;
  readonly perils: Perils;
  readonly log: string[];
  readonly files: readonly FileShape[];
  /** Milliseconds since the epoch, as the machine's clock has it. */
  readonly wallClock: () => number;
  /** Counts the lives of all programs. */
  readonly nextRun: () => number;
  readonly passOver: (report: PassReport | null, run: number) => void;
}

export interface Program {
  start(): void;
  /** Its policy file was written. */
  reload(): void;
  /** As a supervisor does: it is told to stop, and started again later. */
  stop(downMs: number): void;
  /** As `stop`, for good. */
  retire(): void;
  /** Nothing that it does from now on has an effect. */
  kill(): void;
  readonly runs: boolean;
}

/** How often one that stands by tries again. */
const standByMs = 8 * hourMs;

interface Current {
  readonly life: Life;
  readonly stop: AbortController;
  daemon: Daemon | null;
}

/** `program`: its number. */
export function createProgram(around: Surroundings, program: number): Program {
  const { plan, scheduler, chronicle, state } = around;
  let current: Current | null = null;
  let downUntil = 0;
  let retired = false;

  function start(): void {
    if (retired) return;
    const life = createLife(around.nextRun(), around.perils, (which, downMs) => {
      end(life, 'crash', which, downMs);
    });
    const mine: Current = { life, stop: new AbortController(), daemon: null };
    current = mine;
    chronicle.note({ kind: 'started', run: life.run, program });
    run(mine).then(
      (how) => over(mine, how.text, how.downMs),
      (error: unknown) => {
        around.log.push(`ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        over(mine, 'failed');
      },
    );
  }

  async function run(mine: Current): Promise<{ text: string; downMs?: number }> {
    const { life, stop } = mine;
    const clock = clockOf(life, around);
    const read = await readPolicy(life, clock, around);
    // As the command does: without a valid file it does not start.
    if (!read.ok) return { text: 'invalid policy file', downMs: 10 * minuteMs };
    const settings = settingsOf(plan);
    // What is loaded for the first time takes a while, which is none of the simulation's.
    const logger = await scheduler.during(
      createLogger(settings, { write: (text) => void around.log.push(text), colour: false }),
    );
    const app = await openFor(life, clock, read.policy, around).catch(inUse);
    if (app === null) return { text: 'in use', downMs: standByMs };
    mine.daemon = createDaemon({
      app,
      log: logger,
      pace: settings,
      readPolicy: () => readPolicy(life, clock, around),
      observer: {
        passed: (report) => passed(life, report),
        failed: () => passed(life, null),
        reloaded: () => undefined,
        waits: () => undefined,
      },
      monotonic: () => clock.monotonic(),
      rest: () => undefined,
    });
    try {
      await mine.daemon.run(stop.signal);
    } finally {
      await app[Symbol.asyncDispose]();
    }
    return { text: 'ended' };
  }

  function passed({ run: n }: Life, report: PassReport | null): void {
    chronicle.note({ kind: 'pass', run: n, ok: report !== null });
    around.passOver(report, n);
  }

  function over({ life, stop }: Current, how: string, downMs = minuteMs): void {
    if (!life.alive) return;
    end(life, stop.signal.aborted ? 'stop' : 'exit', how, Math.max(downMs, downUntil - scheduler.now()));
  }

  function end(life: Life, how: 'crash' | 'stop' | 'exit', where: string, downMs: number): void {
    life.alive = false;
    state.release(life);
    chronicle.note({ kind: 'ended', run: life.run, how, where });
    if (current?.life === life) current = null;
    around.passOver(null, life.run);
    scheduler.after(downMs, start);
  }

  return {
    start,
    reload: () => void current?.daemon?.reload(),
    stop: (downMs) => {
      downUntil = scheduler.now() + downMs;
      current?.stop.abort(new Error('SIGTERM'));
    },
    retire: () => {
      retired = true;
      current?.stop.abort(new Error('SIGTERM'));
    },
    kill: () => {
      if (current !== null) current.life.alive = false;
    },
    get runs() {
      return current !== null;
    },
  };
}

function clockOf(life: Life, { scheduler, wallClock }: Surroundings): SteadyClock {
  const bornAt = scheduler.now();
  return {
    now: wallClock,
    monotonic: () => scheduler.now() - bornAt,
    sleep: async (ms, signal) => {
      await life.point('asleep');
      await scheduler.sleep(Math.ceil(ms), signal, life);
    },
  };
}

async function readPolicy(
  life: Life,
  clock: SteadyClock,
  { chronicle, files }: Surroundings,
): ReturnType<DaemonPorts['readPolicy']> {
  await life.point('before read of file');
  const version = files.length - 1;
  const loaded = loadPolicy(yamlOf(files[version] as FileShape), 'policies.yaml', environment, clock.now());
  chronicle.note({ kind: 'file read', run: life.run, version, ok: loaded.ok });
  return loaded.ok
    ? { ok: true, policy: loaded.policy }
    : { ok: false, message: formatFaults(loaded.faults) };
}

async function openFor(
  life: Life,
  clock: SteadyClock,
  policy: PolicyFile,
  around: Surroundings,
): Promise<App> {
  const { plan, scheduler, chronicle, network, receivers, disk, state } = around;
  const opening = openApp({
    settings: settingsOf(plan),
    adminKey: new Secret(adminKey),
    policy,
    clock,
    machine: {
      network: {
        fetch: network.fetchFor(life),
        retries: { random: chance(plan, `run ${String(life.run)}`) },
      },
      receivers: {
        send: receivers.sendFor(life),
        sleep: async (ms, signal) => {
          await life.point('asleep');
          await (ms === longestSleepMs ? scheduler.linger : scheduler.sleep)(Math.ceil(ms), signal, life);
        },
        receiverSleep: (ms, signal) => scheduler.sleep(ms, signal, life),
        jitter: chance(plan, `jitter ${String(life.run)}`),
      },
      openState: async () => {
        const store = storeOver(state.open(life), clock);
        chronicle.note({ kind: 'opened', run: life.run });
        return onDisk(store, disk, life, { scheduler, chronicle });
      },
    },
  });
  // Killed while it opens, it never has.
  await scheduler.during(Promise.race([opening, life.death]));
  return opening;
}

/** As the command does: where another one has the state, it ends. */
function inUse(error: unknown): null {
  if (error instanceof StoreError && error.kind === 'in-use') return null;
  throw error;
}

function chance({ seed }: Plan, what: string): () => number {
  const random = createRandom(`${String(seed)}/${what}`);
  return () => random.next();
}
