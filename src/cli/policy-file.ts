import { existsSync } from 'node:fs';
import type { EpochMs } from '../core/key.ts';
import type { PolicyFile } from '../core/policy.ts';
import { failure } from './errors.ts';
import { settingTable, type Env } from './settings.ts';

/**
 * The policy file for a command that does one thing; null when there is none and it was not asked for by
 * name. Throws a CliError that tells every fault of an invalid one.
 */
export async function policyIfAny(path: string, env: Env, now: EpochMs): Promise<PolicyFile | null> {
  if (path === settingTable.policyPath.fallback && !existsSync(path)) return null;
  const { readPolicyFile } = await import('../policy-file.ts');
  const found = await readPolicyFile(path, env, now);
  if (found.ok) return found.policy;
  throw failure(`the policy file cannot be used, so nothing was done\n${found.message}`);
}
