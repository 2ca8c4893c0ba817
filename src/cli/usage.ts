import type { Counters, Window } from '../core/key.ts';
import { formatUsd } from '../core/money.ts';
import { entriesOf } from '../core/rows.ts';
import type { Aggregate, KeyReading } from '../ports.ts';
import { findKey, list, secretOf, type Reading } from './by-hand.ts';
import { count, rfc3339, strange, writeJson, writeTable, type Column } from './output.ts';
import { during } from './progress.ts';

interface Options {
  /** `k_…` or an exact name; undefined: all keys, by name. */
  readonly key?: string | undefined;
  /** Null: all time. */
  readonly window: Window | null;
}

/** `keywarden usage [KEY]`: what was used, by name, or by one key. */
export async function usage(by: Reading, { key, window }: Options): Promise<number> {
  return key === undefined ? usageByName(by, window) : usageOfKey(by, key, window);
}

interface Named extends Counters {
  readonly name: string;
  readonly total: boolean;
}

async function usageByName(by: Reading, window: Window | null): Promise<number> {
  const { reader, world } = by;
  const aggregate = await during(world.stderr, 'Reading usage…', () => reader.usage(window, world.signal));
  if (by.output === 'json') {
    writeJson(world.stdout, aggregateJson(aggregate, window));
    return 0;
  }
  const rows: Named[] = ordered(aggregate).map(([name, row]) => ({ ...row, name, total: false }));
  writeTable(world.stdout, namedColumns, [...rows, { ...aggregate.total, name: 'TOTAL', total: true }]);
  return 0;
}

/** Dearest first. */
const ordered = (aggregate: Aggregate) =>
  entriesOf(aggregate.rows).sort(([a, x], [b, y]) => y.costMicroUsd - x.costMicroUsd || (a < b ? -1 : 1));

const counterColumns: readonly Column<Counters>[] = [
  { title: 'COST', text: (row) => `$${formatUsd(row.costMicroUsd)}`, align: 'right' },
  { title: 'TOKENS', text: (row) => count(row.tokens), align: 'right' },
  { title: 'REQUESTS', text: (row) => count(row.requests), align: 'right', drop: 1 },
];

const namedColumns: readonly Column<Named>[] = [
  {
    title: 'NAME',
    text: (row) => strange(row.name),
    min: 16,
    colour: (row) => (row.total ? (c, text) => c.bold(text) : null),
  },
  ...counterColumns,
];

function aggregateJson(aggregate: Aggregate, window: Window | null): unknown {
  return {
    time: window ?? 'all',
    at: rfc3339(aggregate.at),
    ...countersJson(aggregate.total),
    keys: ordered(aggregate).map(([name, row]) => ({
      name,
      ...countersJson(row),
      models: [...row.models].map(([model, counters]) => ({ model, ...countersJson(counters) })),
    })),
  };
}

async function usageOfKey(by: Reading, text: string, window: Window | null): Promise<number> {
  const { reader, world } = by;
  const listing = await list(by);
  const key = findKey(listing, text);
  const secret = secretOf(listing, key);
  const reading = await during(world.stderr, 'Reading usage…', () =>
    reader.keyUsage(secret, window, world.signal),
  );
  if (by.output === 'json') {
    writeJson(world.stdout, readingJson(key, reading, window));
    return 0;
  }
  const row = { ...reading, name: key.name, total: false };
  writeTable(world.stdout, readingColumns, [row]);
  return 0;
}

const readingColumns: readonly Column<KeyReading & Named>[] = [
  ...namedColumns,
  { title: 'PROMPT', text: (row) => count(row.promptTokens), align: 'right', drop: 2 },
  { title: 'COMPLETION', text: (row) => count(row.completionTokens), align: 'right', drop: 2 },
];

const readingJson = (key: { id: string; name: string }, reading: KeyReading, window: Window | null) => ({
  time: window ?? 'all',
  at: rfc3339(reading.at),
  id: key.id,
  name: key.name,
  ...countersJson(reading),
  prompt_tokens: reading.promptTokens,
  completion_tokens: reading.completionTokens,
});

const countersJson = (counters: Counters) => ({
  cost: formatUsd(counters.costMicroUsd),
  tokens: counters.tokens,
  requests: counters.requests,
});
