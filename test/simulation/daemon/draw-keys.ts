/** Keys, drawn. */
import { hostileMetadata, hostileNames } from '../../../src/sandbox/hostile.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import type { KeyPlan } from './plan.ts';

export function drawKeys(random: Random, days: number): KeyPlan[] {
  const many = random.integer(3, 10);
  return Array.from({ length: many }, (_, index) => drawKey(random, index, days));
}

export function drawKey(random: Random, index: number, days: number): KeyPlan {
  const hostile = random.chance(0.12);
  const usdPerDay = random.pick([0, 0.3, 1, 1, 4, 12]);
  return {
    name: hostile
      ? random.pick(hostileNames)
      : `${random.pick(['User', 'User', 'User', 'svc', 'Production'])} ${String(random.chance(0.08) ? 1 : index)}`,
    metadata: random.chance(0.1)
      ? random.pick(hostileMetadata)
      : {
          team: random.pick(['ml', 'ml', 'web']),
          plan: random.pick(['free', 'free', 'pro']),
          email: `user${String(index)}@${random.chance(0.8) ? 'example.com' : 'elsewhere.example'}`,
          ...(random.chance(0.1) ? { critical: 'true' } : {}),
          ...drawUnclear(random.fork(`unclear ${String(index)}`)),
        },
    ageDays: random.integer(1, 80),
    usdPerDay,
    momentsPerDay: random.pick([2, 6]),
    model: random.pick(['gpt-oss-120b', 'gpt-oss-120b', 'llama3-3-70b']),
    ...(random.chance(0.3) ? { expiresInDays: random.integer(-3, days) } : {}),
    ...(random.chance(0.25) ? { maxTokens: random.pick([1, 5, 40]) * 1_000_000 } : {}),
    ...(random.chance(0.4) ? { idleFromDay: random.integer(-60, 1) } : {}),
    ...(random.chance(0.04) ? { isAdmin: true } : {}),
  };
}

/** What no text can be compared with. */
function drawUnclear(random: Random): Record<string, unknown> {
  return random.chance(0.06) ? { critical: random.pick([null, ['true'], { by: 'ana' }]) } : {};
}
