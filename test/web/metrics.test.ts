/** Each metric says what happened, and what is not known has no sample. */
import { describe, expect, test } from 'vitest';
import type { Books } from '../../src/core/books.ts';
import { createMetrics } from '../../src/web/metrics.ts';
import type { Metrics } from '../../src/web/metrics.ts';
import { file, generous, key, noBooks, policy, policyOf, story } from '../core/story.ts';

const decision = story(policy('expiry: {}', '{ alert: ops }')).pass();
const known = <T>(value: T) => ({ known: true, value }) as const;
const books: Books = {
  ...noBooks,
  spent: known({ low: 12_345_678, high: 20e6 }),
  billed: known({ invoiced: 99e6, charged: -500_000, other: 1, pending: 1 }),
  rates: known({ lastDay: { tokensPerHour: 1234.5, requestsPerHour: 0 }, latest: null }),
};

function metricsOf(): Metrics {
  return createMetrics({
    outbox: () => Promise.resolve({ pending: 3, dead: 2, oldestAgeSeconds: 90 }),
    stateBytes: () => Promise.resolve(4096),
  });
}

/** The samples whose names begin so, without what all begin with. */
async function samples(metrics: Metrics, ...names: readonly string[]): Promise<string[]> {
  const lines = (await metrics.text()).split('\n').map((line) => line.replace(/^keywarden_/, ''));
  return lines.filter((line) => names.some((name) => line.startsWith(name)));
}

test('the account’s books are there while they are known', async () => {
  const metrics = metricsOf();
  const told = async (): Promise<string[]> =>
    (await samples(metrics, 'account_')).map((line) => `keywarden_${line}`);
  const pass = (now: Books): void =>
    metrics.passed({ decision, outcomes: [], keys: 0, contradictions: 0, books: now }, 1, 1);
  expect(await told()).toEqual([]);
  pass(books);
  expect(await told()).toEqual([
    'keywarden_account_spend_usd{bound="low"} 12.345678',
    'keywarden_account_spend_usd{bound="high"} 20',
    'keywarden_account_invoiced_usd 99',
    'keywarden_account_charged_usd -0.5',
    'keywarden_account_tokens_per_hour 1234.5',
    'keywarden_account_requests_per_hour 0',
  ]);
  pass({ ...noBooks, spent: known({ low: 5e6, high: null }) });
  expect(await told()).toEqual(['keywarden_account_spend_usd{bound="low"} 5']);
  pass(noBooks);
  expect(await told()).toEqual([]);
});

