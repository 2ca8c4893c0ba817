/** The policy file on disk: read, compiled, and watched for changes of its content. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { EpochMs } from './core/key.ts';
import type { PolicyFile } from './core/policy.ts';
import type { Secret } from './core/secret.ts';
import { environmentOf } from './policy/environment.ts';
import { formatFaults } from './policy/faults.ts';
import { hashOf, loadPolicy } from './policy/load.ts';
import { hide } from './scrub.ts';

export type PolicyRead =
  | { readonly ok: true; readonly text: string; readonly policy: PolicyFile; readonly warnings: string }
  /** `text` null: the file could not be read at all. `message`: every fault, with its place. */
  | { readonly ok: false; readonly text: string | null; readonly message: string; readonly faults: number };

/** Never rejects. The environment is read again each time: a mounted secret may have changed. */
export async function readPolicyFile(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  now: EpochMs,
): Promise<PolicyRead> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return { ok: false, text: null, message: `${path}: ${whyUnreadable(error)}`, faults: 1 };
  }
  const loaded = loadPolicy(text, path, environmentOf(env), now);
  if (!loaded.ok)
    return { ok: false, text, message: formatFaults(loaded.faults), faults: loaded.faults.length };
  secretsIn(loaded.policy).forEach(hide);
  return { ok: true, text, policy: loaded.policy, warnings: formatFaults(loaded.warnings) };
}

function secretsIn({ smtp, channels }: PolicyFile): Secret[] {
  const ofChannels = [...channels.values()].flatMap((channel): (Secret | null)[] => {
    switch (channel.kind) {
      case 'slack':
        return [channel.webhookUrl];
      case 'webhook':
        return [channel.url, channel.secret];
      case 'email':
        return [];
      default:
        return channel satisfies never;
    }
  });
  return [smtp?.url ?? null, ...ofChannels].filter((secret) => secret !== null);
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'there is no such policy file';
    case 'EISDIR':
      return 'the policy file is a directory';
    case 'EACCES':
      return 'the policy file may not be read';
    default:
      return `the policy file could not be read (${code || 'unknown error'})`;
  }
}

/** What was read of the file, for `watchPolicyFile`. */
export function hashRead({ text }: PolicyRead): string | null {
  return text === null ? null : hashOf(text);
}

const watchEveryMs = 2000;

/**
 * Calls `changed` whenever the file's content is not what was last read of it, by its hash (null: it could not
 * be read): also where it was changed before the first look, or could not be read for a moment. It looks rather
 * than listens: a mounted ConfigMap is swapped by a symbolic link above the file, which file-system
 * events miss. In real time, for editors live in it, also while a simulated clock runs faster.
 */
export async function watchPolicyFile(
  path: string,
  lastRead: () => string | null,
  changed: () => void,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    await pause(watchEveryMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
    const now = await readFile(path, 'utf8').then(hashOf, () => null);
    if (!stop.aborted && now !== lastRead()) changed();
  }
}
