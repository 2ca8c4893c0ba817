/** Whether a value is what `src/ports.ts` says of each call: types alone are gone when the program runs. */
import { Secret } from '../../src/core/secret.ts';
import type { Counters, Key } from '../../src/core/key.ts';
import type { Aggregate, KeyReading, Listing, Series, Transaction } from '../../src/ports.ts';
import type { CallName } from './answers.ts';

/** Null: it is. Else what is not. */
export function fits(call: CallName, value: unknown): string | null {
  switch (call) {
    case 'list':
      return ofListing(value as Listing);
    case 'usage':
      return ofAggregate(value as Aggregate);
    case 'reading':
      return ofReading(value as KeyReading);
    case 'series':
      return ofSeries(value as Series);
    case 'transactions':
      return first(value as readonly Transaction[], ofTransaction);
    case 'create': {
      const { key, secret } = value as { key: Key; secret: unknown };
      return secret instanceof Secret ? ofKey(key) : 'secret';
    }
    case 'rename':
    case 'delete':
      return value === undefined ? null : 'something where nothing is told';
    default:
      return call satisfies never;
  }
}

const first = <T>(items: Iterable<T>, fault: (item: T) => string | null): string | null => {
  for (const item of items) {
    const found = fault(item);
    if (found !== null) return found;
  }
  return null;
};

const whole = (value: unknown): boolean =>
  Number.isSafeInteger(value) && !Object.is(value, -0) && (value as number) >= 0;
const integer = (value: unknown): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);
const wellFormed = (value: unknown): boolean => typeof value === 'string' && value.isWellFormed();
const instant = (value: unknown): boolean => integer(value) && Math.abs(value as number) <= 8.64e15;

const all = (facts: Readonly<Record<string, boolean>>): string | null =>
  Object.entries(facts).find(([, holds]) => !holds)?.[0] ?? null;

function ofKey({
  id,
  name,
  createdAt,
  expiresAt,
  maxTokens,
  chat,
  isAdmin,
  lastUsedAt,
  metadata,
}: Key): string | null {
  return all({
    id: /^k_[0-9a-f]{16}$/.test(id),
    name: wellFormed(name),
    createdAt: instant(createdAt) && createdAt >= 0,
    expiresAt: expiresAt === null || instant(expiresAt),
    lastUsedAt: lastUsedAt === null || instant(lastUsedAt),
    maxTokens: maxTokens === null || (whole(maxTokens) && maxTokens > 0),
    flags: typeof chat === 'boolean' && typeof isAdmin === 'boolean',
    metadata: Object.getPrototypeOf(metadata) === null,
    // Whatever has it is written to the state as JSON.
    'metadata that can be written': typeof JSON.stringify(metadata) === 'string',
  });
}

function ofListing({ at, serverAt, keys, secrets }: Listing): string | null {
  const ids = new Set(keys.map(({ id }) => id));
  return (
    all({
      at: instant(at),
      serverAt: serverAt === null || instant(serverAt),
      'distinct keys': ids.size === keys.length,
      secrets: keys.every(({ id }) => secrets.get(id) instanceof Secret),
    }) ?? first(keys, ofKey)
  );
}

const ofCounters = ({ costMicroUsd, tokens, requests }: Counters): string | null =>
  all({ cost: whole(costMicroUsd), tokens: whole(tokens), requests: whole(requests) });

function ofAggregate({ at, total, rows }: Aggregate): string | null {
  const { names, list } = rows;
  return (
    all({ at: instant(at), 'a row of each name': names.list.length === list.length }) ??
    ofCounters(total) ??
    first(names.list, (name) => (wellFormed(name) ? null : 'a name')) ??
    first(list, (row) => ofCounters(row) ?? first(row.models.values(), ofCounters))
  );
}

const ofReading = (reading: KeyReading): string | null =>
  ofCounters(reading) ??
  all({ sum: reading.promptTokens + reading.completionTokens === reading.tokens, at: instant(reading.at) });

const ofSeries = ({ interval, points }: Series): string | null =>
  all({ interval: wellFormed(interval) }) ??
  first(points, ({ at, tokens, requests, models }) =>
    all({ at: instant(at), tokens: whole(tokens), requests: whole(requests), models: models instanceof Map }),
  );

const ofTransaction = ({ id, at, type, description, amountMicroUsd, status }: Transaction): string | null =>
  all({
    texts: [id, type, description, status].every(wellFormed),
    at: instant(at),
    amount: integer(amountMicroUsd),
  });
