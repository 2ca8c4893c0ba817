import type { RecordCheck, Store, StoredRecordEntry } from '../store/store.ts';
import { visible, visibleJson } from './terminal.ts';

export interface AuditOptions {
  /** Check the chain instead of showing entries. */
  readonly verify: boolean;
  /** How many entries to show, the newest. */
  readonly limit: number;
  readonly output: 'table' | 'json';
}

interface Streams {
  readonly store: Pick<Store, 'recorded' | 'verifyRecord'>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** `keywarden audit`: the record, or whether its chain holds. Resolves to the exit code, 1 when it is broken. */
export async function audit(options: AuditOptions, streams: Streams): Promise<number> {
  return options.verify ? verify(options, streams) : show(options, streams);
}

async function verify({ output }: AuditOptions, { store, stdout, stderr }: Streams): Promise<number> {
  const check = await store.verifyRecord();
  if (output === 'json') stdout.write(`${visibleJson(check)}\n`);
  else (check.ok ? stdout : stderr).write(`${verdict(check)}\n`);
  return check.ok ? 0 : 1;
}

function verdict(check: RecordCheck): string {
  if (check.ok) return `The record is whole: ${check.entries} entries, each chained to the one before.`;
  return [
    `The record is broken at entry ${check.seq}: ${check.because}.`,
    'What comes before it can be trusted; compare what follows with a backup.',
  ].join('\n');
}

async function show({ limit, output }: AuditOptions, { store, stdout }: Streams): Promise<number> {
  const entries = await store.recorded({ limit });
  if (output === 'json') stdout.write(`${visibleJson(entries)}\n`);
  else stdout.write(entries.length === 0 ? 'The record is empty.\n' : entries.map(line).join(''));
  return 0;
}

function line({ seq, at, kind, facts }: StoredRecordEntry): string {
  const when = new Date(at).toISOString();
  const told = Object.entries(facts).flatMap(([name, value]) =>
    value === null ? [] : [`${visible(name)}=${factText(value)}`],
  );
  return `${[String(seq), when, visible(kind), ...told].join('  ')}\n`;
}

/** As it is where it is one plain word, or else as JSON, so that no name can pass for another fact. */
function factText(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@-]+$/.test(value)) return value;
  return visible(JSON.stringify(value));
}
