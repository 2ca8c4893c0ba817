/** The simulated account in a process of its own, so that its memory and time are not the program's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Account extends AsyncDisposable {
  /** The variables that the program needs to work against it. */
  readonly env: Readonly<Record<string, string>>;
}

export const program = new URL('../bin/keywarden.js', import.meta.url).pathname;

export async function startAccount(keys: number): Promise<Account> {
  const child = spawn(process.execPath, [program, 'sandbox', '--keys', String(keys), '--seed', 'bench'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const env: Record<string, string> = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const [, name, value] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) env[name] = value;
    if (name === 'PAGER_SECRET') break;
  }
  // The account's past is made at the first question; that is not the program's time.
  await fetch(`${env['TINFOIL_API_URL'] ?? ''}/api/billing/usage?time=30d`, {
    headers: { Authorization: `Bearer ${env['TINFOIL_ADMIN_KEY'] ?? ''}` },
  }).then((response) => response.arrayBuffer());
  return {
    env,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
