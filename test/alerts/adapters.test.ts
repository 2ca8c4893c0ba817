/** The adapters of docs/adapters.md as they stand there, each a process of its own, fed by the webhook channel. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendWebhook } from '../../src/alerts/channels/webhook.ts';
import { compose } from '../../src/alerts/compose/compose.ts';
import type { Message } from '../../src/alerts/compose/message.ts';
import { toText } from '../../src/alerts/compose/text.ts';
import { sampleCaseAlerts, sampleSystemAlert } from '../../src/alerts/samples.ts';
import type { Alert } from '../../src/core/alert.ts';
import type { SendOutcome } from '../../src/ports.ts';
import { caseAlert, day, hostileNames, named, systemAlert, webhook } from './build.ts';
import { httpReceiver, respond } from './channels/servers.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/adapters.md'), 'utf8');
const scripts = new Map(
  [...page.matchAll(/```js\n\/\/ (\w+)\.mjs\n([^]*?)```/g)].map(([, name = '', text = '']) => [name, text]),
);
const secret = `whsec_${Buffer.from('a secret of these tests').toString('base64')}`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywarden-adapters-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of scripts) writeFileSync(join(folder, `${name}.mjs`), text);
});
afterAll(() => rm(folder, { recursive: true }));

/** The adapter as a process, in front of a service that answers so. */
async function adapter(name: string, answer = respond(202)) {
  const service = await httpReceiver(answer);
  const environment = {
    ...{ WEBHOOK_SECRET: secret, PORT: '0', PAGERDUTY_ROUTING_KEY: 'routing-key' },
    ...{ PAGERDUTY_URL: service.url, TEAMS_URL: service.url, DISCORD_URL: service.url },
  };
  const child = spawn(process.execPath, [`${name}.mjs`], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const url = `http://127.0.0.1:${/\d+$/.exec(line)?.[0] ?? ''}/`;
  return {
    /** What the service was sent. */
    posted: () => service.requests.map(({ body }) => JSON.parse(body) as unknown),
    send: (message: Message, signedWith = secret): Promise<SendOutcome> => {
      const channel = webhook('pager', url, signedWith);
      if (channel.kind !== 'webhook') throw new TypeError();
      return sendWebhook(channel, message, new AbortController().signal);
    },
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      await service[Symbol.asyncDispose]();
    },
  };
}

/** Signatures are good for five minutes, so a message is of this moment. */
function messageOf(...alerts: readonly Alert[]): Message {
  const entries = alerts.map((alert) => ({ alert, remark: null }));
  return compose(entries, { id: 'msg_1', now: Date.now() });
}

/** As Keywarden does with what is too large for a receiver; the alerts that were taken. */
async function sendInParts(
  running: { send(message: Message): Promise<SendOutcome> },
  alerts: readonly Alert[],
): Promise<readonly Alert[]> {
  const outcome = await running.send(messageOf(...alerts));
  if (outcome.ok) return alerts;
  if (outcome.isTooLarge !== true || alerts.length === 1) return [];
  const middle = Math.ceil(alerts.length / 2);
  const halves = [alerts.slice(0, middle), alerts.slice(middle)];
  return [...(await sendInParts(running, halves[0] ?? [])), ...(await sendInParts(running, halves[1] ?? []))];
}

/** Every fault of a long policy file, in one alert. */
const report = systemAlert({
  text: Array.from({ length: 600 }, (_, index) => `policies.yaml:${String(index)}:1: <&> is no number`).join(
    '\n',
  ),
});

const options = { at: Date.now(), timeZone: 'Europe/Berlin', channels: [] } as const;
const cases = sampleCaseAlerts(options);
const notice = { kind: 'notice', step: 3, of: 3, noticeMs: day } as const;
const names = Object.values(hostileNames);
const hostile = names.map((name, index) => named(name, { id: `alert-${String(index)}`, event: notice }));
const crowd = Array.from({ length: 300 }, (_, index) =>
  named(`Team <research> *${String(index)}*`, {
    id: `alert-${String(index)}`,
    policy: `policy-${String(index % 7)}`,
  }),
);

test('every adapter is here', () => {
  expect([...scripts.keys()]).toEqual(['pagerduty', 'teams', 'discord']);
});

describe.each([...scripts.keys()])('%s', (name) => {
  test('takes every sample, and what strangers write', async () => {
    await using running = await adapter(name);
    const all = [[sampleSystemAlert(options)], ...cases.map((one) => [one]), cases, hostile, crowd];
    for (const alerts of all) expect(await sendInParts(running, alerts)).toEqual(alerts);
    expect(running.posted().length).toBeGreaterThan(10);
  });

  test('refuses a message that somebody else signed, and passes nothing on', async () => {
    await using running = await adapter(name);
    const forged = await running.send(
      messageOf(caseAlert()),
      `whsec_${Buffer.from('guess').toString('base64')}`,
    );
    expect(forged).toMatchObject({ ok: false, error: 'answered 401', retryable: false });
    const late = { ...messageOf(caseAlert()), at: Date.now() - 600_000 };
    expect(await running.send(late)).toMatchObject({ ok: false, error: 'answered 401' });
    expect(running.posted()).toEqual([]);
  });

  test('is tried again when its service fails', async () => {
    await using running = await adapter(name, respond(503));
    expect(await running.send(messageOf(caseAlert()))).toMatchObject({
      ok: false,
      error: 'answered 502',
      retryable: true,
    });
  });
});

