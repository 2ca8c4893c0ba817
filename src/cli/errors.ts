/**
 * A failure with everything a person needs to know in its message: no secrets, no stack wanted.
 * `exitCode` 2: the command was called wrongly; 1: it could not do what was asked.
 */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string): CliError => new CliError(message, 2);

export const failure = (message: string, cause?: unknown): CliError =>
  new CliError(message, 1, cause === undefined ? undefined : { cause });
