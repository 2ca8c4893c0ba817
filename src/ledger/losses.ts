/**
 * What keys had in the list before and lack in this one. It says what protects a key, which policies cover it
 * and when it ends, and the Admin API takes hardly any of it from a key: an answer that lacks it for many is no answer.
 */
import type { Key, KeyId } from '../core/key.ts';
import type { Loss } from '../core/list-doubt.ts';
import type { KeyRecord } from '../core/state.ts';

const fields: readonly { readonly field: string; readonly has: (key: Key) => boolean }[] = [
  { field: 'metadata', has: hasMetadata },
  { field: 'expires_at', has: ({ expiresAt }) => expiresAt !== null },
  { field: 'max_tokens', has: ({ maxTokens }) => maxTokens !== null },
  { field: 'chat', has: ({ chat }) => chat },
  { field: 'is_admin', has: ({ isAdmin }) => isAdmin },
];

function hasMetadata({ metadata }: Key): boolean {
  for (const _name in metadata) return true;
  return false;
}

/** `changed`: how keys were and are; `before`: all that there were. Only fields of which something is lost. */
export function lossesOf(
  changed: readonly (readonly [before: Key, now: Key])[],
  before: ReadonlyMap<KeyId, KeyRecord>,
): Loss[] {
  return fields.flatMap(({ field, has }) => {
    const lost = changed.filter(([was, is]) => has(was) && !has(is)).length;
    return lost === 0 ? [] : [{ field, lost, had: [...before.values()].filter(hadBy(has)).length }];
  });
}

function hadBy(has: (key: Key) => boolean): (record: KeyRecord) => boolean {
  return ({ goneAt, facts }) => goneAt === null && has(facts);
}

/** The key as it is listed, but with what it had before where it lacks that. */
export function withoutLosses(before: Key, now: Key): Key {
  return {
    ...now,
    metadata: hasMetadata(now) ? now.metadata : before.metadata,
    expiresAt: now.expiresAt ?? before.expiresAt,
    maxTokens: now.maxTokens ?? before.maxTokens,
    chat: now.chat || before.chat,
    isAdmin: now.isAdmin || before.isAdmin,
  };
}
