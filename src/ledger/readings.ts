/** What was asked in one pass, and what came back. */
import { zeroCounters } from '../core/evidence.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import type { Aggregate, KeyReading } from '../ports.ts';

/** The raw answers of one pass. */
export interface Readings {
  readonly lifetime: Aggregate | null;
  /** Why the aggregate could not be had, or cannot be believed; null: it can. */
  readonly distrust: string | null;
  readonly windows: ReadonlyMap<Window, Aggregate>;
  readonly own: ReadonlyMap<KeyId, ReadonlyMap<Window | 'lifetime', KeyReading>>;
  readonly unanswered: ReadonlySet<string>;
}

/** What the usage of any key is judged by. */
export interface Pass {
  /** Just before the first request. */
  readonly at: EpochMs;
  readonly readings: Readings;
  /** The newest sample run of each key, as of the pass before. */
  readonly runs: ReadonlyMap<KeyId | 'account', SampleRun>;
  /** Keys about to be changed: nothing but their own readings counts. */
  readonly alone: ReadonlySet<KeyId>;
  /** No pass was made for so long that keys may have come and gone unseen, and their usage with them. */
  readonly away?: boolean;
  /** When the last key went of those that are gone and bore that name; absent: none is. */
  readonly lastBorneAt?: ReadonlyMap<string, EpochMs>;
  /** Whether any policy asks for usage by model. */
  readonly models?: boolean;
}

/** The aggregate's row of the key's name; a name it lacks has no usage, as far as the aggregate goes. */
export function rowOf(aggregate: Aggregate | null, record: KeyRecord): Counters | null {
  if (aggregate === null) return null;
  return aggregate.rows.get(record.facts.name) ?? zeroCounters;
}
