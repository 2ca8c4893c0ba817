/** One alert of every kind, about a key that does not exist: for tests of channels and for previews. */
import type { Alert, CaseAlert, CaseEvent, Figures, Next } from '../core/alert.ts';
import type { EpochMs } from '../core/key.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface SampleOptions {
  readonly at: EpochMs;
  readonly timeZone: string;
  readonly channels: readonly string[];
}

/** About Keywarden itself. */
export function sampleSystemAlert({ at, timeZone, channels }: SampleOptions): Alert {
  return {
    topic: 'system',
    id: 'sample/system',
    at,
    severity: 'info',
    title: 'Test message from Keywarden',
    text: 'Alerts on this channel arrive. Nothing has happened to any key, and nothing needs to be done.',
    timeZone,
    channels,
  };
}

/** Every kind of event once, and each kind of rule. */
export function sampleCaseAlerts(options: SampleOptions): readonly CaseAlert[] {
  const { at } = options;
  const spend = spendFigures(at);
  const over: Next = { kind: 'step', at: '120%', does: 'deletes it after 24 h notice' };
  const idle: Figures = { kind: 'idle', deadline: at - 7 * dayMs, why: 'no requests in the last 60d' };
  const expiry: Figures = { kind: 'expiry', deadline: at + 14 * dayMs, why: 'its own expires_at' };
  const reached = { kind: 'step', step: 2, of: 3, repeated: false } as const;
  const notice = { kind: 'notice', step: 3, of: 3, noticeMs: dayMs } as const;
  const unclear = { ...spend, level: { low: 18_200_000, high: 21_400_000 }, percent: 91 };
  return [
    sample('step', reached, spend, [{ kind: 'rename', to: 'OVER BUDGET Sample key' }, over], options),
    sample('repeat', { ...reached, repeated: true }, spend, [over], options),
    sample('expiry', { ...reached, step: 1 }, expiry, [], options),
    sample(
      'idle',
      { ...reached, step: 1 },
      idle,
      [{ kind: 'would', change: 'rename', because: 'mode is alert' }],
      options,
    ),
    sample('notice', notice, spend, [], options),
    sample('deleted', { kind: 'deleted', noticeAcceptedAt: at - dayMs }, spend, [], options),
    sample('cancelled', { kind: 'cancelled', because: 'the limit was raised' }, spend, [], options),
    sample(
      'vetoed',
      { kind: 'vetoed', by: 'a person renamed the key while its notice ran' },
      spend,
      [],
      options,
    ),
    sample(
      'failed',
      { kind: 'failed', change: 'delete', because: 'the API answered 500' },
      spend,
      [],
      options,
    ),
    sample(
      'uncertain',
      { kind: 'uncertain', because: 'its usage since the period began is only known between two bounds' },
      unclear,
      [],
      options,
    ),
    sample('resolved', { kind: 'resolved', because: 'the period ended' }, spend, [], options),
  ];
}

function spendFigures(at: EpochMs): Extract<Figures, { kind: 'spend' }> {
  return {
    kind: 'spend',
    measure: 'cost',
    level: { low: 21_400_000, high: 21_400_000 },
    limit: 20_000_000,
    percent: 107,
    period: 'last 30d',
    periodStart: at - 30 * dayMs,
    periodEnd: null,
    basis: 'level',
  };
}

function sample(
  name: string,
  event: CaseEvent,
  figures: Figures,
  next: readonly Next[],
  { at, timeZone, channels }: SampleOptions,
): CaseAlert {
  return {
    topic: 'case',
    id: `sample/${name}`,
    at,
    findingId: `sample-policy/k_0000000000000000/${name}`,
    policy: 'sample-policy',
    description: 'A sample, about a key that does not exist.',
    subject: { kind: 'key', id: 'k_0000000000000000', name: 'Sample key', originalName: 'Sample key' },
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
