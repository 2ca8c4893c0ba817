/** From the JSON of each answer to the port's types. Throws `Malformed`: part of an answer is worse than none. */
import type { Counters, Key, KeyId, SecretBook } from '../core/key.ts';
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
  sameMetadata,
  secretText,
  signedCost,
  text,
  time,
  tokenCap,
} from './schemas.ts';
import type { Fields } from './schemas.ts';

type Sent = Pick<Answer, 'sentAt' | 'serverAt'>;

/**
 * `known`: the keys of the listing before, in its order. A row that says the same gives the very same object:
 * most keys of an account stay as they are from one listing to the next.
 */
export function parseListing(json: unknown, { sentAt, serverAt }: Sent, known: readonly Key[] = []): Listing {
  const texts: string[] = [];
  let sameOrder = true;
  const keys = rows(json, 'the list', (fields, index) => {
    const secret = secretText(fields);
    const id = fingerprint(secret);
    texts.push(secret);
    const before = known[index];
    if (before?.id !== id) sameOrder = false;
    return keyOf(fields, id, before?.id === id ? before : null);
  });
  // The listing before had no key twice.
  if (!sameOrder) refuseTwice(keys);
  return { at: sentAt, serverAt, keys, secrets: bookOf(keys, texts) };
}

/** Few of them are ever asked for, so none is looked up before it is. */
function bookOf(keys: readonly Key[], texts: readonly string[]): SecretBook {
  return {
    get: (id) => {
      const text = texts[keys.findIndex((key) => key.id === id)];
      return text === undefined ? undefined : new Secret(text);
    },
  };
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
  return { key: keyOf(fields, fingerprint(secret), null), secret: new Secret(secret) };
}

/** `before`: the same key as it was; itself, if nothing about it has changed. */
function keyOf(fields: Fields, id: KeyId, before: Key | null): Key {
  const createdAt = time(fields, 'created_at');
  const name = text(fields, 'name');
  const expiresAt = optionalTime(fields, 'expires_at');
  const maxTokens = tokenCap(fields);
  const chat = flag(fields, 'chat');
  const isAdmin = flag(fields, 'is_admin');
  // Undocumented extra evidence: if it cannot be read, it is not there.
  const lastUsedAt = parseTime(fields.last_used_at);
  const same =
    before !== null &&
    before.createdAt === createdAt &&
    before.name === name &&
    before.expiresAt === expiresAt &&
    before.maxTokens === maxTokens &&
    before.chat === chat &&
    before.isAdmin === isAdmin &&
    before.lastUsedAt === lastUsedAt &&
    sameMetadata(fields, before.metadata);
  if (same) return before;
  return { id, createdAt, name, metadata: metadata(fields), expiresAt, maxTokens, chat, isAdmin, lastUsedAt };
}

/** Totals and one row for each name; rows without `models` have none. */
export function parseAggregate(json: unknown, { sentAt }: Sent): Aggregate {
  const fields = object(json, 'the usage');
  return {
    at: sentAt,
    total: counters(fields, 'tokens', 'requests'),
    rows: named(fields, 'keys', aggregateRow),
  };
}

function aggregateRow(fields: Fields): AggregateRow {
  const models = absent(fields.models) ? new Map() : named(fields, 'models', modelRow);
  return { ...counters(fields, 'total_tokens', 'total_requests'), models };
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

/** The properties of an object, by their names. Names are strangers' text, so faults are told by number. */
function named<T>(fields: Fields, what: string, row: (fields: Fields) => T): Map<string, T> {
  const result = new Map<string, T>();
  // An empty map of Go's is null in JSON.
  const given = fields[what] === null ? {} : object(fields[what], what);
  const names = Object.keys(given);
  let at = 0;
  located(
    () => {
      for (; at < names.length; at += 1) {
        const name = names[at] ?? '';
        const key = name.isWellFormed() ? name : name.toWellFormed();
        result.set(key, row(object(given[name], 'it')));
        if (result.size !== at + 1) throw new Malformed('its name comes twice');
      }
    },
    () => `${what}, row ${String(at + 1)}`,
  );
  return result;
}

/** Says where, only if something is wrong there. */
function located<T>(parse: () => T, where: () => string): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Malformed ? new Malformed(`${where()}: ${error.message}`) : error;
  }
}
