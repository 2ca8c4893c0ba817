/**
 * The write side. An answer is only ever a hint: whether a rename or a deletion has taken effect is
 * seen in the list.
 */
import type { Key } from '../core/key.ts';
import { listDoubt } from '../core/list-doubt.ts';
import type { Secret } from '../core/secret.ts';
import type { AdminReader, AdminWriter, Unwanted } from '../ports.ts';
import { createCall, deleteCall, listKeysCall, renameCall } from './calls.ts';
import type { Endpoint } from './calls.ts';
import { AdminApiError } from './errors.ts';
import { fingerprint } from './fingerprint.ts';
import { parseKey, parseListing } from './parse.ts';
import { askOnce } from './reader.ts';
import { attempt } from './request.ts';
import type { Wire } from './request.ts';
import { backoffMs, pause, retrying } from './retry.ts';
import type { Patience, RetryPolicy } from './retry.ts';

/** How often the list is read before an accepted deletion counts as not done. */
const looks = 3;

export function createWriter(wire: Wire, reader: AdminReader, retries: RetryPolicy): AdminWriter {
  const patience = (endpoint: Endpoint, signal: AbortSignal): Patience => ({
    clock: wire.clock,
    retries,
    endpoint,
    signal,
  });

  return {
    async createKey(key, signal) {
      const call = createCall(key);
      // Only a request refused for its rate has surely made no key.
      return retrying(
        patience(call.endpoint, signal),
        () => askOnce(wire, call, parseKey, signal),
        (error) => error.kind === 'rate-limited',
      );
    },

    async renameKey(key, secret, name, signal, unwanted = () => null) {
      const call = renameCall(secret, name);
      assertOwn(key, secret, call.endpoint);
      const look = (ask: Unwanted): Promise<boolean> =>
        isRenamed(wire, { key, unwanted: ask, endpoint: call.endpoint }, name, signal);
      const { failure, unclear } = await persist(patience(call.endpoint, signal), async (number) => {
        // A page in place of the API's JSON is no promise: it makes the attempt unclear, so the list is asked.
        if (number === 1 || !(await look(unwanted))) await askOnce(wire, call, () => undefined, signal);
      });
      if (failure === null) return;
      const lastLook = unclear && failure.retryable ? await look(() => null).catch(() => false) : false;
      if (!lastLook) throw failure;
    },

    async deleteKey(key, secret, signal, among = [], unwanted = () => null) {
      const call = deleteCall(secret);
      assertOwn(key, secret, call.endpoint);
      const target: Target = { key, among, unwanted, endpoint: call.endpoint };
      const waiting = patience(call.endpoint, signal);
      const { failure, unclear } = await persist(waiting, async (number) => {
        // In the time that passed somebody may have saved the key.
        if (number === 1 || (await isToGo(wire, target, signal))) await attempt(wire, call, signal);
      });
      const settled = failure !== null && !unclear && failure.kind !== 'not-found';
      if (settled || failure?.kind === 'aborted' || failure?.kind === 'overtaken') throw failure;
      if (await isGone(reader, target, waiting)) return;
      throw failure ?? unconfirmed(call.endpoint);
    },
  };
}

interface Sent {
  /** Null: accepted. */
  readonly failure: AdminApiError | null;
  /** At least one attempt may have taken effect. */
  readonly unclear: boolean;
}

/** Sends a change until it is accepted or refused. Once an attempt is unclear, so is the whole. */
async function persist(patience: Patience, send: (number: number) => Promise<void>): Promise<Sent> {
  let unclear = false;
  try {
    await retrying(patience, async (number) => {
      try {
        await send(number);
      } catch (error) {
        unclear ||= error instanceof AdminApiError && error.outcome === 'unknown';
        throw error;
      }
    });
    return { failure: null, unclear };
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error;
    return { failure: unclear ? error.with({ outcome: 'unknown' }) : error, unclear };
  }
}

/** A change falls only on the key it was decided for. */
function assertOwn(key: Key, secret: Secret, endpoint: Endpoint): void {
  if (fingerprint(secret.reveal()) === key.id) return;
  throw new AdminApiError({ endpoint, kind: 'conflict', detail: 'the secret is not this key’s' });
}

