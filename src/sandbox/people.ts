/** What simulated people do to an account in the vendor's own dashboard. */
import type { EpochMs } from '../core/key.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const hourMs = 3_600_000;

/** One to three times a day, somebody creates, renames or deletes a key. */
export function letPeopleAct(world: World, random: Random): void {
  let created = 0;
  const next = (): void => {
    world.schedule(world.now + Math.round((8 + 16 * random.next()) * hourMs), act);
  };
  const act = (): void => {
    const key = world.keys().filter(({ isAdmin }) => !isAdmin);
    const what = random.next();
    if (what < 0.4 || key.length === 0) world.addKey(newKey(++created, random));
    else if (what < 0.75) {
      const { secret, name } = random.pick(key);
      world.renameByPerson(secret, `${name.slice(0, 60)} ${random.pick(['new', 'old', 'v2', 'team'])}`);
    } else world.deleteByPerson(random.pick(key).secret);
    next();
  };
  next();
}

function newKey(count: number, random: Random) {
  return {
    name: `dev-${random.pick(['try', 'laptop', 'notebook', 'ci'])}-${count}`,
    metadata: { email: `dev${count}@example.com`, team: random.pick(['web', 'data', 'ml']) },
    traffic: {
      usdPerDay: 0.2 + random.next(),
      momentsPerDay: 6,
      hours: 'office' as const,
      weekend: 0.1,
      models: [['gpt-oss-120b', 1]] as const,
    },
  };
}

/**
 * A person who watches one key's spend and some hours after it reached `microUsd` in a calendar month
 * (UTC) takes it in hand by a new name. Looks every hour, acts once.
 */
export function renameWhenSpent(
  world: World,
  secret: string,
  watch: { readonly microUsd: number; readonly afterMs: number; readonly name: string },
): void {
  const look = (): void => {
    if (world.find(secret)?.deletedAt !== null) return;
    const spent = world.consumed(secret, monthStart(world.now), world.now).costMicroUsd;
    if (spent < watch.microUsd) world.schedule(world.now + hourMs, look);
    else world.schedule(world.now + watch.afterMs, () => world.renameByPerson(secret, watch.name));
  };
  world.schedule(world.start, look);
}

/** UTC's. The instant before midnight, because usage is counted after `from`. */
function monthStart(at: EpochMs): EpochMs {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) - 1;
}
