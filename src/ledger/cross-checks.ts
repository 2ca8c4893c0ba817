/** Which keys are read by themselves to check their rows. */
import type { Question } from '../core/evidence.ts';
import type { EpochMs } from '../core/key.ts';
import type { KeyRecord } from '../core/state.ts';

/** A key that was in use while it was read is not read again at once. */
const againAfterMs = 10 * 60_000;

/**
 * Rows that no reading has proved yet, those that were never read first. `bearers`: how many keys bear each
 * name; a key that shares its name is read once, for no reading can prove a row that is not its own.
 */
export function firstChecks(
  live: readonly KeyRecord[],
  bearers: ReadonlyMap<string, number>,
  now: EpochMs,
  most: number,
): Question[] {
  if (most <= 0) return [];
  const isDue = ({ check, facts }: KeyRecord): boolean =>
    check === null || (now - check.at >= againAfterMs && (bearers.get(facts.name) ?? 1) === 1);
  const unchecked = live.filter(
    (record) => isCheckable(record) && record.check?.agreed !== true && isDue(record),
  );
  const oldest = unchecked.sort((a, b) => (a.check?.at ?? 0) - (b.check?.at ?? 0)).slice(0, most);
  return oldest.map((record) => check(record, 'its row has not been checked against its own reading yet'));
}

/** The one whose last reading is longest ago. */
export function crossCheck(live: readonly KeyRecord[]): Question[] {
  let first: KeyRecord | null = null;
  for (const record of live) {
    if (!isCheckable(record)) continue;
    if (first === null || (record.check?.at ?? 0) < (first.check?.at ?? 0)) first = record;
  }
  return first === null ? [] : [check(first, 'every second pass one row is checked again')];
}

/** A name that was changed has no row to check. */
function isCheckable({ facts, nameChanged, conflict }: KeyRecord): boolean {
  return !facts.isAdmin && !nameChanged && conflict === null;
}

function check({ id }: KeyRecord, why: string): Question {
  return { kind: 'key', id, window: null, why, excess: Infinity };
}
