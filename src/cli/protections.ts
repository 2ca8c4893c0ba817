/** What protects keys from a person's own hand: the policy file, and the names they bore at first. */
import { readFile } from 'node:fs/promises';
import type { Key } from '../core/key.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { Settings } from '../settings.ts';
import { failure } from './errors.ts';
import { settingTable } from './settings.ts';
import { visible } from './terminal.ts';
import type { World } from './world.ts';

export interface Protections {
  /** Null when there is no file where one would be by default. */
  readonly policy: PolicyFile | null;
  readonly originalNameOf: (key: Key) => string;
}

/**
 * Throws a CliError for a file that is invalid, or was named and is not there: what cannot be judged
 * counts as protected.
 */
export async function readProtections(settings: Settings, world: World, now: number): Promise<Protections> {
  const policy = await readPolicy(settings.policyPath, world, now);
  const names = policy === null ? new Map<string, string>() : await originalNames(settings, now);
  return { policy, originalNameOf: (key) => names.get(identity(key)) ?? key.name };
}

async function readPolicy(path: string, { env }: World, now: number): Promise<PolicyFile | null> {
  const text = await textOf(path);
  if (text === null) return null;
  const [{ loadPolicy }, { environmentOf }] = await Promise.all([
    import('../policy/load.ts'),
    import('../policy/environment.ts'),
  ]);
  const loaded = loadPolicy(text, path, environmentOf(env), now);
  if (loaded.ok) return loaded.policy;
  const [fault] = loaded.faults;
  const place = fault === undefined ? path : `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`;
  throw failure(
    `${visible(place)}\nThe policy file is invalid, so nothing tells which keys are protected; nothing was changed.\n` +
      '`keywarden validate` shows all that is wrong.',
  );
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && path === settingTable.policyPath.fallback) return null;
    const why = code === 'ENOENT' ? 'no such file' : code;
    throw failure(`The policy file ${visible(path)} cannot be read (${why}); nothing was changed.`, error);
  }
}

/** A key is its fingerprint together with its creation. */
const identity = (key: Pick<Key, 'id' | 'createdAt'>): string => `${key.id}/${key.createdAt}`;

/** From before Keywarden's own renames; of keys it has not seen there is none. */
async function originalNames(settings: Settings, now: number): Promise<ReadonlyMap<string, string>> {
  const { openState } = await import('../adapters.ts');
  await using store = await openState(settings, { readOnly: true });
  const { keys } = await store.load(now);
  return new Map(keys.map((record) => [identity(record), record.originalName]));
}
