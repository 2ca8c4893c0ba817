/** The world of one simulation, and the program in it: what is left when the plan's time is over. */
import type { DatabaseSync } from 'node:sqlite';
import { decide } from '../../../src/core/decide.ts';
import type { Decision } from '../../../src/core/plan.ts';
import type { PassReport } from '../../../src/pass.ts';
import { createAdminApi } from '../../../src/sandbox/api.ts';
import type { WorldKey } from '../../../src/sandbox/account-key.ts';
import { createFaults } from '../../../src/sandbox/faults.ts';
import { createVariants } from '../../../src/sandbox/variants.ts';
import { createWorld } from '../../../src/sandbox/world.ts';
import type { World } from '../../../src/sandbox/world.ts';
import { createAmbushes } from './ambushes.ts';
import { createChronicle } from './chronicle.ts';
import type { Chronicle } from './chronicle.ts';
import { doer } from './deeds.ts';
import type { Disk } from './disk.ts';
import { hasIntent, lackingIn } from './eyes.ts';
import { createPerils } from './life.ts';
import type { SentMail } from './mails.ts';
import { createNetwork } from './network.ts';
import type { NetworkWindow } from './network.ts';
import type { Act, Plan, ReceiverTrouble } from './plan.ts';
import type { FileShape } from './policies.ts';
import { createProgram } from './program.ts';
import type { Program, Surroundings } from './program.ts';
import { createReceivers } from './receivers.ts';
import { createScheduler } from './scheduler.ts';
import { adminKey, channelSecrets, epoch, specOf } from './setting.ts';
import { stateInMemory, stateOnDisk } from './state-file.ts';
import { virtualTime } from './virtual-time.ts';
import { createWatch } from './watch.ts';
import type { Breach } from './witnesses/witness.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';

/** What is left when the time is over. Its state is gone when it is disposed of. */
export interface Stage extends Disposable {
  readonly plan: Plan;
  readonly world: World;
  readonly keys: readonly WorldKey[];
  readonly chronicle: Chronicle;
  readonly files: readonly FileShape[];
  /** What the program printed. */
  readonly log: readonly string[];
  readonly sent: readonly { readonly channel: string; readonly text: string }[];
  readonly mails: readonly SentMail[];
  /** Of each pass that came to its end; they are held against what was written down of them, and what was done. */
  readonly decisions: readonly Decided[];
  readonly db: DatabaseSync;
  /** What looks on the way and at the end found. */
  readonly seen: readonly Breach[];
  /** For the table of what happened; no witness looks at it. */
  readonly held: ReadonlyMap<string, number>;
  readonly passes: number;
  /** How many places there were at which the program could have died. */
  readonly points: number;
  /** Instants since the beginning. */
  readonly lastTroubleAt: number;
  readonly endedAt: number;
}

export interface Decided extends Pick<Decision, 'now' | 'mode' | 'held' | 'changes'> {
  /** The place in the chronicle of the pass's end. */
  readonly index: number;
  readonly at: number;
  readonly run: number;
  /** By its clock; one that was doubted decides nothing. */
  readonly isTrusted: boolean;
  /** What it was made with leads to the same again. */
  readonly isSameAgain: boolean;
}

const passesALook = 4;

/** After the last trouble, so long is given for all to come right: a message that waits is tried hourly for a day. */
function recoveryMs({ acts }: Plan): number {
  return acts.some(({ kind }) => kind === 'receiver' || kind === 'disk full') ? 27 * hourMs : 3 * hourMs;
}

