import { IncomingWebhook } from '@slack/webhook';
import { createTransport } from 'nodemailer';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/serve.ts';

const options = { seed: 'test', population: 'plain', keys: 5, clock: systemClock() } as const;

describe('a served sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox(options);
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  });

  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { Authorization: `Bearer ${sandbox.adminKey}`, 'Content-Type': 'application/json' };
    const answer = await fetch(sandbox.apiUrl + path, { headers, ...init });
    const body: unknown = await answer.json();
    return { status: answer.status, body };
  };
  const control = (method: string, body?: unknown) =>
    ask('/_sandbox/faults', { method, ...(body !== undefined && { body: JSON.stringify(body) }) });

  it('is on loopback only', () => {
    const { apiUrl, slackUrl, webhookUrl, smtpUrl } = sandbox;
    for (const url of [apiUrl, slackUrl, webhookUrl, smtpUrl])
      expect(new URL(url).hostname).toBe('127.0.0.1');
  });

  it('has the Admin API, guarded by its key', async () => {
    expect(await ask('/api/keys')).toMatchObject({ status: 200, body: { length: 5 } });
    expect(await ask('/api/keys', { headers: {} })).toMatchObject({ status: 401 });
    expect(await ask('/nothing')).toMatchObject({ status: 404 });
  });

  it('takes Slack messages, signed webhooks and mails', async () => {
    await new IncomingWebhook(sandbox.slackUrl).send({ text: 'hello' });
    expect(sandbox.slack.received.items).toMatchObject([{ body: { text: 'hello' } }]);

    const now = new Date();
    const signature = new Webhook(sandbox.webhookSecret).sign('msg_1', now, '{"type":"x"}');
    const answer = await fetch(sandbox.webhookUrl, {
      method: 'POST',
      body: '{"type":"x"}',
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        'webhook-signature': signature,
      },
    });
    expect(answer.status).toBe(204);

    const transport = createTransport(sandbox.smtpUrl);
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 's', text: 't' });
    transport.close();
    expect(sandbox.inbox.mails.items).toMatchObject([{ subject: 's' }]);
  });

  it('takes orders for faults', async () => {
    const rule = { endpoint: 'list', fault: { kind: 'status', status: 503 }, times: 1 };
    expect(await control('POST', [rule])).toEqual({ status: 201, body: [rule] });
    expect(await control('GET')).toEqual({ status: 200, body: [rule] });
    expect((await ask('/api/keys')).status).toBe(503);
    expect((await ask('/api/keys')).status).toBe(200);
    await control('POST', rule);
    expect(await control('DELETE')).toEqual({ status: 200, body: [] });
    expect((await ask('/api/keys')).status).toBe(200);
  });

  it('adds none of a list that has a wrong one', async () => {
    const good = { endpoint: 'list', fault: { kind: 'empty' } };
    expect(await control('POST', [good, { endpoint: 'list' }])).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('not a fault') as string },
    });
    expect(await control('GET')).toMatchObject({ body: [] });
  });

  it('shows its record of changes without secrets', async () => {
    const created = await ask('/api/keys', { method: 'POST', body: '{"name": "made"}' });
    const { secret } = sandbox.world.log.items.at(-1) ?? { secret: '' };
    expect(created.body).toMatchObject({ key: secret });
    const { body } = await ask('/_sandbox/log');
    expect(body).toMatchObject([{ kind: 'created', by: 'api', to: 'made', from: null }]);
    expect(JSON.stringify(body)).not.toContain(secret);
  });
});

describe('startSandbox', () => {
  it('has the same credentials for the same seed', async () => {
    await using one = await startSandbox(options);
    await using other = await startSandbox(options);
    expect(one.adminKey).toMatch(/^admin_\w{40}$/);
    expect(one.adminKey).toBe(other.adminKey);
    expect(one.webhookSecret).toBe(other.webhookSecret);
  });

  it('takes the ports it is given and lets go of them at the end', async () => {
    const first = await startSandbox(options);
    const port = Number(new URL(first.apiUrl).port);
    await expect(startSandbox({ ...options, ports: { api: port } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await first[Symbol.asyncDispose]();
    await using second = await startSandbox({ ...options, ports: { api: port } });
    expect(new URL(second.apiUrl).port).toBe(String(port));
  });
});
