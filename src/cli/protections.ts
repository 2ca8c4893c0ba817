/** What protects keys from a person's own hand: the policy file, and the names they bore at first. */
import { openState } from '../adapters.ts';
import type { EpochMs, Key } from '../core/key.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { Settings } from '../settings.ts';
import { policyIfAny } from './policy-file.ts';
import type { Env } from './settings.ts';

export interface Protections {
  /** Null when there is no file where one would be by default. */
  readonly policy: PolicyFile | null;
  /** The name before any rename of Keywarden's own, as far as that is remembered. */
  readonly originalNameOf: (key: Key) => string;
}

/** Throws when the file or the state cannot be read: what cannot be judged counts as protected. */
export async function readProtections(settings: Settings, env: Env, now: EpochMs): Promise<Protections> {
  const policy = await policyIfAny(settings.policyPath, env, now);
  const names = policy === null ? new Map<string, string>() : await originalNames(settings, now);
  return { policy, originalNameOf: (key) => names.get(identity(key)) ?? key.name };
}

/** A key is its fingerprint together with its creation. */
const identity = (key: Pick<Key, 'id' | 'createdAt'>): string => `${key.id}/${key.createdAt}`;

async function originalNames(settings: Settings, now: EpochMs): Promise<ReadonlyMap<string, string>> {
  await using store = await openState(settings, { readOnly: true });
  const { keys } = await store.load(now);
  return new Map(keys.map((record) => [identity(record), record.originalName]));
}
