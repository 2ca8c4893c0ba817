/** What the windows read in a pass tell of their own beginnings, kept for the passes after it. */
import type { Evidence, Marks } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { SampleRun } from '../core/state.ts';
import type { Readings } from './attribution.ts';
import { forgetMarks, lowerMarks, raiseMarks } from './marks.ts';
import type { Subject, WindowReading } from './marks.ts';

type Used = Map<Subject, { readonly used: Counters; readonly reached: Counters }>;

/** `runs`: as of the pass before. */
export function windowReadings(
  evidence: Evidence,
  readings: Readings,
  runs: ReadonlyMap<Subject, SampleRun>,
): WindowReading[] {
  const byWindow = new Map<Window, Used>();
  const note = (window: Window, key: Subject, used: Counters, reached: Counters | null | undefined): void => {
    if (!reached) return;
    const map = byWindow.get(window) ?? (new Map() as Used);
    byWindow.set(window, map.set(key, { used, reached }));
  };
  if (readings.windows.size > 0 || readings.own.size > 0) {
    for (const [id, known] of evidence.keys) {
      for (const [window, { high }] of known.windows) {
        if (high === null) continue;
        // A reading of the key's own may have been taken before its lifetime was.
        const own = known.individual.has(window);
        note(window, id, high, own ? runs.get(id)?.counters : known.lifetime.high);
      }
    }
  }
  for (const [window, total] of evidence.account.windows)
    note(window, 'account', total, evidence.account.lifetime?.high);
  const { at, doneAt } = evidence;
  return [...byWindow].map(([window, used]) => {
    return { window, used, earliestStart: at - windowMs[window], latestStart: doneAt - windowMs[window] };
  });
}

export interface Folding {
  readonly marks: ReadonlyMap<EpochMs | Window, Marks>;
  /** Windows that the pass before read, and that this one did. */
  readonly before: readonly WindowReading[];
  readonly fresh: readonly WindowReading[];
  /** The counters of this pass. */
  readonly counters: ReadonlyMap<Subject, Counters>;
  /** Keys whose earlier samples are no longer to be believed. */
  readonly doubted: ReadonlySet<KeyId>;
}

/** The marks with all that is known of them now. */
export function foldWindows({
  marks,
  before,
  fresh,
  counters,
  doubted,
}: Folding): Map<EpochMs | Window, Marks> {
  const result = new Map(marks);
  for (const [key, known] of marks) {
    let folded = known;
    for (const reading of before)
      if (typeof key === 'number' && key <= reading.earliestStart)
        folded = lowerMarks(folded, reading, counters);
    for (const reading of fresh)
      if (typeof key === 'number' ? key >= reading.latestStart : key === reading.window)
        folded = raiseMarks(folded, reading);
    result.set(key, forgetMarks(folded, doubted));
  }
  return result;
}

/** When each of a pass's questions was answered, by `questionKey`. */
export function answeredAt({ own, windows }: Readings, at: EpochMs): Map<string, EpochMs> {
  const answered = new Map<string, EpochMs>();
  for (const window of windows.keys()) answered.set(`aggregate ${window}`, at);
  for (const [id, readings] of own)
    for (const window of readings.keys()) answered.set(`key ${id} ${window}`, at);
  return answered;
}
