import type { NewKey } from '../ports.ts';
import { checkName, list, mentionSharedName, type ByHand } from './by-hand.ts';
import { usageError } from './errors.ts';
import { keyJson } from './keys.ts';
import { rfc3339, writeJson } from './output.ts';
import { during } from './progress.ts';
import { visibleJson } from './terminal.ts';

export interface CreateOptions {
  readonly name: string;
  /** RFC 3339. */
  readonly expiresAt?: string | undefined;
  readonly maxTokens?: number | undefined;
  /** Each `name=value`. */
  readonly metadata?: readonly string[] | undefined;
}

/** `keywarden create NAME`: the new key's secret goes to standard output, this once and nowhere else. */
export async function create(by: ByHand, options: CreateOptions): Promise<number> {
  const { world, writer } = by;
  const wanted = newKeyOf(options, by.now());
  mentionSharedName(by, await list(by), wanted.name);
  if (writer === null) {
    world.stderr.write(`Dry run: a key called ${wanted.name} would be created.\n`);
    if (by.output === 'json') writeJson(world.stdout, { dry_run: true, create: wantedJson(wanted) });
    return 0;
  }
  const { key, secret } = await during(world.stderr, 'Creating the key…', () =>
    writer.createKey(wanted, world.signal),
  );
  world.stderr.write(`Created ${key.id}. This is the only time its secret is shown; store it now.\n`);
  if (by.output === 'json') {
    const shown = { ...keyJson(key), secret: secret.reveal() };
    world.stdout.write(`${visibleJson(shown)}\n`);
  } else {
    world.stdout.write(`${secret.reveal()}\n`);
  }
  // Last: nothing may come between the secret and whoever waits for it.
  await by.record('by-hand-done', { change: 'create', keyId: key.id, from: null, to: key.name });
  return 0;
}

const wantedJson = (wanted: NewKey) => ({
  name: wanted.name,
  expires_at: wanted.expiresAt === undefined ? null : rfc3339(wanted.expiresAt),
  max_tokens: wanted.maxTokens ?? null,
  metadata: wanted.metadata ?? {},
});

function newKeyOf(options: CreateOptions, now: number): NewKey {
  const { expiresAt, maxTokens, metadata = [] } = options;
  return {
    name: checkName(options.name),
    ...(expiresAt === undefined ? {} : { expiresAt: instantAfter(now, expiresAt) }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(metadata.length === 0 ? {} : { metadata: metadataOf(metadata) }),
  };
}

function instantAfter(now: number, text: string): number {
  const wellFormed = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i.test(text);
  const at = wellFormed ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw usageError('--expires-at must be a time such as 2027-01-31T00:00:00Z.');
  if (at <= now) throw usageError('--expires-at must be in the future.');
  return at;
}

/** The vendor's page: "Maximum size: 5KB". */
const maxMetadataBytes = 5 * 1024;

function metadataOf(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) throw usageError('--metadata takes name=value.');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const names = entries.map(([name]) => name);
  if (new Set(names).size < names.length) throw usageError('--metadata names something twice.');
  const metadata = Object.fromEntries(entries);
  if (Buffer.byteLength(JSON.stringify(metadata)) > maxMetadataBytes) {
    throw usageError('--metadata must not be larger than 5 KB in all.');
  }
  return metadata;
}
