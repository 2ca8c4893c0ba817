/** What is known of one key, from what the answers say of it and from what was known before. */
import { sameCounters, zeroCounters } from '../core/evidence.ts';
import type { Bounds, KeyEvidence, ModelRows } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, Window } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import { ownFell, surely } from './check.ts';
import { rowOf } from './readings.ts';
import type { Pass, Readings } from './readings.ts';
import type { RestLedger } from './rest.ts';
import type { Seen } from './see.ts';

const noWindows: ReadonlyMap<Window, Bounds> = new Map();
const noneIndividual: ReadonlySet<Window | 'lifetime'> = new Set();
const noModels: KeyEvidence['models'] = { lifetime: null, windows: new Map() };

export function evidenceOf(input: Pass, one: Seen, lifetime: Bounds, exact: Counters | null): KeyEvidence {
  const { readings } = input;
  const { record, run, own, row } = one;
  const credited = row !== null;
  return {
    lifetime,
    because: exact === null ? whyUnknown(one, readings) : null,
    credited,
    checked: one.exact !== null || (!credited && record.check !== null),
    windows:
      record.conflict === ownFell || (own === undefined && readings.windows.size === 0)
        ? noWindows
        : windowBounds(input, one),
    individual: own === undefined ? noneIndividual : new Set(own.keys()),
    models: one.tellsModels && input.models === true ? modelRows(input, record) : noModels,
    unchangedSince: exact !== null && run?.counters.requests === exact.requests ? run.firstAt : null,
    quiet: { of: null, epoch: '', record: null, until: 0 },
  };
}

/** A row not yet checked is a guess and no bound; what the account's total leaves over is one. */
export function lifetimeOf({ record, run, row, exact }: Seen, rest: RestLedger): Bounds {
  if (exact !== null) return { low: exact, high: exact };
  const low = surely(record, run);
  const high = record.conflict === ownFell ? null : rest.bound(record, run);
  return high === null && row !== null ? { low, high, likely: row } : { low, high };
}

/** A key that cannot have used anything since it was last read is known as if it had been read. */
export function pinned({ low, high }: Bounds): Counters | null {
  return high !== null && sameCounters(low, high) ? low : null;
}

const dayMs = 86_400_000;

/** The record with the latest instant after which the key was surely used, to the day. */
export function used(
  record: KeyRecord,
  evidence: KeyEvidence,
  exact: Counters | null,
  run: SampleRun | null,
  at: EpochMs,
): KeyRecord {
  let after = record.usedAfter ?? record.createdAt;
  const before = after;
  // What was used before the run's end may have been reported after it.
  if (exact !== null && run !== null && exact.requests > run.counters.requests)
    after = Math.max(after, run.lastAt - dayMs);
  // A row not yet checked may show someone else's use; taken for its own, the key is idle later at the worst.
  for (const [window, { low, likely }] of evidence.windows) {
    if ((likely ?? low).requests > 0) after = Math.max(after, at - windowMs[window]);
  }
  return after - before >= dayMs ? { ...record, usedAfter: after } : record;
}

function whyUnknown({ record, row, onlyBearer }: Seen, readings: Readings): string {
  if (readings.distrust !== null) return readings.distrust;
  if (record.conflict === ownFell) return ownFell;
  if (!onlyBearer) return 'several keys bear its name, and its own usage was not read in this pass';
  if (record.conflict !== null) return record.conflict;
  if (record.nameChanged) return 'its name was changed, and its own usage was not read in this pass';
  if (row !== null) return 'its row in the account’s usage has not been checked against its own reading yet';
  return 'its usage was not read in this pass';
}

function windowBounds(input: Pass, { record, own, row, exact }: Seen): ReadonlyMap<Window, Bounds> {
  const { readings } = input;
  const result = new Map<Window, Bounds>();
  for (const [window, aggregate] of row === null ? [] : readings.windows) {
    // An aggregate without any row proves nothing about a single key.
    if (aggregate.rows.size === 0 && (readings.lifetime?.rows.size ?? 0) > 0) continue;
    const read = rowOf(aggregate, record);
    if (read === null) continue;
    const proved = exact !== null && record.check?.agreed === true && !wasShared(input, record, window);
    result.set(window, proved ? { low: read, high: read } : { low: zeroCounters, high: null, likely: read });
  }
  for (const [window, reading] of own ?? []) {
    if (window !== 'lifetime') result.set(window, { low: reading, high: reading });
  }
  return result;
}

/**
 * Another key bore its name in that window, too. The account may count that one's usage there though it is gone:
 * that the row of all time is this key's own proves nothing about the window's.
 */
function wasShared({ at, lastBorneAt }: Pass, { facts }: KeyRecord, window: Window): boolean {
  return (lastBorneAt?.get(facts.name) ?? -Infinity) > at - windowMs[window];
}

function modelRows(input: Pass, record: KeyRecord): KeyEvidence['models'] {
  const { readings } = input;
  const none: ModelRows = new Map();
  const windows = new Map<Window, ModelRows>();
  for (const [window, aggregate] of readings.windows)
    if (!wasShared(input, record, window))
      windows.set(window, aggregate.rows.get(record.facts.name)?.models ?? none);
  return { lifetime: readings.lifetime?.rows.get(record.facts.name)?.models ?? none, windows };
}

/** Its row's counters are all that is known of the key, and they are certain. */
export function isSteadfast({
  credited,
  checked,
  windows,
  individual,
  models,
  unchangedSince,
}: KeyEvidence): boolean {
  return (
    credited &&
    checked &&
    unchangedSince !== null &&
    windows === noWindows &&
    individual === noneIndividual &&
    models === noModels
  );
}
