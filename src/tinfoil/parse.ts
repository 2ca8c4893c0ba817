/** From the JSON of each answer to the port's types. Throws `Malformed`: part of an answer is worse than none. */
import type { Counters, Key, KeyId } from '../core/key.ts';
import { namesOf, rowsByName, rowsOf } from '../core/rows.ts';
import type { Rows } from '../core/rows.ts';
import { Secret } from '../core/secret.ts';
import type {
  Aggregate,
  AggregateRow,
  KeyReading,
  Listing,
  Series,
  SeriesPoint,
  Transaction,
} from '../ports.ts';
import { fingerprint } from './fingerprint.ts';
import { secretBook } from './secret-book.ts';
import type { Answer } from './request.ts';
import {
  absent,
  array,
  cost,
  count,
  flag,
  Malformed,
  metadata,
  object,
  optionalTime,
  parseTime,
  secretText,
  signedCost,
  text,
  time,
  tokenCap,
} from './schemas.ts';
import type { Fields } from './schemas.ts';

type Sent = Pick<Answer, 'sentAt' | 'serverAt'>;

/** A listing's rows beside the keys they became. Whoever keeps them takes out their secrets. */
export interface KnownRows {
  readonly keys: readonly Key[];
  readonly rows: readonly Fields[];
}

/**
 * `known`: the listing before. A row that says the same gives the very same key: most keys of an account
 * stay as they are from one listing to the next.
 */
export function parseListing(
  json: unknown,
  { sentAt, serverAt }: Sent,
  known: KnownRows = { keys: [], rows: [] },
): Listing & { readonly known: KnownRows } {
  const texts: string[] = [];
  const kept: Fields[] = [];
  let sameOrder = true;
  const keys = rows(json, 'the list', (fields, place) => {
    const secret = secretText(fields);
    const id = fingerprint(secret);
    texts.push(secret);
    const [before, row] = [known.keys[place], known.rows[place]];
    if (before?.id !== id) sameOrder = false;
    const same = before?.id === id && row !== undefined && saysTheSame(fields, row);
    kept.push(same ? row : fields);
    return same ? before : keyOf(fields, id);
  });
  // The listing before had no key twice.
  if (!sameOrder) refuseTwice(keys);
  return {
    at: sentAt,
    serverAt,
    keys,
    secrets: secretBook(keys, (place) => texts[place]),
    known: { keys, rows: kept },
  };
}

/** The secrets of a listing, in its order. */
export function secretsOf(json: unknown): readonly string[] {
  return rows(json, 'the list', secretText);
}

/** In all that is used of a row. Metadata with anything but plain values in it counts as changed. */
function saysTheSame(now: Fields, before: Fields): boolean {
  return (
    now.name === before.name &&
    now.created_at === before.created_at &&
    now.expires_at === before.expires_at &&
    now.max_tokens === before.max_tokens &&
    now.chat === before.chat &&
    now.is_admin === before.is_admin &&
    now.last_used_at === before.last_used_at &&
    samePlainly(now.metadata, before.metadata)
  );
}

function samePlainly(now: unknown, before: unknown): boolean {
  if (now === before) return true;
  if (typeof now !== 'object' || typeof before !== 'object' || now === null || before === null) return false;
  let more = 0;
  for (const name in now) {
    const value = (now as Fields)[name];
    if (value !== (before as Fields)[name] || !Object.hasOwn(before, name)) return false;
    more += 1;
  }
  for (const _name in before) more -= 1;
  return more === 0;
}

function refuseTwice(keys: readonly Key[]): void {
  const seen = new Set<KeyId>();
  for (const [index, { id }] of keys.entries()) {
    if (seen.has(id)) throw new Malformed(`row ${String(index + 1)}: key is listed twice`);
    seen.add(id);
  }
}

/** One row of the list, which is also the answer to a creation. */
export function parseKey(json: unknown): { key: Key; secret: Secret } {
  const fields = object(json, 'the key');
  const secret = secretText(fields);
  return { key: keyOf(fields, fingerprint(secret)), secret: new Secret(secret) };
}

function keyOf(fields: Fields, id: KeyId): Key {
  return {
    id,
    createdAt: time(fields, 'created_at'),
    name: text(fields, 'name'),
    metadata: metadata(fields),
    expiresAt: optionalTime(fields, 'expires_at'),
    maxTokens: tokenCap(fields),
    chat: flag(fields, 'chat'),
    isAdmin: flag(fields, 'is_admin'),
    // Undocumented extra evidence: if it cannot be read, it is not there.
    lastUsedAt: parseTime(fields.last_used_at),
  };
}

/**
 * Totals and one row for each name; rows without `models` have none. `before`: an earlier answer's rows. One
 * that counts the same is the very same row, as are the names if they are the same in the same order.
 */
export function parseAggregate(
  json: unknown,
  { sentAt }: Sent,
  wantsModels = true,
  before?: Rows<AggregateRow>,
): Aggregate {
  const fields = object(json, 'the usage');
  return {
    at: sentAt,
    total: counters(fields, 'tokens', 'requests'),
    rows: namedRows(fields, 'keys', wantsModels ? rowByModel : row, before),
  };
}

