/**
 * The experiment: a simulated account lives for weeks while the program watches it, and after each pass
 * what the program claims of every key is compared with what the key truly used. Everything follows
 * from one seed; no socket, no waiting.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
import { nextPassAt } from '../../src/core/schedule.ts';
import type { Outlook, Pace } from '../../src/core/schedule.ts';
import { periodStarts } from '../../src/deliberate.ts';
import { createRandom } from '../../src/sandbox/random.ts';
import { createVariants } from '../../src/sandbox/variants.ts';
import type { Variants } from '../../src/sandbox/variants.ts';
import { createWorld } from '../../src/sandbox/world.ts';
import type { World } from '../../src/sandbox/world.ts';
import { createContainment } from './containment.ts';
import type { Miss } from './containment.ts';
import { inProcess, openProgram, usageLagMs, virtualClock } from './program.ts';
import type { Program, Surroundings } from './program.ts';
import { keyBudgets, rulesFor } from './rules.ts';
import type { Way } from './rules.ts';
import { interruptions, letThingsHappen, useAroundDayStarts } from './story.ts';
import type { Interruption } from './story.ts';
import { createWidths } from './widths.ts';
import type { WidthFigures } from './widths.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** A month ends five days on (and with it a quarter), another after 36, with New York's clocks set back. */
export const start = Date.parse('2026-09-25T10:07:00Z');

export interface TruthOptions {
  readonly seed: string | number;
  /** Default 2000. */
  readonly keys?: number;
  /** Default 120. */
  readonly days?: number;
  readonly variants?: Partial<Variants>;
  /** The longest pause between two passes. Default 15 minutes. */
  readonly pauseMs?: number;
  /** `enforce`: Keywarden renames, too. Default `alert`. */
  readonly mode?: Way;
  /** Default 60, as the program's. */
  readonly callsPerMinute?: number;
  /** Of an uneventful pass, one of so many pairs of key and policy is compared. Default 16. */
  readonly every?: number;
  /** Default: the program's own. */
  readonly nextPass?: NextPass;
}

export type NextPass = (now: EpochMs, policy: PolicyFile, pace: Pace, outlook: Outlook) => EpochMs;

export interface TruthFigures {
  readonly options: TruthOptions;
  readonly samples: number;
  readonly missed: number;
  readonly misses: readonly Miss[];
  readonly widths: WidthFigures;
  readonly passes: number;
  readonly calls: number;
  /** Renames of Keywarden's own, and restores. */
  readonly changes: number;
  readonly restarts: number;
}

const defaultCallsPerMinute = 60;

/** But that nothing is looked at sooner because it is near a threshold: pauses are as long as they may be. */
const ownSchedule: NextPass = (now, policy, pace, outlook) =>
  nextPassAt(now, policy, [], pace, { ...outlook, approach: null });

