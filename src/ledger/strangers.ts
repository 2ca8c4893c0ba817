/**
 * Rows of the aggregate whose names no live key bears or has borne. They are of keys that are gone, and stand
 * still. One that grows shows a key that is used under a name it bore before it was first seen: then a key
 * that seems unused may not be.
 */
import type { Readings } from './readings.ts';

export interface Strangers {
  /** Requests in strange rows, by name; infinite for one that has already been seen to grow. */
  readonly requests: ReadonlyMap<string, number>;
  /** How many rows there were, and whose names were known then. */
  readonly rows: number;
  readonly bearers: ReadonlyMap<string, number>;
}

export interface Strange {
  readonly strangers: Strangers;
  /** One of them has grown for the first time. */
  readonly hidden: boolean;
}

export function strangersOf(
  { lifetime, distrust }: Readings,
  bearers: ReadonlyMap<string, number>,
  before: Strangers | null,
): Strange {
  const rows = distrust === null ? lifetime?.rows : undefined;
  if (rows === undefined) {
    return { strangers: before ?? { requests: new Map(), rows: 0, bearers }, hidden: false };
  }
  const requests = new Map<string, number>();
  // What such rows were before a start is not known.
  let hidden = false;
  const note = (name: string): void => {
    const used = rows.get(name)?.requests ?? 0;
    // A name that had a bearer is a deleted key's; one that nobody ever bore is used by somebody now.
    const borne = before === null || (before.bearers.get(name) ?? 0) > 0;
    const known = before?.requests.get(name) ?? (borne ? used : 0);
    if (used > known || (before === null && used > 0)) hidden = true;
    requests.set(name, used > known ? Infinity : known);
  };
  // As many rows as before, and the same names known: they are the same.
  const same = before !== null && before.rows === rows.size && before.bearers === bearers;
  if (same) for (const name of before.requests.keys()) note(name);
  else for (const name of rows.names.list) if ((bearers.get(name) ?? 0) === 0) note(name);
  return { strangers: { requests, rows: rows.size, bearers }, hidden };
}
