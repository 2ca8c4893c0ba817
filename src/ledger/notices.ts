/**
 * How long notices have run: counted in time that has surely passed, from the first pass on that knew them to
 * be accepted. Whatever a clock was set to when a channel accepted one, or since, makes none shorter.
 */
import type { EpochMs } from '../core/key.ts';
import type { Sight } from './look.ts';

/** What is remembered of it: the time that has passed, and how much had when each notice began to run. */
interface Remembered {
  readonly meta: ReadonlyMap<string, string>;
  /** The notices that a channel had accepted before the account was looked at. */
  readonly accepted: ReadonlySet<string>;
}

/** Each acceptance by the clock of this look: no longer ago than has surely passed since. */
export function runningSince(memory: Remembered, sight: Sight): ReadonlyMap<string, EpochMs> {
  const known = knownAt(memory.meta);
  const elapsed = elapsedAt(memory, sight);
  return new Map([...memory.accepted].map((id) => [id, sight.at - (elapsed - (known[id] ?? elapsed))]));
}

/** What is to be remembered after this look. */
export function noticesMeta(
  memory: Remembered,
  sight: Sight,
  acceptances: ReadonlyMap<string, EpochMs>,
): Readonly<Record<string, string>> {
  const elapsed = elapsedAt(memory, sight);
  const known = [...acceptances].map(([id, at]) => [id, elapsed - (sight.at - at)] as const);
  return { elapsedMs: String(elapsed), notices: JSON.stringify(Object.fromEntries(known)) };
}

/**
 * The same, for those that were accepted `sinceMs` after the last look at the latest: deliveries that a process
 * ends with need not wait for the next one to be known.
 */
export function acceptedSince(
  { meta, accepted }: Remembered,
  sinceMs: number,
): Readonly<Record<string, string>> {
  const at = Number(meta.get('elapsedMs') ?? 0) + sinceMs;
  const known = [...accepted].map((id) => [id, at] as const);
  return { notices: JSON.stringify({ ...Object.fromEntries(known), ...knownAt(meta) }) };
}

/** Each notice, and how much time had passed when it began to run. */
function knownAt(meta: Remembered['meta']): Readonly<Record<string, number>> {
  return JSON.parse(meta.get('notices') ?? '{}') as Readonly<Record<string, number>>;
}

/** Surely passed since the state was made. A doubted clock says of no time that it passed. */
function elapsedAt({ meta }: Remembered, { clock }: Sight): number {
  return Number(meta.get('elapsedMs') ?? 0) + (clock.trusted ? clock.elapsedMs : 0);
}
