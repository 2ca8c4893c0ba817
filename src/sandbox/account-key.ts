import { createHash } from 'node:crypto';
import type { EpochMs, KeyId } from '../core/key.ts';
import type { Random } from './random.ts';
import { addUsage, createSeries, noUsage, type Usage, type UsageSeries } from './series.ts';
import { traffic, type Moment, type TrafficProfile } from './traffic.ts';

/** What a new key is to be. */
export interface KeySpec {
  readonly name: string;
  /** Left out: now. Earlier: it has been there all along, and its creation is not in the log. */
  readonly createdAt?: EpochMs;
  readonly expiresAt?: EpochMs;
  /** A lifetime cap: the key stops working once it has used so many. */
  readonly maxTokens?: number;
  readonly chat?: boolean;
  readonly isAdmin?: boolean;
  /** Null: the row has none at all. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly secret?: string;
  /** Left out: it is used only as `World.spend` says. */
  readonly traffic?: TrafficProfile;
}

/** A key of the account as the world knows it; changes as the world does. */
export interface WorldKey {
  readonly id: KeyId;
  readonly secret: string;
  readonly createdAt: EpochMs;
  readonly name: string;
  /** Every name it has borne and since when, oldest first. */
  readonly names: readonly { readonly from: EpochMs; readonly name: string }[];
  readonly expiresAt: EpochMs | null;
  readonly maxTokens: number | null;
  readonly chat: boolean;
  readonly isAdmin: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Null: it is there. */
  readonly deletedAt: EpochMs | null;
}

/** A key with its usage, which is worked out only as far as somebody asks. */
export interface AccountKey extends WorldKey {
  rename(name: string, at: EpochMs): void;
  delete(at: EpochMs): void;
  /** What somebody else than its traffic uses, at an instant not after `now`. */
  spend(at: EpochMs, now: EpochMs, model: string, usage: Usage): void;
  /** After `from` and up to `to`, by model; models not used are absent. `to` is not in the future. */
  used(from: EpochMs, to: EpochMs): ReadonlyMap<string, Usage>;
  lastUsedAt(now: EpochMs): EpochMs | null;
}

/** As the program's own: `k_` and the first 16 hex digits of the SHA-256 of the secret. */
export function keyId(secret: string): KeyId {
  return `k_${createHash('sha256').update(secret).digest('hex').slice(0, 16)}`;
}

/** `trafficFrom`: before this, its traffic is not simulated. */
export function createKey(
  spec: KeySpec & { readonly createdAt: EpochMs; readonly secret: string },
  trafficFrom: EpochMs,
  random: Random,
): AccountKey {
  const names = [{ from: spec.createdAt, name: spec.name }];
  const series = new Map<string, UsageSeries>();
  const maxTokens = spec.maxTokens ?? null;
  const expiresAt = spec.expiresAt ?? null;
  const moments = spec.traffic === undefined ? null : traffic(spec.traffic, trafficFrom, random);
  let next: Moment | null = null;
  let tokens = 0;
  let lastUsedAt: EpochMs | null = null;
  /** What was used in all, until something is added: that is what is asked most. */
  let allTime: ReadonlyMap<string, Usage> | null = null;
  let deletedAt: EpochMs | null = null;

  function spend(at: EpochMs, model: string, usage: Usage): void {
    const known = series.get(model) ?? createSeries();
    series.set(model, known);
    known.add(at, usage);
    tokens += usage.promptTokens + usage.completionTokens;
    lastUsedAt = Math.max(at, lastUsedAt ?? at);
    allTime = null;
  }

  function between(from: EpochMs, to: EpochMs): ReadonlyMap<string, Usage> {
    const used = new Map<string, Usage>();
    for (const [model, known] of series) {
      const usage = known.between(from, to);
      if (usage.requests > 0 || usage.costMicroUsd > 0) used.set(model, usage);
    }
    return used;
  }

  const takeMoment = (): Moment | null => moments?.next().value ?? null;

  /** Lets the traffic up to `now` happen, for as long as the key works. */
  function settle(now: EpochMs): void {
    const worksUntil = Math.min(now, deletedAt ?? now, expiresAt ?? now);
    next ??= takeMoment();
    while (next !== null && next.at <= worksUntil) {
      if (maxTokens === null || tokens < maxTokens) spend(next.at, next.model, next.usage);
      next = takeMoment();
    }
  }

  return {
    id: keyId(spec.secret),
    secret: spec.secret,
    createdAt: spec.createdAt,
    names,
    expiresAt,
    maxTokens,
    chat: spec.chat ?? false,
    isAdmin: spec.isAdmin ?? false,
    metadata: spec.metadata === undefined ? {} : spec.metadata,
    get name() {
      return names.at(-1)?.name ?? spec.name;
    },
    get deletedAt() {
      return deletedAt;
    },
    rename: (name, at) => void names.push({ from: at, name }),
    delete: (at) => {
      settle(at);
      deletedAt = at;
    },
    spend: (at, now, model, usage) => {
      settle(now);
      spend(at, model, usage);
    },
    used: (from, to) => {
      settle(to);
      const wantsAll = from === -Infinity && (lastUsedAt ?? to) <= to;
      return wantsAll ? (allTime ??= between(from, to)) : between(from, to);
    },
    lastUsedAt: (now) => {
      settle(now);
      return lastUsedAt;
    },
  };
}

export function totalOf(byModel: ReadonlyMap<string, Usage>): Usage {
  let total = noUsage;
  for (const usage of byModel.values()) total = addUsage(total, usage);
  return total;
}