const noModels: ReadonlyMap<string, Counters> = new Map();

function row(fields: Fields, before?: AggregateRow): AggregateRow {
  const costMicroUsd = cost(fields, 'cost');
  const tokens = count(fields, 'total_tokens');
  const requests = count(fields, 'total_requests');
  const same =
    before?.requests === requests &&
    before.tokens === tokens &&
    before.costMicroUsd === costMicroUsd &&
    before.models === noModels;
  return same ? before : { costMicroUsd, tokens, requests, models: noModels };
}

function rowByModel(fields: Fields): AggregateRow {
  return { ...row(fields), models: absent(fields.models) ? noModels : named(fields, 'models', modelRow) };
}

function modelRow(fields: Fields): Counters {
  return counters(fields, 'tokens', 'requests');
}

function counters(fields: Fields, tokens: string, requests: string): Counters {
  return {
    costMicroUsd: cost(fields, 'cost'),
    tokens: count(fields, tokens),
    requests: count(fields, requests),
  };
}

export function parseKeyReading(json: unknown, { sentAt }: Sent): KeyReading {
  const fields = object(json, 'the usage');
  const promptTokens = count(fields, 'prompt_tokens');
  const completionTokens = count(fields, 'completion_tokens');
  const tokens = promptTokens + completionTokens;
  if (!Number.isSafeInteger(tokens)) throw new Malformed('the sum of tokens is too large');
  const requests = count(fields, 'requests');
  return { at: sentAt, costMicroUsd: cost(fields, 'cost'), tokens, requests, promptTokens, completionTokens };
}

export function parseSeries(json: unknown): Series {
  const fields = object(json, 'the series');
  return {
    interval: text(fields, 'interval'),
    points: rows(fields.data_points ?? [], 'data_points', seriesPoint),
  };
}

function seriesPoint(fields: Fields): SeriesPoint {
  const models = absent(fields.models) ? new Map() : named(fields, 'models', activity);
  return { at: time(fields, 'time'), ...activity(fields), models };
}

function activity(fields: Fields): { tokens: number; requests: number } {
  return { tokens: count(fields, 'tokens'), requests: count(fields, 'requests') };
}

export function parseTransactions(json: unknown): readonly Transaction[] {
  return rows(json ?? [], 'the list', (fields) => ({
    id: text(fields, 'id'),
    at: time(fields, 'date'),
    type: text(fields, 'type'),
    description: text(fields, 'description'),
    amountMicroUsd: signedCost(fields, 'amount'),
    status: text(fields, 'status'),
  }));
}

function rows<T>(json: unknown, what: string, row: (fields: Fields, index: number) => T): T[] {
  const given = array(json, what);
  let at = 0;
  return located(
    () => given.map((one, index) => row(object(one, 'it'), (at = index))),
    () => `row ${String(at + 1)}`,
  );
}

function named<T>(fields: Fields, what: string, row: (fields: Fields) => T): Map<string, T> {
  const result = new Map<string, T>();
  eachNamed(fields, what, (name, one) => {
    const known = result.size;
    if (result.set(wellFormed(name), row(one)).size === known) throw new Malformed(twice);
  });
  return result;
}

/** What comes where it came before, or elsewhere, is given to `row` with the row that it was. */
function namedRows<T>(
  fields: Fields,
  what: string,
  row: (fields: Fields, before?: T) => T,
  before: Rows<T> = rowsByName<T>([]),
): Rows<T> {
  const { list: known, places } = before.names;
  const names: string[] = [];
  const list: T[] = [];
  let next = 0;
  let same = true;
  eachNamed(fields, what, (name, one) => {
    const was = name === known[next] ? next : places.get(name);
    if (was !== list.length) same = false;
    names.push(was === undefined ? wellFormed(name) : name);
    list.push(row(one, was === undefined ? undefined : before.list[was]));
    next = (was ?? next) + 1;
  });
  if (same && list.length === known.length) return rowsOf(before.names, list);
  const distinct = namesOf(names);
  if (distinct.places.size < names.length) throw new Malformed(`${what}: ${twice}`);
  return rowsOf(distinct, list);
}

const twice = 'a name comes twice';

/** The properties of an object, by their names. Names are strangers' text, so faults are told by number. */
function eachNamed(fields: Fields, what: string, visit: (name: string, row: Fields) => void): void {
  // An empty map of Go's is null in JSON.
  const given = fields[what] === null ? {} : object(fields[what], what);
  const names = Object.keys(given);
  let at = 0;
  located(
    () => {
      for (; at < names.length; at += 1) {
        const name = names[at] ?? '';
        visit(name, object(given[name], 'it'));
      }
    },
    () => `${what}, row ${String(at + 1)}`,
  );
}

/** A lone surrogate would not survive being stored. */
function wellFormed(name: string): string {
  return name.isWellFormed() ? name : name.toWellFormed();
}

/** Says where, only if something is wrong there. */
function located<T>(parse: () => T, where: () => string): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Malformed ? new Malformed(`${where()}: ${error.message}`) : error;
  }
}
