/**
 * What users of other tools complain of in alerts that are noisy or lost, each as a case here: the real pass,
 * SQLite, the deliverer, and receivers on loopback.
 */
import PostalMime from 'postal-mime';
import { expect, test, type TestContext } from 'vitest';
import { createDeliverer } from '../../src/alerts/deliver.ts';
import type { Key } from '../../src/core/key.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
import { formatFaults, loadPolicy } from '../../src/policy/load.ts';
import { day, hour, minute, monday, policy } from '../core/story.ts';
import { old, watched } from '../watched.ts';
import type { Watched } from '../watched.ts';
import { httpReceiver, respond, smtpReceiver } from './channels/servers.ts';
import type { SmtpReceiverOptions } from './channels/servers.ts';

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Message-ID, In-Reply-To and References. */
  readonly ids: readonly string[];
}

interface Scene extends Watched {
  /** Reads a policy file with these policies and these lines for its channels. */
  readonly read: (policies: string, channels?: string) => PolicyFile;
  /** Delivers what is due; what arrived since the last time. */
  readonly arrived: () => Promise<{ readonly slack: readonly string[]; readonly mails: readonly Mail[] }>;
}

const monthly = 'spend: { cost: 100, per: month }';
const toOps = 'ops: { slack: { webhook_url: "${SLACK}" } }';
const usual = `${toOps}\n  owner: { email: { to: "{{ metadata.email }}" } }`;

async function scene(
  t: Pick<TestContext, 'onTestFinished'>,
  policies: string,
  keys: readonly Key[],
  more: { readonly channels?: string; readonly smtp?: SmtpReceiverOptions } = {},
): Promise<Scene> {
  const slack = await httpReceiver(respond(200, 'ok'));
  const mail = await smtpReceiver(more.smtp);
  const values: Readonly<Record<string, string>> = {
    SLACK: slack.url,
    SMTP: `smtp://127.0.0.1:${String(mail.port)}`,
  };
  const read = (body: string, channels = more.channels ?? usual): PolicyFile => {
    const text = `version: 1
mode: enforce
timezone: Europe/Berlin
smtp: { url: "\${SMTP}", from: "keywarden@example.com" }
channels:
  ${channels}
protect: []
policies:
${body.replaceAll(/^/gm, '  ')}
`;
    const loaded = loadPolicy(text, 'policies.yaml', (name) => ({ value: values[name] ?? '' }), monday);
    if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
    return loaded.policy;
  };
  const one = await watched(read(policies), ...keys);
  t.onTestFinished(async () => {
    await one[Symbol.asyncDispose]();
    await slack[Symbol.asyncDispose]();
    await mail[Symbol.asyncDispose]();
  });
  const told = { slack: 0, mails: 0 };
  const arrived: Scene['arrived'] = async () => {
    const deliverer = createDeliverer({
      outbox: one.store.outbox,
      channels: () => one.policy,
      clock: { now: () => one.now(), monotonic: () => one.now(), sleep: () => Promise.resolve() },
    });
    await deliverer.deliverDue(new AbortController().signal);
    const posts = slack.requests
      .slice(told.slack)
      .map(({ body }) => (JSON.parse(body) as { text: string }).text);
    const mails = await Promise.all(mail.mails.slice(told.mails).map(({ raw, to }) => parsed(raw, to)));
    told.slack = slack.requests.length;
    told.mails = mail.mails.length;
    return { slack: posts, mails };
  };
  return Object.assign(one, { read, arrived });
}

async function parsed(raw: string, to: readonly string[]): Promise<Mail> {
  const {
    subject = '',
    text = '',
    messageId = '',
    inReplyTo = '',
    references = '',
  } = await PostalMime.parse(raw);
  return { to: to.join(), subject, text, ids: [messageId, inReplyTo, references] };
}

const owned = (name: string, email: string): Key => old(name, { metadata: { email } });
const nothing = { slack: [], mails: [] };

