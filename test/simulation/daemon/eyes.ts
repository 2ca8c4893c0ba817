/** What the world's own eye sees of the disk, of a list and of the messages. */
import type { DatabaseSync } from 'node:sqlite';
import type { KeyId } from '../../../src/core/key.ts';
import type { Change } from '../../../src/core/state.ts';
import type { World } from '../../../src/sandbox/world.ts';
import type { Chronicle } from './chronicle.ts';

export function noticedKeys({ entries }: Chronicle): Set<KeyId | null> {
  const notices = entries.flatMap((entry) => (entry.kind === 'accepted' ? entry.alerts : []));
  return new Set(notices.filter(({ event }) => event === 'notice').map(({ key }) => key));
}

export function hasIntent(db: DatabaseSync, key: KeyId, to: string | null): boolean {
  const rows = db.prepare('SELECT body FROM changes WHERE settled_at IS NULL').all();
  return rows
    .map(({ body }) => JSON.parse(String(body)) as Change)
    .some((change) => change.keyId === key && change.to === to);
}

export function lackingIn(list: string, world: World): number | null {
  try {
    const rows = JSON.parse(list) as { key: string; name: string; is_admin: boolean; created_at: string }[];
    const truth = new Map(world.keys().map((key) => [key.secret, key]));
    const isTrue = rows.every(({ key: secret, name, is_admin, created_at }) => {
      const key = truth.get(secret);
      return key?.name === name && key.isAdmin === is_admin && Date.parse(created_at) === key.createdAt;
    });
    return isTrue ? 1 - rows.length / Math.max(1, truth.size) : null;
  } catch {
    return null;
  }
}