describe('a pass', () => {
  const nothing = { decision, outcomes: [], keys: 0, contradictions: 0, books: noBooks };

  test('is counted by its outcome, timed, and dated where it succeeded', async () => {
    const metrics = metricsOf();
    metrics.passed(nothing, 0.5, 1000);
    metrics.passed(nothing, 1.5, 1060);
    metrics.failed(7);
    expect(await samples(metrics, 'passes_total', 'last_successful', 'pass_duration_seconds_')).toEqual(
      expect.arrayContaining([
        'passes_total{outcome="success"} 2',
        'passes_total{outcome="failure"} 1',
        'last_successful_pass_timestamp_seconds 1060',
        'pass_duration_seconds_sum 9',
        'pass_duration_seconds_count 3',
      ]),
    );
  });

  test('shows the keys, the cases by policy and what was held, as of the last one', async () => {
    const policies = [
      policyOf(
        'cap',
        'spend: { cost: 20, per: month }',
        '{ at: 80%, alert: ops, rename: "OVER {{ name }}" }',
      ),
      policyOf('gone', 'expiry: {}', '{ alert: ops, delete: { notice: 1d } }'),
    ];
    const one = story(file(policies.join('\n'), 'mode: alert\nprotect: []'), key('A'), key('B'), key('C'));
    const found = one.pass({ usage: { A: 25, B: 16, C: [10, 17] } });
    const metrics = metricsOf();
    metrics.passed({ ...nothing, decision: found, keys: 3, contradictions: 2 }, 1, 1);
    const shown = ['keys ', 'open_findings', 'uncertain_findings', 'held', 'contradictions '];
    expect(await samples(metrics, ...shown)).toEqual([
      'keys 3',
      'open_findings{policy="cap"} 2',
      'uncertain_findings{policy="cap"} 1',
      'contradictions 2',
      'held{kind="rename",because="mode"} 2',
    ]);
    metrics.passed(nothing, 1, 1);
    expect(await samples(metrics, ...shown)).toEqual(['keys 0', 'contradictions 0']);
  });

  test('counts what was changed by kind and outcome', async () => {
    const metrics = metricsOf();
    const outcome = (kind: string, result: string) => ({ change: { kind }, result });
    const outcomes = [outcome('rename', 'done'), outcome('rename', 'done'), outcome('delete', 'failed')];
    metrics.passed({ ...nothing, outcomes }, 1, 1);
    metrics.passed({ ...nothing, outcomes: [outcome('delete', 'done')] }, 1, 1);
    expect(await samples(metrics, 'actions_total')).toEqual([
      'actions_total{kind="rename",outcome="done"} 2',
      'actions_total{kind="delete",outcome="failed"} 1',
      'actions_total{kind="delete",outcome="done"} 1',
    ]);
  });

  test('measures how far past its limit a key was when its step fired, once for each', async () => {
    const steps = ['{ at: 80%, alert: ops }', '{ at: 100%, alert: ops, repeat: 1h }'];
    const cap = file(policy('spend: { cost: 20, per: month }', ...steps), generous);
    const one = story(cap, key('A'), key('B'));
    const metrics = metricsOf();
    const passed = (usage: Record<string, number>, after: number): void =>
      metrics.passed({ ...nothing, decision: one.pass({ usage, after }) }, 1, 1);
    // A is 30 % past its limit; B has not reached it; what is told again was measured before.
    passed({ A: 26, B: 17 }, 60_000);
    passed({ A: 40 }, 2 * 3_600_000);
    expect(await samples(metrics, 'overshoot_ratio_')).toEqual(
      expect.arrayContaining([
        'overshoot_ratio_bucket{le="0.25"} 0',
        'overshoot_ratio_bucket{le="0.5"} 1',
        'overshoot_ratio_sum 0.3',
        'overshoot_ratio_count 1',
      ]),
    );
  });
});

describe('past its limit when its step fired', () => {
  const counts = async (metrics: Metrics) => samples(metrics, 'overshoot_ratio_count', 'overshoot_ratio_sum');
  const nothing = { decision, outcomes: [], keys: 0, contradictions: 0, books: noBooks };

  test('is also a key that is to be deleted, once, though its notice is given anew', async () => {
    const step = '{ at: 100%, alert: ops, delete: { notice: 0s } }';
    const one = story(file(policy('spend: { cost: 20, per: lifetime }', step), generous), key('A'));
    const metrics = metricsOf();
    const notices: string[] = [];
    for (const after of [60_000, 25 * 3_600_000]) {
      const found = one.pass({ after, usage: { A: 25 } });
      notices.push(...found.alerts.map(({ event }) => event.kind));
      metrics.passed({ ...nothing, decision: found }, 1, 1);
    }
    expect(notices).toEqual(['notice', 'notice']);
    expect(await counts(metrics)).toEqual(['overshoot_ratio_sum 0.25', 'overshoot_ratio_count 1']);
  });

  test('is a group once, however many of its keys are to be deleted', async () => {
    const step = '{ at: 100%, alert: ops, pick: all, delete: { notice: 1h } }';
    const rule = 'spend: { cost: 20, per: lifetime, across: selected }';
    const one = story(file(policy(rule, step), generous), key('A'), key('B'));
    const found = one.pass({ usage: { A: 15, B: 9 } });
    expect(found.alerts).toHaveLength(2);
    const metrics = metricsOf();
    metrics.passed({ ...nothing, decision: found }, 1, 1);
    expect(await counts(metrics)).toEqual(['overshoot_ratio_sum 0.2', 'overshoot_ratio_count 1']);
  });

  test('is none that is only expected to be', async () => {
    const rule = policy('spend: { cost: 20, per: month }', '{ at: 100%, basis: forecast, alert: ops }');
    const one = story(rule, key('A'));
    const windows = { A: { '24h': 4, '7d': 4 } };
    one.pass({ usage: { A: 1 } });
    const found = one.pass({ after: 48 * 3_600_000, usage: { A: 8 }, windows });
    expect(found.alerts).toMatchObject([{ figures: { basis: 'forecast', percent: 151 } }]);
    const metrics = metricsOf();
    metrics.passed({ ...nothing, decision: found }, 1, 1);
    expect(await counts(metrics)).toEqual(['overshoot_ratio_sum 0', 'overshoot_ratio_count 0']);
  });
});

