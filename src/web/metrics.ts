/** What Prometheus reads. No key name and no key id is ever a label. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Books } from '../core/books.ts';
import type { Decision } from '../core/plan.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { Overshoot } from '../core/schedule.ts';

/** What one pass came to. */
export interface PassFigures {
  readonly decision: Decision;
  readonly outcomes: readonly { readonly change: { readonly kind: string }; readonly result: string }[];
  readonly keys: number;
  readonly contradictions: number;
  readonly books: Books;
}

export interface Metrics {
  /** In the Prometheus text format. Reads the outbox and the state's size first. */
  text(): Promise<string>;
  called(call: { readonly endpoint: string; readonly status: number | string; readonly ms: number }): void;
  passed(figures: PassFigures, seconds: number, atSeconds: number): void;
  failed(seconds: number): void;
  reloaded(ok: boolean, policy: PolicyFile, atSeconds: number): void;
  delivered(kind: string, result: string): void;
  waits(overshoot: Overshoot): void;
}

export interface Gauged {
  outbox(): Promise<{ readonly pending: number; readonly dead: number; readonly oldestAgeSeconds: number }>;
  stateBytes(): Promise<number>;
}

export function createMetrics(gauged: Gauged): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `keywarden_${name}_total`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `keywarden_${name}`, help, labelNames, registers });

  const passes = counter('passes', 'Passes by outcome.', ['outcome']);
  const passSeconds = new Histogram({
    name: 'keywarden_pass_duration_seconds',
    help: 'How long a pass takes.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const lastSuccess = gauge('last_successful_pass_timestamp_seconds', 'When a pass last succeeded.');
  const requests = counter('api_requests', 'Admin API requests by endpoint and status.', [
    'endpoint',
    'status',
  ]);
  const requestSeconds = new Histogram({
    name: 'keywarden_api_request_duration_seconds',
    help: 'How long an Admin API request takes.',
    labelNames: ['endpoint'],
    registers,
  });
  const keys = gauge('keys', 'Ordinary keys of the account.');
  const findings = gauge('open_findings', 'Open findings by policy.', ['policy']);
  const uncertain = gauge('uncertain_findings', 'Findings that cannot be told, by policy.', ['policy']);
  const contradictions = gauge(
    'contradictions',
    'Keys whose numbers contradicted each other in the last pass.',
  );
  const actions = counter('actions', 'Renames, restores and deletions by outcome.', ['kind', 'outcome']);
  const held = gauge('held', 'What was wanted and not done in the last pass, by reason.', [
    'kind',
    'because',
  ]);
  const alerts = counter('alerts', 'Delivery attempts by channel kind and outcome.', [
    'channel_kind',
    'outcome',
  ]);
  const pending = gauge('outbox_pending', 'Alerts that wait for delivery.');
  const dead = gauge('outbox_dead', 'Alerts that could not be delivered.');
  const oldest = gauge('outbox_oldest_age_seconds', 'Age of the oldest alert that waits.');
  const reloadOk = gauge(
    'config_last_reload_successful',
    '1 when the policy file in force is the one on disk.',
  );
  const reloadAt = gauge(
    'config_last_reload_success_timestamp_seconds',
    'When a policy file was last loaded.',
  );
  const configHash = gauge('config_hash', 'The first 48 bits of the hash of the policy file in force.');
  const stateBytes = gauge('state_bytes', 'Size of the state on disk.');
  const ahead = gauge(
    'overshoot_ahead_ratio',
    'How far past its threshold the fastest level may get until it is looked at next, as a share of its limit.',
    ['bound'],
  );
  const account = accountGauges(gauge);
  const overshoot = new Histogram({
    name: 'keywarden_overshoot_ratio',
    help: 'How far past its limit a key or group was when a spend step fired, as a share of the limit.',
    buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  });

  return {
    text: async () => {
      const outbox = await gauged.outbox();
      pending.set(outbox.pending);
      dead.set(outbox.dead);
      oldest.set(outbox.oldestAgeSeconds);
      stateBytes.set(await gauged.stateBytes());
      return registry.metrics();
    },
    called: ({ endpoint, status, ms }) => {
      requests.inc({ endpoint, status: String(status) });
      requestSeconds.observe({ endpoint }, ms / 1000);
    },
    passed: (figures, seconds, atSeconds) => {
      passes.inc({ outcome: 'success' });
      passSeconds.observe(seconds);
      lastSuccess.set(atSeconds);
      keys.set(figures.keys);
      contradictions.set(figures.contradictions);
      account(figures.books);
      for (const each of [findings, uncertain, held]) each.reset();
      for (const view of figures.decision.views)
        (view.state === 'open' ? findings : uncertain).inc({ policy: view.policy });
      for (const one of figures.decision.held) held.inc({ kind: one.kind, because: one.because });
      for (const { change, result } of figures.outcomes) actions.inc({ kind: change.kind, outcome: result });
      for (const ratio of overshoots(figures.decision)) overshoot.observe(ratio);
    },
    failed: (seconds) => {
      passes.inc({ outcome: 'failure' });
      passSeconds.observe(seconds);
    },
    reloaded: (ok, policy, atSeconds) => {
      reloadOk.set(ok ? 1 : 0);
      if (!ok) return;
      reloadAt.set(atSeconds);
      configHash.set(Number.parseInt(policy.hash.replace('sha256:', '').slice(0, 12), 16));
    },
    waits: ({ expected, worst }) => {
      ahead.set({ bound: 'expected' }, expected);
      ahead.set({ bound: 'worst' }, worst);
    },
    delivered: (kind, result) => {
      alerts.inc({ channel_kind: kind, outcome: result });
    },
  };
}

type MakeGauge = <Label extends string>(
  name: string,
  help: string,
  labelNames?: readonly Label[],
) => Gauge<Label>;

/** What is not known has no sample, so that it is not taken for nothing. */
function accountGauges(gauge: MakeGauge): (books: Books) => void {
  const spend = gauge('account_spend_usd', 'What the account spent in this calendar month.', ['bound']);
  const invoiced = gauge('account_invoiced_usd', 'What was invoiced in this calendar month.');
  const charged = gauge('account_charged_usd', 'What was charged in this calendar month.');
  const tokens = gauge('account_tokens_per_hour', 'Tokens an hour over the last day, by the time series.');
  const requests = gauge(
    'account_requests_per_hour',
    'Requests an hour over the last day, by the time series.',
  );
  const set = (one: Gauge, value: number | null): void => {
    if (value === null) one.remove();
    else one.set(value);
  };
  const tell = ({ spent, billed, rates }: Books | typeof nothingKnown): void => {
    spend.reset();
    const { low, high } = spent.known ? spent.value : { low: null, high: null };
    if (low !== null) spend.set({ bound: 'low' }, usd(low));
    if (high !== null) spend.set({ bound: 'high' }, usd(high));
    set(invoiced, billed.known ? usd(billed.value.invoiced) : null);
    set(charged, billed.known ? usd(billed.value.charged) : null);
    set(tokens, rates.known ? rates.value.lastDay.tokensPerHour : null);
    set(requests, rates.known ? rates.value.lastDay.requestsPerHour : null);
  };
  tell(nothingKnown);
  return tell;
}

const unread = { known: false, because: 'no pass yet' } as const;
const nothingKnown = { spent: unread, billed: unread, rates: unread };

function usd(micro: number): number {
  return micro / 1e6;
}

/**
 * For each case whose spend step fired in this pass: the level beyond the limit's full amount, as its share. What is
 * told again, also a notice that is given anew, was measured then; what is only expected is no overshoot.
 */
function* overshoots({ now, alerts, findings }: Decision): Generator<number> {
  const measured = new Set<string>();
  for (const { event, figures, findingId } of alerts) {
    if (event.kind !== 'step' && event.kind !== 'notice') continue;
    if (figures.kind !== 'spend' || figures.basis !== 'level' || figures.limit === 0) continue;
    if ((event.kind === 'step' && event.repeated) || measured.has(findingId)) continue;
    const fired = findings.find(({ id }) => id === findingId)?.fired ?? [];
    if (!fired.some(({ alertedAt }) => alertedAt === now)) continue;
    measured.add(findingId);
    const { level, limit } = figures;
    if (level.low >= limit) yield (level.low - limit) / limit;
  }
}
