/** Alerts, channels, an outbox and a clock for tests of this room. */
import type { CaseAlert, SystemAlert } from '../../src/core/alert.ts';
import type { EpochMs } from '../../src/core/key.ts';
import type { Channel, Quiet, Template, TemplateVariables } from '../../src/core/policy.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Outbox, OutboxEntry, OutboxItem, SteadyClock } from '../../src/ports.ts';

/** Mon 23 Nov 2026, 10:00 in Berlin. */
export const at = Date.parse('2026-11-23T09:00:00Z');
export const hour = 3_600_000;
export const day = 24 * hour;

export const spend = {
  kind: 'spend',
  measure: 'cost',
  level: { low: 21_400_000, high: 21_400_000 },
  limit: 20_000_000,
  percent: 107,
  period: 'November 2026',
  periodStart: Date.parse('2026-10-31T23:00:00Z'),
  periodEnd: Date.parse('2026-11-30T23:00:00Z'),
  basis: 'level',
} as const;

export function variables(more: Partial<TemplateVariables> = {}): TemplateVariables {
  return {
    name: 'User 7',
    metadata: { email: 'user7@example.com' },
    policy: 'free-tier-spend',
    percent: '107',
    limit: '20.00',
    level: '21.40',
    period: 'November 2026',
    deadline: '',
    id: 'k_0123456789abcdef',
    ...more,
  };
}

export function caseAlert(more: Partial<CaseAlert> = {}): CaseAlert {
  return {
    topic: 'case',
    id: 'alert-1',
    at,
    findingId: 'free-tier-spend/k_0123456789abcdef/2026-11-01',
    policy: 'free-tier-spend',
    description: 'Free users may spend 20 dollars a month.',
    subject: { kind: 'key', id: 'k_0123456789abcdef', name: 'User 7', originalName: 'User 7' },
    figures: spend,
    event: { kind: 'step', step: 2, of: 3, repeated: false },
    next: [],
    timeZone: 'Europe/Berlin',
    channels: ['ops'],
    variables: variables(),
    ...more,
  };
}

/** A case about a key of this name. */
export function named(name: string, more: Partial<CaseAlert> = {}): CaseAlert {
  return caseAlert({
    subject: { kind: 'key', id: 'k_0123456789abcdef', name, originalName: name },
    variables: variables({ name }),
    ...more,
  });
}

export function systemAlert(more: Partial<SystemAlert> = {}): SystemAlert {
  return {
    topic: 'system',
    id: 'system-1',
    at,
    severity: 'critical',
    title: 'The policy file is invalid',
    text: 'The last good one stays in force.\npolicies.yaml:3:1: unknown field.',
    timeZone: 'Europe/Berlin',
    channels: ['ops'],
    ...more,
  };
}

/** `{{ metadata.X }}` in full, or fixed text. */
export function template(source: string): Template {
  const field = /^\{\{ metadata\.(\w+) \}\}$/.exec(source)?.[1];
  const render: Template['render'] = ({ metadata }) => {
    if (field === undefined) return { ok: true, text: source };
    const value = metadata[field];
    return typeof value === 'string'
      ? { ok: true, text: value }
      : { ok: false, missing: `metadata.${field}` };
  };
  return { source, variables: field === undefined ? [] : [`metadata.${field}`], render, renderName: render };
}

type EmailChannel = Extract<Channel, { kind: 'email' }>;

export function email(name: string, to: readonly string[], more: Partial<EmailChannel> = {}): Channel {
  return { name, quiet: null, kind: 'email', to: to.map(template), cc: [], allowDomains: null, ...more };
}

export function slack(
  name: string,
  url = `https://hooks.slack.com/services/${name}`,
  quiet: Quiet | null = null,
): Channel {
  return { name, quiet, kind: 'slack', webhookUrl: new Secret(url) };
}

export function webhook(
  name: string,
  url: string,
  secret: string | null = null,
  allowPrivate = true,
): Channel {
  const hidden = secret === null ? null : new Secret(secret);
  return { name, quiet: null, kind: 'webhook', url: new Secret(url), secret: hidden, allowPrivate };
}

export function channelMap(...channels: readonly Channel[]): Map<string, Channel> {
  return new Map(channels.map((channel) => [channel.name, channel]));
}

let count = 0;

export function item(more: Partial<OutboxItem> = {}): OutboxItem {
  count += 1;
  return {
    id: `item-${String(count)}`,
    alert: caseAlert({ id: `alert-${String(count)}` }),
    channel: 'ops',
    recipient: '',
    cc: '',
    remark: null,
    batch: 'pass-1',
    createdAt: at,
    notBefore: at,
    ...more,
  };
}

export interface MemoryOutbox extends Outbox {
  add(...items: readonly OutboxItem[]): void;
  entry(id: string): OutboxEntry;
  /** Dates what waits later, or earlier. */
  date(byMs: number): void;
  /** Instants of acceptance, by item. */
  readonly acceptedAt: ReadonlyMap<string, EpochMs>;
}

