import type { Rows } from '../core/rows.ts';
import type { EpochMs } from '../core/key.ts';
import type { AdminReader, AggregateRow, Listing } from '../ports.ts';
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

/** Servers' clocks differ a little. */
const staleAfterMs = 5 * 60_000;

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
  /** The Date of the last list. */
  let listedAt: EpochMs | null = null;
  const lister = createLister();
  const hearList: Read<Listing> = (answer) => {
    const listing = lister(answer);
    listedAt = answer.serverAt;
    return listing;
  };
  const ask = <T>(call: Call, parse: Parse<T>, signal: AbortSignal): Promise<T> => {
    const read = parsing(parse);
    return hear(call, (answer) => read(notStale(call, answer, listedAt)), signal);
  };
  let lifetime: Rows<AggregateRow> | undefined;
  return {
    listKeys: (signal) => hear(listKeysCall, hearList, signal),
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

/** What is asked after the list is not answered from long before it, unless on the way somebody kept old answers. */
function notStale({ endpoint }: Call, answer: Answer, listedAt: EpochMs | null): Answer {
  const { serverAt } = answer;
  if (serverAt === null || listedAt === null || listedAt - serverAt <= staleAfterMs) return answer;
  const detail = `it is from ${new Date(serverAt).toISOString()}, long before the list of keys`;
  throw new AdminApiError({ endpoint, kind: 'malformed', status: 200, retryable: true, detail });
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
