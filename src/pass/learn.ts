/** What a pass saw and decided, written down and remembered. */
import type { EpochMs, KeyId } from '../core/key.ts';
import type { Decision } from '../core/plan.ts';
import type { PolicyFile } from '../core/policy.ts';
import { periodStarts } from '../deliberate.ts';
import type { Deliberation } from '../deliberate.ts';
import type { Sight } from '../ledger/look.ts';
import { advanceMarks } from '../ledger/marks.ts';
import { noticesMeta } from '../ledger/notices.ts';
import { extend, keepRuns, sample } from '../ledger/samples.ts';
import { idleSignature } from '../core/mass-idle.ts';
import { answeredAt, foldWindows, windowReadings } from '../ledger/windows.ts';
import type { Memory } from '../memory.ts';
import { decisionEntries, heldKeys } from '../record.ts';
import type { PassPorts } from './ports.ts';
import type { Commit } from './commit.ts';
import { clockMeta } from './before.ts';

/** Everything that the pass learnt and decided, in one transaction. */
export async function commitSeen(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  found: Deliberation,
  commit: Commit,
): Promise<void> {
  const { sight, attribution, decision, court } = found;
  const records = new Map(sight.registry.changed.map((record) => [record.id, record]));
  for (const record of attribution.changed) records.set(record.id, record);
  const { usageLagMs } = ports.pace;
  const boundaries = periodStarts(policy, sight.at).flatMap((start) => [start, start + usageLagMs]);
  const created = (key: KeyId | 'account'): EpochMs =>
    key === 'account' ? 0 : (court.records.get(key)?.createdAt ?? 0);
  const taken = { sentAt: sight.at, doneAt: (key: KeyId | 'account') => answeredBy(sight, key) };
  const sampling = sample(memory.runs, attribution.counters, created, taken, boundaries);
  const extending = extend(attribution.trail.lineup, sight.at, boundaries);
  const shrunk = sight.registry.doubt === null ? '' : memory.meta.get('shrunkSince') || String(sight.at);
  await commit(
    {
      keys: [...records.values()],
      findings: decision.findings,
      samples: [...sampling.write, ...extending.write],
      record: decisionEntries(found, memory.holds),
      meta: {
        ...clockMeta(sight),
        ...noticesMeta(memory, sight, court.acceptances),
        ...idleMeta(memory, policy, decision),
        shrunkSince: shrunk,
      },
    },
    decision.alerts,
  );
  memory.monotonicMs = sight.monotonicMs;
  const doubted = learn(memory, found);
  keepRuns(memory.runs, attribution.trail.lineup, sampling.runs);
  for (const [start, marks] of memory.marks)
    if (typeof start === 'number')
      memory.marks.set(start, advanceMarks(marks, sampling.runs, start, usageLagMs));
  extending.apply();
  await restoreMarks(ports, memory, doubted);
  memory.trail = attribution.trail;
  memory.listed = attribution.trail.lineup.live;
  memory.holds = heldKeys(decision);
}

/** When the answer was there that a key's counters are of. */
function answeredBy({ readings, rowsAt, doneAt }: Sight, key: KeyId | 'account'): EpochMs {
  const own = key === 'account' ? undefined : readings.own.get(key)?.get('lifetime');
  return own === undefined ? rowsAt : (own.doneAt ?? doneAt);
}

/**
 * What this pass's windows tell of the past is remembered, for they will tell less of it later. Returns the
 * keys of which what was remembered so is no longer believed.
 */
function learn(memory: Memory, { sight, attribution }: Deliberation): ReadonlySet<KeyId> {
  const { evidence, changed, trail } = attribution;
  const { records } = sight.registry;
  const doubted = new Set(changed.flatMap(({ id, doubt }) => (doubt !== records.get(id)?.doubt ? [id] : [])));
  const before = memory.windowReadings;
  const fresh = windowReadings(trail.lineup, evidence, sight.readings);
  for (const [key, marks] of foldWindows({ marks: memory.marks, before, fresh, evidence, doubted }))
    memory.marks.set(key, marks);
  memory.windowReadings = fresh;
  for (const [question, at] of answeredAt(sight.readings, sight.at)) memory.readAt.set(question, at);
  return doubted;
}

/** Of such keys only the ledger's own samples are left, outside of the time of doubt. */
async function restoreMarks(
  { store, pace }: PassPorts,
  memory: Memory,
  doubted: ReadonlySet<KeyId>,
): Promise<void> {
  if (doubted.size === 0) return;
  for (const [start, marks] of memory.marks) {
    if (typeof start !== 'number') continue;
    const stored = await store.marks(start, pace.usageLagMs);
    const restored = new Map(marks);
    for (const id of doubted) {
      const mark = stored.get(id);
      if (mark !== undefined) restored.set(id, mark);
    }
    memory.marks.set(start, restored);
  }
}

function idleMeta(memory: Memory, policy: PolicyFile, decision: Decision): Record<string, string> {
  const judged = policy.policies.flatMap((one) => idleSignature(one) ?? []);
  const since = decision.massIdle ? memory.meta.get('massIdleSince') || String(decision.now) : '';
  return { idleJudged: JSON.stringify(judged), massIdleSince: since };
}
