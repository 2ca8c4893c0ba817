import type { EpochMs, Key } from '../core/key.ts';
import { globMatcher } from '../policy/glob.ts';
import { list, type Reading } from './by-hand.ts';
import { count, day, rfc3339, strange, writeJson, writeTable, type Column } from './output.ts';

/** `keywarden keys`: the account's keys by fingerprint; secrets are never shown. */
export async function keys(
  by: Reading,
  { pattern = '*' }: { readonly pattern?: string | undefined },
): Promise<number> {
  const listing = await list(by);
  const matches = globMatcher(pattern);
  const rows = listing.keys
    .filter((key) => matches(key.name))
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  if (by.output === 'json') writeJson(by.world.stdout, rows.map(keyJson));
  else if (rows.length > 0) writeTable(by.world.stdout, columnsAt(by.now()), rows);
  else by.world.stderr.write('No keys.\n');
  return 0;
}

export function keyJson(key: Key): Record<string, unknown> {
  return {
    id: key.id,
    name: key.name,
    created_at: rfc3339(key.createdAt),
    expires_at: key.expiresAt === null ? null : rfc3339(key.expiresAt),
    max_tokens: key.maxTokens,
    chat: key.chat,
    is_admin: key.isAdmin,
    last_used_at: key.lastUsedAt === null ? null : rfc3339(key.lastUsedAt),
    metadata: key.metadata,
  };
}

const columnsAt = (now: EpochMs): readonly Column<Key>[] => [
  { title: 'ID', text: (key) => key.id },
  { title: 'NAME', text: (key) => strange(key.name), min: 16 },
  { title: 'CREATED', text: (key) => day(key.createdAt), drop: 2 },
  {
    title: 'EXPIRES',
    text: (key) => (key.expiresAt === null ? 'never' : day(key.expiresAt)),
    colour: (key) => (key.expiresAt !== null && key.expiresAt <= now ? (c, text) => c.red(text) : null),
  },
  {
    title: 'TOKEN CAP',
    text: (key) => (key.maxTokens === null ? '-' : count(key.maxTokens)),
    align: 'right',
    drop: 1,
  },
  { title: 'METADATA', text: metadataText, min: 12, drop: 3 },
];

function metadataText(key: Key): string {
  const pairs = Object.entries(key.metadata).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return strange(pairs.join(' '));
}
