/**
 * Rows of the aggregate whose names no live key bears or has borne. They are of keys that are gone, and stand
 * still. One that grows shows a key that is used under a name it bore before it was first seen: then a key
 * that seems unused may not be.
 */
import type { Readings } from './attribution.ts';

/** Requests in strange rows, by name; infinite for one that has already been seen to grow. */
export type Strangers = ReadonlyMap<string, number>;

export interface Strange {
  readonly strangers: Strangers;
  /** One of them has grown for the first time. */
  readonly hidden: boolean;
}

export function strangersOf(
  { lifetime, distrust }: Readings,
  bearers: ReadonlyMap<string, number>,
  before: Strangers,
): Strange {
  if (lifetime === null || distrust !== null) return { strangers: before, hidden: false };
  const strangers = new Map<string, number>();
  let hidden = false;
  for (const [name, { requests }] of lifetime.rows) {
    if ((bearers.get(name) ?? 0) > 0) continue;
    const known = before.get(name) ?? requests;
    if (requests > known) hidden = true;
    strangers.set(name, requests > known ? Infinity : known);
  }
  return { strangers, hidden };
}
