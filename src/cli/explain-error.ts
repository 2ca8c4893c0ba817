/** An error → what a person reads, and the exit code. */
import { AdminApiError, StoreError } from '../adapters.ts';
import { framesOf } from '../log.ts';
import { redact } from '../scrub.ts';
import type { Settings } from '../settings.ts';
import { CliError } from './errors.ts';
import { strange } from './output.ts';

export interface Explanation {
  readonly message: string;
  readonly exitCode: 1 | 2;
}

/** `settings` null: they were not read yet. */
export function explain(error: unknown, settings: Settings | null): Explanation {
  const level = settings?.logLevel ?? 'info';
  const wantsStack = (level === 'debug' || level === 'trace') && error instanceof Error;
  const frames = wantsStack ? framesOf(error).map((line) => `\n    ${strange(line)}`) : [];
  return {
    message: sentence(error, settings) + frames.join(''),
    exitCode: error instanceof CliError ? error.exitCode : 1,
  };
}

function sentence(error: unknown, settings: Settings | null): string {
  if (error instanceof CliError) return redact(error.message);
  if (error instanceof AdminApiError) {
    const hint = error.outcome === 'unknown' ? '\nLook with `keywarden keys` before you try again.' : '';
    return `${settings?.apiUrl.origin ?? 'the Admin API'}: ${strange(error.message)}${hint}`;
  }
  if (error instanceof StoreError) return strange(error.message);
  return `unexpected: ${strange(error instanceof Error ? error.message : String(error))}`;
}
