/** One alert of every kind, about keys that do not exist: for tests of channels and for previews. */
import type { Alert, CaseAlert, CaseEvent, Figures, Next, SpendFigures, Subject } from '../core/alert.ts';
import type { SystemAlert } from '../core/alert.ts';
import type { EpochMs } from '../core/key.ts';
import type { DailyUse } from '../ports.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface SampleOptions {
  readonly at: EpochMs;
  readonly timeZone: string;
  readonly channels: readonly string[];
}

/** About Keywarden itself. */
export function sampleSystemAlert(options: SampleOptions): Alert {
  const text =
    'Alerts on this channel arrive. Nothing has happened to any key, and nothing needs to be done.';
  return systemSample('system', 'info', 'Test message from Keywarden', text, options);
}

/** What else it tells about itself. For previews only: sent to people they would alarm. */
export function sampleTroubles(options: SampleOptions): readonly Alert[] {
  const invalid = [
    'The last good one stays in force.',
    'policies.yaml:12:7: `cost` cannot be zero; write plain decimals above zero, such as 20 or 19.99',
    'policies.yaml:31:5: there is no channel `opps`; did you mean ops?',
  ];
  const unread = 'The API answered 503. Nothing is renamed or deleted until this is over.';
  return [
    systemSample('system-critical', 'critical', 'The policy file is invalid', invalid.join('\n'), options),
    systemSample('system-warning', 'warning', 'The account’s usage cannot be read', unread, options),
    systemSample('system-over', 'info', 'Over: The policy file is invalid', 'This is no longer so.', options),
  ];
}

/** Every kind of event, of rule, of subject and of measure. */
export function sampleCaseAlerts(options: SampleOptions): readonly CaseAlert[] {
  const { at } = options;
  const spent = (low: number, high: number | null = low, limit = 20): SpendFigures => {
    return {
      ...spend(at),
      ...levelOf(microUsd(low), high === null ? null : microUsd(high), microUsd(limit)),
    };
  };
  const idle: Figures = { kind: 'idle', deadline: at - 7 * dayMs, why: 'no requests in the last 60d' };
  const expiry: Figures = { kind: 'expiry', deadline: at + 14 * dayMs, why: 'its own expires_at' };
  const forecast: Figures = { ...spent(26, 31), basis: 'forecast' };
  const named: Next = { kind: 'rename', to: 'OVER BUDGET Sample key' };
  const renames: Next = { kind: 'step', at: '100%', does: 'renames it' };
  const deletes: Next = { kind: 'step', at: '120%', does: 'deletes it after 1 d of notice' };
  const because = '12 renames are wanted; limits.rename.per_run: 10 holds all of them';
  const held: Next = { kind: 'would', change: 'rename', because };
  const overLimit =
    '12 deletions are wanted; limits.delete.per_day: 10 (4 done in the last 24 hours) holds all of them';
  const alertMode: Next = { kind: 'would', change: 'rename', because: 'mode is alert' };
  const vetoed = 'a person renamed the key while its notice ran';
  const unsure = 'its usage since the period began is only known between two bounds';
  const lapsed = 'the step that asked for it is no longer reached';
  const about = (name: string, event: CaseEvent, figures: Figures, ...next: readonly Next[]): CaseAlert =>
    sample(name, sampleKey, event, figures, next, options);
  const group = (name: string, of: string, figures: Figures): CaseAlert =>
    sample(name, { kind: 'group', group: of }, first, figures, [], options);
  return [
    about('step', first, spent(16.48), renames),
    about('higher-step', second, spent(21.4), named, deletes),
    about('repeat', { ...second, repeated: true }, spent(21.4), deletes),
    about('tokens', first, tokens, renames),
    about('requests', second, requests(at)),
    about('forecast', first, forecast),
    group('group', 'metadata.team=sample', spent(512.73, 512.73, 500)),
    group('account', 'account', spent(1614.05, 1614.05, 2000)),
    about('interval', first, spent(18.2, 21.4), renames),
    about('no-upper-end', first, spent(18.2, null), renames),
    about('limit', second, spent(21.4), held, deletes),
    about('expiry', first, expiry, { ...renames, at: 'the deadline' }),
    about('idle', first, idle, alertMode),
    about('notice', notice(dayMs), spent(24.1)),
    about('idle-notice', notice(7 * dayMs), idle),
    about('deleted', { kind: 'deleted', noticeAcceptedAt: at - dayMs }, spent(24.1)),
    about('cancelled', { kind: 'cancelled', because: lapsed }, spent(17.9)),
    about('vetoed', { kind: 'vetoed', by: vetoed }, spent(24.1)),
    about('held', { kind: 'held', announcedFor: at, because: overLimit, notBefore: at + dayMs }, spent(24.1)),
    about('failed-delete', failed('delete', 'the API answered 500'), spent(24.1)),
    about('failed-rename', failed('rename', 'the API answered 409'), spent(21.4)),
    about('failed-restore', failed('restore', 'the API answered 500'), spent(2.05)),
    about('uncertain', { kind: 'uncertain', because: unsure }, spent(18.2, 21.4)),
    about('resolved', { kind: 'resolved', because: 'the period ended' }, spent(21.4)),
  ];
}

