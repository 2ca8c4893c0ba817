/** An error → what a person reads, and the exit code. */
import { framesOf } from '../log.ts';
import type { LogLevel } from '../settings.ts';
import { redact } from '../scrub.ts';
import { CliError } from './errors.ts';
import { strange } from './output.ts';

export interface Explanation {
  readonly message: string;
  readonly exitCode: 1 | 2;
}

export function explain(error: unknown, logLevel: LogLevel): Explanation {
  const exitCode = error instanceof CliError ? error.exitCode : 1;
  const wantsStack = (logLevel === 'debug' || logLevel === 'trace') && error instanceof Error;
  const frames = wantsStack ? framesOf(error).map((line) => `\n    ${strange(line)}`) : [];
  return { message: sentence(error) + frames.join(''), exitCode };
}

function sentence(error: unknown): string {
  if (error instanceof CliError) return redact(error.message);
  return `unexpected: ${strange(error instanceof Error ? error.message : String(error))}`;
}
