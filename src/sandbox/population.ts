import type { KeySpec } from './account-key.ts';
import { populateDemo } from './demo-population.ts';
import { hostileMetadata, hostileNames } from './hostile.ts';
import type { Random } from './random.ts';
import type { TrafficProfile } from './traffic.ts';
import type { World } from './world.ts';

/**
 * Who lives in the account. `quiet`: nobody, for tests that script everything. `plain`: any number of
 * keys with names, plans and teams as the example policies have them. `hostile`: as plain, but every
 * second name or metadata was written by somebody who means harm. `demo`: a cast of about forty, to
 * whom within sixty days everything happens that Keywarden knows.
 */
export type Population = 'quiet' | 'plain' | 'hostile' | 'demo';

export const populations = ['quiet', 'plain', 'hostile', 'demo'] as const satisfies readonly Population[];

const dayMs = 86_400_000;

/** `keys`: how many `plain` and `hostile` have. */
export function populate(world: World, population: Population, keys: number, random: Random): void {
  switch (population) {
    case 'quiet':
      return;
    case 'demo':
      return populateDemo(world, random);
    case 'plain':
    case 'hostile':
      for (let i = 1; i <= keys; i++) {
        const spec = plainKey(world, i, random.fork(`plain ${i}`));
        world.addKey(population === 'hostile' ? harmful(spec, i) : spec);
      }
      return;
    default:
      population satisfies never;
  }
}

function plainKey(world: World, index: number, random: Random): KeySpec {
  const { name, metadata } = pickRole(index, random);
  const createdAt = world.start - Math.round((1 + 199 * random.next()) * dayMs);
  const expires = random.chance(0.15);
  return {
    name,
    metadata: random.chance(0.05) ? { ...metadata, keep: 'yes' } : metadata,
    createdAt,
    traffic: pickTraffic(world, random),
    chat: random.chance(0.05),
    isAdmin: random.chance(0.01),
    ...(expires && { expiresAt: world.start + random.integer(-5, 90) * dayMs }),
    ...(random.chance(0.1) && { maxTokens: random.integer(1, 50) * 1_000_000 }),
  };
}

function pickRole(index: number, random: Random): Required<Pick<KeySpec, 'name' | 'metadata'>> {
  const roll = random.next();
  if (roll < 0.7) {
    const plan = random.chance(0.8) ? 'free' : 'pro';
    return { name: `User ${index}`, metadata: { plan, email: `user${index}@example.com` } };
  }
  const team = random.pick(['ml', 'web', 'data']);
  const metadata = { team, email: `${team}@example.com` };
  if (roll < 0.8) return { name: `ml-${index}`, metadata: { ...metadata, team: 'ml' } };
  if (roll < 0.9) return { name: `dev-${index}`, metadata };
  if (roll < 0.97) return { name: `svc-${index}`, metadata };
  return { name: `Production ${index}`, metadata: { ...metadata, critical: 'true' } };
}

function pickTraffic(world: World, random: Random): TrafficProfile {
  const roll = random.next();
  const [usdPerDay, momentsPerDay] = roll < 0.8 ? [0.5, 2] : roll < 0.95 ? [2, 6] : [15, 24];
  const burstFrom = world.start + random.integer(0, 60 * 24) * 3_600_000;
  const idleFrom = world.start - random.integer(0, 80) * dayMs;
  return {
    usdPerDay: usdPerDay * (0.2 + random.next()),
    momentsPerDay,
    hours: random.pick(['office', 'evening', 'flat']),
    weekend: random.pick([0, 0.3, 1]),
    models: [
      ['gpt-oss-120b', 3],
      [random.pick(['llama3-3-70b', 'deepseek-r1-0528', 'qwen3-coder-480b'] as const), 2],
    ],
    ...(random.chance(0.05) && {
      bursts: [{ from: burstFrom, to: burstFrom + random.integer(3, 24) * 3_600_000, factor: 20 }],
    }),
    ...(random.chance(0.12) && {
      pauses: [{ from: idleFrom, to: random.chance(0.3) ? idleFrom + 75 * dayMs : Infinity }],
    }),
  };
}

/** Every second name is harmful, and every second pair's metadata: so all four combinations occur. */
function harmful(spec: KeySpec, index: number): KeySpec {
  const odd = index % 2;
  const name = hostileNames[((index - odd) / 2) % hostileNames.length] ?? spec.name;
  const metadata = hostileMetadata[(Math.floor(index / 4) * 2 + odd) % hostileMetadata.length] ?? null;
  return { ...spec, ...(odd === 1 && { name }), ...(index % 4 > 1 && { metadata }) };
}
