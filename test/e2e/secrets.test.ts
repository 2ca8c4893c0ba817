/**
 * Secrets stay inside: days of an account in which strangers, the API and the program itself do all that
 * could bring one out. What was printed, kept, sent and served is searched at the end, as after every test here.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { arrival, hourMs, stage, type Stage } from './harness.ts';

const policies = `
policies:
  - name: cap
    select: all
    spend: { cost: 5.00, per: month }
    steps:
      - { at: 50%, alert: [owner, ops, pager] }
      - { at: 100%, alert: [owner, ops, pager], rename: "OVER {{ name }}" }
      - { at: 120%, alert: [ops, pager], delete: { notice: 1h } }
  - name: idle
    select: all
    idle: { for: 20d }
    steps: [{ alert: [ops, pager] }]
`;

/** Everything that can be fetched off the listener, kept beside the other traces. */
async function serve(s: Stage, url: string, index: number): Promise<void> {
  const pages = ['/healthz', '/readyz', '/metrics', '/', '/nothing?token=x'];
  const texts = await Promise.all(pages.map(async (page) => (await fetch(url + page)).text()));
  s.file(`pages-${String(index)}.txt`, texts.join('\n'));
}

/** The state while it is in use, its write-ahead log included, and what `ps` shows of the process. */
function keep(s: Stage, pid: number, index: number): void {
  for (const name of readdirSync(s.dir).filter((one) => one.startsWith('keywarden.db')))
    s.file(`turn-${String(index)}-${name}`, readFileSync(join(s.dir, name)));
  for (const name of ['cmdline', 'comm', 'status']) {
    const path = `/proc/${String(pid)}/${name}`;
    if (existsSync(path)) s.file(`turn-${String(index)}-${name}`, readFileSync(path));
  }
}

/** Answers of the API with the very secrets in them: in an error, in place of an answer, in a field. */
function echo(s: Stage, secret: string): void {
  const { faults, adminKey } = s.sandbox;
  const page = `<html>Bearer ${adminKey} may not use ${secret} ${Buffer.from(secret).toString('base64')}</html>`;
  faults.add({ endpoint: 'key-usage', fault: { kind: 'body', text: page }, times: 2 });
  faults.add({ endpoint: 'usage', fault: { kind: 'body', text: `{"error":"${adminKey}"}` }, times: 2 });
  faults.add({ endpoint: 'rename', fault: { kind: 'status', status: 500, after: true }, times: 1 });
  faults.add({ endpoint: 'delete', fault: { kind: 'cut', when: 'after' }, times: 1 });
  faults.add({ endpoint: 'slack', fault: { kind: 'status', status: 404 }, times: 1 });
  faults.add({ endpoint: 'webhook', fault: { kind: 'cut', when: 'mid-body' }, times: 1 });
}

/** So many more lists have been asked for. */
async function passes(s: Stage, count: number): Promise<void> {
  const lists = () => s.requests.items.filter(({ path }) => path === '/api/keys').length;
  const enough = lists() + count;
  await arrival(s.requests, () => lists() >= enough);
}

test('in days of faults, echoes, hostile names and edits', async (t) => {
  const s = await stage(t, { speed: 10_000, population: 'hostile', keys: 24 });
  s.policy(policies, { limits: '{ delete: { per_run: 25, per_day: 25, percent: 100 } }' });
  const spender = s.key('User 7');
  const child = s.start(['run', '--interval', '1h', '--log-level', 'trace']);
  const { url } = (await child.says('listening')) as unknown as { url: string };
  await passes(s, 2);
  for (let turn = 0; turn < 6; turn += 1) {
    echo(s, spender.secret);
    for (const key of s.sandbox.world.keys().slice(0, 4)) s.spend(key, 2);
    await passes(s, 4);
    await serve(s, url, turn);
    keep(s, child.pid, turn);
    if (turn === 2) s.file('policies.yaml', `webhook_url: ${s.sandbox.slackUrl}\n${policies}`);
    if (turn === 3) s.policy(policies, { limits: '{ delete: { per_run: 25, per_day: 25, percent: 100 } }' });
    child.kill('SIGHUP');
  }
  expect(s.sandbox.webhook.received.items.length).toBeGreaterThan(3);
  expect(readdirSync(s.dir)).toContain('turn-5-keywarden.db-wal');
  await arrival(s.sandbox.world.log, ({ by, kind }) => by === 'api' && kind === 'renamed');
  await arrival(s.sandbox.world.log, ({ by, kind }) => by === 'api' && kind === 'deleted');
  child.kill('SIGTERM');
  expect(await child.ended).toMatchObject({ code: 0 });
  for (const args of [['audit'], ['explain', spender.name], ['plan', '--output', 'json'], ['keys']])
    await s.run(args);
});

/** Throws what a library might: an error whose message and properties are made of secrets. */
const bomb = `process.once('SIGUSR2', () => {
  const { TINFOIL_ADMIN_KEY: key, SLACK_WEBHOOK_URL: url } = process.env;
  throw Object.assign(new Error('refused: Bearer ' + key + ' ' + url), { config: process.env });
});`;

test('in an error that nobody caught, and in the report that Node.js may write of it', async (t) => {
  const s = await stage(t);
  s.policy(policies);
  const options = `--import=${s.file('bomb.mjs', bomb)} --report-uncaught-exception --report-on-fatalerror`;
  const child = s.start(['run'], { NODE_OPTIONS: options });
  await child.says('listening');
  child.kill('SIGUSR2');
  const ended = await child.ended;
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('refused: Bearer [secret]');
});

test('in a report that somebody asks the running process for', async (t) => {
  const s = await stage(t);
  s.policy(policies);
  const child = s.start(['run'], { NODE_OPTIONS: '--report-on-signal --report-signal=SIGUSR2' });
  await child.says('listening');
  s.clock.advance(hourMs);
  child.kill('SIGUSR2');
  await t.expect
    .poll(() => readdirSync(s.dir).filter((name) => name.startsWith('report.')), { timeout: 10_000 })
    .toHaveLength(1);
  child.kill('SIGTERM');
  expect(await child.ended).toMatchObject({ code: 0 });
});
