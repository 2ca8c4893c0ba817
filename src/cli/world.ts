/** What a command knows of the process it runs in; `main.ts` makes the real one. */
export interface Screen {
  write(text: string): void;
  /** Characters on a line; null when this is not a terminal: nothing is cut then. */
  readonly columns: number | null;
  readonly colour: boolean;
}

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly stdout: Screen;
  /** Logs, progress, questions. */
  readonly stderr: Screen;
  /** Asks the person at the terminal; null when there is none. Resolves to '' at the end of input. */
  readonly ask: ((question: string, signal: AbortSignal) => Promise<string>) | null;
  readonly signal: AbortSignal;
}

/** Why the signal was raised: the program was stopped from outside. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
