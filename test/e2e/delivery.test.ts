/** Receivers that cannot be trusted, or do not take the message: it is not lost, and says nothing it should not. */
import { expect, test, type TestContext } from 'vitest';
import { hourMs, minuteMs, stage, type Stage } from './harness.ts';

const rule = (channels: string): string => `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps: [ { at: 120%, alert: ${channels}, delete: { notice: 24h } } ]
`;

async function over(t: TestContext, channels: string): Promise<Stage> {
  const s = await stage(t);
  s.policy(rule(channels));
  const key = s.key('User 7');
  await s.pass();
  s.spend(key, 25);
  s.clock.advance(hourMs);
  return s;
}

test.concurrent.for([
  ['a certificate that nobody trusts', { NODE_EXTRA_CA_CERTS: '' }, /certificate could not be verified/],
  [
    'a password that is refused',
    (url: string) => ({ SMTP_URL: url.replace('Zq@', 'Zx@') }),
    /login was refused/,
  ],
  [
    'a server that is not there',
    () => ({ SMTP_URL: 'smtp://u:wr0ngPassw0rd@127.0.0.1:4' }),
    /connection was refused/,
  ],
] as const)(
  '%s: no mail, no notice, no deletion; once it is mended the notice begins to run',
  async ([_, broken, why], t) => {
    const s = await over(t, 'owner');
    const env = typeof broken === 'function' ? broken(s.sandbox.smtpUrl) : broken;
    const first = await s.run(['run', '--once'], env);
    expect(first.code).toBe(0);
    expect(first.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        channel: 'owner',
        why: expect.stringMatching(why) as unknown,
      }),
    );
    expect(first.err).not.toContain('wr0ngPassw0rd');
    s.clock.advance(20 * hourMs);
    await s.run(['run', '--once'], env);
    expect(s.sandbox.inbox.mails.items).toEqual([]);
    s.clock.advance(2 * hourMs);
    await s.pass();
    await s.pass();
    expect(s.sandbox.inbox.mails.items.map(({ subject }) => subject)).toEqual([
      '“User 7” will be deleted in 24 hours',
    ]);
    s.clock.advance(23 * hourMs);
    await s.pass();
    expect(s.requests.items.filter(({ method }) => method === 'DELETE')).toEqual([]);
    s.clock.advance(hourMs + minuteMs);
    await s.pass();
    expect(s.requests.items.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  },
);

test.concurrent('a dead channel holds up no other, and is tried again later', async (t) => {
  const s = await over(t, '[owner, ops, pager]');
  const mend = s.sandbox.faults.add({ endpoint: 'slack', fault: { kind: 'status', status: 500 } });
  s.sandbox.inbox.disturb({ stage: 'rcpt', kind: 'reject', code: 451, times: 1 });
  // At its most talkative, with stacks.
  await s.pass('--log-level', 'trace');
  expect(s.told()).toEqual(['notice cap User 7']);
  const { slack, inbox } = s.sandbox;
  expect([slack.received.items.length, inbox.mails.items.length]).toEqual([0, 0]);
  mend();
  s.clock.advance(hourMs);
  await s.pass();
  s.clock.advance(hourMs);
  await s.pass();
  expect([slack.received.items.length, inbox.mails.items.length, s.pager().length]).toEqual([1, 1, 1]);
});

test.concurrent('that a channel is dead is said on another, once, and so is its end', async (t) => {
  const s = await over(t, '[ops, pager]');
  const mend = s.sandbox.faults.add({ endpoint: 'slack', fault: { kind: 'status', status: 404 } });
  for (let pass = 0; pass < 3; pass += 1) {
    await s.pass();
    s.clock.advance(minuteMs);
  }
  expect(s.told()).toEqual(['notice cap User 7', 'Alerts do not reach the channel ops']);
  const [said] = s.pager().slice(1);
  expect(said?.text).toMatch(/^1 alert was given up on; at the last attempt .*404/);
  mend();
  s.key('User 8');
  s.clock.advance(hourMs);
  s.spend(s.key('User 9'), 25);
  s.clock.advance(hourMs);
  await s.pass();
  expect(s.sandbox.slack.received.items).toHaveLength(1);
  s.clock.advance(minuteMs);
  await s.pass();
  expect(s.told(2).at(-1)).toBe('Over: Alerts do not reach the channel ops');
});

test.concurrent('that a channel is dead is over at the first pass after it is out of the file', async (t) => {
  const s = await over(t, '[ops, pager]');
  s.sandbox.faults.add({ endpoint: 'slack', fault: { kind: 'status', status: 404 } });
  for (let pass = 0; pass < 3; pass += 1) {
    await s.pass();
    s.clock.advance(minuteMs);
  }
  expect(s.told()).toEqual(['notice cap User 7', 'Alerts do not reach the channel ops']);
  const without = s.policyText(rule('pager')).replace(/^ {2}ops: .*\n/m, '');
  expect(without).not.toContain('ops');
  s.file('policies.yaml', without);
  await s.pass();
  expect(s.told(2)).toEqual(['Over: Alerts do not reach the channel ops']);
  s.clock.advance(minuteMs);
  await s.pass();
  expect(s.told(3)).toEqual([]);
});

test.concurrent('mail goes over TLS after a login, and carries what threads it', async (t) => {
  const s = await over(t, 'owner');
  await s.pass();
  const [mail] = s.sandbox.inbox.mails.items;
  expect(mail).toMatchObject({ to: ['ana@example.com'], from: 'keywarden@example.com' });
  expect(mail?.text).toContain('$25');
  expect(mail?.raw).toMatch(/^Message-ID: <[0-9a-f]+@example\.com>\r$/m);
  expect(mail?.html).not.toContain('<script');
});
