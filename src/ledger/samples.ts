/** Samples of lifetime counters, kept as runs: one row for as long as nothing changes. */
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { SampleRun } from '../core/state.ts';

/** How often the end of an unchanged run is written again; a crash in between only widens intervals. */
const extendMs = 3_600_000;

export interface Sampling {
  /** The newest run of each key after this pass. */
  readonly runs: ReadonlyMap<KeyId | 'account', SampleRun>;
  /** Those that are to be written. */
  readonly write: readonly SampleRun[];
}

/** When a reading was taken: asked for at `sentAt`, complete at `doneAt`. */
export interface Taken {
  readonly sentAt: EpochMs;
  readonly doneAt: EpochMs;
}

/**
 * The runs after a reading. What it holds was surely reached by `doneAt` and surely not passed
 * before `sentAt`: so a run begins at the one and ends at the other, and an interval computed from
 * it errs to neither side. An unchanged counter extends its run; the extension is
 * written hourly, and at once where an instant in `boundaries` lies between (a period's start, or
 * its start plus the lag), so that the counters on each side of it are on disk.
 */
export function sample(
  before: ReadonlyMap<KeyId | 'account', SampleRun>,
  written: ReadonlyMap<KeyId | 'account', EpochMs>,
  counters: ReadonlyMap<KeyId | 'account', Counters>,
  createdAt: (key: KeyId | 'account') => EpochMs,
  { sentAt, doneAt }: Taken,
  boundaries: readonly EpochMs[],
): Sampling {
  const runs = new Map(before);
  const write: SampleRun[] = [];
  for (const [key, { costMicroUsd, tokens, requests }] of counters) {
    const created = createdAt(key);
    const run = runs.get(key);
    const reading: Counters = { costMicroUsd, tokens, requests };
    if (run === undefined || run.createdAt !== created || !equal(run.counters, reading)) {
      const fresh: SampleRun = {
        key,
        createdAt: created,
        firstAt: doneAt,
        lastAt: sentAt,
        counters: reading,
      };
      runs.set(key, fresh);
      write.push(fresh);
      // The end of the run before is the last sample before this one: it must be as late as it was.
      if (run !== undefined && run.createdAt === created && run.lastAt > (written.get(key) ?? 0))
        write.push(run);
      continue;
    }
    if (sentAt <= run.lastAt) continue;
    const extended: SampleRun = { ...run, lastAt: sentAt };
    runs.set(key, extended);
    const last = written.get(key) ?? run.lastAt;
    if (sentAt - last >= extendMs || boundaries.some((boundary) => last < boundary && boundary <= sentAt))
      write.push(extended);
  }
  return { runs, write };
}

function equal(a: Counters, b: Counters): boolean {
  return a.costMicroUsd === b.costMicroUsd && a.tokens === b.tokens && a.requests === b.requests;
}
