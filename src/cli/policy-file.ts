import { readFile } from 'node:fs/promises';
import type { EpochMs } from '../core/key.ts';
import type { PolicyFile } from '../core/policy.ts';
import { failure } from './errors.ts';
import { settingTable, type Env } from './settings.ts';
import { visible } from './terminal.ts';

/**
 * The policy file for a command that does one thing; null when there is none and it was not asked for by
 * name. Throws a CliError that tells every fault of an invalid one.
 */
export async function readPolicyFile(path: string, env: Env, now: EpochMs): Promise<PolicyFile | null> {
  const text = await textOf(path);
  if (text === null) return null;
  const { environmentOf, formatFaults, loadPolicy } = await import('../policy/load.ts');
  const loaded = loadPolicy(text, path, environmentOf(env), now);
  if (loaded.ok) return loaded.policy;
  throw failure(`the policy file is invalid; nothing was done\n${formatFaults(loaded.faults)}`);
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && path === settingTable.policyPath.fallback) return null;
    const why = code === 'ENOENT' ? 'there is no such file' : code;
    throw failure(`the policy file ${visible(path)} cannot be read: ${why}`, error);
  }
}
