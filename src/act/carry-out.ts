/**
 * The only place that renames or deletes. Each change is checked afresh, written down as an intent,
 * carried out, and written down as an outcome: one after the other, never two at once.
 */
import type { Court } from '../core/court.ts';
import { namedByHand } from '../core/hand.ts';
import { requestLimitMs } from '../core/limits.ts';
import type { PlannedChange } from '../core/plan.ts';
import { settle } from '../core/settle.ts';
import type { Change, KeyRecord, RecordEntry } from '../core/state.ts';
import type { Alert } from '../core/alert.ts';
import type { Key, SecretBook } from '../core/key.ts';
import { instantWords } from '../core/words.ts';
import type { AdminWriter, Clock, Unwanted } from '../ports.ts';
import { isApiFailure } from '../ports.ts';
import type { Batch } from '../store/store.ts';

/** What a fresh look says of a planned change. */
export type Recheck =
  | {
      readonly ok: true;
      readonly court: Court;
      readonly key: Key;
      readonly secrets: SecretBook;
      /** All keys that were listed. */
      readonly among: readonly Key[];
    }
  | { readonly ok: false; readonly because: string };

export interface ActPorts {
  readonly writer: AdminWriter;
  readonly clock: Clock;
  /** Once aborted, no further request is made; what became of one under way is found out at the next start. */
  readonly closing: AbortSignal;
  /** Whether another policy file has taken this pass's place. */
  readonly superseded: () => boolean;
  /** Reads the list and the key's usage afresh, and judges again. */
  recheck(change: PlannedChange): Promise<Recheck>;
  /** Writes to disk, alerts into the outbox included. */
  commit(batch: Batch, alerts: readonly Alert[]): Promise<void>;
}

export interface Outcome {
  readonly change: PlannedChange;
  readonly result: 'done' | 'failed' | 'unclear' | 'cancelled';
  readonly detail: string | null;
}

/** Stops before the next change once `stop` is aborted; the one under way is finished. */
export async function carryOut(
  changes: readonly PlannedChange[],
  ports: ActPorts,
  stop: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const change of changes) {
    if (stop.aborted) break;
    outcomes.push(await carryOutOne(change, ports));
  }
  return outcomes;
}

async function carryOutOne(planned: PlannedChange, ports: ActPorts): Promise<Outcome> {
  const fresh = await ports.recheck(planned);
  if (!fresh.ok) {
    await ports.commit({ record: [entry(ports, 'change-cancelled', planned, fresh.because)] }, []);
    return { change: planned, result: 'cancelled', detail: fresh.because };
  }
  // Were the clock set back just now, limits would forget the change too soon.
  const intent = asIntent(planned, Math.max(ports.clock.now(), fresh.court.now));
  await ports.commit(
    { changes: [intent], record: [entry(ports, 'change-intent', planned, planned.reason)] },
    [],
  );
  const sent = await send(planned, fresh, ports);
  const { result, detail } = sent;
  if (result === 'unclear') {
    const keys = sent.overtaken ? renamedByHand(fresh.court, planned) : [];
    // Left unsettled: the next listing tells what became of it.
    await ports.commit({ keys, record: [entry(ports, 'change-unclear', planned, detail)] }, []);
    return { change: planned, result, detail };
  }
  const outcome = result !== 'cancelled' ? result : sent.overtaken ? 'overtaken' : 'not-done';
  const settled: Change = {
    ...{ ...intent, settledAt: ports.clock.now(), outcome, detail },
    ...(result === 'cancelled' && { noEffect: true }),
  };
  await settleChange(fresh.court, settled, ports);
  return { change: planned, result, detail };
}

/** Writes what a settled change means, in one transaction with its outcome. */
export async function settleChange(
  court: Court,
  change: Change,
  ports: Pick<ActPorts, 'commit' | 'clock'>,
): Promise<void> {
  const { records, findings, alerts } = settle(court, change);
  const record = entry(ports, `change-${change.outcome ?? 'unsettled'}`, change, change.detail);
  await ports.commit({ keys: records, findings, changes: [change], record: [record] }, alerts);
}

/** A change's journal entry. Its id is the decision's: the same intent is never written twice. */
function asIntent(planned: PlannedChange, now: number): Change {
  const { kind, keyId, keyCreatedAt, policy, findingId, step, from, to } = planned;
  return {
    id: `${findingId}/${kind}/${keyId}/${instantWords(now)}`,
    ...{ kind, keyId, keyCreatedAt, policy, findingId, step, from, to },
    intentAt: now,
    settledAt: null,
    outcome: null,
    detail: null,
  };
}

interface Sent {
  readonly result: Outcome['result'];
  readonly detail: string | null;
  /** A person changed the key's name while it was sent. */
  readonly overtaken: boolean;
}

/** A person's hand counts, though the next list may no longer show it. */
function renamedByHand({ records, now }: Court, { keyId, keyCreatedAt }: PlannedChange): KeyRecord[] {
  const record = records.get(keyId);
  return record?.createdAt === keyCreatedAt ? [namedByHand(record, record.facts.name, now)] : [];
}

async function send(
  planned: PlannedChange,
  { court, key, secrets, among }: Extract<Recheck, { ok: true }>,
  { writer, closing, superseded }: Pick<ActPorts, 'writer' | 'closing' | 'superseded'>,
): Promise<Sent> {
  const secret = secrets.get(planned.keyId);
  if (secret === undefined)
    return { result: 'failed', detail: 'the key is no longer listed', overtaken: false };
  const signal = AbortSignal.any([closing, AbortSignal.timeout(requestLimitMs)]);
  const mustBeIdle = planned.kind !== 'restore' && isForIdleness(court, planned);
  const unwanted: Unwanted = (listed) => {
    if (superseded()) return 'the policy file has changed';
    if (differs(key, listed)) return 'the key has changed';
    return mustBeIdle && (listed.lastUsedAt ?? 0) > (key.lastUsedAt ?? 0) ? 'the key was used again' : null;
  };
  try {
    if (planned.kind === 'delete') await writer.deleteKey(key, secret, signal, among, unwanted);
    else await writer.renameKey(key, secret, planned.to ?? planned.from, signal, unwanted);
    return { result: 'done', detail: null, overtaken: false };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const surelyNot = isApiFailure(error) && error.outcome === 'none';
    const overtaken = isApiFailure(error) && error.kind === 'overtaken';
    const cancelled = overtaken || (isApiFailure(error) && error.kind === 'aborted');
    return { result: surelyNot ? (cancelled ? 'cancelled' : 'failed') : 'unclear', detail, overtaken };
  }
}

function isForIdleness({ findings }: Court, { findingId }: PlannedChange): boolean {
  return findings.find(({ id }) => id === findingId)?.figures.kind === 'idle';
}

/** In what policies, protections and silences go by, so that it has to be decided anew. */
export function differs(before: Key, now: Key): boolean {
  const told = ({ metadata, expiresAt, maxTokens, chat, isAdmin }: Key): string =>
    JSON.stringify([metadata, expiresAt, maxTokens, chat, isAdmin]);
  return told(before) !== told(now);
}

function entry(
  ports: Pick<ActPorts, 'clock'>,
  kind: string,
  change: PlannedChange | Change,
  detail: string | null,
): RecordEntry {
  const { keyId, findingId, policy, from, to } = change;
  // People count steps from 1.
  const step = change.step === null ? null : change.step + 1;
  return {
    at: ports.clock.now(),
    kind,
    facts: { change: change.kind, keyId, findingId, policy, step, from, to, detail },
  };
}
