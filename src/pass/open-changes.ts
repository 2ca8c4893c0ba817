/** Changes of which it is open what became of them, settled by a list that can be trusted. */
import { reconcile } from '../act/reconcile.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { Change } from '../core/state.ts';
import type { Court } from '../core/court.ts';
import { register } from '../ledger/registry.ts';
import { deliberate } from '../deliberate.ts';
import type { Deliberation, Inquiry } from '../deliberate.ts';
import type { Sight } from '../ledger/look.ts';
import type { Memory } from '../memory.ts';
import type { PassPorts } from './ports.ts';
import type { Commit } from './commit.ts';
import { attempted } from './before.ts';

/** Of several attempts at one thing the last one did it. */
function toSettle(memory: Memory, sight: Sight): readonly Change[] {
  const shown = attempted(memory)
    .filter((change) => change.settledAt === null || showsLate(change, memory, sight))
    .sort((a, b) => a.intentAt - b.intentAt);
  const thing = ({ kind, keyId, to }: Change): string => JSON.stringify([kind, keyId, to]);
  return [...new Map(shown.map((change) => [thing(change), change])).values()];
}

/** A change that an earlier list did not show, and this one does. */
function showsLate(
  { outcome, kind, keyId, keyCreatedAt, to }: Change,
  memory: Memory,
  sight: Sight,
): boolean {
  const known = memory.records.get(keyId);
  if (outcome !== 'not-done' || known?.createdAt !== keyCreatedAt) return false;
  const key = sight.listing.keys.find((one) => one.id === keyId && one.createdAt === keyCreatedAt);
  if (kind === 'delete') return key === undefined && known.goneAt === null;
  // Also of a key that a list lacked in between.
  return key?.name === to && known.facts.name !== to;
}

/**
 * Changes that a crash or an unclear answer left open are settled by a list that can be trusted.
 * Resolves to the same sight with the keys as they are known afterwards.
 */
export async function settleOpen(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
  commit: Commit,
  stop: AbortSignal,
): Promise<Sight> {
  if (sight.registry.doubt !== null) return sight;
  const open = toSettle(memory, sight);
  if (open.length === 0) return sight;
  const inquiry: Inquiry = { questions: [], alone: new Set(), spare: Infinity };
  const found = await deliberate(ports, memory, policy, sight, inquiry, stop);
  const court = (): Court => ({
    ...found.court,
    findings: [...memory.findings.values()],
    records: merged(found, memory),
  });
  await reconcile(open, court, { commit, clock: ports.clock });
  return { ...sight, registry: register(memory.records, sight.listing, [], () => null) };
}

/** What the program itself did since comes before what the list said. */
function merged(found: Deliberation, memory: Memory): Court['records'] {
  return { get: (id) => memory.records.get(id) ?? found.court.records.get(id) };
}
