/** Samples of lifetime counters, kept as runs: one row for as long as nothing changes. */
import { sameCounters } from '../core/evidence.ts';
import type { Counters, EpochMs } from '../core/key.ts';
import type { SampleRun } from '../core/state.ts';
import type { Lineup } from './lineup.ts';
import type { Subject } from './marks.ts';

type Runs = ReadonlyMap<Subject, SampleRun>;

/** How often the end of an unchanged run is written again; a crash in between only widens intervals. */
const extendMs = 3_600_000;

export interface Sampling {
  /** The newest runs of those keys that were given. */
  readonly runs: Runs;
  /** Those that are to be written. */
  readonly write: readonly SampleRun[];
}

/** When readings were taken: asked for at `sentAt`, and each complete at its own time. */
export interface Taken {
  readonly sentAt: EpochMs;
  readonly doneAt: (key: Subject) => EpochMs;
}

/**
 * The runs after a reading. What it holds was surely reached by `doneAt` and surely not passed
 * before `sentAt`: so a run begins at the one and ends at the other, and an interval computed from
 * it errs to neither side. An unchanged counter extends its run; the extension is written hourly, and at once
 * where an instant in `boundaries` lies between (a period's start, or its start plus the lag), so that the
 * counters on each side of it are on disk.
 */
export function sample(
  before: Runs,
  counters: ReadonlyMap<Subject, Counters>,
  createdAt: (key: Subject) => EpochMs,
  { sentAt, doneAt }: Taken,
  boundaries: readonly EpochMs[],
): Sampling {
  const runs = new Map<Subject, SampleRun>();
  const write: SampleRun[] = [];
  for (const [key, reading] of counters) {
    const created = createdAt(key);
    const run = before.get(key);
    if (run?.createdAt === created && sameCounters(run.counters, reading)) {
      if (sentAt <= run.lastAt) continue;
      const extended: SampleRun = { ...run, lastAt: sentAt };
      runs.set(key, extended);
      if (isDue(run, sentAt, boundaries)) write.push(extended);
      continue;
    }
    const { costMicroUsd, tokens, requests } = reading;
    const fresh: SampleRun = {
      key,
      createdAt: created,
      firstAt: doneAt(key),
      lastAt: sentAt,
      counters: { costMicroUsd, tokens, requests },
    };
    runs.set(key, fresh);
    write.push(fresh);
    // The end of the run before is the last sample before this one: it must be as late as it was.
    if (run?.createdAt === created && run.lastAt > run.firstAt) write.push(run);
  }
  return { runs, write };
}

/**
 * Extends the runs of keys that stand as they stood. They are changed in place, for there may be a hundred
 * thousand of them a minute; by `apply`, once what is to be written is on disk.
 */
export function extend(
  { runs, steady }: Pick<Lineup, 'runs' | 'steady'>,
  sentAt: EpochMs,
  boundaries: readonly EpochMs[],
): { readonly write: readonly SampleRun[]; apply(): void } {
  const write: SampleRun[] = [];
  for (const place of steady) {
    const run = runs[place];
    if (run && isDue(run, sentAt, boundaries)) write.push({ ...run, lastAt: sentAt });
  }
  return {
    write,
    apply: () => {
      for (const place of steady) {
        const run: { lastAt: EpochMs } | null | undefined = runs[place];
        if (run) run.lastAt = Math.max(run.lastAt, sentAt);
      }
    },
  };
}

/** The newest runs take their places, once they are on disk. */
export function keepRuns(all: Map<Subject, SampleRun>, { places, runs }: Lineup, newest: Runs): void {
  for (const [key, run] of newest) {
    all.set(key, run);
    const place = key === 'account' ? undefined : places.get(key);
    if (place !== undefined) runs[place] = run;
  }
}

/** Each key has its own minute of the hour, that of its creation, so that no pass writes all of them. */
function isDue({ createdAt, lastAt }: SampleRun, sentAt: EpochMs, boundaries: readonly EpochMs[]): boolean {
  if (Math.floor((lastAt - createdAt) / extendMs) !== Math.floor((sentAt - createdAt) / extendMs))
    return true;
  for (const boundary of boundaries) if (lastAt < boundary && boundary <= sentAt) return true;
  return false;
}
