/** `keywarden plan`: what a pass would do, as people, scripts and other programs read it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dayMs, hourMs, minuteMs, stage, start, type Stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 80%, alert: [owner, pager] }
      - { at: 100%, alert: pager, rename: "OVER {{ name }}" }
      - { at: 120%, alert: pager, delete: { notice: 24h } }
  - name: team
    select: { metadata: { team: ml } }
    spend: { tokens: 1000, per: 7d, across: metadata.team }
    steps: [ { at: 100%, alert: ops } ]
  - name: expired
    select: all
    expiry: {}
    steps: [ { before: 2d, alert: pager }, { after: 0s, rename: "EXPIRED {{ name }}" } ]
`;

interface Plan {
  readonly [field: string]: unknown;
  readonly findings: readonly Record<string, unknown>[];
  readonly actions: readonly Record<string, unknown>[];
  readonly held: readonly Record<string, unknown>[];
}

async function planOf(s: Stage): Promise<Plan> {
  const { code, out, err } = await s.run(['plan', '--output', 'json']);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Plan;
}

const oneOf = (...values: readonly unknown[]) =>
  expect.toSatisfy((value) => values.includes(value)) as unknown;
const instant: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const text: unknown = expect.stringMatching(/./);
const maybe = (shape: RegExp | 'step') =>
  expect.toSatisfy((value) =>
    value === null || shape === 'step'
      ? value === null || Number.isInteger(value)
      : shape.test(String(value)),
  ) as unknown;
const instantOrNull = maybe(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const amount = maybe(/^\d+(\.\d+)?$/);

function subjectShape(subject: unknown): unknown {
  return typeof subject === 'object' && subject !== null && 'group' in subject
    ? { group: text }
    : { id: expect.stringMatching(/^k_[0-9a-f]{16}$/) as unknown, name: expect.any(String) as unknown };
}

/** Every field of the format, present and of its type. */
function checkShape(plan: Plan): void {
  expect(plan).toMatchObject({
    version: 1,
    generated_at: instant,
    mode: oneOf('dry-run', 'alert', 'enforce'),
    policy_hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as unknown,
    keys: expect.any(Number) as unknown,
    calls: expect.any(Number) as unknown,
  });
  for (const finding of plan.findings) {
    const spend = finding['measure'] !== null;
    expect(finding).toMatchObject({
      policy: text,
      subject: subjectShape(finding['subject']),
      state: oneOf('open', 'uncertain'),
      period: finding['period'] === null ? null : { start: instantOrNull, end: instantOrNull },
      measure: oneOf('cost', 'tokens', 'requests', null),
      level: spend ? { low: amount, high: amount } : null,
      limit: spend ? amount : null,
      percent: spend ? (expect.any(Number) as unknown) : null,
      deadline: spend ? null : instant,
      step: maybe('step'),
    });
  }
  for (const action of plan.actions) {
    expect(action).toMatchObject({
      kind: oneOf('alert', 'notice', 'rename', 'restore', 'delete'),
      policy: text,
      subject: subjectShape(action['subject']),
      step: maybe('step'),
      to: maybe(/./),
      due_at: instantOrNull,
      reason: text,
    });
  }
  for (const held of plan.held) {
    expect(held).toMatchObject({
      kind: oneOf('alert', 'notice', 'rename', 'restore', 'delete'),
      policy: text,
      subject: subjectShape(held['subject']),
      step: maybe('step'),
      because: oneOf('mode', 'protected', 'limit', 'unknown', 'notice', 'silenced', 'vetoed', 'unconfirmed'),
      detail: text,
    });
  }
}

