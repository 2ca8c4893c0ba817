import {
  checkName,
  findKey,
  list,
  mentionNoProtection,
  mentionSharedName,
  refuseProtected,
  secretOf,
  type Guarded,
} from './by-hand.ts';
import { madeByHand } from './hand-record.ts';
import { strange, writeJson } from './output.ts';
import { during } from './progress.ts';

/** `keywarden rename KEY NAME` */
export async function rename(
  by: Guarded,
  { key: text, name: wanted }: { readonly key: string; readonly name: string },
): Promise<number> {
  const { world, writer } = by;
  const name = checkName(wanted);
  const listing = await list(by);
  const key = findKey(listing, text);
  refuseProtected(by, key);
  mentionNoProtection(by);
  mentionSharedName(by, listing, name, key.id);
  const secret = secretOf(listing, key);
  if (writer !== null && key.name !== name) {
    const facts = { change: 'rename', keyId: key.id, from: key.name, to: name };
    await madeByHand(by, facts, () =>
      during(world.stderr, 'Renaming…', () => writer.renameKey(key, secret, name, world.signal)),
    );
  }
  if (by.output === 'json') {
    writeJson(world.stdout, { dry_run: writer === null, rename: { id: key.id, from: key.name, to: name } });
  } else {
    const said = writer === null ? 'Dry run: would rename' : 'Renamed';
    world.stdout.write(`${said} ${key.id} from ${strange(key.name)} to ${name}.\n`);
  }
  return 0;
}
