/** From the JSON of each answer to the port's types. Throws `Malformed`: part of an answer is worse than none. */
import type { Counters, Key, KeyId } from '../core/key.ts';
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
  secretText,
  signedCost,
  text,
  time,
  tokenCap,
} from './schemas.ts';
import type { Fields } from './schemas.ts';

type Sent = Pick<Answer, 'sentAt' | 'serverAt'>;

export function parseListing(json: unknown, { sentAt, serverAt }: Sent): Listing {
  const secrets = new Map<KeyId, Secret>();
  const keys = rows(json, 'the list', (fields) => {
    const { key, secret } = parseKey(fields);
    if (secrets.has(key.id)) throw new Malformed('key is listed twice');
    secrets.set(key.id, secret);
    return key;
  });
  return { at: sentAt, serverAt, keys, secrets };
}

/** One row of the list, which is also the answer to a creation. */
export function parseKey(json: unknown): { key: Key; secret: Secret } {
  const fields = object(json, 'the key');
  const secret = secretText(fields);
  const key: Key = {
    id: fingerprint(secret),
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
  return { key, secret: new Secret(secret) };
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

function rows<T>(json: unknown, what: string, row: (fields: Fields) => T): T[] {
  return array(json, what).map((one, index) =>
    placed(`row ${String(index + 1)}`, () => row(object(one, 'it'))),
  );
}

/** The properties of an object, by their names. Names are strangers' text, so faults are told by number. */
function named<T>(fields: Fields, what: string, row: (fields: Fields) => T): Map<string, T> {
  const result = new Map<string, T>();
  // An empty map of Go's is null in JSON.
  const given = fields[what] === null ? {} : object(fields[what], what);
  for (const [index, name] of Object.keys(given).entries()) {
    placed(`${what}, row ${String(index + 1)}`, () => {
      const key = name.toWellFormed();
      if (result.has(key)) throw new Malformed('its name comes twice');
      result.set(key, row(object(given[name], 'it')));
    });
  }
  return result;
}

function placed<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Malformed ? new Malformed(`${where}: ${error.message}`) : error;
  }
}
