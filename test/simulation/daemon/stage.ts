/** The world of one simulation, and the program in it: started, killed and started again as the plan says. */
import type { DatabaseSync } from 'node:sqlite';
import { openApp } from '../../../src/app.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createDaemon } from '../../../src/daemon.ts';
import type { PassReport } from '../../../src/pass.ts';
import { createLogger } from '../../../src/log.ts';
import { formatFaults, loadPolicy } from '../../../src/policy/load.ts';
import type { SteadyClock } from '../../../src/ports.ts';
import { createAdminApi } from '../../../src/sandbox/api.ts';
import type { WorldKey } from '../../../src/sandbox/account-key.ts';
import { createFaults } from '../../../src/sandbox/faults.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import { createVariants } from '../../../src/sandbox/variants.ts';
import { createWorld } from '../../../src/sandbox/world.ts';
import type { World } from '../../../src/sandbox/world.ts';
import { storeOver } from '../../../src/store/sqlite.ts';
import { createChronicle } from './chronicle.ts';
import type { Chronicle } from './chronicle.ts';
import { onDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { createLife } from './life.ts';
import type { Life, Peril } from './life.ts';
import { createNetwork } from './network.ts';
import type { NetworkWindow } from './network.ts';
import type { Act, Ambush, Plan, ReceiverTrouble } from './plan.ts';
import { yamlOf } from './policies.ts';
import type { FileShape } from './policies.ts';
import { createReceivers } from './receivers.ts';
import { createScheduler } from './scheduler.ts';
import { adminKey, environment, epoch, settingsOf, specOf } from './setting.ts';
import { freshDatabase, hasIntent, lackingIn, noticedKeys } from './eyes.ts';
import { virtualTime } from './virtual-time.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';

/** What is left when the time is over. */
export interface Stage {
  readonly plan: Plan;
  readonly world: World;
  readonly keys: readonly WorldKey[];
  readonly chronicle: Chronicle;
  readonly files: readonly FileShape[];
  /** What the program printed. */
  readonly log: readonly string[];
  readonly sent: readonly { readonly channel: string; readonly text: string }[];
  readonly db: DatabaseSync;
  /** For the table of what happened; no witness looks at it. */
  readonly held: ReadonlyMap<string, number>;
  readonly passes: number;
  /** Instants since the beginning. */
  readonly lastTroubleAt: number;
  readonly endedAt: number;
}

/** After the last trouble, so long is given for all to come right: a message that waits is tried hourly for a day. */
function recoveryMs({ acts }: Plan): number {
  return acts.some(({ kind }) => kind === 'receiver' || kind === 'disk full') ? 27 * hourMs : 3 * hourMs;
}

export async function perform(plan: Plan): Promise<Stage> {
  const scheduler = createScheduler();
  using _time = virtualTime(scheduler);
  const chronicle = createChronicle(scheduler.now);
  const truth = (): number => epoch + scheduler.now();
  const world = createWorld({ seed: plan.seed, start: epoch, population: 'quiet', historyMs: 100 * dayMs });
  const keys: WorldKey[] = plan.keys.map((key) => world.addKey(specOf(key, true)));
  const faults = createFaults(plan.seed);
  const serverClock = { now: truth, sleep: (ms: number) => scheduler.sleep(ms) };
  const api = createAdminApi(world, {
    clock: serverClock,
    adminKey,
    variants: createVariants(plan.variants),
    faults,
  });
  const windows = new Set<NetworkWindow>();
  const network = createNetwork({
    seed: plan.seed,
    api,
    scheduler,
    chronicle,
    windows,
    onList,
    isCut: () => take('cut'),
    intended: (key, to) => hasIntent(db, key, to),
    lacking: (list) => lackingIn(list, world),
  });
  const troubles = new Map<string, ReceiverTrouble>();
  const sent: { channel: string; text: string }[] = [];
  const receivers = createReceivers({
    seed: plan.seed,
    scheduler,
    chronicle,
    troubles,
    texts: (channel, text) => void sent.push({ channel, text }),
  });
  const disk: Disk = { full: false };
  const perils = new Set<Peril>();
  const log: string[] = [];
  const held = new Map<string, number>();
  const files: FileShape[] = [];
  let db = freshDatabase();
  let wallOffset = 0;
  let runs = 0;
  let passes = 0;
  let lastTroubleAt = 0;
  let current: { readonly life: Life; readonly stop: AbortController; readonly reload: () => void } | null =
    null;
  let downUntil = 0;
  let lists = 0;
  let ambushes: Ambush[] = [];

  world.log.subscribe((event) => {
    if (event.by === 'api' && take('restart'))
      scheduler.after(20_000, () => act({ kind: 'stop', downMs: minuteMs, atMs: scheduler.now() }));
    chronicle.note({
      kind: 'changed',
      n: event.by === 'api' ? network.current : null,
      what: event.kind,
      key: event.id,
      from: event.from,
      to: event.to,
    });
  });

  function writeFile(file: FileShape): void {
    files.push(file);
    chronicle.note({ kind: 'file written', version: files.length - 1, file });
    current?.reload();
  }

  /** The second list of a pass is the fresh look before a change. */
  function onList(): void {
    lists += 1;
    if (lists < 2 || ambushes.length === 0) return;
    const noticed = noticedKeys(chronicle);
    const living = world.keys().filter(({ id }) => noticed.has(id));
    if (living.length === 0) return;
    if (take('shrunk list'))
      faults.add({ endpoint: 'list', fault: { kind: 'shrunk-list', keep: 0.5 }, times: 4 });
    const renames = take('rename');
    const uses = take('use');
    for (const { secret } of living) {
      if (renames) world.renameByPerson(secret, `mine ${String(scheduler.now())}`);
      if (uses) world.spend(secret, { costMicroUsd: 10, tokens: 10, requests: 1 }, 'gpt-oss-120b');
    }
  }

  /** Whether such an ambush was laid; it is over then. */
  function take(what: Ambush): boolean {
    const laid = ambushes.includes(what);
    if (laid) ambushes = ambushes.filter((one) => one !== what);
    return laid;
  }

  const clockOf = (life: Life): SteadyClock => {
    const bornAt = scheduler.now();
    return {
      now: () => truth() + wallOffset,
      monotonic: () => scheduler.now() - bornAt,
      sleep: async (ms, signal) => {
        await life.point('asleep');
        await scheduler.sleep(Math.ceil(ms), signal, life);
      },
    };
  };

  function readPolicy(life: Life, now: number) {
    const version = files.length - 1;
    const loaded = loadPolicy(yamlOf(files[version] as FileShape), 'policies.yaml', environment, now);
    chronicle.note({ kind: 'file read', run: life.run, version, ok: loaded.ok });
    return loaded.ok
      ? ({ ok: true, policy: loaded.policy } as const)
      : ({ ok: false, message: formatFaults(loaded.faults) } as const);
  }

  function start(): void {
    lists = 0;
    const life = createLife((runs += 1), perils, ({ which, downMs }) => {
      end(life, 'crash', which, downMs);
    });
    const stop = new AbortController();
    chronicle.note({ kind: 'started', run: life.run });
    const clock = clockOf(life);
    const read = readPolicy(life, clock.now());
    // As the command does: without a valid file it does not start.
    if (!read.ok) return void end(life, 'exit', 'invalid policy file', 10 * minuteMs);
    const settings = settingsOf(plan);
    let reloadDaemon = (): void => undefined;
    const running = async (): Promise<void> => {
      // What is loaded for the first time takes a while, which is none of the simulation's.
      const logger = await scheduler.during(
        createLogger(settings, { write: (text) => void log.push(text), colour: false }),
      );
      const opening = openApp({
        settings,
        adminKey: new Secret(adminKey),
        policy: read.policy,
        clock,
        machine: {
          network: {
            fetch: network.fetchFor(life),
            retries: { random: chance(plan, `run ${String(life.run)}`) },
          },
          receivers: {
            send: receivers.sendFor(life),
            receiverSleep: (ms, signal) => scheduler.sleep(ms, signal, life),
            jitter: chance(plan, `jitter ${String(life.run)}`),
          },
          openState: async () =>
            onDisk(storeOver({ db, path: 'keywarden.db', close: () => undefined }, clock), disk, life, {
              scheduler,
              chronicle,
            }),
        },
      });
      // Killed while it opens, it never has.
      await scheduler.during(Promise.race([opening, life.death]));
      const app = await opening;
      const daemon = createDaemon({
        app,
        log: logger,
        pace: settings,
        readPolicy: async () => readPolicy(life, clock.now()),
        observer: {
          passed: (report) => passed(life, report),
          failed: () => {
            lists = 0;
            chronicle.note({ kind: 'pass', run: life.run, ok: false });
          },
          reloaded: () => undefined,
          waits: () => undefined,
        },
        monotonic: () => clock.monotonic(),
        rest: () => undefined,
      });
      reloadDaemon = () => void daemon.reload();
      try {
        await daemon.run(stop.signal);
      } finally {
        await app[Symbol.asyncDispose]();
      }
    };
    current = {
      life,
      stop,
      reload: () => {
        reloadDaemon();
      },
    };
    const over = (how: string) => (): void => {
      if (!life.alive) return;
      life.alive = false;
      end(life, stop.signal.aborted ? 'stop' : 'exit', how, Math.max(minuteMs, downUntil - scheduler.now()));
    };
    running().then(over('ended'), (error: unknown) => {
      log.push(`ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      over('failed')();
    });
  }

  function passed(life: Life, report: PassReport): void {
    passes += 1;
    lists = 0;
    chronicle.note({ kind: 'pass', run: life.run, ok: true });
    for (const { kind, because } of report.decision.held) {
      const what = `held ${kind}: ${because}`;
      held.set(what, (held.get(what) ?? 0) + 1);
    }
    for (const { result } of report.outcomes)
      held.set(`change ${result}`, (held.get(`change ${result}`) ?? 0) + 1);
  }

  function end(life: Life, how: 'crash' | 'stop' | 'exit', where: string, downMs: number): void {
    life.alive = false;
    chronicle.note({ kind: 'ended', run: life.run, how, where });
    if (current?.life === life) current = null;
    scheduler.after(downMs, start);
  }

  const openWhile = (forMs: number, open: () => () => void): void => {
    lastTroubleAt = Math.max(lastTroubleAt, scheduler.now() + forMs);
    const close = open();
    scheduler.after(forMs, close);
  };

  function act(one: Act): void {
    world.advanceTo(truth());
    const secret = (number: number): string | null => keys[number]?.secret ?? null;
    switch (one.kind) {
      case 'rename': {
        const key = secret(one.key);
        if (key !== null) world.renameByPerson(key, one.to);
        return;
      }
      case 'create':
        keys.push(world.addKey(specOf(one.key, false)));
        return;
      case 'delete': {
        const key = secret(one.key);
        if (key !== null) world.deleteByPerson(key);
        return;
      }
      case 'spend': {
        const key = secret(one.key);
        const tokens = Math.round(one.usd * 1_000_000);
        if (key !== null && world.find(key)?.deletedAt === null)
          world.spend(
            key,
            { costMicroUsd: tokens, tokens, requests: 1 + Math.round(one.usd) },
            'gpt-oss-120b',
          );
        return;
      }
      case 'file':
        return writeFile(one.file);
      case 'fault':
        return openWhile(one.forMs, () =>
          faults.add({ endpoint: one.endpoint, fault: one.fault, probability: one.chance }),
        );
      case 'network':
        return openWhile(one.forMs, () => {
          windows.add(one);
          return () => void windows.delete(one);
        });
      case 'receiver':
        return openWhile(one.forMs, () => {
          troubles.set(one.channel, one.trouble);
          return () => void troubles.delete(one.channel);
        });
      case 'disk full':
        return openWhile(one.forMs, () => {
          disk.full = true;
          return () => void (disk.full = false);
        });
      case 'crash': {
        lastTroubleAt = Math.max(lastTroubleAt, scheduler.now());
        const { point, onlyChanges, nth, downMs } = one;
        perils.add({ which: point, onlyChanges, left: nth, downMs });
        return;
      }
      case 'ambush':
        ambushes.push(one.by);
        return;
      case 'stop':
        downUntil = scheduler.now() + one.downMs;
        current?.stop.abort(new Error('SIGTERM'));
        return;
      case 'clock':
        wallOffset += one.byMs;
        chronicle.note({ kind: 'clock set', byMs: one.byMs });
        return;
      case 'lose state':
        if (current !== null) return;
        db = freshDatabase();
        chronicle.note({ kind: 'state lost' });
        return;
      default:
        one satisfies never;
    }
  }

  writeFile(plan.file);
  for (const one of plan.acts) scheduler.after(one.atMs, () => act(one));
  start();
  const planned = plan.days * dayMs;
  await scheduler.run(planned);
  perils.clear();
  // What people left wrong, they put right at last.
  wallOffset = 0;
  chronicle.note({ kind: 'clock set', byMs: 0 });
  await scheduler.run(Math.max(planned, lastTroubleAt + recoveryMs(plan)));
  world.advanceTo(truth());
  const endedAt = scheduler.now();
  const last = current as { readonly life: Life } | null;
  if (last !== null) last.life.alive = false;
  return { plan, world, keys, chronicle, files, log, sent, db, held, passes, lastTroubleAt, endedAt };
}

function chance({ seed }: Plan, what: string): () => number {
  const random = createRandom(`${String(seed)}/${what}`);
  return () => random.next();
}
