/** Policy files as the people of the simulation write them: a shape that a witness can read, and its YAML. */
import { dayMs, durationText } from './units.ts';

export type ModeShape = 'dry-run' | 'alert' | 'enforce';

export interface FileShape {
  /** Text that is no valid file; the rest does not count then. */
  readonly broken?: string;
  readonly mode: ModeShape;
  readonly channels: readonly string[];
  readonly protect: readonly SelectorShape[];
  readonly limits: { readonly delete: LimitShape; readonly rename: LimitShape };
  readonly policies: readonly PolicyShape[];
  readonly silences: readonly SilenceShape[];
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

export type RuleShape =
  | {
      readonly kind: 'spend';
      readonly usd: number;
      readonly per: 'day' | 'month' | '24h' | '7d' | 'lifetime';
    }
  | { readonly kind: 'expiry'; readonly maxAgeDays?: number }
  | { readonly kind: 'idle'; readonly forDays: number };

export interface StepShape {
  /** Spend: percent of the limit. Expiry and idle: hours after the deadline, or before it. */
  readonly at: number;
  readonly alert: readonly string[];
  readonly repeatMs?: number;
  /** The text before the key's own name. */
  readonly renamePrefix?: string;
  readonly restore?: boolean;
  readonly deleteNoticeMs?: number;
}

export function yamlOf(file: FileShape): string {
  if (file.broken !== undefined) return file.broken;
  return `version: 1
mode: ${file.mode}
smtp: { url: "\${SMTP_URL}", from: "Keywarden <keywarden@example.com>" }
channels:
${file.channels.map((name) => `  ${name}: ${channelText(name)}`).join('\n')}
protect: [${file.protect.map(selectorText).join(', ')}]
limits:
  delete: ${limitText(file.limits.delete)}
  rename: ${limitText(file.limits.rename)}
policies: ${file.policies.length === 0 ? '[]' : `\n${file.policies.map(policyText).join('\n')}`}
silences: ${file.silences.length === 0 ? '[]' : `\n${file.silences.map(silenceText).join('\n')}`}
`;
}

export const receiverKinds: Readonly<Record<string, 'slack' | 'email' | 'webhook'>> = {
  ops: 'slack',
  second: 'slack',
  mail: 'email',
  owner: 'email',
  pager: 'webhook',
};

function channelText(name: string): string {
  switch (name) {
    case 'mail':
      return '{ email: { to: [team@example.com] } }';
    case 'owner':
      return '{ email: { to: "{{ metadata.email }}" } }';
    case 'pager':
      return '{ webhook: { url: "${PAGER_URL}", secret: "${PAGER_SECRET}" } }';
    default:
      return `{ slack: { webhook_url: "\${SLACK_${name.toUpperCase()}}" } }`;
  }
}

function selectorText({ name, metadata }: SelectorShape): string {
  if (name === undefined && metadata === undefined) return 'all';
  const parts = [
    ...(name === undefined ? [] : [`name: ${JSON.stringify(name)}`]),
    ...(metadata === undefined ? [] : [`metadata: ${JSON.stringify(metadata)}`]),
  ];
  return `{ ${parts.join(', ')} }`;
}

function limitText({ perRun, perDay, percent }: LimitShape): string {
  const share = percent === null ? '' : `, percent: ${String(percent)}`;
  return `{ per_run: ${String(perRun)}, per_day: ${String(perDay)}${share} }`;
}

function policyText({ name, mode, select, rule, steps }: PolicyShape): string {
  return [
    `  - name: ${name}`,
    ...(mode === undefined ? [] : [`    mode: ${mode}`]),
    `    select: ${selectorText(select)}`,
    `    ${ruleText(rule)}`,
    '    steps:',
    ...steps.map((step) => `      - ${stepText(rule, step)}`),
  ].join('\n');
}

function ruleText(rule: RuleShape): string {
  switch (rule.kind) {
    case 'spend':
      return `spend: { cost: ${rule.usd.toFixed(2)}, per: ${rule.per} }`;
    case 'expiry':
      return rule.maxAgeDays === undefined
        ? 'expiry: {}'
        : `expiry: { max_age: ${String(rule.maxAgeDays)}d }`;
    case 'idle':
      return `idle: { for: ${String(rule.forDays)}d }`;
    default:
      return rule satisfies never;
  }
}

function stepText(rule: RuleShape, step: StepShape): string {
  const hours = `${String(Math.abs(step.at))}h`;
  const when =
    rule.kind === 'spend' ? `at: ${String(step.at)}%` : step.at < 0 ? `before: ${hours}` : `after: ${hours}`;
  const does = [
    when,
    ...(step.alert.length === 0 ? [] : [`alert: [${step.alert.join(', ')}]`]),
    ...(step.repeatMs === undefined ? [] : [`repeat: ${durationText(step.repeatMs)}`]),
    ...(step.renamePrefix === undefined ? [] : [`rename: "${step.renamePrefix} {{ name }}"`]),
    ...(step.restore === undefined ? [] : [`restore: ${String(step.restore)}`]),
    ...(step.deleteNoticeMs === undefined
      ? []
      : [`delete: { notice: ${durationText(step.deleteNoticeMs)} }`]),
  ];
  return `{ ${does.join(', ')} }`;
}

function silenceText({ select, until, suppress }: SilenceShape): string {
  const what = suppress === 'both' ? '[alerts, actions]' : `[${suppress}]`;
  return `  - { select: ${selectorText(select)}, until: ${until}, suppress: ${what}, reason: simulated }`;
}

/** Whether the selector holds, as its page has it: of texts, numbers and booleans as text. */
export function selects(
  { name, metadata }: SelectorShape,
  key: { readonly originalName: string; readonly metadata: Readonly<Record<string, unknown>> | null },
): boolean {
  if (name !== undefined && !matches(name, key.originalName)) return false;
  return Object.entries(metadata ?? {}).every(([field, wanted]) => {
    const value =
      key.metadata !== null && Object.hasOwn(key.metadata, field) ? key.metadata[field] : undefined;
    return ['string', 'number', 'boolean'].includes(typeof value) && matches(wanted, String(value));
  });
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

export const longDays = 3650 * dayMs;