test.concurrent('without a state file it reads, tells in full, and leaves nothing behind', async (t) => {
  const s = await stage(t);
  s.policy(rule, { protect: '[{ name: "User 9" }]' });
  const [seven, nine] = [s.key('User 7'), s.key('User 9')];
  s.spend(seven, 21.4);
  s.spend(nine, 30);
  const soon = s.key('svc', { expiresAt: start + dayMs });
  s.spend(s.key('ml-1', { metadata: { team: 'ml' } }), 1);
  const plan = await planOf(s);
  checkShape(plan);
  expect(plan).toMatchObject({ mode: 'enforce', keys: 4, contradictions: [] });
  const find = (name: string) => plan.findings.find(({ subject }) => JSON.stringify(subject).includes(name));
  expect(find('User 7')).toMatchObject({
    subject: { id: seven.id, name: 'User 7' },
    period: { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' },
    measure: 'cost',
    level: { low: '21.40' },
    limit: '20.00',
    percent: 107,
    step: 2,
  });
  expect(find('svc')).toMatchObject({ subject: { id: soon.id }, deadline: '2026-11-04T10:00:00Z', step: 1 });
  expect(find('metadata.team=ml')).toMatchObject({ measure: 'tokens', limit: '1000', percent: 100, step: 1 });
  const of = (rows: readonly Record<string, unknown>[], policy: string) =>
    rows
      .filter((row) => row['policy'] === policy)
      .map(({ kind, step, to, because }) => ({ kind, step, to, because }));
  expect(of(plan.actions, 'cap')).toContainEqual({
    kind: 'rename',
    step: 2,
    to: 'OVER User 7',
    because: undefined,
  });
  expect(of(plan.held, 'cap')).toContainEqual({
    kind: 'delete',
    step: 3,
    to: undefined,
    because: 'protected',
  });
  expect(plan.findings.map(({ subject }) => JSON.stringify(subject))).toEqual(
    (await planOf(s)).findings.map(({ subject }) => JSON.stringify(subject)),
  );
  const unread = s.requests.items.filter(
    ({ method, path }) => method !== 'GET' && !path.startsWith('/api/billing/'),
  );
  expect(unread).toEqual([]);
  expect(s.sandbox.inbox.mails.items.length + s.sandbox.slack.received.items.length + s.pager().length).toBe(
    0,
  );
  expect(existsSync(join(s.dir, 'keywarden.db'))).toBe(false);
  expect(readdirSync(s.dir).sort()).toEqual(['mail-server.pem', 'policies.yaml']);
});

test.concurrent('shows the account’s books: spend, invoices, charges and rate', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  s.spend(s.key('User 7'), 21.4);
  const plan = await planOf(s);
  expect(plan['account']).toMatchObject({
    period: { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' },
    spent: { high: '21.40' },
    invoiced: '99.00',
    charged: '0.00',
    other: '0.00',
    pending: '0.00',
    last_24h: { tokens_per_hour: 41.67, requests_per_hour: 0.04 },
    unknown: [],
  });
  const calls = plan['calls_made'] as readonly object[];
  expect(plan['calls']).toBe(calls.length);
  expect(calls).toContainEqual({ call: 'transactions', why: 'the account’s books' });
  expect(calls).toContainEqual({ call: 'time series, last 24h', why: 'the account’s books' });
  const { out } = await s.run(['plan']);
  expect(out).toContain('\nAccount, November 2026\n');
  expect(out).toMatch(/^ {2}invoiced +\$99\.00$/m);
});

test.concurrent('is a plan all the same when the account’s books cannot be read, and says why', async (t) => {
  const s = await stage(t, { speed: 20 });
  s.policy(rule);
  s.spend(s.key('User 7'), 21.4);
  s.sandbox.faults.add({ endpoint: 'transactions', fault: { kind: 'status', status: 500 } });
  s.sandbox.faults.add({ endpoint: 'series', fault: { kind: 'html' } });
  const plan = await planOf(s);
  expect(plan.actions).not.toEqual([]);
  expect(plan['account']).toMatchObject({
    spent: { high: '21.40' },
    invoiced: null,
    charged: null,
    last_24h: null,
    latest: null,
    unknown: [
      expect.stringMatching(/^the transactions could not be read: .*the server failed/) as unknown,
      expect.stringMatching(/^the time series could not be read: .*cannot be understood/) as unknown,
    ],
  });
  const { code, out } = await s.run(['plan']);
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}billed +unknown\n {4}the transactions could not be read/m);
});