test('an alert on every request (LiteLLM 3738): a key that goes on being used is told once a step', async (t) => {
  const key = old('User 7');
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: ops }', '{ at: 100%, alert: ops }'), [key]);
  const told: string[] = [];
  for (let request = 0; request < 40; request += 1) {
    s.spend(key, 3);
    await s.pass();
    told.push(...(await s.arrived()).slack.map((text) => text.split('\n')[0] ?? ''));
  }
  expect(told).toEqual([
    expect.stringContaining('has used 51% of its $100 budget'),
    expect.stringContaining('has used 102% of its $100 budget'),
  ]);
});

test('after a restart a key at 83 % gets “50 %” again (LiteLLM PR 35814): here nothing comes again', async (t) => {
  const key = old('User 7');
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: ops }', '{ at: 80%, alert: ops }'), [key]);
  s.spend(key, 50);
  await s.pass();
  s.spend(key, 33);
  await s.pass();
  expect((await s.arrived()).slack).toHaveLength(2);
  for (let start = 0; start < 3; start += 1) {
    await s.restart();
    await s.passes(3);
    expect(await s.arrived()).toEqual(nothing);
  }
  s.spend(key, 1);
  await s.passes(2);
  expect(await s.arrived()).toEqual(nothing);
});

test('a restart between the decision and its delivery: the alert arrives, once', async (t) => {
  const key = old('User 7');
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: ops }'), [key]);
  s.spend(key, 50);
  await s.pass();
  await s.restart();
  await s.passes(2);
  expect((await s.arrived()).slack).toHaveLength(1);
  await s.restart();
  await s.pass();
  expect(await s.arrived()).toEqual(nothing);
});

test('fires once, then never, for any key (LiteLLM 16185): the next key and the next month are told', async (t) => {
  const [first, second] = [old('User 7'), old('User 8')];
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: ops }'), [first, second]);
  const heard = async (): Promise<string> => (await s.arrived()).slack.join('\n');
  s.spend(first, 60);
  await s.pass();
  expect(await heard()).toContain('“User 7” has used 60% of its $100 budget');
  s.spend(second, 70);
  await s.pass();
  expect(await heard()).toContain('“User 8” has used 70% of its $100 budget');
  s.wait(9 * day);
  await s.passes(3);
  expect(await heard()).toContain('2 alerts: 2 resolved');
  s.spend(first, 55);
  await s.pass();
  expect(await heard()).toMatch(/“User 7” has used 55% of its \$100 budget[^]*December 2026/);
});

test('“15 %” meant 15 % left (LiteLLM PR 39102): a step at 15 % is 15 % used, and says so', async (t) => {
  const key = old('User 7');
  const s = await scene(t, policy(monthly, '{ at: 15%, alert: ops }'), [key]);
  s.spend(key, 14);
  await s.pass();
  expect(await s.arrived()).toEqual(nothing);
  s.spend(key, 1);
  await s.pass();
  const [text = ''] = (await s.arrived()).slack;
  expect(text).toContain('“User 7” has used 15% of its $100 budget');
  expect(text).toContain('$15.00 of $100.00');
  expect(text).not.toMatch(/left|remain/i);
});

test('a documented field silently ignored (LiteLLM docs PR 1099): a field that is not known is an error at its place', async (t) => {
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: ops }'), []);
  const misspelt = (): unknown => s.read(policy(monthly, '{ at: 50%, alert: ops, repaet: 24h }'));
  expect(misspelt).toThrow(/^policies\.yaml:14:\d+: unknown field `repaet`/);
  const unused = (): unknown =>
    s.read(
      policy(monthly, '{ at: 50%, alert: ops }'),
      `${toOps}\n  b: { slack: { webhook_url: "\${SLACK}", threshold: 5 } }`,
    );
  expect(unused).toThrow(/unknown field `threshold`/);
});

test('a bad template loses the alert (Alertmanager 3490): who cannot be addressed is stood in for, in words', async (t) => {
  const keys = [
    owned('User 7', 'seven@example.com'),
    owned('User 8', 'x@example.com, y@example.com'),
    old('User 9'),
  ];
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: [owner, ops] }'), keys);
  for (const key of keys) s.spend(key, 60);
  await s.pass();
  const { slack, mails } = await s.arrived();
  expect(mails.map(({ to }) => to)).toEqual(['seven@example.com']);
  expect(slack).toHaveLength(1);
  for (const name of ['User 7', 'User 8', 'User 9']) expect(slack[0]).toContain(name);
  expect(slack[0]).toContain('could not be sent to owner: metadata.email is missing');
  expect(slack[0]).toContain('could not be sent to owner: metadata.email is not one valid e-mail address');
});

