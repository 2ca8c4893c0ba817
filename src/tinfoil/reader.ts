import type { Rows } from '../core/rows.ts';
import type { AdminReader, AggregateRow } from '../ports.ts';
import { keyUsageCall, listKeysCall, seriesCall, transactionsCall, usageCall } from './calls.ts';
import type { Call } from './calls.ts';
import { NotJson, parseJson } from './json.ts';
import { AdminApiError } from './errors.ts';
import { createLister } from './lister.ts';
import { parseAggregate, parseKeyReading, parseSeries, parseTransactions } from './parse.ts';
import { attempt } from './request.ts';
import type { Answer, Wire } from './request.ts';
import { retrying } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { Malformed } from './schemas.ts';

type Parse<T> = (json: unknown, answer: Answer) => T;
type Read<T> = (answer: Answer) => T;

export function createReader(
  wire: Wire,
  retries: RetryPolicy,
  wantsModels: () => boolean = () => true,
): AdminReader {
  const hear = <T>(call: Call, read: Read<T>, signal: AbortSignal): Promise<T> =>
    retrying({ clock: wire.clock, retries, endpoint: call.endpoint, signal }, () =>
      hearOnce(wire, call, read, signal),
    );
  const ask = <T>(call: Call, parse: Parse<T>, signal: AbortSignal): Promise<T> =>
    hear(call, parsing(parse), signal);
  const lister = createLister();
  let lifetime: Rows<AggregateRow> | undefined;
  return {
    listKeys: (signal) => hear(listKeysCall, lister, signal),
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
export function askOnce<T>(wire: Wire, call: Call, parse: Parse<T>, signal: AbortSignal): Promise<T> {
  return hearOnce(wire, call, parsing(parse), signal);
}

function parsing<T>(parse: Parse<T>): Read<T> {
  return (answer) => parse(parseJson(answer.bytes), answer);
}

async function hearOnce<T>(wire: Wire, call: Call, read: Read<T>, signal: AbortSignal): Promise<T> {
  const answer = await attempt(wire, call, signal);
  try {
    return read(answer);
  } catch (error) {
    const facts = {
      endpoint: call.endpoint,
      kind: 'malformed',
      status: 200,
      outcome: call.writes ? 'unknown' : 'none',
    } as const;
    // It may have been cut off, or be a gateway's page: worth another try.
    if (error instanceof NotJson) throw new AdminApiError({ ...facts, retryable: true, detail: 'not JSON' });
    throw error instanceof Malformed ? new AdminApiError({ ...facts, detail: error.message }) : error;
  }
}
