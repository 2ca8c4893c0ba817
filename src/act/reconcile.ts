/** After a crash or an unclear answer: what became of the changes whose outcome was never written. */
import type { Court } from '../core/court.ts';
import type { Change } from '../core/state.ts';
import type { ActPorts } from './carry-out.ts';
import { settleChange } from './carry-out.ts';

/** Settles them by a trusted listing. Nothing is sent: what is still wanted is decided anew. */
export async function reconcile(
  unsettled: readonly Change[],
  court: () => Court,
  ports: Pick<ActPorts, 'commit' | 'clock'>,
): Promise<readonly Change[]> {
  const settled: Change[] = [];
  for (const change of unsettled) {
    const outcome = whatBecame(court(), change);
    const one: Change = {
      ...change,
      settledAt: ports.clock.now(),
      outcome,
      detail: 'found by listing afterwards',
    };
    await settleChange(court(), one, ports);
    settled.push(one);
  }
  return settled;
}

function whatBecame(court: Court, change: Change): 'done' | 'not-done' | 'overtaken' {
  // As listed: it may have become an admin key, which is none of those that are judged.
  const known = court.bench.record(change.keyId);
  const record = known?.goneAt === null && known.createdAt === change.keyCreatedAt ? known : undefined;
  if (change.kind === 'delete') return record === undefined ? 'done' : 'not-done';
  if (record === undefined || record.facts.name === change.from) return 'not-done';
  // Under a third name nobody can tell whether it took effect before.
  return record.facts.name === change.to ? 'done' : 'overtaken';
}