export async function runTruth(options: TruthOptions): Promise<TruthFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'keywarden-truth-'));
  try {
    return await live(options, join(folder, 'state.db'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function live(options: TruthOptions, state: string): Promise<TruthFigures> {
  const {
    seed,
    keys = 2000,
    days = 120,
    pauseMs = 15 * minuteMs,
    mode = 'alert',
    nextPass = ownSchedule,
  } = options;
  const random = createRandom(seed);
  const variants = createVariants(options.variants);
  const world = createWorld({ seed, start, population: 'plain', keys });
  letThingsHappen(world, random.fork('story'), 3 + Math.round(keys / 100));
  useAroundDayStarts(world, random.fork('day starts'));
  const clock = virtualClock(start);
  const policy = rulesFor(mode, start);
  const fetch = inProcess(world, variants, clock, random.fork('travel'));
  const { callsPerMinute = defaultCallsPerMinute } = options;
  const pace: Pace = {
    ...{ intervalMs: pauseMs, minIntervalMs: 5_000, usageLagMs },
    maxCallsPerMinute: callsPerMinute,
  };
  const surroundings: Surroundings = { clock, fetch, state, policy, pace };
  const end = start + days * dayMs;
  const breaks = interruptions(start, end, random.fork('breaks'));
  const watch = createWatch(options, world, policy, pauseMs);

  let program = await openProgram(surroundings);
  let tidiedAt = start;
  while (clock.now() < end) {
    const outlook = await watch.pass(program);
    if (clock.now() - tidiedAt >= 60 * minuteMs) {
      tidiedAt = clock.now();
      await program.tidy();
    }
    const next = nextPass(clock.now(), policy, pace, outlook);
    const pause: Interruption | undefined = breaks[0];
    if (pause === undefined || pause.from > next) {
      clock.advanceTo(next);
      continue;
    }
    breaks.shift();
    await program[Symbol.asyncDispose]();
    clock.advanceTo(pause.until);
    program = await openProgram(surroundings);
    watch.restarted();
  }
  await program[Symbol.asyncDispose]();
  return watch.figures();
}

/** What was late was not reported when it was read. */
function lateness({ freshness }: Partial<Variants>): number {
  return typeof freshness === 'object' && 'lateMs' in freshness ? freshness.lateMs : 0;
}

/** After something has happened, so many passes are compared in full. */
const attentivePasses = 2;

function createWatch(options: TruthOptions, world: World, policy: PolicyFile, pauseMs: number) {
  const { variants = {}, every = 16 } = options;
  const lateMs = lateness(variants);
  const budgets = keyBudgets(policy);
  const secretOf = secretsOf(world);
  const containment = createContainment(world, budgets, lateMs, secretOf);
  const widths = createWidths({
    ...{ world, budgets, lateMs, usageLagMs, pauseMs, secretOf },
    callsPerMinute: options.callsPerMinute ?? defaultCallsPerMinute,
  });
  const count = { passes: 0, calls: 0, changes: 0, restarts: 0 };
  let attention = attentivePasses;
  let eventsSeen = 0;
  let lastAt: EpochMs = 0;

  /** A period began, or its usage is surely reported now, or somebody changed a key. */
  function eventful(at: EpochMs): boolean {
    const events = world.log.items.length;
    const happened = events > eventsSeen;
    eventsSeen = events;
    return happened || periodStarts(policy, at).some((begun) => begun + usageLagMs > lastAt);
  }

  return {
    async pass(program: Program): Promise<Outlook> {
      const report = await program.pass();
      const { now } = report.court;
      count.passes += 1;
      count.calls += report.calls.length;
      count.changes += report.outcomes.filter(({ result }) => result === 'done').length;
      if (eventful(now)) attention = attentivePasses;
      containment.compare(report, program.findings(), attention > 0 ? 1 : every);
      widths.passed(report);
      attention -= 1;
      lastAt = now;
      return report;
    },
    restarted(): void {
      count.restarts += 1;
      attention = attentivePasses;
    },
    figures(): TruthFigures {
      const { samples, missed, misses } = containment;
      return { options, samples, missed, misses, widths: widths.figures(), ...count };
    },
  };
}

function secretsOf(world: World): (id: KeyId) => string {
  const secrets = new Map<KeyId, string>();
  return (id) => {
    if (!secrets.has(id)) for (const key of world.everyKey()) secrets.set(key.id, key.secret);
    return secrets.get(id) ?? '';
  };
}

/** A miss in one paragraph, with what is needed to live through it again. */
export function missText({ options }: TruthFigures, miss: Miss): string {
  const { at, id, policy, period, side, level, truth, record, credited, because, history } = miss;
  const { conflict, nameChanged, check, facts } = record;
  const { seed, mode = 'alert', variants } = options;
  const lines = [
    `seed ${String(seed)}, ${mode}, ${JSON.stringify(variants ?? {})}`,
    `${new Date(at).toISOString()} (day ${((at - start) / dayMs).toFixed(2)}) ${id} “${facts.name}” ${policy}, ${period}: ${side} is wrong`,
    `claimed [${String(level.low)}, ${String(level.high)}]; truth ${String(truth.first)} at the first request, ${String(truth.last)} at the last answer`,
    `credited ${String(credited)}, name changed ${String(nameChanged)}, first seen ${new Date(record.firstSeenAt).toISOString()}, check ${JSON.stringify(check)}, conflict ${String(conflict)}, because ${String(because)}`,
    ...history,
  ];
  return lines.join('\n    ');
}