interface PagerDutyEvent {
  readonly event_action: string;
  readonly dedup_key: string;
  readonly payload: { readonly summary: string; readonly severity: string; readonly custom_details: unknown };
}

describe('PagerDuty', () => {
  test('gets an incident for each case, which its end resolves', async () => {
    await using running = await adapter('pagerduty');
    const [step, ended] = [
      caseAlert({ event: notice }),
      caseAlert({ id: 'alert-2', event: { kind: 'resolved', because: 'the period ended' } }),
    ];
    await running.send(messageOf(step, systemAlert()));
    await running.send(messageOf(ended));
    const events = running.posted() as PagerDutyEvent[];
    expect(events).toMatchObject([
      {
        routing_key: 'routing-key',
        event_action: 'trigger',
        payload: {
          summary: '“User 7” will be deleted in 24 hours',
          source: 'keywarden',
          severity: 'critical',
        },
      },
      { event_action: 'trigger', payload: { summary: 'The policy file is invalid', severity: 'critical' } },
      { event_action: 'resolve' },
    ]);
    expect(events[2]?.dedup_key).toBe(events[0]?.dedup_key);
    expect(events[1]?.dedup_key).not.toBe(events[0]?.dedup_key);
  });

  test('keeps to its limits, with names as they are', async () => {
    await using running = await adapter('pagerduty');
    await running.send(messageOf(...hostile));
    const events = running.posted() as PagerDutyEvent[];
    expect(events).toHaveLength(hostile.length);
    for (const { payload, dedup_key: key } of events) {
      expect(payload.summary.length).toBeLessThanOrEqual(1024);
      expect(payload.summary).not.toMatch(/[\p{Cc}\u202A-\u202E]/u);
      expect(key.length).toBeLessThanOrEqual(255);
    }
    expect(events.map(({ payload }) => payload.custom_details)).toMatchObject(
      names.map((one) => ({ subject: { name: one } })),
    );
  });

  test('hears of a message that could not be formatted, and not of news', async () => {
    await using running = await adapter('pagerduty');
    await running.send({ ...messageOf(caseAlert()), headline: 'could not be formatted', alerts: [] });
    await running.send(messageOf(systemAlert({ severity: 'info' })));
    expect(running.posted()).toMatchObject([
      { event_action: 'trigger', payload: { summary: 'could not be formatted' } },
    ]);
  });
});

interface TeamsMessage {
  readonly type: string;
  readonly attachments: readonly {
    readonly contentType: string;
    readonly content: {
      readonly type: string;
      readonly body: readonly {
        readonly type: string;
        readonly inlines: readonly { readonly type: string; readonly text: string }[];
      }[];
    };
  }[];
}

describe('Teams', () => {
  test('gets a card of text that is not Markdown, line by line', async () => {
    await using running = await adapter('teams');
    const message = messageOf(named('[link](https://evil.example) **bold** <at>x</at>'));
    await running.send(message);
    const [posted] = running.posted() as TeamsMessage[];
    expect(posted).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: { type: 'AdaptiveCard', version: '1.4' },
        },
      ],
    });
    const body = posted?.attachments[0]?.content.body ?? [];
    expect(new Set(body.flatMap(({ type, inlines }) => [type, ...inlines.map((run) => run.type)]))).toEqual(
      new Set(['RichTextBlock', 'TextRun']),
    );
    const lines = toText(message)
      .split('\n')
      .filter((line) => line !== '');
    expect(body.flatMap(({ inlines }) => inlines.map(({ text }) => text))).toEqual(lines);
  });

  test('keeps to 28 KB', async () => {
    await using running = await adapter('teams');
    expect(await running.send(messageOf(...hostile, ...crowd))).toMatchObject({ isTooLarge: true });
    expect(await running.send(messageOf(report))).toEqual({ ok: true });
    const [posted] = running.posted() as TeamsMessage[];
    expect(Buffer.byteLength(JSON.stringify(posted))).toBeLessThan(28_000);
    const body = posted?.attachments[0]?.content.body ?? [];
    expect(body.length).toBeGreaterThan(20);
    expect(body.at(-1)?.inlines[0]?.text).toBe('… and more');
  });
});

interface DiscordMessage {
  readonly content: string;
}

describe('Discord', () => {
  test('mentions nobody, formats nothing, previews nothing', async () => {
    await using running = await adapter('discord');
    await running.send(messageOf(named('@everyone <@123> **bold** `code` https://evil.example')));
    const [posted] = running.posted() as DiscordMessage[];
    expect(posted).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
    expect(posted?.content).toMatch(
      /^“\\@everyone \\<\\@123\\> \\\*\\\*bold\\\*\\\* \\`code\\` https\\:\\\/\\\/evil\\\.example” has used 107\\%/,
    );
  });

  test('keeps to 2,000 characters, and ends between two lines', async () => {
    await using running = await adapter('discord');
    expect(await running.send(messageOf(...hostile, ...crowd))).toMatchObject({ isTooLarge: true });
    const message = messageOf(report);
    expect(await running.send(message)).toEqual({ ok: true });
    const [posted] = running.posted() as DiscordMessage[];
    const lines = (posted?.content ?? '').split('\n');
    expect(posted?.content.length).toBeLessThanOrEqual(2000);
    expect(lines.length).toBeGreaterThan(10);
    const whole = new Set(toText(message).split('\n'));
    const shown = lines.slice(0, -1).map((line) => line.replaceAll(/\\(.)/g, '$1'));
    expect(shown.filter((line) => !whole.has(line))).toEqual([]);
    expect(lines.at(-1)).toBe('…');
  });
});
