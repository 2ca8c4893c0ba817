/** The text of the simulation's policy files. */
import type {
  ExpiryShape,
  FileShape,
  LimitShape,
  PolicyShape,
  QuietShape,
  RuleShape,
  SelectorShape,
  SilenceShape,
  SpendShape,
  StepShape,
} from './policies.ts';
import { durationText } from './units.ts';

export function yamlOf(file: FileShape): string {
  if (file.broken !== undefined) return file.broken;
  return `version: 1
mode: ${file.mode}
timezone: ${file.timeZone}
smtp: { url: "\${SMTP_URL}", from: "Keywarden <keywarden@example.com>" }
channels:
${file.channels.map((name) => `  ${name}: ${channelText(name, file)}`).join('\n')}
protect: [${file.protect.map(selectorText).join(', ')}]
limits:
  delete: ${limitText(file.limits.delete)}
  rename: ${limitText(file.limits.rename)}
policies: ${file.policies.length === 0 ? '[]' : `\n${file.policies.map(policyText).join('\n')}`}
silences: ${file.silences.length === 0 ? '[]' : `\n${file.silences.map(silenceText).join('\n')}`}
`;
}

function channelText(name: string, { quiet, allowDomains }: FileShape): string {
  const hours = quiet[name];
  const more = hours === undefined ? '' : `, quiet: ${quietText(hours)}`;
  const domains = allowDomains === null ? '' : `, allow_domains: [${allowDomains.join(', ')}]`;
  switch (name) {
    case 'mail':
      return `{ email: { to: [team@example.com] }${more} }`;
    case 'owner':
      return `{ email: { to: "{{ metadata.email }}"${domains} }${more} }`;
    case 'pager':
      return `{ webhook: { url: "\${PAGER_URL}", secret: "\${PAGER_SECRET}" }${more} }`;
    default:
      return `{ slack: { webhook_url: "\${SLACK_${name.toUpperCase()}}" }${more} }`;
  }
}

function quietText({ from, to, except }: QuietShape): string {
  const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
  return `{ hours: "${clock(from)}-${clock(to)}", except: [${except.join(', ')}] }`;
}

function selectorText({ name, metadata, tokenLimit }: SelectorShape): string {
  const parts = [
    ...(name === undefined ? [] : [`name: ${JSON.stringify(name)}`]),
    ...(metadata === undefined ? [] : [`metadata: ${JSON.stringify(metadata)}`]),
    ...(tokenLimit === undefined ? [] : [`token_limit: ${String(tokenLimit)}`]),
  ];
  return parts.length === 0 ? 'all' : `{ ${parts.join(', ')} }`;
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
      return `spend: { ${spendText(rule)} }`;
    case 'expiry':
      return `expiry: { ${expiryText(rule)} }`;
    case 'idle':
      return `idle: { for: ${String(rule.forDays)}d }`;
    default:
      return rule satisfies never;
  }
}

function spendText({ measure, limit, per, timeZone, across, models }: SpendShape): string {
  const amount = measure === 'cost' ? Number(limit).toFixed(2) : String(limit);
  const only = models === null ? '' : `, models: [${models.join(', ')}]`;
  return `${measure}: ${amount}, per: ${per}, timezone: ${timeZone}, across: ${across}${only}`;
}

function expiryText({ maxAgeDays, requireExpiresAt }: ExpiryShape): string {
  return [
    ...(maxAgeDays === undefined ? [] : [`max_age: ${String(maxAgeDays)}d`]),
    ...(requireExpiresAt === undefined ? [] : [`require_expires_at: ${String(requireExpiresAt)}`]),
  ].join(', ');
}

function stepText(rule: RuleShape, step: StepShape): string {
  const hours = `${String(Math.abs(step.at))}h`;
  const when =
    rule.kind === 'spend' ? `at: ${String(step.at)}%` : step.at < 0 ? `before: ${hours}` : `after: ${hours}`;
  const does = [
    when,
    ...(step.basis === undefined ? [] : [`basis: ${step.basis}`]),
    ...(step.pick === undefined ? [] : [`pick: ${step.pick}`]),
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
