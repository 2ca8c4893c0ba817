/** The process: argv, signals and exit code. */
import { createInterface } from 'node:readline/promises';
import { runProgram } from './cli/program.ts';
import { Interrupted, type Screen } from './cli/world.ts';
import { redact } from './scrub.ts';

const stop = new AbortController();

// The first asks for an orderly end, the second ends at once; 128 + the signal's number, as shells have it.
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(exitCode);
    stop.abort(new Interrupted(`stopped by ${signal}`, exitCode));
  });
}

// Whoever reads has had enough (`keywarden keys | head`): no reason to complain, but to end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stop.abort(new Interrupted('nobody reads the output any more', 0));
  });
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`error: unexpected: ${redact(message)}\n`);
    process.exit(1);
  });
}

function screenOf(stream: NodeJS.WriteStream): Screen {
  const terminal = stream.isTTY && process.env['TERM'] !== 'dumb';
  return {
    write: (text) => void stream.write(text),
    columns: terminal ? stream.columns || 80 : null,
    colour: terminal && (process.env['NO_COLOR'] ?? '') === '',
  };
}

/** Answers '' when the input ends without one. */
async function ask(question: string, signal: AbortSignal): Promise<string> {
  // `terminal: false`: Ctrl-C stays a signal to the process.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
  try {
    const answer = await Promise.race([lines.question(question, { signal }), ended]);
    if (answer === null) process.stderr.write('\n');
    return answer ?? '';
  } finally {
    lines.close();
  }
}

process.exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  stdout: screenOf(process.stdout),
  stderr: screenOf(process.stderr),
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
  signal: stop.signal,
});
