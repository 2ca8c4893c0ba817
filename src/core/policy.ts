/**
 * The compiled policy file: what `policy/` makes of the YAML and everything else decides by.
 * Selectors and templates are pure functions made by `policy/`.
 */
import type { EpochMs, Key, Measure, Window } from './key.ts';
import type { Secret } from './secret.ts';

/** How far Keywarden may go, most cautious first. */
export type Mode = 'dry-run' | 'alert' | 'enforce';

export interface PolicyFile {
  /** `sha256:` and the hex digest of the file's text. */
  readonly hash: string;
  readonly mode: Mode;
  readonly timeZone: string;
  readonly smtp: Smtp | null;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly protect: readonly ProtectSelector[];
  readonly limits: Limits;
  readonly policies: readonly Policy[];
  readonly silences: readonly Silence[];
}

export interface Smtp {
  /** `smtp://` or `smtps://` with credentials. */
  readonly url: Secret;
  readonly from: string;
}

export interface ChangeLimits {
  readonly perRun: number;
  /** In any 24 hours. */
  readonly perDay: number;
  /** Of the account's keys in any 24 hours, at least one key unless 0; null: no such limit. */
  readonly percent: number | null;
}

export interface Limits {
  readonly delete: ChangeLimits;
  readonly rename: ChangeLimits;
}

export type Channel = { readonly name: string; readonly quiet: Quiet | null } & (
  | { readonly kind: 'slack'; readonly webhookUrl: Secret }
  | {
      readonly kind: 'email';
      readonly to: readonly Template[];
      readonly cc: readonly Template[];
      /** Lower-case domains that a templated address may have; null: any. */
      readonly allowDomains: readonly string[] | null;
    }
  | {
      readonly kind: 'webhook';
      readonly url: Secret;
      readonly secret: Secret | null;
      readonly allowPrivate: boolean;
    }
);

export interface Quiet {
  /** Minutes after local midnight; `from` may be later than `to` (over midnight). */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** ISO weekdays (1 = Monday) on which the quiet hours start. */
  readonly days: readonly number[];
  readonly except: readonly ('notice' | 'delete')[];
  readonly timeZone: string;
}

/** What a selector looks at. `originalName`: before any rename of Keywarden's own. */
export interface Selectable {
  readonly key: Key;
  readonly originalName: string;
}

/** Metadata that is missing never matches. Admin keys are excluded by the caller, not here. */
export type Selector = (subject: Selectable, now: EpochMs) => boolean;

/** As Selector, but true also when it cannot be judged. */
export type ProtectSelector = Selector;

export interface Policy {
  readonly name: string;
  readonly description: string | null;
  /** The policy's own mode; the most cautious of this, the file's and the command line's wins. */
  readonly mode: Mode | null;
  readonly select: Selector;
  /** The ages (milliseconds) at which a key may come to be selected or no longer be, by time alone. */
  readonly ages: readonly number[];
  readonly rule: Rule;
  readonly steps: readonly Step[];
}

export type Rule = SpendRule | ExpiryRule | IdleRule;

export interface SpendRule {
  readonly kind: 'spend';
  readonly measure: Measure;
  /** Micro-dollars, tokens or requests by `measure`; `max_tokens`: each key's own cap. */
  readonly limit: number | 'max_tokens';
  readonly period: PeriodSpec;
  readonly across: Across;
  /** What is measured, without the limit: the same text, the same consumption. */
  readonly signature: string;
  /** Null: all models. */
  readonly models: ((model: string) => boolean) | null;
}

export interface ExpiryRule {
  readonly kind: 'expiry';
  readonly maxAgeMs: number | null;
  readonly requireExpiresAt: boolean;
}

export interface IdleRule {
  readonly kind: 'idle';
  readonly forMs: number;
}

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';

export type PeriodSpec =
  | {
      readonly kind: 'calendar';
      readonly unit: CalendarUnit;
      /** Month: day 1 to 31, clamped to the month's length. Week: ISO weekday 1 to 7. Others: 1. */
      readonly startsOn: number;
      readonly timeZone: string;
    }
  | { readonly kind: 'rolling'; readonly window: Window }
  | { readonly kind: 'lifetime' };

export type Across =
  | { readonly kind: 'key' }
  | { readonly kind: 'metadata'; readonly field: string }
  | { readonly kind: 'selected' }
  | { readonly kind: 'account' };

export interface Step {
  /** Spend: percent of the limit. Null for expiry and idle. */
  readonly atPercent: number | null;
  /** Expiry and idle: milliseconds after the deadline, negative before it. 0 for spend. */
  readonly offsetMs: number;
  /** Channel names. */
  readonly alert: readonly string[];
  readonly repeatMs: number | null;
  readonly rename: { readonly template: Template; readonly restore: boolean } | null;
  readonly delete: { readonly noticeMs: number } | null;
  readonly basis: 'level' | 'forecast';
  readonly pick: 'highest' | 'all' | null;
}

export interface Silence {
  readonly select: Selector;
  readonly until: EpochMs;
  readonly suppress: readonly ('alerts' | 'actions')[];
  readonly reason: string | null;
}

/** What a template may mention. `metadata` as the API sent it. */
export interface TemplateVariables {
  readonly name: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly policy: string;
  readonly percent: string;
  readonly limit: string;
  readonly level: string;
  readonly period: string;
  readonly deadline: string;
  readonly id: string;
}

export type Rendered =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly missing: string };

/** A text with `{{ variables }}`, parsed and checked when the file was loaded. */
export interface Template {
  readonly source: string;
  /** Names used, e.g. `name`, `metadata.email`. Empty for fixed text. */
  readonly variables: readonly string[];
  /** The text as it is; fails only on a missing metadata value. */
  render(variables: TemplateVariables): Rendered;
  /**
   * As a key name: what variables bring in is made legal (each run of illegal characters becomes
   * one `-`), at most 100 characters, never empty.
   */
  renderName(variables: TemplateVariables): Rendered;
}
