import type { Rows } from '../core/rows.ts';
import type { AdminReader, AggregateRow } from '../ports.ts';
import { keyUsageCall, listKeysCall, seriesCall, transactionsCall, usageCall } from './calls.ts';
import type { Call } from './calls.ts';
import { AdminApiError } from './errors.ts';
import { parseJson } from './json.ts';
import { parseAggregate, parseKeyReading, parseListing, parseSeries, parseTransactions } from './parse.ts';
import type { KnownRows } from './parse.ts';
import { attempt } from './request.ts';
import type { Answer, Wire } from './request.ts';
import { retrying } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { Malformed } from './schemas.ts';

type Parse<T> = (json: unknown, answer: Answer) => T;

export function createReader(
  wire: Wire,
  retries: RetryPolicy,
  wantsModels: () => boolean = () => true,
): AdminReader {
  const ask = <T>(call: Call, parse: Parse<T>, signal: AbortSignal): Promise<T> =>
    retrying({ clock: wire.clock, retries, endpoint: call.endpoint, signal }, () =>
      askOnce(wire, call, parse, signal),
    );
  /** Of the listing before, without secrets. */
  let known: KnownRows | undefined;
  let lifetime: Rows<AggregateRow> | undefined;
  return {
    listKeys: async (signal) => {
      const { known: rows, ...listing } = await ask(
        listKeysCall,
        (json, answer) => parseListing(json, answer, known),
        signal,
      );
      for (const row of rows.rows as { key: unknown }[]) row.key = null;
      known = rows;
      return listing;
    },
    usage: async (window, signal) => {
      const before = window === null ? lifetime : undefined;
      const aggregate = await ask(
        usageCall(window),
        (json, answer) => parseAggregate(json, answer, wantsModels(), before),
        signal,
      );
      if (window === null) lifetime = aggregate.rows;
      return aggregate;
    },
    keyUsage: (secret, window, signal) => ask(keyUsageCall(secret, window), parseKeyReading, signal),
    series: (window, signal) => ask(seriesCall(window), parseSeries, signal),
    transactions: (signal) => ask(transactionsCall, parseTransactions, signal),
  };
}

/** One attempt at a call whose answer matters. */
export async function askOnce<T>(wire: Wire, call: Call, parse: Parse<T>, signal: AbortSignal): Promise<T> {
  const answer = await attempt(wire, call, signal);
  const facts = {
    endpoint: call.endpoint,
    kind: 'malformed',
    status: 200,
    outcome: call.writes ? 'unknown' : 'none',
  } as const;
  try {
    return parse(parseJson(answer.text), answer);
  } catch (error) {
    // It may have been cut off, or be a gateway's page: worth another try.
    if (error instanceof SyntaxError)
      throw new AdminApiError({ ...facts, retryable: true, detail: 'not JSON' });
    throw error instanceof Malformed ? new AdminApiError({ ...facts, detail: error.message }) : error;
  }
}
