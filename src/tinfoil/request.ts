/** One attempt at one request: from the call to the bytes of a 2xx answer, or an `AdminApiError`. */
import type { EpochMs } from '../core/key.ts';
import type { Secret } from '../core/secret.ts';
import type { CallObserver, Clock } from '../ports.ts';
import { BodyTooLarge, readBody, readErrorBody } from './body.ts';
import type { Call } from './calls.ts';
import { AdminApiError } from './errors.ts';
import type { AdminErrorKind } from './errors.ts';
import { networkFailure } from './network.ts';
import { serverMessage } from './redact.ts';
import { parseHttpDate, retryAfterMs } from './retry-after.ts';
import type { Fetch, Incoming } from './transport.ts';

export interface Wire {
  readonly baseUrl: URL;
  readonly adminKey: Secret;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly onCall: CallObserver;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly bodyCapBytes: number;
}

export interface Answer {
  /** When the request was sent: everything the API knew by then is in the answer. */
  readonly sentAt: EpochMs;
  readonly serverAt: EpochMs | null;
  readonly bytes: Buffer;
}

/** Rejects with an `AdminApiError` only. The time limit covers the whole attempt, body included. */
export async function attempt(wire: Wire, call: Call, signal: AbortSignal): Promise<Answer> {
  if (signal.aborted) throw new AdminApiError({ endpoint: call.endpoint, kind: 'aborted' });
  const sentAt = wire.clock.now();
  const timeout = AbortSignal.timeout(wire.timeoutMs);
  let status: number | 'network' | 'timeout' = 'network';
  try {
    const response = await send(wire, call, AbortSignal.any([signal, timeout]));
    status = response.status;
    if (!response.ok) throw await refusal(wire, call, response);
    const bytes = await readBody(response, wire.bodyCapBytes);
    return { sentAt, serverAt: parseHttpDate(response.headers.get('date')), bytes };
  } catch (thrown) {
    const error = failure(call, thrown, signal, timeout);
    if (error.status === null) status = error.kind === 'timeout' ? 'timeout' : 'network';
    throw error;
  } finally {
    wire.onCall({ endpoint: call.endpoint, status, ms: wire.clock.now() - sentAt });
  }
}

function send(wire: Wire, call: Call, signal: AbortSignal): Promise<Incoming> {
  // eslint-disable-next-line regexp/no-super-linear-move -- an operator's, and no stranger's
  const base = wire.baseUrl.href.replace(/[?#].*$/, '').replace(/\/+$/, '');
  return wire.fetch(base + call.path, {
    method: call.endpoint.split(' ', 1)[0] ?? 'GET',
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${wire.adminKey.reveal()}`,
      'user-agent': wire.userAgent,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: call.body === undefined ? null : JSON.stringify(call.body),
    signal,
  });
}

function kindOf(status: number): AdminErrorKind {
  if (status < 400) return 'redirect';
  if (status >= 500) return 'server';
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 408:
      return 'timeout';
    case 409:
      return 'conflict';
    case 429:
      return 'rate-limited';
    default:
      return 'bad-request';
  }
}

/** An answer that is not a success. What is refused with 4xx has had no effect; of the rest that is not known. */
async function refusal(wire: Wire, call: Call, response: Incoming): Promise<AdminApiError> {
  const { status, headers } = response;
  const kind = kindOf(status);
  const refused = status >= 400 && status < 500 && kind !== 'timeout';
  return new AdminApiError({
    endpoint: call.endpoint,
    kind,
    status,
    retryAfterMs: retryAfterMs(headers, wire.clock.now()),
    serverMessage: serverMessage(await readErrorBody(response), [wire.adminKey, ...call.secrets]),
    outcome: call.writes && !refused ? 'unknown' : 'none',
  });
}

/** Whatever was thrown on the way, as an error that says what happened and holds nothing of the request. */
function failure(call: Call, thrown: unknown, signal: AbortSignal, timeout: AbortSignal): AdminApiError {
  if (thrown instanceof AdminApiError) return thrown;
  const { endpoint, writes } = call;
  const outcome = writes ? 'unknown' : 'none';
  if (signal.aborted) return new AdminApiError({ endpoint, kind: 'aborted', outcome });
  if (timeout.aborted) return new AdminApiError({ endpoint, kind: 'timeout', outcome });
  if (thrown instanceof BodyTooLarge) {
    return new AdminApiError({ endpoint, kind: 'too-large', status: thrown.status, outcome });
  }
  const { kind, code, sent } = networkFailure(thrown);
  return new AdminApiError({ endpoint, kind, detail: code, outcome: sent ? outcome : 'none' });
}
