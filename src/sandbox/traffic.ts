import type { EpochMs } from '../core/key.ts';
import { models, priced, type Model } from './models.ts';
import type { Random } from './random.ts';
import type { Usage } from './series.ts';

/** How a key is used over time. Days and hours are UTC's. */
export interface TrafficProfile {
  /** On an average weekday. */
  readonly usdPerDay: number;
  /** How many separate moments of use such a day has; each may be several requests. */
  readonly momentsPerDay: number;
  readonly hours: 'office' | 'evening' | 'flat';
  /** What a Saturday or Sunday has of a weekday: 0 nothing, 1 the same. */
  readonly weekend: number;
  /** Models with their shares. */
  readonly models: readonly (readonly [Model, number])[];
  /** A key that loops: so many times as much spent from `from` until `to`. */
  readonly bursts?: readonly (Interval & { readonly factor: number })[];
  /** Nothing is used from `from` until `to`. */
  readonly pauses?: readonly Interval[];
}

export interface Interval {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** A moment of use. */
export interface Moment {
  readonly at: EpochMs;
  readonly model: Model;
  readonly usage: Usage;
}

const slotMs = 1_800_000;
const dayMs = 86_400_000;
const slotsPerDay = dayMs / slotMs;

/** By hour of the day; each averages 1 over the day. */
const shapes: Readonly<Record<TrafficProfile['hours'], readonly number[]>> = {
  flat: averagingOne(Array.from({ length: 24 }, () => 1)),
  office: averagingOne([1, 1, 1, 1, 1, 1, 2, 6, 10, 12, 12, 10, 8, 11, 12, 11, 9, 6, 3, 2, 2, 1, 1, 1]),
  evening: averagingOne([4, 2, 1, 1, 1, 1, 2, 3, 3, 3, 3, 4, 5, 4, 4, 5, 6, 8, 10, 12, 12, 11, 9, 6]),
};

function averagingOne(weights: readonly number[]): readonly number[] {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

/**
 * The moments of use from `from` on, in order of time, without end unless a pause has none. At most
 * one in each half hour, at a chance instant within it, so that a heavy key is not millions of moments.
 */
export function* traffic(profile: TrafficProfile, from: EpochMs, random: Random): Generator<Moment, void> {
  let slot = Math.ceil(from / slotMs) * slotMs;
  while (Number.isFinite(slot)) {
    const pause = profile.pauses?.find((interval) => interval.from <= slot && slot < interval.to);
    if (pause !== undefined) {
      slot = Math.ceil(pause.to / slotMs) * slotMs;
      continue;
    }
    const moment = momentIn(slot, profile, random);
    if (moment !== null) yield moment;
    slot += slotMs;
  }
}

function momentIn(slot: EpochMs, profile: TrafficProfile, random: Random): Moment | null {
  const intensity = intensityAt(slot, profile);
  const chance = Math.min(1, (profile.momentsPerDay / slotsPerDay) * intensity);
  if (chance === 0 || !random.chance(chance)) return null;
  const usd = ((profile.usdPerDay / slotsPerDay) * intensity) / chance;
  const at = slot + random.integer(0, slotMs - 1);
  const model = pickModel(profile.models, random);
  // Around the mean and never far from it: a month's total is then near what the profile says.
  return { at, model, usage: usageWorth(usd * (0.5 + random.next()), model, random) };
}

function intensityAt(slot: EpochMs, profile: TrafficProfile): number {
  const hour = Math.floor((slot % dayMs) / 3_600_000);
  const weekday = (Math.floor(slot / dayMs) + 4) % 7;
  const day = weekday === 0 || weekday === 6 ? profile.weekend : 1;
  const burst = profile.bursts?.find(({ from, to }) => from <= slot && slot < to);
  return (shapes[profile.hours][hour] ?? 0) * day * (burst?.factor ?? 1);
}

function pickModel(shares: TrafficProfile['models'], random: Random): Model {
  let left = random.next() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [model, share] of shares) if ((left -= share) < 0) return model;
  throw new RangeError('a traffic profile needs a model with a share');
}

/** Tokens of about this price, a fifth to two fifths of them answers, in requests of some 2,500 tokens. */
function usageWorth(usd: number, model: Model, random: Random): Usage {
  const answers = 0.2 + 0.2 * random.next();
  const microUsdPerToken = models[model].prompt * (1 - answers) + models[model].completion * answers;
  const tokens = Math.max(2, Math.round((usd * 1_000_000) / microUsdPerToken));
  const completionTokens = Math.max(1, Math.round(tokens * answers));
  const requests = Math.max(1, Math.round((tokens / 2_500) * (0.5 + random.next())));
  return priced(model, tokens - completionTokens, completionTokens, requests);
}