test('a bad template, and nobody to stand in: the alert is on record', async (t) => {
  const key = old('User 9');
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: owner }'), [key]);
  s.spend(key, 60);
  await s.pass();
  expect(await s.arrived()).toEqual(nothing);
  const lost = (await s.store.recorded({ limit: 100 })).filter(({ kind }) => kind === 'alert-undeliverable');
  expect(lost).toMatchObject([{ facts: { channel: 'owner', because: 'metadata.email is missing' } }]);
});

test('a reload flushes groups (Alertmanager 2492): what waits is neither sent early nor lost nor sent again', async (t) => {
  const key = old('User 7');
  const channels = `ops: { slack: { webhook_url: "\${SLACK}" }, quiet: { hours: "10:00-18:00" } }`;
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: ops }'), [key], { channels });
  s.spend(key, 60);
  await s.pass();
  const edits = [
    policy(monthly, '{ at: 60%, alert: ops }'),
    policy(monthly, '{ at: 50%, alert: ops }', '{ at: 90%, alert: ops }'),
  ];
  for (const edit of [...edits, ...edits]) {
    s.policy = s.read(edit);
    await s.passes(2);
    expect(await s.arrived()).toEqual(nothing);
  }
  s.wait(8 * hour);
  await s.pass();
  expect((await s.arrived()).slack).toEqual([
    expect.stringContaining('“User 7” has used 60% of its $100 budget'),
  ]);
  s.policy = s.read(edits[0] ?? '');
  await s.passes(2);
  expect(await s.arrived()).toEqual(nothing);
});

test('mail in chunks (Custodian 5436): two hundred findings of one pass are one mail', async (t) => {
  const keys = Array.from({ length: 200 }, (_, n) =>
    old(`User ${String(n)}`, { expiresAt: monday + 20 * minute }),
  );
  const channels = 'finance: { email: { to: finance@example.com } }';
  const s = await scene(t, policy('expiry: {}', '{ after: 0s, alert: finance }'), keys, { channels });
  s.wait(10 * minute);
  await s.pass();
  const { mails } = await s.arrived();
  expect(mails).toHaveLength(1);
  expect(mails[0]?.subject).toContain('200');
  await s.passes(3);
  expect(await s.arrived()).toEqual(nothing);
});

test('mail twice (Custodian 8702): the repeat after a lost answer is the same mail, and there is no third', async (t) => {
  const key = owned('User 7', 'seven@example.com');
  let answers = 0;
  const raws: string[] = [];
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: owner }'), [key], {
    smtp: {
      onData: (stream, _session, done) => {
        let raw = '';
        stream.on('data', (bytes: Buffer) => (raw += bytes.toString()));
        stream.on('end', () => {
          raws.push(raw);
          // Taken; the sender is told that it was not.
          done((answers += 1) === 1 ? Object.assign(new Error('Busy'), { responseCode: 421 }) : null);
        });
      },
    },
  });
  s.spend(key, 60);
  await s.pass();
  for (let turn = 0; turn < 5; turn += 1) {
    await s.arrived();
    await s.pass();
  }
  const ids = raws.map((raw) => /^Message-ID: (.*)$/m.exec(raw)?.[1]);
  expect(ids).toHaveLength(2);
  expect(ids[1]).toBe(ids[0]);
});

test('an owner is told of their own keys only, in one message however many they have', async (t) => {
  const keys = [
    ...['A1', 'A2', 'A3'].map((name) => owned(name, 'ana@example.com')),
    ...['B1', 'B2'].map((name) => owned(name, 'ben@example.com')),
  ];
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: [owner, ops] }'), keys);
  for (const key of keys) s.spend(key, 60);
  await s.pass();
  const { slack, mails } = await s.arrived();
  expect(slack).toHaveLength(1);
  expect(mails.map(({ to }) => to).toSorted()).toEqual(['ana@example.com', 'ben@example.com']);
  const names = mails.map(({ to, text }) => [to, [...new Set(text.match(/\b[AB]\d\b/g))].toSorted()]);
  expect(Object.fromEntries(names)).toEqual({
    'ana@example.com': ['A1', 'A2', 'A3'],
    'ben@example.com': ['B1', 'B2'],
  });
});

