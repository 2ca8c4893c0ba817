/** The look directly before a change: at the account as it is now, and at whether the change is still asked for. */
import { differs } from '../act/carry-out.ts';
import type { Recheck } from '../act/carry-out.ts';
import type { Question } from '../core/evidence.ts';
import type { Key, Window } from '../core/key.ts';
import type { Decision, PlannedChange } from '../core/plan.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { Court } from '../core/court.ts';
import { deliberate } from '../deliberate.ts';
import type { Deliberation, Inquiry } from '../deliberate.ts';
import { look } from '../ledger/look.ts';
import type { Sight } from '../ledger/look.ts';
import type { Memory } from '../memory.ts';
import type { PassPorts } from './ports.ts';
import type { Commit } from './commit.ts';
import { before } from './before.ts';
import { rememberHands } from './hands.ts';

/** A change is worth its calls, also in a minute that has had its share: limits bound how many changes there are. */
const recheckCalls = 12;

/** The list and this key's usage, read afresh; the same decision, made again. */
export async function recheck(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  seen: Sight,
  change: PlannedChange,
  commit: Commit,
): Promise<Recheck> {
  const signal = AbortSignal.any([ports.closing, AbortSignal.timeout(60_000)]);
  const newPolicy = { ok: false, because: 'the policy file has changed' } as const;
  if (ports.superseded()) return newPolicy;
  try {
    const again = await look(ports.reader, ports.clock, before(memory), ports.pace, signal);
    await rememberHands(memory, again, commit);
    const motive = { why: `${change.policy}: checked afresh before the ${change.kind}`, excess: Infinity };
    const question: Question = { kind: 'key', id: change.keyId, window: null, ...motive };
    const moving = movingWindow(policy, change);
    const windows = new Map(seen.readings.windows);
    if (moving !== null) windows.delete(moving);
    const sight: Sight = { ...again, readings: { ...again.readings, windows } };
    const questions: Question[] =
      moving === null ? [question] : [question, { kind: 'aggregate', window: moving, ...motive }];
    const inquiry: Inquiry = { questions, alone: new Set([change.keyId]), spare: Infinity };
    const able = { ...ports, callBudget: () => recheckCalls };
    const found = await deliberate(able, memory, policy, sight, inquiry, signal);
    const { keys, secrets } = sight.listing;
    const key = keys.find((one) => one.id === change.keyId && one.createdAt === change.keyCreatedAt);
    const unread = found.sight.readings.unanswered.has(`key ${change.keyId} lifetime`);
    if (key === undefined) return { ok: false, because: 'the key is no longer listed' };
    if (unread) return { ok: false, because: 'the key’s own usage could not be read' };
    const still = found.decision.changes.some((one) => sameChange(one, change));
    const isAsSeen = !still || (await isUnchanged(ports, memory, again, key, commit, signal));
    // Also of a file that came while the API was asked.
    if (ports.superseded()) return newPolicy;
    if (!still) return { ok: false, because: whyNot(found.decision, change) };
    if (!isAsSeen) return { ok: false, because: 'the key changed while its usage was read' };
    return { ok: true, court: withFreshFigures(found, change), key, secrets, among: keys };
  } catch (error) {
    return {
      ok: false,
      because: `it could not be checked afresh: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** So long what a look saw is taken for what is so now. */
const freshForMs = 5000;

/** Where it took long to read the usage, somebody may have saved the key meanwhile: then the list is read once more. */
async function isUnchanged(
  ports: PassPorts,
  memory: Memory,
  { monotonicMs }: Sight,
  key: Key,
  commit: Commit,
  signal: AbortSignal,
): Promise<boolean> {
  if (ports.clock.monotonic() - monotonicMs <= freshForMs) return true;
  const later = await look(ports.reader, ports.clock, before(memory), ports.pace, signal);
  await rememberHands(memory, later, commit);
  const now = later.listing.keys.find((one) => one.id === key.id && one.createdAt === key.createdAt);
  return later.hold === null && now?.name === key.name && !differs(key, now);
}

/**
 * The rolling period that the change's policy judges by the whole account's usage of it: it has moved on since
 * the pass read it. What a key used in one by itself is asked for in any case.
 */
function movingWindow({ policies }: PolicyFile, change: PlannedChange): Window | null {
  const rule = policies.find(({ name }) => name === change.policy)?.rule;
  if (rule?.kind !== 'spend' || rule.period.kind !== 'rolling') return null;
  return rule.models === null && rule.across.kind === 'key' ? null : rule.period.window;
}

/** What is told of the change is told with the numbers of the fresh look. */
function withFreshFigures({ court, decision }: Deliberation, { findingId }: PlannedChange): Court {
  const judged = decision.findings.find((one) => one.id === findingId);
  if (judged === undefined) return court;
  const findings = court.findings.map((one) =>
    one.id === findingId ? { ...one, figures: judged.figures } : one,
  );
  return { ...court, findings };
}

function sameChange(a: PlannedChange, b: PlannedChange): boolean {
  return (
    a.kind === b.kind &&
    a.keyId === b.keyId &&
    a.keyCreatedAt === b.keyCreatedAt &&
    a.findingId === b.findingId &&
    a.from === b.from &&
    a.to === b.to
  );
}

function whyNot(decision: Decision, change: PlannedChange): string {
  const held = decision.held.find(
    (one) =>
      one.findingId === change.findingId &&
      one.kind === change.kind &&
      one.subject.kind === 'key' &&
      one.subject.id === change.keyId,
  );
  return held === undefined ? 'checked afresh, it is no longer asked for' : held.detail;
}