/** As the store's: gives what is pending and due. */
export function memoryOutbox(...items: readonly OutboxItem[]): MemoryOutbox {
  const entries = new Map<string, OutboxEntry>();
  const acceptedAt = new Map<string, EpochMs>();
  const entry = (id: string): OutboxEntry => {
    const found = entries.get(id);
    if (found === undefined) throw new Error(`no item ${id}`);
    return found;
  };
  const firstAcceptedAt = (alertId: string): EpochMs | null =>
    [...entries.values()]
      .filter(({ alert, state }) => alert.id === alertId && state === 'delivered')
      .reduce<EpochMs | null>((first, { settledAt }) => first ?? settledAt, null);
  const outbox: MemoryOutbox = {
    acceptedAt,
    entry,
    date: (byMs) => {
      for (const [id, one] of entries)
        entries.set(id, {
          ...one,
          createdAt: one.createdAt + byMs,
          notBefore: one.notBefore + byMs,
          nextAttemptAt: one.nextAttemptAt + byMs,
        });
    },
    add: (...more) => {
      for (const one of more) {
        const fresh = {
          attempts: 0,
          nextAttemptAt: one.notBefore,
          state: 'pending',
          settledAt: null,
          lastError: null,
          acceptedAt: null,
        } as const;
        entries.set(one.id, { ...one, ...fresh });
      }
    },
    pending: async (now) =>
      [...entries.values()]
        .filter(({ state, createdAt, notBefore, nextAttemptAt }) => {
          return state === 'pending' && Math.max(notBefore, nextAttemptAt) <= Math.max(now, createdAt);
        })
        .map((one) => ({ ...one, acceptedAt: firstAcceptedAt(one.alert.id) })),
    delivered: async (ids, when, unserved = []) => {
      for (const id of ids) {
        entries.set(id, { ...entry(id), state: 'delivered', settledAt: when });
        acceptedAt.set(id, when);
      }
      for (const { items: more, failure } of unserved) {
        outbox.add(...more);
        await outbox.failed(
          more.map(({ id }) => id),
          failure,
        );
      }
    },
    failed: async (ids, { error, nextAttemptAt }) => {
      for (const id of ids) {
        const { attempts, ...rest } = entry(id);
        const state = nextAttemptAt === null ? 'dead' : 'pending';
        entries.set(id, {
          ...rest,
          attempts: attempts + 1,
          lastError: error,
          nextAttemptAt: nextAttemptAt ?? Infinity,
          state,
        });
      }
    },
  };
  outbox.add(...items);
  return outbox;
}

export interface VirtualClock extends SteadyClock {
  /** Somebody sets the clock; no time passes. */
  set(byMs: number): void;
  /** Moves on, waking sleepers in order and letting each do what it wants to. */
  advance(ms: number): Promise<void>;
}

export function virtualClock(start: EpochMs = at): VirtualClock {
  let now = start;
  let setBy = 0;
  const sleepers = new Set<{ readonly until: EpochMs; readonly wake: () => void }>();
  return {
    now: () => now + setBy,
    monotonic: () => now,
    set: (byMs) => void (setBy += byMs),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
    advance: async (ms) => {
      const end = now + ms;
      for (;;) {
        await settled();
        const [next] = [...sleepers].filter(({ until }) => until <= end).sort((a, b) => a.until - b.until);
        if (next === undefined) break;
        now = Math.max(now, next.until);
        sleepers.delete(next);
        next.wake();
      }
      now = end;
      await settled();
    },
  };
}

/** Everything that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The real clock's time with sleeps that end only when aborted: for tests with real sockets. */
export const stillClock: SteadyClock = {
  now: () => at,
  monotonic: () => at,
  sleep: (_ms, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    }),
};

/** What strangers write into names and metadata. */
export const hostileNames: Readonly<Record<string, string>> = {
  mention: '<!channel> <@U123>',
  markup: '*bold* _italic_ ~strike~ `code`',
  entity: '&lt;b&gt; & <b>',
  'line break': 'a\r\nBcc: victim@example.com\r\n\r\nbody',
  'encoded word': '=?utf-8?B?ZXZpbA==?=',
  direction: 'abc\u202Egnp.exe',
  'zero width': 'ad\u200Bmin\uFEFF',
  emoji: '👩‍💻'.repeat(700),
  terminal: '\u001B[31mred\u001B[0m\u0007',
  template: '{{ name }} {{metadata.email}}',
  script: '<script>alert(1)</script><img src=x onerror=alert(1)>',
  link: 'https://evil.example/login <https://evil.example|click>',
  surrogate: 'half \uD83D',
  tag: 'flag\u{E0067}\u{E007F}',
};
