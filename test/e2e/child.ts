/** The program as a process of its own, and what it prints. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createFeed, type Feed } from '../../src/sandbox/feed.ts';

export const bin = fileURLToPath(new URL('../../bin/keywarden.js', import.meta.url));

/** Whatever takes longer than this is not coming. */
const patienceMs = 30_000;
export const patience = (): AbortSignal => AbortSignal.timeout(patienceMs);

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
  /** The log; lines of standard error that are not JSON are left out. */
  readonly log: readonly LogLine[];
}

export interface Child {
  readonly pid: number;
  readonly log: Feed<LogLine>;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** The first line, past or to come, with this message. Rejects when the process ends without it. */
  says(msg: string): Promise<LogLine>;
}

export function startChild(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Child {
  // `--`: Node.js takes an --env-file for its own wherever it stands.
  const child = spawn(process.execPath, ['--', bin, ...args], { ...options, stdio: 'pipe' });
  child.stdin.end();
  const log = createFeed<LogLine>();
  const [out, err] = ['', ''].map((text) => ({ text }));
  child.stdout.setEncoding('utf8').on('data', (more: string) => void (out && (out.text += more)));
  onLines(child, (line) => {
    if (err) err.text += `${line}\n`;
    const parsed = asLogLine(line);
    if (parsed !== null) log.push(parsed);
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) =>
      resolve({ code, signal, out: out?.text ?? '', err: err?.text ?? '', log: log.items }),
    );
  });
  const tooEarly = (msg: string): Promise<never> =>
    ended.then(({ code, err: said }) => {
      throw new Error(`it ended with ${String(code)} and never said "${msg}":\n${said}`);
    });
  return {
    pid: child.pid ?? 0,
    log,
    ended,
    kill: (signal) => void child.kill(signal),
    says: (msg) => Promise.race([log.first((line) => line.msg === msg, patience()), tooEarly(msg)]),
  };
}

function onLines(child: ChildProcess, hear: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    const lines = (rest + more).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(hear);
  });
  child.stderr?.once('end', () => {
    if (rest !== '') hear(rest);
  });
}

function asLogLine(line: string): LogLine | null {
  if (!line.startsWith('{"level"')) return null;
  return JSON.parse(line) as LogLine;
}
