import type { Key } from '../core/key.ts';
import { formatUsd } from '../core/money.ts';
import type { Secret } from '../core/secret.ts';
import { findKey, list, mentionNoProtection, refuseProtected, secretOf, type Guarded } from './by-hand.ts';
import { failure, usageError } from './errors.ts';
import { madeByHand } from './hand-record.ts';
import { count, day, span, strange, writeJson } from './output.ts';
import { during } from './progress.ts';

/** `keywarden delete KEY`: cannot be undone, so a person confirms it, or `yes` says that one has. */
export async function deleteKey(
  by: Guarded,
  { key: text, yes }: { readonly key: string; readonly yes: boolean },
): Promise<number> {
  const { world, writer } = by;
  if (writer !== null && !yes && world.ask === null) {
    throw usageError('delete asks first, and this is no terminal; --yes says that you are sure.');
  }
  const listing = await list(by);
  const key = findKey(listing, text);
  refuseProtected(by, key);
  mentionNoProtection(by);
  world.stderr.write(await description(by, key, secretOf(listing, key)));
  if (writer === null) return told(by, key, 'Dry run: would delete');
  if (!yes && !(await confirmed(by))) {
    world.stderr.write('Nothing was deleted.\n');
    return 1;
  }
  const fresh = await lookAgain(by, key);
  const facts = { change: 'delete', keyId: key.id, from: key.name, to: null };
  await madeByHand(by, facts, () =>
    during(world.stderr, 'Deleting…', () => writer.deleteKey(key, fresh, world.signal, listing.keys)),
  );
  return told(by, key, 'Deleted');
}

/** What a person should see before saying yes. A usage that cannot be read is said to be unknown. */
async function description(by: Guarded, key: Key, secret: Secret): Promise<string> {
  const { reader, world } = by;
  const usage = await during(world.stderr, 'Reading usage…', () =>
    reader.keyUsage(secret, '30d', world.signal).then(
      ({ costMicroUsd, tokens, requests }) =>
        `$${formatUsd(costMicroUsd)}, ${count(tokens)} tokens, ${count(requests)} requests`,
      (error: unknown) => {
        if (world.signal.aborted) throw error;
        return 'unknown: it could not be read';
      },
    ),
  );
  return [
    `  key           ${key.id}`,
    `  name          ${strange(key.name)}`,
    `  created       ${day(key.createdAt)}, ${span(by.now() - key.createdAt)} ago`,
    `  last 30 days  ${usage}`,
    '',
  ].join('\n');
}

async function confirmed({ world }: Guarded): Promise<boolean> {
  const question = 'Delete it? It stops working at once and cannot be brought back. [y/N] ';
  const answer = (await world.ask?.(question, world.signal)) ?? '';
  return ['y', 'yes'].includes(answer.trim().toLowerCase());
}

/** A person may have taken long to answer: the key must still be the one that was shown. */
async function lookAgain(by: Guarded, key: Key): Promise<Secret> {
  const listing = await list(by);
  const now = listing.keys.find((one) => one.id === key.id && one.createdAt === key.createdAt);
  if (now === undefined) throw failure(`${key.id} is gone already.`);
  if (now.name !== key.name) throw failure(`${key.id} was renamed meanwhile; nothing was deleted.`);
  refuseProtected(by, now);
  return secretOf(listing, now);
}

function told(by: Guarded, key: Key, said: string): number {
  const { stdout } = by.world;
  const facts = { dry_run: by.writer === null, delete: { id: key.id, name: key.name } };
  if (by.output === 'json') writeJson(stdout, facts);
  else stdout.write(`${said} ${key.id} (${strange(key.name)}).\n`);
  return 0;
}