export async function perform(plan: Plan): Promise<Stage> {
  using scheduler = createScheduler();
  using _time = virtualTime(scheduler);
  const chronicle = createChronicle(scheduler.now);
  const truth = (): number => epoch + scheduler.now();
  const world = createWorld({ seed: plan.seed, start: epoch, population: 'quiet', historyMs: 100 * dayMs });
  const keys: WorldKey[] = plan.keys.map((key) => world.addKey(specOf(key, true)));
  const faults = createFaults(plan.seed);
  const api = createAdminApi(world, {
    clock: { now: truth, sleep: (ms) => scheduler.sleep(ms) },
    adminKey,
    variants: createVariants(plan.variants),
    faults,
  });
  const state = plan.acts.some(({ kind }) => kind === 'replica') ? stateOnDisk() : stateInMemory();
  const files: FileShape[] = [];
  const programs: Program[] = [];
  const writeFile = (file: FileShape): void => {
    files.push(file);
    chronicle.note({ kind: 'file written', version: files.length - 1, file });
    for (const program of programs) program.reload();
  };
  const windows = new Set<NetworkWindow>();
  const muteLists = (): void => {
    const mute: NetworkWindow = { endpoint: 'list', trouble: 'refused', chance: 1 };
    windows.add(mute);
    scheduler.after(5 * minuteMs, () => void windows.delete(mute));
  };
  const ambushes = createAmbushes({
    ...{ world, faults, chronicle, writeFile, muteLists },
    soon: (what) => scheduler.after(1, what),
  });
  const network = createNetwork({
    seed: plan.seed,
    api,
    scheduler,
    chronicle,
    windows,
    onList: ambushes.onList,
    alter: ambushes.alter,
    isCut: ambushes.isCut,
    intended: (key, to) => hasIntent(state.db, key, to),
    lacking: (list) => lackingIn(list, world),
  });
  const troubles = new Map<string, ReceiverTrouble>();
  const mails: SentMail[] = [];
  const sent: { channel: string; text: string }[] = [];
  const receivers = createReceivers({
    seed: plan.seed,
    scheduler,
    chronicle,
    troubles,
    texts: (channel, text) => void sent.push({ channel, text }),
    mails: (mail) => void mails.push(mail),
  });
  const disk: Disk = { full: false };
  const perils = createPerils();
  const log: string[] = [];
  const clock = { offsetMs: 0 };
  const tally = createTally();
  const decisions: Decided[] = [];
  const watch = createWatch({
    ...{ log, sent, db: () => state.db },
    secrets: () => [adminKey, ...channelSecrets, ...world.everyKey().map(({ secret }) => secret)],
  });
  let runs = 0;
  const around: Surroundings = {
    ...{ plan, scheduler, chronicle, network, receivers, state, disk, perils, log, files },
    wallClock: () => truth() + clock.offsetMs,
    nextRun: () => (runs += 1),
    passOver: (report, run) => {
      ambushes.passOver();
      if (report === null) return;
      tally.add(report);
      if (tally.passes() % passesALook === 0) watch.look(scheduler.now());
      const { now, mode, held, changes } = report.decision;
      decisions.push({
        index: chronicle.entries.length - 1,
        at: scheduler.now(),
        run,
        now,
        mode,
        held,
        changes,
        isTrusted: report.hold?.includes('clock') !== true,
        isSameAgain: isDecidedAgain(report),
      });
    },
  };
  const first = createProgram(around, 1);
  programs.push(first);
  world.log.subscribe((event) => {
    if (event.by === 'api' && ambushes.restarts()) scheduler.after(20_000, () => first.stop(minuteMs));
    chronicle.note({
      kind: 'changed',
      n: event.by === 'api' ? network.current : null,
      what: event.kind,
      key: event.id,
      from: event.from,
      to: event.to,
    });
  });
  const deeds = doer({
    ...{ scheduler, chronicle, world, keys, faults, windows, troubles, disk, perils, clock, ambushes },
    ...{ state, programs, writeFile },
    replica: () => createProgram(around, programs.length + 1),
  });

  writeFile(plan.file);
  const act = (one: Act): void => {
    world.advanceTo(truth());
    deeds.act(one);
  };
  // What is laid before the beginning can fall into it.
  for (const one of plan.acts)
    if (one.kind === 'crash' && one.atMs === 0) act(one);
    else scheduler.after(one.atMs, () => act(one));
  first.start();
  const planned = plan.days * dayMs;
  await scheduler.run(planned);
  perils.clear();
  // What people left wrong, they put right at last.
  clock.offsetMs = 0;
  chronicle.note({ kind: 'clock set', byMs: 0 });
  await scheduler.run(Math.max(planned, deeds.lastTroubleAt() + recoveryMs(plan)));
  world.advanceTo(truth());
  for (const program of programs) program.kill();
  watch.look(scheduler.now());
  return {
    ...{ plan, world, keys, chronicle, decisions, files, log, sent, mails, db: state.db, seen: watch.found },
    ...{ held: tally.held, passes: tally.passes(), points: perils.points },
    lastTroubleAt: deeds.lastTroubleAt(),
    endedAt: scheduler.now(),
    [Symbol.dispose]: () => state[Symbol.dispose](),
  };
}

/**
 * Byte for byte; by a clock that is doubted only some of it is kept. What was carried out, the court knows of by
 * now; and when what was asked, which further questions go by, is forgotten after a while.
 */
function isDecidedAgain({ court, decision, outcomes }: PassReport): boolean {
  if (outcomes.length > 0) return true;
  const { alerts, changes, findings, questions: _, ...rest } = decision;
  const again = decide(court);
  const { alerts: a, changes: c, findings: f, questions: __, ...others } = again;
  const kept = alerts.length + changes.length + findings.length > 0;
  return (
    JSON.stringify([rest, kept && [alerts, changes, findings]]) ===
    JSON.stringify([others, kept && [a, c, f]])
  );
}

function createTally() {
  const held = new Map<string, number>();
  let passes = 0;
  const count = (what: string): void => void held.set(what, (held.get(what) ?? 0) + 1);
  return {
    held,
    passes: () => passes,
    add({ decision, outcomes }: PassReport): void {
      passes += 1;
      for (const { kind, because } of decision.held) count(`held ${kind}: ${because}`);
      for (const { result } of outcomes) count(`change ${result}`);
    },
  };
}
