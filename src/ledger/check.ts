/**
 * Whether a row of the aggregate is a key's own. The proof is an individual reading, taken just after the
 * row, that equals it: a row that holds others' usage too is more, one that lacks some of the key's own is
 * less. A key that was in use between the two proves nothing, and is read again.
 */
import { falls, sameCounters, zeroCounters } from '../core/evidence.ts';
import type { Counters, EpochMs } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import type { KeyReading } from '../ports.ts';

/** What the answers of one pass say of one key. */
export interface Answers {
  readonly at: EpochMs;
  readonly run: SampleRun | null;
  /** Its own lifetime reading. */
  readonly reading: KeyReading | null;
  /** The row of its name; null: there is none that could be its own. */
  readonly row: Counters | null;
  /** No other key bears or has borne its name, as far as was seen, and it never bore another. */
  readonly nameIsOwn: boolean;
  /** No pass was made for so long that keys may have come and gone unseen, and their usage with them. */
  readonly away: boolean;
  /** Usage shows under a name that nobody bears: some key that seems unused may be used under it. */
  readonly hidden: boolean;
}

export const ownFell = 'its own counters fell';
export const rowCountsMore = 'the account’s row of its name counts more than its own reading';
export const rowCountsLess = 'the account’s row of its name counts less than the key has used';

/**
 * What cannot be: a reading below what the key was known to have used, for counters only grow; a row
 * that counts more than the key's own reading taken after it; a row that counts less than the key was
 * known to have used.
 */
export function contradictionOf(
  { check }: KeyRecord,
  { run, reading, row }: Pick<Answers, 'run' | 'reading' | 'row'>,
): string | null {
  const sampled = run?.counters ?? null;
  const below = (one: Counters, other: Counters | null | undefined): boolean =>
    other !== null && other !== undefined && falls(one, other);
  if (reading !== null) {
    if (below(reading, check?.counters) || (check?.agreed && below(reading, sampled))) return ownFell;
    if (below(reading, row) || below(reading, sampled)) return rowCountsMore;
  }
  return row !== null && (below(row, sampled) || below(row, check?.counters)) ? rowCountsLess : null;
}

/** The record with what the answers say of its row: agreed, contradicted, or neither. */
export function crossChecked(record: KeyRecord, answers: Answers, contradiction: string | null): KeyRecord {
  const { at, reading, row, nameIsOwn } = answers;
  if (reading === null && contradiction === null && record.conflict === null)
    return stillChecked(record, answers);
  const equal = reading !== null && row !== null && sameCounters(reading, row);
  const recovered = record.conflict === ownFell && reading !== null;
  const stillFallen = record.conflict === ownFell && reading === null;
  const conflict = stillFallen ? ownFell : (contradiction ?? (equal || recovered ? null : record.conflict));
  const doubt = doubtOf(record, conflict, reading !== null, at);
  const agreed = nameIsOwn && conflict === null && (equal || record.check?.agreed === true);
  if (reading !== null) {
    // A counter that fell is believed once it is back where it was.
    const fallen = contradiction === ownFell ? record.check?.counters : undefined;
    const { costMicroUsd, tokens, requests } = reading;
    const counters = fallen ?? { costMicroUsd, tokens, requests };
    return { ...record, ...doubt, conflict, check: { at: reading.at, counters, agreed } };
  }
  if (conflict === record.conflict && record.check?.agreed !== true) return record;
  return { ...record, ...doubt, conflict, check: record.check && { ...record.check, agreed } };
}

/** Since its last reading nobody can say when the row began to be wrong; from the next one on, samples are its own. */
function doubtOf(
  { conflict: before, check, doubt }: KeyRecord,
  conflict: string | null,
  isRead: boolean,
  at: EpochMs,
): Pick<KeyRecord, 'doubt'> {
  const until = isRead ? at : null;
  if (before === null && conflict !== null) {
    const from = check?.at ?? 0;
    if (doubt !== undefined && doubt.from <= from) return { doubt: { ...doubt, until } };
    const isReading = check !== null && check.later === undefined && conflict !== ownFell;
    return { doubt: { from, until, ...(isReading && { counters: check.counters }) } };
  }
  if (before === null || !isRead) return {};
  return doubt === undefined || doubt.until === null ? { doubt: { from: 0, ...doubt, until } } : {};
}

/**
 * A check speaks for the row for as long as nobody else can have moved it. After a while in which that could
 * not be seen, it speaks for a row that has not moved. And one that found neither usage nor a row says only
 * that: the row has to be checked again once there is one.
 */
function stillChecked(record: KeyRecord, { run, row, nameIsOwn, away, hidden }: Answers): KeyRecord {
  const { check } = record;
  if (check?.agreed !== true) return record;
  const last = run?.counters ?? check.counters;
  const moved = row !== null && falls(last, row);
  const unused = check.counters.requests === 0 && last.requests === 0;
  const stands = nameIsOwn && !(moved && (away || unused)) && !(unused && hidden);
  if (stands) return record;
  // What it had used for certain when the check last spoke for it.
  return { ...record, check: { ...check, counters: last, agreed: false, later: true } };
}

/** What the key has used at least. What a contradiction is about is not claimed. */
export function surely({ check, conflict }: KeyRecord, run: SampleRun | null): Counters {
  if (check === null || conflict === ownFell) return zeroCounters;
  return conflict === null && check.agreed ? (run?.counters ?? check.counters) : check.counters;
}