/** Names that would do harm if they were not shown as what they are. */
export function sampleHostile(options: SampleOptions): CaseAlert {
  const name =
    '<script>alert(1)</script> &lt;b&gt; {{name}} \u202Egnp.exe ad\u200Bmin שלום a\r\nBcc: x@example.com';
  const long = `${'👩‍💻'.repeat(40)}${'W'.repeat(400)}`;
  const subject = { ...sampleKey, name, originalName: long };
  const next: Next = { kind: 'rename', to: `OVER BUDGET ${name}` };
  return sample('hostile', subject, second, { ...spend(options.at) }, [next], options);
}

/** Thirty days, two of them not known and the last one running. */
export function sampleDays(at: EpochMs, figures: SpendFigures): readonly DailyUse[] {
  const today = Math.floor(at / dayMs) * dayMs;
  const most = figures.limit / 8;
  return shape.map((share, index) => ({
    day: today - (shape.length - 1 - index) * dayMs,
    used: share === null ? null : Math.round((share * most) / 100),
  }));
}

/** Percent of the highest day. */
const shape = [
  ...[12, 18, 9, 0, 0, 21, 26, 24, 31, 28, 4, 2, 35, 41, 38],
  ...[null, null, 36, 5, 3, 44, 52, 61, 58, 70, 12, 9, 83, 100, 37],
];

const sampleKey = {
  kind: 'key',
  id: 'k_0000000000000000',
  name: 'Sample key',
  originalName: 'Sample key',
} as const satisfies Subject;

const first = { kind: 'step', step: 1, of: 3, repeated: false } as const;
const second = { ...first, step: 2 } as const;

function notice(noticeMs: number): CaseEvent {
  return { kind: 'notice', step: 3, of: 3, noticeMs };
}

function failed(change: 'rename' | 'restore' | 'delete', because: string): CaseEvent {
  return { kind: 'failed', change, because };
}

function microUsd(dollars: number): number {
  return Math.round(dollars * 1e6);
}

function levelOf(
  low: number,
  high: number | null,
  limit: number,
): Pick<SpendFigures, 'level' | 'limit' | 'percent'> {
  return { level: { low, high }, limit, percent: Math.floor((100 * low) / limit) };
}

function spend(at: EpochMs): SpendFigures {
  return {
    kind: 'spend',
    measure: 'cost',
    ...levelOf(21_400_000, 21_400_000, 20_000_000),
    period: 'last 30d',
    periodStart: at - 30 * dayMs,
    periodEnd: null,
    basis: 'level',
  };
}

const tokens: SpendFigures = {
  ...spend(0),
  ...levelOf(1_104_220, 1_104_220, 1_200_000),
  measure: 'tokens',
  period: 'lifetime',
  periodStart: null,
};

function requests(at: EpochMs): SpendFigures {
  return { ...spend(at), ...levelOf(10_412, 10_412, 10_000), measure: 'requests', period: 'last 24h' };
}

function systemSample(
  name: string,
  severity: SystemAlert['severity'],
  title: string,
  text: string,
  { at, timeZone, channels }: SampleOptions,
): SystemAlert {
  return { topic: 'system', id: `sample/${name}`, at, severity, title, text, timeZone, channels };
}

function sample(
  name: string,
  subject: Subject,
  event: CaseEvent,
  figures: Figures,
  next: readonly Next[],
  { at, timeZone, channels }: SampleOptions,
): CaseAlert {
  return {
    topic: 'case',
    id: `sample/${name}`,
    at,
    findingId: `sample-policy/${subject.kind === 'key' ? subject.id : subject.group}/${name}`,
    policy: 'sample-policy',
    description:
      subject.kind === 'key'
        ? 'A sample, about a key that does not exist.'
        : 'A sample, about no keys at all.',
    subject,
    figures,
    event,
    next,
    timeZone,
    channels,
    variables: {
      name: 'Sample key',
      metadata: {},
      policy: 'sample-policy',
      percent: '107',
      limit: '20.00',
      level: '21.40',
      period: 'last 30d',
      deadline: '',
      id: 'k_0000000000000000',
    },
  };
}