function isSame(one: Key, other: Key): boolean {
  return one.id === other.id && one.createdAt === other.createdAt;
}

/** One look whether the key bears the name. Throws when it is gone, or a third name shows another hand. */
async function isRenamed(wire: Wire, aim: Aim, name: string, signal: AbortSignal): Promise<boolean> {
  const { key, endpoint } = aim;
  const { keys } = await askOnce(wire, listKeysCall, parseListing, signal);
  const listed = keys.find((one) => isSame(one, key));
  if (listed === undefined)
    throw new AdminApiError({ endpoint, kind: 'not-found', detail: 'no longer listed' });
  if (listed.name === name) return true;
  assertWanted(aim, listed);
  return false;
}

/** A key that is to be changed, as it was when that was decided. */
interface Aim {
  readonly key: Key;
  readonly unwanted: Unwanted;
  readonly endpoint: Endpoint;
}

/** Throws when another hand shows, or when the change is not to be made any more. */
function assertWanted({ key, unwanted, endpoint }: Aim, listed: Key): void {
  if (listed.name !== key.name) throw overtaken(endpoint);
  const because = unwanted(listed);
  if (because !== null) throw new AdminApiError({ endpoint, kind: 'aborted', detail: because });
}

function overtaken(endpoint: Endpoint): AdminApiError {
  return new AdminApiError({ endpoint, kind: 'overtaken', detail: 'its name was changed meanwhile' });
}

/** A key to be deleted. `among`: all keys as they were listed before. */
interface Target extends Aim {
  readonly among: readonly Key[];
}

/** Why a list that lacks the key does not prove it gone; null: it does. */
function absenceDoubt({ key, among }: Target, keys: readonly Key[]): string | null {
  const others = among.filter((one) => !isSame(one, key));
  const listed = new Map(keys.map(({ id, createdAt }) => [id, createdAt]));
  const still = others.filter(({ id, createdAt }) => listed.get(id) === createdAt);
  return listDoubt(others.length, still.length, keys.length);
}

/** One look whether the key is there as it was. Throws when that shows another hand, or cannot be told. */
async function isToGo(wire: Wire, target: Target, signal: AbortSignal): Promise<boolean> {
  const { key, endpoint } = target;
  const { keys } = await askOnce(wire, listKeysCall, parseListing, signal);
  const listed = keys.find((one) => isSame(one, key));
  if (listed !== undefined) assertWanted(target, listed);
  const doubt = listed === undefined ? absenceDoubt(target, keys) : null;
  if (doubt !== null)
    throw new AdminApiError({ endpoint, kind: 'malformed', retryable: true, detail: doubt });
  return listed !== undefined;
}

async function isGone(reader: AdminReader, target: Target, patience: Patience): Promise<boolean> {
  try {
    for (let look = 1; ; look += 1) {
      const { keys } = await reader.listKeys(patience.signal);
      const listed = keys.some((one) => isSame(one, target.key));
      const doubt = listed ? null : absenceDoubt(target, keys);
      if (!listed && doubt === null) return true;
      if (look === looks && doubt !== null) throw unproven(target, doubt);
      if (look === looks) return false;
      await pause(patience, backoffMs(patience.retries, look));
    }
  } catch (error) {
    if (error instanceof AdminApiError && error.unconfirmed) throw error;
    if (!(error instanceof AdminApiError)) throw error;
    const { endpoint } = patience;
    throw error.with({
      endpoint,
      outcome: 'unknown',
      detail: 'sent, but the list could not be read after it',
    });
  }
}

function unproven({ endpoint }: Target, doubt: string): AdminApiError {
  const facts = { kind: 'malformed', outcome: 'unknown', unconfirmed: true } as const;
  return new AdminApiError({ endpoint, ...facts, detail: `sent, but ${doubt}` });
}

function unconfirmed(endpoint: Endpoint): AdminApiError {
  return new AdminApiError({
    endpoint,
    kind: 'server',
    status: 200,
    outcome: 'unknown',
    unconfirmed: true,
    detail: 'accepted, but the key is still listed',
  });
}
