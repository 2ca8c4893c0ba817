/** How the daemon behaves towards whoever runs it: health, metrics, reload, signals, one at a time. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi, type TestContext } from 'vitest';
import type { Child, LogLine } from './child.ts';
import { arrival, dayMs, hourMs, stage, type Stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 100%, alert: pager, delete: { notice: 24h } }
`;

const often = ['--interval', '300ms', '--min-interval', '100ms', '--max-calls-per-minute', '10000'];
const bearer = (s: Stage): RequestInit => ({ headers: { Authorization: `Bearer ${s.token}` } });

async function listening(child: Child): Promise<string> {
  return String((await child.says('listening'))['url']);
}

/** The next pass after those that were already told of. */
async function nextPass(child: Child): Promise<LogLine> {
  const seen = child.log.items.length;
  return arrival(child.log, (line) => line.msg === 'pass done' && child.log.items.indexOf(line) >= seen);
}

async function stopped(child: Child): Promise<number> {
  const asked = performance.now();
  child.kill('SIGTERM');
  expect(await child.ended).toMatchObject({ code: 0, signal: null });
  expect(child.log.items.at(-1)?.msg).toBe('stopped');
  return performance.now() - asked;
}

test('is healthy at once, ready after its first pass, and measured without a key’s name or id', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  const keys = [s.key('User 7'), s.key('Somebody')];
  keys.forEach((key) => s.spend(key, 30));
  s.sandbox.faults.add({ endpoint: 'list', fault: { kind: 'delay', ms: 1500 }, times: 1 });
  const child = s.start(['run', ...often]);
  const url = await listening(child);
  const status = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;
  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 503]);
  await child.says('pass done');
  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200]);
  expect([await status('/nothing'), await status('/-/reload')]).toEqual([404, 404]);
  await arrival(s.sandbox.webhook.received);
  await child.says('alert delivered');
  // The first pass after it knows that the notice runs.
  await nextPass(child);
  await nextPass(child);

  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples.filter((line) => !/^keywarden_[a-z_]+(\{[^{}]*\})? [-+.\deE]+(Inf)?$/.test(line))).toEqual(
    [],
  );
  expect(samples).toContain('keywarden_keys 2');
  expect(samples).toContain('keywarden_open_findings{policy="cap"} 1');
  expect(samples).toContain('keywarden_alerts_total{channel_kind="webhook",outcome="delivered"} 1');
  expect(samples).toContain('keywarden_config_last_reload_successful 1');
  expect(samples).toContain('keywarden_held{kind="delete",because="notice"} 1');
  expect(samples).toContain('keywarden_outbox_pending 0');
  expect(samples).toContain('keywarden_overshoot_ahead_ratio{bound="worst"} 0');
  for (const counted of [
    'passes_total{outcome="success"}',
    'state_bytes',
    'config_hash',
    'overshoot_ratio_count',
  ])
    expect(text).toMatch(new RegExp(`^keywarden_${counted.replace(/[{}]/g, '\\$&')} [1-9]`, 'm'));
  expect(text).toMatch(/keywarden_api_requests_total\{endpoint="GET \/api\/keys",status="200"\} \d/);
  for (const { id, name } of keys) {
    expect(text).not.toContain(id);
    expect(text).not.toContain(name);
  }
  expect(await stopped(child)).toBeLessThan(10_000);
});

