/**
 * What an operator sets, from flags and environment; everything a person decides is in the policy file.
 */
import type { ClockScale } from './clock.ts';
import type { Secret } from './core/secret.ts';

export interface Settings {
  /** `--policy`, KEYWARDEN_POLICY */
  readonly policyPath: string;
  /** `--api-url`, TINFOIL_API_URL; https, or http to loopback. */
  readonly apiUrl: URL;
  /** TINFOIL_ADMIN_KEY or the file TINFOIL_ADMIN_KEY_FILE names; null when neither is set. */
  readonly adminKey: Secret | null;
  /** `--state`, KEYWARDEN_STATE: a file, or a postgres:// URL. */
  readonly state: string;
  /** `--interval`, KEYWARDEN_INTERVAL: the longest pause between passes. */
  readonly intervalMs: number;
  /** `--min-interval`, KEYWARDEN_MIN_INTERVAL */
  readonly minIntervalMs: number;
  /** `--max-calls-per-minute`, KEYWARDEN_MAX_CALLS_PER_MINUTE */
  readonly maxCallsPerMinute: number;
  /** `--usage-lag`, KEYWARDEN_USAGE_LAG: how late usage may be reported. */
  readonly usageLagMs: number;
  /** `--listen`, KEYWARDEN_LISTEN; null: off. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** KEYWARDEN_TOKEN: required to listen off loopback. */
  readonly token: Secret | null;
  readonly dryRun: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty';
  readonly output: 'table' | 'json';
  /** KEYWARDEN_CLOCK: how a simulated account's time runs; null: real time. Only against loopback. */
  readonly clock: ClockScale | null;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
