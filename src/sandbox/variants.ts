/** What the Admin API's page leaves open: every way it might be. A stand-in can behave in each. */
import type { EpochMs } from '../core/key.ts';

export interface Variants {
  /** What a rename does to the aggregate: usage goes with the key, is split between the names, or stays with the first. */
  renameHistory: 'follows' | 'splits' | 'stays';
  /** Keys of one name in the aggregate: added up, or the youngest key's row replaces the others. */
  sharedNames: 'merged' | 'last-wins';
  /** Rows of deleted keys in the aggregate. Its totals hold them in any case. */
  deletedInAggregate: 'listed' | 'gone';
  /** Status of deleting a key that is not there. */
  deleteMissing: 404 | 200;
  /** Aggregate rows of keys without usage. */
  noUsageRows: 'absent' | 'zeros';
  rateLimit: 'none' | { readonly perMinute: number; readonly retryAfter: 'seconds' | 'date' | 'none' };
  /**
   * `lateMs`: usage is reported so much later than it happened. `fallsAt`: from that instant on, what
   * was used in the `lostMs` before it is lost, so lifetime counters fall once.
   */
  freshness:
    'immediate' | { readonly lateMs: number } | { readonly fallsAt: EpochMs; readonly lostMs: number };
  /** What a new name must keep to besides its characters. */
  renameRules: 'none' | { readonly maxLength: number } | 'unique';
  listOrder: 'created' | 'shuffled';
  errorBody: 'message' | 'error';
  /** Whether rows of the list have `last_used_at`, `tokens_used`, `request_count`, `disabled` and `scope`. */
  extras: boolean;
  /** `expires_at` and `max_tokens` of a key that has none. */
  absent: 'omitted' | 'null';
  /** How times end: `Z`, or an offset such as `+02:00`. */
  timeOffset: string;
  /** What the `Date` header is ahead of the clock. */
  dateSkewMs: number;
}

const defaults: Variants = {
  renameHistory: 'follows',
  sharedNames: 'merged',
  deletedInAggregate: 'listed',
  deleteMissing: 404,
  noUsageRows: 'absent',
  rateLimit: 'none',
  freshness: 'immediate',
  renameRules: 'none',
  listOrder: 'created',
  errorBody: 'message',
  extras: false,
  absent: 'omitted',
  timeOffset: 'Z',
  dateSkewMs: 0,
};

/** The defaults with `chosen` over them: an object of its own, which may be changed while it is in use. */
export function createVariants(chosen: Partial<Variants> = {}): Variants {
  return { ...defaults, ...chosen };
}

const oneOf =
  <const T extends string>(...values: readonly T[]) =>
  (text: string): T => {
    const value = values.find((known) => known === text);
    if (value === undefined) throw new RangeError(`must be ${values.join(' or ')}`);
    return value;
  };

function whole(text: string | undefined): number {
  if (text === undefined || !/^-?\d{1,12}$/.test(text)) throw new RangeError('needs a whole number');
  return Number(text);
}

function offset(text: string): string {
  if (!/^(Z|[+-]\d\d:\d\d)$/.test(text)) throw new RangeError('must be Z or an offset such as +02:00');
  return text;
}

type Readers = { readonly [Name in keyof Variants]: (text: string, start: EpochMs) => Variants[Name] };

const readers: Readers = {
  renameHistory: oneOf('follows', 'splits', 'stays'),
  sharedNames: oneOf('merged', 'last-wins'),
  deletedInAggregate: oneOf('listed', 'gone'),
  deleteMissing: (text) => (oneOf('404', '200')(text) === '404' ? 404 : 200),
  noUsageRows: oneOf('absent', 'zeros'),
  rateLimit: (text) => {
    if (text === 'none') return 'none';
    const [perMinute, retryAfter = 'seconds'] = text.split(':');
    return { perMinute: whole(perMinute), retryAfter: oneOf('seconds', 'date', 'none')(retryAfter) };
  },
  freshness: (text, start) => {
    const [kind, amount] = text.split(':');
    if (kind === 'late') return { lateMs: whole(amount) * 1_000 };
    if (kind === 'falls') return { fallsAt: start + 86_400_000, lostMs: 6 * 3_600_000 };
    return oneOf('immediate')(text);
  },
  renameRules: (text) => {
    const [kind, amount] = text.split(':');
    return kind === 'maxLength' ? { maxLength: whole(amount) } : oneOf('none', 'unique')(text);
  },
  listOrder: oneOf('created', 'shuffled'),
  errorBody: oneOf('message', 'error'),
  extras: (text) => oneOf('true', 'false')(text) === 'true',
  absent: oneOf('omitted', 'null'),
  timeOffset: offset,
  dateSkewMs: whole,
};

/**
 * Reads variants as written on a command line: `renameHistory=splits`, `rateLimit=60:seconds`,
 * `freshness=late:120` (seconds), `freshness=falls` (a day after `start`, six hours are lost),
 * `renameRules=maxLength:40`, `timeOffset=+02:00`. Throws a RangeError that names what is wrong.
 */
export function parseVariants(texts: readonly string[], start: EpochMs): Partial<Variants> {
  return Object.assign({}, ...texts.map((text) => parseVariant(text, start))) as Partial<Variants>;
}

function parseVariant(text: string, start: EpochMs): Partial<Variants> {
  const [name = '', value = ''] = text.split(/=(.*)/s);
  if (!Object.hasOwn(readers, name)) {
    throw new RangeError(`no variant is named "${name}"; there are ${Object.keys(readers).join(', ')}`);
  }
  try {
    return { [name]: readers[name as keyof Variants](value, start) };
  } catch (error) {
    throw new RangeError(`variant ${name}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
