import type { Key } from '../core/key.ts';
import type { AdminReader, Listing } from '../ports.ts';
import { keyUsageCall, listKeysCall, seriesCall, transactionsCall, usageCall } from './calls.ts';
import type { Call } from './calls.ts';
import { AdminApiError } from './errors.ts';
import { parseAggregate, parseKeyReading, parseListing, parseSeries, parseTransactions } from './parse.ts';
import { attempt } from './request.ts';
import type { Answer, Wire } from './request.ts';
import { retrying } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { Malformed } from './schemas.ts';

type Parse<T> = (json: unknown, answer: Answer) => T;

export function createReader(wire: Wire, retries: RetryPolicy): AdminReader {
  const ask = <T>(call: Call, parse: Parse<T>, signal: AbortSignal): Promise<T> =>
    retrying({ clock: wire.clock, retries, endpoint: call.endpoint, signal }, () =>
      askOnce(wire, call, parse, signal),
    );
  /** Without secrets. */
  let known: readonly Key[] = [];
  return {
    listKeys: async (signal) => {
      const parse: Parse<Listing> = (json, answer) => parseListing(json, answer, known);
      const listing = await ask(listKeysCall, parse, signal);
      known = listing.keys;
      return listing;
    },
    usage: (window, signal) => ask(usageCall(window), parseAggregate, signal),
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
  let json: unknown;
  try {
    json = JSON.parse(answer.text);
  } catch {
    // It may have been cut off, or be a gateway's page: worth another try.
    throw new AdminApiError({ ...facts, retryable: true, detail: 'not JSON' });
  }
  try {
    return parse(json, answer);
  } catch (error) {
    throw error instanceof Malformed ? new AdminApiError({ ...facts, detail: error.message }) : error;
  }
}
