/**
 * What the commands by hand share: the account's two sides, which key is meant, and what protects it.
 */
import { fingerprint } from '../adapters.ts';
import type { EpochMs, Key, KeyId } from '../core/key.ts';
import { isLegalName } from '../core/names.ts';
import type { Secret } from '../core/secret.ts';
import type { RecordEntry } from '../core/state.ts';
import type { AdminReader, AdminWriter, Listing } from '../ports.ts';
import { failure, usageError } from './errors.ts';
import { nearestNames } from './nearest.ts';
import { day, strange } from './output.ts';
import { during } from './progress.ts';
import type { Protections } from './protections.ts';
import type { World } from './world.ts';

export interface Reading {
  readonly reader: AdminReader;
  readonly world: World;
  readonly output: 'table' | 'json';
  readonly now: () => EpochMs;
}

export interface ByHand extends Reading {
  /** Null in a dry run: there is nothing then that could send a change. */
  readonly writer: AdminWriter | null;
  /** Puts a change on record, if there is one. Never rejects: what was done stays done. */
  readonly record: (kind: string, facts: RecordEntry['facts']) => Promise<void>;
}

/** For changes to keys that exist, which may be protected. */
export type Guarded = ByHand & Protections;

export const list = ({ reader, world }: Reading): Promise<Listing> =>
  during(world.stderr, 'Listing keys…', () => reader.listKeys(world.signal));

/** The one key that `text` (`k_…` or an exact name) means. Throws a CliError when none or several do. */
export function findKey(listing: Listing, text: string): Key {
  if (/^(tk|admin)_/.test(text) && !listing.keys.some((key) => key.name === text)) throw notTheSecret(text);
  const found = listing.keys.filter((key) => key.id === text);
  if (found.length === 0) found.push(...listing.keys.filter((key) => key.name === text));
  const key = theOnly(found, text);
  if (key === undefined) throw noSuchKey(listing, text);
  return key;
}

/** Of the keys that `text` may mean the one that it means; undefined: there is none. Throws when it may be several. */
export function theOnly(found: readonly Key[], text: string): Key | undefined {
  if (found.length > 1) throw severalKeys(found, text);
  return found[0];
}

/** A secret as argument stays in the shell's history; what it should have been is easily said. */
function notTheSecret(text: string): Error {
  return usageError(
    `KEY is a key's id or its exact name, never the secret itself (it would stay in the shell's history).\n` +
      `If it is one of this account's, its id is ${fingerprint(text)}.`,
  );
}

function noSuchKey(listing: Listing, text: string): Error {
  const isId = /^k_[0-9a-f]+$/.test(text);
  const candidates = listing.keys.map((key) => (isId ? key.id : key.name));
  const close = nearestNames(text, candidates).map((name) => `  ${strange(name)}`);
  const hint = close.length === 0 ? '' : `\nDid you mean:\n${close.join('\n')}`;
  return failure(`No key has the ${isId ? 'id' : 'name'} ${strange(text)}.${hint}`);
}

function severalKeys(found: readonly Key[], text: string): Error {
  const lines = found.map((key) => `  ${key.id}  created ${day(key.createdAt)}`);
  return failure(
    `${found.length} keys are called ${strange(text)}; name one by its id:\n${lines.join('\n')}`,
  );
}

/** The secret of a listed key, for the call that needs it. */
export function secretOf(listing: Listing, key: Key): Secret {
  const secret = listing.secrets.get(key.id);
  if (secret === undefined) throw failure(`The account's list lacks the secret of ${key.id}.`);
  return secret;
}

/** Throws unless a person may rename or delete this key: what binds the daemon binds the commands. */
export function refuseProtected(by: Guarded, key: Key): void {
  if (key.isAdmin) throw failure(`${key.id} is an admin key; Keywarden never changes those.`);
  const names = new Set([key.name, by.originalNameOf(key)]);
  const held = [...names].some((originalName) => {
    const subject = { key, originalName };
    return by.policy?.protect.some((selector) => selector(subject, by.now())) ?? false;
  });
  if (held) {
    throw failure(`${key.id} (${strange(key.name)}) is protected by the policy file; nothing was changed.`);
  }
}

/** Says so when nothing is protected, for that may be a wrong --policy. */
export function mentionNoProtection(by: Guarded): void {
  if (by.policy === null) {
    by.world.stderr.write('There is no policy file, so no key but an admin key is protected.\n');
  }
}

/** What the API takes as a name: letters, digits, hyphens, underscores, blanks, periods; Keywarden's own limit is 100. */
export function checkName(name: string): string {
  if (name.trim() === '') throw usageError('NAME must not be empty.');
  if (name.length > 100) throw usageError('NAME must not be longer than 100 characters.');
  if (!isLegalName(name)) {
    throw usageError('NAME may hold only letters, digits, hyphens, underscores, blanks and periods.');
  }
  return name;
}

/** Usage is reported by name: two keys of one name can only be told apart one by one. */
export function mentionSharedName(by: ByHand, listing: Listing, name: string, except?: KeyId): void {
  if (listing.keys.some((key) => key.name === name && key.id !== except)) {
    by.world.stderr.write(`Another key is called ${name} already; usage by name cannot tell them apart.\n`);
  }
}