test('a case is one thread of mails, and another key’s case another', async (t) => {
  const keys = [owned('User 7', 'ana@example.com'), owned('User 8', 'ana@example.com')];
  const [first, second] = keys as [Key, Key];
  const s = await scene(t, policy(monthly, '{ at: 50%, alert: owner }', '{ at: 100%, alert: owner }'), keys);
  const mails: Mail[] = [];
  for (const [key, amount] of [
    [first, 60],
    [second, 60],
    [first, 45],
  ] as const) {
    s.spend(key, amount);
    await s.pass();
    mails.push(...(await s.arrived()).mails);
  }
  const [opened, other, higher] = mails.map(({ ids }) => ids);
  expect(mails).toHaveLength(3);
  expect(higher?.[0]).not.toBe(opened?.[0]);
  expect(higher?.slice(1)).toEqual(opened?.slice(1));
  expect(other?.slice(1)).not.toEqual(opened?.slice(1));
  expect(opened?.[1]).toMatch(/^<finding\.[0-9a-f]{32}@example\.com>$/);
});

test('quiet hours over midnight, in the night the clock goes forward: one digest in the morning, deletions at once', async (t) => {
  const channels = `ops: { slack: { webhook_url: "\${SLACK}" }, quiet: { hours: "22:00-07:00", days: [fri-sun], except: [delete, notice] } }`;
  const keys = ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((name) => old(name));
  const [a, b, c] = keys as [Key, Key, Key];
  const steps = ['{ at: 50%, alert: ops }', '{ at: 100%, alert: ops, delete: { notice: 1h } }'];
  const s = await scene(t, policy('spend: { cost: 20, per: lifetime }', ...steps), keys, { channels });
  const until = async (instant: string): Promise<void> => {
    s.wait(Date.parse(instant) - s.now() - minute);
    await s.pass();
  };
  const heard = async (): Promise<readonly string[]> => (await s.arrived()).slack;
  // Saturday, 21:59 in Berlin: still told at once.
  await until('2027-03-27T20:57:00Z');
  s.spend(a, 11);
  await until('2027-03-27T20:59:00Z');
  expect(await heard()).toHaveLength(1);
  await until('2027-03-27T21:00:00Z');
  s.spend(b, 12);
  await until('2027-03-27T23:30:00Z');
  s.spend(c, 13);
  await until('2027-03-28T03:00:00Z');
  expect(await heard()).toEqual([]);
  s.spend(a, 14);
  await until('2027-03-28T04:00:00Z');
  expect(await heard()).toEqual([expect.stringContaining('will be deleted in 1 hour')]);
  // 6:59 by summer time.
  await until('2027-03-28T04:59:00Z');
  expect(await heard()).toEqual([]);
  await until('2027-03-28T05:01:00Z');
  const morning = await heard();
  expect(morning).toHaveLength(1);
  expect(morning[0]).toMatch(/2 alerts: 2 at a step\n[^]*“C”[^]*“B”/);
});

test('repeat: 24h is a day apart, through restarts and reloads, and not one more', async (t) => {
  const key = old('User 7');
  const steps = policy('spend: { cost: 100, per: lifetime }', '{ at: 50%, alert: ops, repeat: 24h }');
  const s = await scene(t, steps, [key]);
  s.spend(key, 60);
  const told: number[] = [];
  for (let passed = 0; passed < 4 * 24 * 2; passed += 1) {
    await s.pass(30 * minute);
    if (passed % 7 === 0) await s.restart();
    if (passed % 5 === 0) s.policy = s.read(passed % 10 === 0 ? `${steps}\n# edited` : steps);
    for (const text of (await s.arrived()).slack) {
      expect(text).toContain('60%');
      told.push(s.now());
    }
  }
  expect(told.slice(1).map((at, n) => (at - (told[n] ?? 0)) / hour)).toEqual([24, 24, 24]);
});
