/**
 * Whether a pass may go by the clock, and how much time has surely passed since the pass before. Of the
 * clocks that there are — the machine's, which anybody can set; the API's, in the Date of its answer; and the
 * machine's count of milliseconds, which nobody sets but which no other process shares — no single one is
 * believed.
 */
import type { EpochMs } from '../core/key.ts';

/** The clocks as a pass read them. `at` and `doneAt`: the machine's, around the API's answer. */
export interface ClockReading {
  readonly at: EpochMs;
  readonly doneAt: EpochMs;
  /** Null: the API sent no Date. */
  readonly serverAt: EpochMs | null;
  /** When `at` was read, and from then until `doneAt`. */
  readonly monotonicMs: number;
  readonly tookMs: number;
}

/** The last pass that went by its clock. */
export interface LastReading {
  readonly at: EpochMs;
  readonly serverAt: EpochMs | null;
  /** Null: another process's, which counted from another beginning. */
  readonly monotonicMs: number | null;
}

export type ClockVerdict =
  | { readonly trusted: false; readonly because: string }
  | {
      readonly trusted: true;
      /** So much has passed since the last pass, whichever of the clocks was set meanwhile. */
      readonly elapsedMs: number;
      /** By how much the clock went further than the time that is known to have passed; 0: as far, or nearly. */
      readonly setByMs: number;
    };

export const clockToleranceMs = 5 * 60_000;
/** A Date tells whole seconds. */
const secondMs = 1000;
/** Where the API sends no Date, a clock that was set is believed after it has gone on for so long. */
const believedAfterMs = 3_600_000;

/** `last` null: this is the first pass of all. `doubtedSince`: by the clock that is doubted; null: it was not. */
export function judgeClock(
  reading: ClockReading,
  last: LastReading | null,
  doubtedSince: EpochMs | null,
): ClockVerdict {
  const off = differsFromApi(reading) ?? setMeanwhile(reading);
  if (off !== null) return { trusted: false, because: off };
  if (last === null) return { trusted: true, elapsedMs: 0, setByMs: 0 };
  const because = wentBack(reading, last) ?? jumped(reading, last);
  const believed =
    reading.serverAt === null && doubtedSince !== null && reading.at - doubtedSince >= believedAfterMs;
  if (because !== null && !believed) return { trusted: false, because };
  const wallMs = reading.at - last.at;
  const knownMs = knownToHavePassed(reading, last);
  const setByMs = wallMs - knownMs;
  return {
    trusted: true,
    elapsedMs: Math.max(0, Math.min(wallMs, knownMs)),
    setByMs: Math.abs(setByMs) > clockToleranceMs ? setByMs : 0,
  };
}

function differsFromApi({ at, doneAt, serverAt }: ClockReading): string | null {
  if (serverAt === null) return null;
  const off = serverAt < at ? at - serverAt : Math.max(0, serverAt - doneAt);
  return off > clockToleranceMs ? `the local clock and the API’s differ by ${minutes(off)}` : null;
}

function setMeanwhile({ at, doneAt, tookMs }: ClockReading): string | null {
  const by = Math.abs(doneAt - at - tookMs);
  return by > clockToleranceMs
    ? `the local clock was set by ${minutes(by)} during the look at the account`
    : null;
}

/**
 * A clock that went back a little is waited for. Further than the API's could have, and in step with that:
 * it was ahead before, and is right now.
 */
function wentBack({ at, serverAt }: ClockReading, last: LastReading): string | null {
  const back = last.at - at;
  if (back <= 0 || (serverAt !== null && back > clockToleranceMs)) return null;
  return `the local clock went back by ${String(Math.round(back / 1000))} s`;
}

function jumped({ at, serverAt, monotonicMs }: ClockReading, last: LastReading): string | null {
  if (serverAt !== null || last.monotonicMs === null) return null;
  const by = at - last.at - (monotonicMs - last.monotonicMs);
  return Math.abs(by) > clockToleranceMs
    ? `the local clock jumped by ${minutes(Math.abs(by))}, and the API does not say the time`
    : null;
}

/**
 * By a second clock. The machine's count stands still while the machine sleeps, which the API's tells; what
 * passed while no process counted, and the API said no time, is not known.
 */
function knownToHavePassed({ at, serverAt, monotonicMs }: ClockReading, last: LastReading): number {
  const byApi = serverAt === null || last.serverAt === null ? null : serverAt - last.serverAt + secondMs;
  if (last.monotonicMs === null) return byApi ?? 0;
  const counted = monotonicMs - last.monotonicMs;
  return byApi !== null && Math.abs(at - last.at - counted) > clockToleranceMs ? byApi : counted;
}

function minutes(ms: number): string {
  return `${String(Math.round(ms / 60_000))} minutes`;
}
