/** Why the usage by name may not be a key's own: what its names went through, as the world knows it. */
import type { KeyRecord } from '../../src/core/state.ts';
import type { World } from '../../src/sandbox/world.ts';

export const causes = ['contradiction', 'renamed', 'renamed unseen', 'shared name', 'other'] as const;

/**
 * `renamed unseen`: before the program first saw it, or between two listings and back again. `shared
 * name`: another key bears or bore one of its names, a deleted one perhaps. `other`: the name is its own.
 */
export type Cause = (typeof causes)[number];

export function causeOf(world: World, record: KeyRecord): Cause {
  const borne = world.everyKey().find(({ id }) => id === record.id)?.names ?? [];
  const names = new Set(borne.map(({ name }) => name));
  const atFirst = borne.filter(({ from }) => from <= record.firstSeenAt);
  if (atFirst.length > 1 || (names.size > 1 && !record.nameChanged)) return 'renamed unseen';
  if (record.conflict !== null) return 'contradiction';
  if (record.nameChanged) return 'renamed';
  const shared = world
    .everyKey()
    .some((key) => key.id !== record.id && key.names.some(({ name }) => names.has(name)));
  return shared ? 'shared name' : 'other';
}

export function countCauses(items: readonly { readonly cause: Cause }[]): Readonly<Record<Cause, number>> {
  const counts = Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<Cause, number>;
  for (const { cause } of items) counts[cause] += 1;
  return counts;
}
