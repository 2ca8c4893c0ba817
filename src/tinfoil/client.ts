import type { Secret } from '../core/secret.ts';
import type { AdminReader, AdminWriter, CallObserver, Clock } from '../ports.ts';
import { createReader } from './reader.ts';
import type { RetryPolicy } from './retry.ts';
import { createFetch } from './transport.ts';
import type { Fetch } from './transport.ts';
import { createWriter } from './writer.ts';

export interface AdminClientOptions {
  /** Where the API is; a path in it is kept. */
  readonly baseUrl: URL;
  readonly adminKey: Secret;
  /** Must not follow redirects, which could carry the admin key elsewhere. Default: Node's client. */
  readonly fetch?: Fetch;
  readonly clock: Clock;
  readonly onCall?: CallObserver;
  /** Told to the API as `keywarden/VERSION`. */
  readonly version?: string;
  /** Of one attempt, the whole answer included. */
  readonly timeoutMs?: number;
  /** The largest answer taken, unpacked. Default: 64 MiB. */
  readonly bodyCapBytes?: number;
  readonly retries?: Partial<RetryPolicy>;
  /** Whether usage is wanted by model; asked with each answer. Default: yes. */
  readonly wantsModels?: () => boolean;
}

/** Generous: the list of an account of 100,000 keys is about 25 MB. */
const defaultBodyCapBytes = 64 * 1024 * 1024;

const defaultRetries: RetryPolicy = {
  attempts: 4,
  firstPauseMs: 500,
  longestPauseMs: 10_000,
  random: Math.random,
};

/**
 * The Admin API, its read and its write side apart, so that a dry run can be given the one without
 * the other. Throws when the admin key cannot be sent in a header.
 */
export function createAdminClient(options: AdminClientOptions): { reader: AdminReader; writer: AdminWriter } {
  if (!/^[\x21-\x7e]+$/.test(options.adminKey.reveal())) {
    throw new Error('the admin key is empty or holds characters that no key has');
  }
  const wire = {
    baseUrl: options.baseUrl,
    adminKey: options.adminKey,
    fetch: options.fetch ?? createFetch(),
    clock: options.clock,
    onCall: options.onCall ?? (() => undefined),
    userAgent: options.version === undefined ? 'keywarden' : `keywarden/${options.version}`,
    timeoutMs: options.timeoutMs ?? 30_000,
    bodyCapBytes: options.bodyCapBytes ?? defaultBodyCapBytes,
  };
  const retries = { ...defaultRetries, ...options.retries };
  const reader = createReader(wire, retries, options.wantsModels);
  return { reader, writer: createWriter(wire, reader, retries) };
}
