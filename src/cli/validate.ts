/** `keywarden validate [FILE]`: every fault of a policy file, without any network. */
import { readFile } from 'node:fs/promises';
import type { EpochMs } from '../core/key.ts';

/** Where the command reads and writes. `now` is the present unless a test sets it. */
export interface ValidateIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now?: EpochMs;
}

/** Resolves with the exit code: 0 valid, 1 not. Never rejects for what the file holds. */
export async function validate(file: string, io: ValidateIo): Promise<number> {
  const { environmentOf, formatFaults, formatWarnings, loadPolicy } = await import('../policy/load.ts');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    io.stderr.write(`${file}: cannot be read: ${reasonOf(error)}\n`);
    return 1;
  }
  const loaded = loadPolicy(text, file, environmentOf(io.env), io.now ?? Date.now());
  if (!loaded.ok) {
    io.stderr.write(`${formatFaults(loaded.faults)}\n${file}: ${counted(loaded.faults.length, 'fault')}\n`);
    return 1;
  }
  if (loaded.warnings.length > 0) io.stderr.write(formatWarnings(loaded.warnings));
  const { policies, channels, mode } = loaded.policy;
  const size = `${counted(policies.length, 'policy', 'policies')}, ${counted(channels.size, 'channel')}`;
  io.stdout.write(`${file} is valid: ${size}, mode ${mode}\n`);
  return 0;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EACCES') return 'permission denied';
  return code ?? 'unknown error';
}
