import type { Secret } from './secret.ts';

/** An instant: milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/** A key's fingerprint: `k_` and the first 16 hex digits of the SHA-256 of its secret. */
export type KeyId = `k_${string}`;

/** One row of the key list, without its secret. Names and metadata are attributes that change. */
export interface Key {
  readonly id: KeyId;
  readonly createdAt: EpochMs;
  readonly name: string;
  /** As the API sent it; a prototype-less object, so `__proto__` is an ordinary name. Values may be of any type. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly expiresAt: EpochMs | null;
  /** The vendor's own lifetime cap in tokens; null when there is none. */
  readonly maxTokens: number | null;
  readonly chat: boolean;
  readonly isAdmin: boolean;
  /** Optional extra evidence: it can only make a key less idle. */
  readonly lastUsedAt: EpochMs | null;
}

/** The secrets of one listing, by fingerprint. Held in memory for one pass and nowhere else. */
export interface SecretBook {
  get(id: KeyId): Secret | undefined;
}

/** Lifetime or window totals. Cost in whole micro-dollars (10⁻⁶ USD); all three are safe integers. */
export interface Counters {
  readonly costMicroUsd: number;
  readonly tokens: number;
  readonly requests: number;
}

/** What a counter can measure. */
export type Measure = 'cost' | 'tokens' | 'requests';

/** The rolling windows the Admin API offers for usage. */
export type Window = '1h' | '24h' | '7d' | '30d' | '60d' | '90d';

export const windowMs: Readonly<Record<Window, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 7 * 86_400_000,
  '30d': 30 * 86_400_000,
  '60d': 60 * 86_400_000,
  '90d': 90 * 86_400_000,
};

/** Smallest first. */
export const windows = ['1h', '24h', '7d', '30d', '60d', '90d'] as const satisfies readonly Window[];

/** A value or the reason there is none. Unknown is never zero. */
export type Known<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly because: string };
