/** What the windows read in a pass tell of their own beginnings, kept for the passes after it. */
import type { Evidence, Marks } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { Lineup } from './lineup.ts';
import { rowOf } from './readings.ts';
import type { Readings } from './readings.ts';
import { forgetMarks, lowerMarks, raiseMarks } from './marks.ts';
import type { Subject, WindowReading } from './marks.ts';

type Used = Map<Subject, { readonly used: Counters; readonly reached: Counters }>;

export function windowReadings(
  { live, evidence, runs, places }: Pick<Lineup, 'live' | 'evidence' | 'runs' | 'places'>,
  { account, at, doneAt }: Evidence,
  readings: Readings,
): WindowReading[] {
  const byWindow = new Map<Window, Used>();
  const note = (window: Window, key: Subject, used: Counters, reached: Counters | null | undefined): void => {
    if (!reached) return;
    const map = byWindow.get(window) ?? (new Map() as Used);
    byWindow.set(window, map.set(key, { used, reached }));
  };
  const read =
    readings.windows.size > 0 ? evidence.keys() : [...readings.own.keys()].map((id) => places.get(id));
  for (const place of read) {
    const [record, known] = [live[place ?? -1], evidence[place ?? -1]];
    if (place === undefined || record === undefined || known === undefined) continue;
    for (const [window, { high }] of known.windows) {
      if (high === null) continue;
      // Only counters read before the window had surely been reached: a lifetime reading of the key's own may
      // be later than any window, its row is earlier than all of the aggregates.
      const own = known.individual.has(window);
      note(window, record.id, high, own ? runs[place]?.counters : rowOf(readings.lifetime, record));
    }
  }
  for (const [window, total] of account.windows) note(window, 'account', total, account.lifetime?.high);
  return [...byWindow].map(([window, used]) => {
    return { window, used, earliestStart: at - windowMs[window], latestStart: doneAt - windowMs[window] };
  });
}

export interface Folding {
  readonly marks: ReadonlyMap<EpochMs | Window, Marks>;
  /** Windows that the pass before read, and that this one did. */
  readonly before: readonly WindowReading[];
  readonly fresh: readonly WindowReading[];
  /** What is known in this pass. */
  readonly evidence: Pick<Evidence, 'keys' | 'account'>;
  /** Keys whose earlier samples are no longer to be believed. */
  readonly doubted: ReadonlySet<KeyId>;
}

/** The marks with all that is known of them now. */
export function foldWindows({
  marks,
  before,
  fresh,
  evidence,
  doubted,
}: Folding): Map<EpochMs | Window, Marks> {
  const result = new Map(marks);
  for (const [key, known] of marks) {
    let folded = known;
    for (const reading of before)
      if (typeof key === 'number' && key <= reading.earliestStart)
        folded = lowerMarks(folded, reading, (subject) => exactly(evidence, subject));
    for (const reading of fresh)
      if (typeof key === 'number' ? key >= reading.latestStart : key === reading.window)
        folded = raiseMarks(folded, reading);
    result.set(key, forgetMarks(folded, doubted));
  }
  return result;
}

function exactly({ keys, account }: Folding['evidence'], subject: Subject): Counters | null {
  const lifetime = subject === 'account' ? account.lifetime : keys.get(subject)?.lifetime;
  return lifetime?.high === lifetime?.low ? (lifetime?.low ?? null) : null;
}

/** When each of a pass's questions was answered, by `questionKey`. */
export function answeredAt({ own, windows }: Readings, at: EpochMs): Map<string, EpochMs> {
  const answered = new Map<string, EpochMs>();
  for (const window of windows.keys()) answered.set(`aggregate ${window}`, at);
  for (const [id, readings] of own)
    for (const window of readings.keys()) answered.set(`key ${id} ${window}`, at);
  return answered;
}
