/** What a command works with, made from its flags and the environment. */
import { openAdmin, openClock } from '../adapters.ts';
import type { Secret } from '../core/secret.ts';
import type { Settings } from '../settings.ts';
import type { ByHand, Guarded, Reading } from './by-hand.ts';
import { failure } from './errors.ts';
import { handRecord } from './hand-record.ts';
import { readProtections } from './protections.ts';
import type { World } from './world.ts';

export interface Session {
  readonly settings: Settings;
  /** Its environment has what --env-file adds. */
  readonly world: World;
}

/** For changes. A dry run gets nothing to change anything with. */
export async function openByHand({ settings, world }: Session): Promise<ByHand> {
  const { reader, writer } = await openAdmin(settings, requireAdminKey(settings));
  const clock = openClock(settings);
  return {
    reader,
    writer: settings.dryRun ? null : writer,
    world,
    output: settings.output,
    now: () => clock.now(),
    record: handRecord(settings, world, clock),
  };
}

/** For the commands that only look. */
export async function openReading(session: Session): Promise<Reading> {
  const { writer: _, record: __, ...reading } = await openByHand(session);
  return reading;
}

/** For changes to keys that exist: with what protects them, before anything is asked of the API. */
export async function openGuarded(session: Session): Promise<Guarded> {
  const by = await openByHand(session);
  return { ...by, ...(await readProtections(session.settings, session.world.env, by.now())) };
}

export function requireAdminKey({ adminKey }: Settings): Secret {
  if (adminKey === null) throw failure('no admin key: set TINFOIL_ADMIN_KEY, or TINFOIL_ADMIN_KEY_FILE');
  return adminKey;
}
