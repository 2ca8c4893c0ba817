/** Breaks a history off at each of the points at which the program waits, once each, and lets it go on from there. */
import { sweeps } from './sweep-plans.ts';
import type { Sweep } from './sweep-plans.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** At that point of that history, both by number. */
export interface BreakOff {
  readonly sweep: number;
  readonly point: number;
}

/** How many points that history has, when nothing breaks it off. Throws when even so not everything came of it. */
export async function pointsOf(sweep: Sweep): Promise<number> {
  const { stage, breaches } = await judge(sweep.plan);
  const missing = sweep.missing(stage) ?? breaches[0]?.code ?? null;
  if (missing !== null) throw new Error(`${sweep.name}: not even whole has it ${missing}`);
  return stage.points;
}

/** Every `stride`-th point of each history, from one on that differs from history to history. */
export async function breakOffs(stride: number): Promise<BreakOff[]> {
  const all: BreakOff[] = [];
  for (const [sweep, one] of sweeps.entries()) {
    const points = await pointsOf(one);
    for (let point = 1 + (sweep % stride); point <= points; point += stride) all.push({ sweep, point });
  }
  return all;
}

/** A text for each that broke a promise, or did not come to its end. */
export async function breakOffAt(all: readonly BreakOff[]): Promise<string[]> {
  const failures: string[] = [];
  for (const one of all) {
    const sweep = sweeps[one.sweep] as Sweep;
    const why = whyFailed(sweep, await brokenOff(sweep, one.point));
    if (why !== null) failures.push(`${sweep.name}, broken off at point ${String(one.point)}: ${why}`);
  }
  return failures;
}

function brokenOff({ plan }: Sweep, point: number): Promise<Verdict> {
  const crash = {
    kind: 'crash',
    point: 'any',
    nth: point,
    onlyChanges: false,
    downMs: 60_000,
    atMs: 0,
  } as const;
  return judge({ ...plan, acts: [crash, ...plan.acts] });
}

function whyFailed(sweep: Sweep, { stage, breaches: [first] }: Verdict): string | null {
  const crash = stage.chronicle.entries.find((one) => one.kind === 'ended' && one.how === 'crash');
  if (crash?.kind !== 'ended') return 'it was not';
  if (first !== undefined) return `promise ${String(first.promise)}, ${first.code}: ${first.what}`;
  const missing = sweep.missing(stage);
  return missing === null ? null : `${missing} is missing (${crash.where}, ${String(crash.at)} ms)`;
}