test.concurrent('shows the numbers that contradict each other, and every call with its reason', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  const key = s.key('User 7');
  s.spend(key, 15);
  s.spend(s.key('User 8'), 1);
  await s.pass();
  s.clock.advance(minuteMs);
  // The account's usage counts less than what the key was read to have used.
  s.sandbox.faults.add({ endpoint: 'usage', fault: { kind: 'set-field', field: 'cost', value: 2 } });
  const plan = await planOf(s);
  const because = 'the account’s row of its name counts less than the key has used';
  expect(plan['contradictions']).toEqual([{ subject: { id: key.id, name: 'User 7' }, because }]);
  const calls = plan['calls_made'] as readonly { readonly call: string; readonly why: string }[];
  expect(calls.slice(0, 2)).toEqual([
    { call: 'list of keys', why: 'every pass' },
    { call: 'usage of all keys, all time', why: 'every pass' },
  ]);
  expect(calls).toContainEqual({
    call: `usage of ${key.id}, all time`,
    why: expect.stringContaining('cap') as unknown,
  });
  const { out } = await s.run(['plan']);
  expect(out).toMatch(/^Contradictions: .*\n.*\n? *User 7 [^]*counts less than the key has used$/m);
  expect(out).toMatch(/^Read with \d+ calls:\n {2}list of keys: every pass$/m);
  expect(out).toMatch(new RegExp(`^  usage of ${key.id}, all time: .*cap`, 'm'));
});

test.concurrent('says at every point what the next pass then does', async (t) => {
  const s = await stage(t);
  s.policy(rule);
  const key = s.key('User 7');
  const kinds = async (): Promise<unknown[]> => {
    const plan = await planOf(s);
    checkShape(plan);
    return [
      ...plan.actions.map(({ kind }) => kind),
      ...plan.held.map(({ kind, because }) => `${String(kind)} held: ${String(because)}`),
    ];
  };
  await s.pass();
  expect(await kinds()).toEqual([]);
  s.spend(key, 21);
  s.clock.advance(hourMs);
  expect(await kinds()).toEqual(['alert', 'rename']);
  await s.pass();
  expect([s.nameOf(key), await kinds()]).toEqual(['OVER User 7', []]);
  s.spend(key, 5);
  s.clock.advance(hourMs);
  expect(await kinds()).toEqual(['notice']);
  await s.pass();
  expect(await kinds()).toEqual(['delete held: notice']);
  s.clock.advance(dayMs + minuteMs);
  expect(await kinds()).toEqual(['delete']);
  s.policy(rule.replaceAll('20.00', '200.00'));
  expect(await kinds()).toEqual(['alert', 'restore']);
  await s.pass();
  expect([s.nameOf(key), await kinds()]).toEqual(['User 7', []]);
});

test.concurrent('--detailed-exitcode: 0 nothing to do, 2 something, 1 an error', async (t) => {
  const s = await stage(t, { speed: 20 });
  s.policy(rule);
  const key = s.key('User 7');
  await s.pass();
  const code = async (...flags: string[]) => (await s.run(['plan', ...flags])).code;
  expect([await code('--detailed-exitcode'), await code()]).toEqual([0, 0]);
  s.spend(key, 21);
  expect([await code('--detailed-exitcode'), await code()]).toEqual([2, 0]);
  s.policy(rule, { mode: 'dry-run' });
  expect(await code('--detailed-exitcode')).toBe(2);
  s.sandbox.faults.add({ endpoint: 'list', fault: { kind: 'html' } });
  expect([await code('--detailed-exitcode'), await code()]).toEqual([1, 1]);
  s.policy('policies: [');
  expect(await code('--detailed-exitcode')).toBe(1);
  expect((await s.run(['plan', '--nonsense'])).code).toBe(2);
});
