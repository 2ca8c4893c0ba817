import { existsSync } from 'node:fs';
import { openClock } from '../adapters.ts';
import type { EpochMs } from '../core/key.ts';
import type { PolicyFile } from '../core/policy.ts';
import { failure } from './errors.ts';
import type { Settings } from '../settings.ts';
import type { World } from './world.ts';
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

/** The policy file of a command that cannot do without. Throws a CliError that tells every fault. */
export async function requirePolicy(
  { settings, world }: { readonly settings: Settings; readonly world: World },
  warn: (warnings: string) => void = (warnings) => world.stderr.write(warnings),
): Promise<PolicyFile> {
  const { readPolicyFile } = await import('../policy-file.ts');
  const found = await readPolicyFile(settings.policyPath, world.env, openClock(settings).now());
  if (!found.ok) throw failure(`the policy file cannot be used\n${found.message}`);
  if (found.warnings !== '') warn(found.warnings);
  return found.policy;
}