test('the pause tells how far the fastest level may get in it', async () => {
  const metrics = metricsOf();
  metrics.waits({ expected: 0.5, worst: 1 });
  metrics.waits({ expected: 0.01, worst: 0.02 });
  expect(await samples(metrics, 'overshoot_ahead_ratio')).toEqual([
    'overshoot_ahead_ratio{bound="expected"} 0.01',
    'overshoot_ahead_ratio{bound="worst"} 0.02',
  ]);
});

test('requests are counted by endpoint and status, deliveries by kind and outcome', async () => {
  const metrics = metricsOf();
  metrics.called({ endpoint: 'GET /api/keys', status: 200, ms: 250 });
  metrics.called({ endpoint: 'GET /api/keys', status: 'timeout', ms: 750 });
  metrics.delivered('slack', 'retry');
  metrics.delivered('slack', 'delivered');
  metrics.delivered('slack', 'delivered');
  expect(
    await samples(metrics, 'api_requests_total', 'api_request_duration_seconds_sum', 'alerts_total'),
  ).toEqual([
    'api_requests_total{endpoint="GET /api/keys",status="200"} 1',
    'api_requests_total{endpoint="GET /api/keys",status="timeout"} 1',
    'api_request_duration_seconds_sum{endpoint="GET /api/keys"} 1',
    'alerts_total{channel_kind="slack",outcome="retry"} 1',
    'alerts_total{channel_kind="slack",outcome="delivered"} 2',
  ]);
});

test('the outbox and the state are as they are when asked about', async () => {
  expect(await samples(metricsOf(), 'outbox_', 'state_bytes')).toEqual([
    'outbox_pending 3',
    'outbox_dead 2',
    'outbox_oldest_age_seconds 90',
    'state_bytes 4096',
  ]);
});

test('a policy file that does not load leaves the hash and the time of the one in force', async () => {
  const metrics = metricsOf();
  const [one, other] = ['20', '30'].map((cost) =>
    file(policy(`spend: { cost: ${cost}, per: month }`, '{ at: 80%, alert: ops }')),
  );
  if (one === undefined || other === undefined) throw new Error('there are two files');
  metrics.reloaded(true, one, 1000);
  const first = await samples(metrics, 'config_hash');
  expect(first).toEqual([`config_hash ${String(Number.parseInt(one.hash.slice(7, 19), 16))}`]);
  metrics.reloaded(false, other, 2000);
  expect(await samples(metrics, 'config_')).toEqual([
    'config_last_reload_successful 0',
    'config_last_reload_success_timestamp_seconds 1000',
    ...first,
  ]);
  metrics.reloaded(true, other, 3000);
  expect(await samples(metrics, 'config_')).toEqual([
    'config_last_reload_successful 1',
    'config_last_reload_success_timestamp_seconds 3000',
    expect.not.stringMatching(first[0] ?? ''),
  ]);
});