test('reads the account’s books once, beside its passes, and has them in its metrics', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  s.spend(s.key('User 7'), 30);
  const child = s.start(['run', ...often]);
  const url = await listening(child);
  const told = async (): Promise<string> =>
    (await (await fetch(`${url}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('keywarden_account_'))
      .join('\n');
  await arrival(s.requests, ({ path }) => path.startsWith('/api/billing/transactions'));
  await vi.waitFor(async () => expect(await told()).toContain('keywarden_account_invoiced_usd 99'), 10_000);
  expect(await told()).toMatch(
    /^keywarden_account_spend_usd\{bound="low"\} [\d.]+\n.*bound="high"\} 30\n.*_invoiced_usd 99\n.*_charged_usd 0\n.*_tokens_per_hour 41\.6\d*\n.*_requests_per_hour 0\.041\d*$/,
  );
  await nextPass(child);
  await nextPass(child);
  const asked = s.requests.items.map(({ path }) => path.replace(/\?.*/, ''));
  for (const path of ['/api/billing/transactions', '/api/billing/time-series'])
    expect(asked.filter((one) => one === path)).toHaveLength(1);
  await stopped(child);
});

test('takes an edit by signal, by request and by itself; a bad one leaves the last good one in force', async (t) => {
  const s = await stage(t);
  // As a mounted ConfigMap is: policies.yaml → ..data/policies.yaml, and ..data → a folder of its own.
  const mount = join(s.dir, 'mounted');
  mkdirSync(mount);
  const versions = (text: string, name: string): void => {
    mkdirSync(join(mount, name));
    writeFileSync(join(mount, name, 'policies.yaml'), text);
    symlinkSync(name, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  const text = (cost: string): string => s.policyText(rule.replace('20.00', cost));
  versions(text('20.00'), 'v1');
  symlinkSync('..data/policies.yaml', join(mount, 'policies.yaml'));
  const key = s.key('User 7');
  const child = s.start(['run', ...often, '--policy', join(mount, 'policies.yaml')]);
  const url = await listening(child);
  await child.says('pass done');
  s.spend(key, 15);

  const loaded = child.says('policy file loaded');
  versions(text('10.00'), 'v2');
  rmSync(join(mount, 'v1'), { recursive: true });
  const first = String((await loaded)['policy_hash']);
  await arrival(s.sandbox.webhook.received);
  expect(s.told()).toEqual(['notice cap User 7']);

  const reload = (init: RequestInit = {}) => fetch(`${url}/-/reload`, { method: 'POST', ...init });
  writeFileSync(join(mount, 'v2', 'policies.yaml'), 'version: 1\npolicys: []\n');
  const refused = await reload();
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining('policies.yaml:2:1')]);
  await arrival(s.sandbox.webhook.received, () => s.told().includes('The policy file is invalid'));
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('keywarden_config_last_reload_successful 0');
  s.spend(s.key('User 8'), 15);
  await arrival(s.sandbox.webhook.received, () => s.told().includes('notice cap User 8'));
  for (let pass = 0; pass < 2; pass++) await nextPass(child);
  expect((await reload({ headers: { origin: 'http://evil.example' } })).status).toBe(403);

  writeFileSync(join(mount, 'v2', 'policies.yaml'), text('11.00'));
  const again = arrival(
    child.log,
    (line) => line.msg === 'policy file loaded' && line['policy_hash'] !== first,
  );
  child.kill('SIGHUP');
  await again;
  await arrival(s.sandbox.webhook.received, () => s.told().some((one) => one.startsWith('Over:')));
  await nextPass(child);
  expect(s.told()).toEqual([
    'notice cap User 7',
    'The policy file is invalid',
    'notice cap User 8',
    // Another limit than the notices named.
    'notice cap User 7',
    'notice cap User 8',
    'Over: The policy file is invalid',
  ]);
  expect((await reload()).status).toBe(200);
  await stopped(child);
});

test('a protection that was taken in during a pass saves a key that the pass would still have deleted', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  const keys = [s.key('User 7'), s.key('User 8')];
  for (let more = 0; more < 20; more++) s.key(`Other ${String(more)}`);
  await s.pass();
  for (const key of keys) s.spend(key, 25);
  s.clock.advance(hourMs);
  await s.pass();
  s.clock.advance(dayMs);
  s.sandbox.faults.add({ endpoint: 'delete', fault: { kind: 'delay', ms: 1500 }, times: 1 });
  const child = s.start(['run', ...often]);
  const url = await listening(child);
  await arrival(s.hanging);
  s.policy(rule, { protect: '[{ name: "User *" }]' });
  expect((await fetch(`${url}/-/reload`, { method: 'POST' })).status).toBe(200);
  await child.says('delete done');
  for (let pass = 0; pass < 2; pass++) await nextPass(child);
  await stopped(child);
  expect(keys.map((key) => s.nameOf(key))).toEqual([null, 'User 8']);
});

/** The daemon in the middle of a deletion whose answer takes so long. */
async function amidDeletion(t: TestContext, answerMs: number) {
  const s = await stage(t);
  s.policy(rule);
  const [key] = [s.key('User 7'), s.key('User 8')];
  await s.pass();
  s.spend(key, 25);
  s.clock.advance(hourMs);
  await s.pass();
  s.clock.advance(dayMs);
  s.sandbox.faults.add({ endpoint: 'delete', fault: { kind: 'delay', ms: answerMs }, times: 1 });
  const child = s.start(['run', ...often]);
  await arrival(s.hanging);
  return { s, key, child };
}

test('SIGTERM lets the deletion under way finish and writes down what became of it', async (t) => {
  const { s, key, child } = await amidDeletion(t, 700);
  expect(await stopped(child)).toBeLessThan(10_000);
  expect(s.nameOf(key)).toBeNull();
  const { out } = await s.run(['audit', '--output', 'json']);
  const kinds = (JSON.parse(out) as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toContain('change-done');
  await s.pass();
  expect(s.told()).toEqual(['notice cap User 7', 'deleted cap User 7']);
});

test('SIGTERM ends it while a deletion is not answered; it asks no more, and the next start finds out', async (t) => {
  const { s, key, child } = await amidDeletion(t, 25_000);
  const asked = s.requests.items.length;
  expect(await stopped(child)).toBeLessThan(10_000);
  expect(s.requests.items.slice(asked)).toEqual([]);
  await s.pass();
  await s.pass();
  expect(s.nameOf(key)).toBeNull();
  expect(s.told()).toEqual(['notice cap User 7', 'deleted cap User 7']);
});

test('SIGTERM ends it also while the API or a receiver does not answer', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  s.spend(s.key('User 7'), 25);
  s.sandbox.faults.add({ endpoint: 'webhook', fault: { kind: 'delay', ms: 60_000 } });
  s.sandbox.faults.add({ endpoint: 'list', fault: { kind: 'delay', ms: 59_000 }, skip: 1 });
  const child = s.start(['run', ...often]);
  await Promise.all([60_000, 59_000].map((ms) => arrival(s.hanging, (hangs) => hangs === ms)));
  expect(await stopped(child)).toBeLessThan(10_000);
});

test('one copy a replica (LiteLLM 14809): a second one on the same state is refused, and all is told once', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  s.spend(s.key('User 7'), 25);
  const child = s.start(['run', ...often]);
  await child.says('pass done');
  const [second, plan, audit] = await Promise.all([
    s.run(['run', '--once']),
    s.run(['plan']),
    s.run(['audit', '--verify']),
  ]);
  expect(second.code).toBe(1);
  expect(second.err).toMatch(/^error: keywarden\.db.* is in use by another Keywarden.*$/m);
  expect([plan.code, audit.code]).toEqual([0, 0]);
  // To look beside the first is allowed.
  expect(plan.out).toContain('User 7');
  await nextPass(child);
  await arrival(s.sandbox.webhook.received);
  await stopped(child);
  // The other one takes over.
  expect((await s.run(['run', '--once'])).code).toBe(0);
  expect(s.told()).toEqual(['notice cap User 7']);
});

test('off loopback everything but health asks for the token, and there must be one', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  s.key('User 7');
  const bare = await s.run(['run', '--listen', '0.0.0.0:0'], { KEYWARDEN_TOKEN: '' });
  expect([bare.code, bare.err]).toEqual([2, expect.stringContaining('needs KEYWARDEN_TOKEN')]);

  const child = s.start(['run', ...often, '--listen', '0.0.0.0:0']);
  const url = (await listening(child)).replace('0.0.0.0', '127.0.0.1');
  await child.says('pass done');
  const status = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;
  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200]);
  for (const [path, method] of [
    ['/metrics', 'GET'],
    ['/-/reload', 'POST'],
    ['/', 'GET'],
  ] as const) {
    const wrong = { Authorization: `Bearer ${s.token}x` };
    expect([path, await status(path, { method })]).toEqual([path, 401]);
    expect([path, await status(path, { method, headers: wrong })]).toEqual([path, 401]);
    expect([path, await status(path, { method, ...bearer(s) })]).not.toEqual([path, 401]);
  }
  expect(await status('/metrics', bearer(s))).toBe(200);
  await stopped(child);
});

test('a port that is taken is one clear line', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { code, err } = await s.run(['run', '--listen', `127.0.0.1:${port}`]);
  server.close();
  expect(code).toBe(1);
  expect(err).toMatch(/^error: .*cannot listen on 127\.0\.0\.1:\d+: another program listens there.*$/m);
});
