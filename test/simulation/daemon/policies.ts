/** Policy files as the people of the simulation write them: a shape that a witness can read. `yaml.ts` has its text. */
import type { Model } from '../../../src/sandbox/models.ts';

export type ModeShape = 'dry-run' | 'alert' | 'enforce';

export interface FileShape {
  /** Text that is no valid file; the rest does not count then. */
  readonly broken?: string;
  readonly mode: ModeShape;
  /** Of quiet hours. */
  readonly timeZone: string;
  readonly channels: readonly string[];
  /** By channel. */
  readonly quiet: Readonly<Record<string, QuietShape>>;
  /** Of the channel `owner`; null: any. */
  readonly allowDomains: readonly string[] | null;
  readonly protect: readonly SelectorShape[];
  readonly limits: { readonly delete: LimitShape; readonly rename: LimitShape };
  readonly policies: readonly PolicyShape[];
  readonly silences: readonly SilenceShape[];
}

/** In whole hours of a day in the file’s time zone; `from` may be later than `to` (over midnight). */
export interface QuietShape {
  readonly from: number;
  readonly to: number;
  readonly except: readonly ('notice' | 'delete')[];
}

export interface LimitShape {
  readonly perRun: number;
  readonly perDay: number;
  readonly percent: number | null;
}

/** All given must hold. `name`: a wildcard pattern that ends with `*`, or a whole name. */
export interface SelectorShape {
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tokenLimit?: boolean;
}

export interface SilenceShape {
  readonly select: SelectorShape;
  /** By the true clock, an RFC 3339 time. */
  readonly until: string;
  readonly suppress: 'alerts' | 'actions' | 'both';
}

export interface PolicyShape {
  readonly name: string;
  readonly mode?: ModeShape;
  readonly select: SelectorShape;
  readonly rule: RuleShape;
  readonly steps: readonly StepShape[];
}

export type RuleShape = SpendShape | ExpiryShape | IdleShape;

export interface SpendShape {
  readonly kind: 'spend';
  readonly measure: 'cost' | 'tokens' | 'requests';
  /** Dollars, tokens or requests; `max_tokens`: each key's own cap. */
  readonly limit: number | 'max_tokens';
  readonly per: PeriodShape;
  /** Of calendar periods. */
  readonly timeZone: string;
  readonly across: AcrossShape;
  /** Null: all of them. */
  readonly models: readonly Model[] | null;
}

export interface ExpiryShape {
  readonly kind: 'expiry';
  readonly maxAgeDays?: number;
  readonly requireExpiresAt?: boolean;
}

export interface IdleShape {
  readonly kind: 'idle';
  readonly forDays: number;
}

export type PeriodShape = 'hour' | 'day' | 'week' | 'month' | '1h' | '24h' | '7d' | 'lifetime';
export type AcrossShape = 'key' | 'metadata.team' | 'selected' | 'account';

export interface StepShape {
  /** Spend: percent of the limit. Expiry and idle: hours after the deadline, or before it. */
  readonly at: number;
  readonly alert: readonly string[];
  readonly repeatMs?: number;
  /** The text before the key's own name. */
  readonly renamePrefix?: string;
  readonly restore?: boolean;
  readonly deleteNoticeMs?: number;
  readonly basis?: 'forecast';
  readonly pick?: 'highest' | 'all';
}

/** Whether the selector holds, as its page has it: of texts, numbers and booleans as text. */
export function selects(
  { name, metadata, tokenLimit }: SelectorShape,
  key: {
    readonly originalName: string;
    readonly metadata: Readonly<Record<string, unknown>> | null;
    readonly maxTokens: number | null;
  },
): boolean {
  if (name !== undefined && !matches(name, key.originalName)) return false;
  if (tokenLimit !== undefined && (key.maxTokens !== null) !== tokenLimit) return false;
  return Object.entries(metadata ?? {}).every(([field, wanted]) => {
    const value = valueOf(key.metadata, field);
    return value !== null && matches(wanted, value);
  });
}

/** As `selects`, but that what cannot be compared holds, too. */
export function protects(selector: SelectorShape, key: Parameters<typeof selects>[1]): boolean {
  const { metadata = {}, ...rest } = selector;
  const judged = Object.entries(metadata).filter(([field]) => !isUnclear(key.metadata, field));
  return selects({ ...rest, metadata: Object.fromEntries(judged) }, key);
}

function isUnclear(metadata: Readonly<Record<string, unknown>> | null, field: string): boolean {
  return metadata !== null && Object.hasOwn(metadata, field) && valueOf(metadata, field) === null;
}

/** Metadata as text; null: it has none that is text, a number or a boolean. */
export function valueOf(metadata: Readonly<Record<string, unknown>> | null, field: string): string | null {
  const value = metadata !== null && Object.hasOwn(metadata, field) ? metadata[field] : undefined;
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : null;
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
