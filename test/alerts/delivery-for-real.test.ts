import { expect, test } from 'vitest';
import { createDeliverer } from '../../src/alerts/deliver.ts';
import type { Delivery } from '../../src/alerts/deliver.ts';
import { route } from '../../src/alerts/route.ts';
import { Secret } from '../../src/core/secret.ts';
import {
  at,
  caseAlert,
  channelMap,
  email,
  memoryOutbox,
  slack,
  systemAlert,
  virtualClock,
  webhook,
} from './build.ts';
import { httpReceiver, respond, smtpReceiver } from './channels/servers.ts';

test('from alerts to Slack, mail and a webhook, past a receiver that asks for patience', async () => {
  await using slackServer = await httpReceiver((response, count) => {
    if (count === 1) respond(429, 'rate_limited', { 'retry-after': '90' })(response);
    else respond(200, 'ok')(response);
  });
  await using pagerServer = await httpReceiver(respond(202));
  await using mailServer = await smtpReceiver();
  const channels = channelMap(
    slack('ops', slackServer.url),
    webhook('pager', pagerServer.url),
    email('owner', ['{{ metadata.email }}']),
  );
  const smtp = {
    url: new Secret(`smtp://127.0.0.1:${String(mailServer.port)}`),
    from: 'keywarden@example.com',
  };
  const alerts = [caseAlert({ channels: ['ops', 'pager', 'owner'] }), systemAlert({ channels: ['ops'] })];
  const { items, undeliverable } = route(alerts, channels, { at, passId: 'pass-1', smtp });
  const outbox = memoryOutbox(...items);
  const clock = virtualClock();
  const told: Delivery[] = [];
  const deliverer = createDeliverer({
    outbox,
    channels: () => ({ channels, smtp }),
    clock,
    jitter: () => 0,
    onOutcome: (delivery) => told.push(delivery),
  });
  const { signal } = new AbortController();

  expect(undeliverable).toEqual([]);
  expect(await deliverer.deliverDue(signal)).toEqual({ delivered: 2, failed: 1 });
  await clock.advance(89_999);
  expect(await deliverer.deliverDue(signal)).toEqual({ delivered: 0, failed: 0 });
  await clock.advance(1);
  expect(await deliverer.deliverDue(signal)).toEqual({ delivered: 1, failed: 0 });

  expect(slackServer.requests[1]?.body).toContain('2 alerts: 1 at a step, 1 about Keywarden itself');
  expect(pagerServer.requests).toHaveLength(1);
  expect(mailServer.mails.map(({ to }) => to)).toEqual([['user7@example.com']]);
  expect(items.map(({ id }) => outbox.entry(id).state)).toEqual(items.map(() => 'delivered'));
  expect(outbox.acceptedAt.get(items[0]?.id ?? '')).toBe(at + 90_000);
  expect(told.map(({ kind, result }) => `${String(kind)} ${result}`).toSorted()).toEqual([
    'email delivered',
    'slack delivered',
    'slack retry',
    'webhook delivered',
  ]);
});

test('a hundred notices at once are each told in Slack, in as many messages as that takes', async () => {
  await using slackServer = await httpReceiver(respond(200, 'ok'));
  const channels = channelMap(slack('ops', slackServer.url));
  const event = { kind: 'notice', step: 3, of: 3, noticeMs: 86_400_000 } as const;
  const alerts = Array.from({ length: 100 }, (_, index) => {
    const id = `k_${String(index).padStart(16, '0')}` as const;
    const subject = { kind: 'key', id, name: 'User', originalName: 'User' } as const;
    return caseAlert({ id: `notice-${String(index)}`, subject, event });
  });
  const { items } = route(alerts, channels, { at, passId: 'pass-1', smtp: null });
  const outbox = memoryOutbox(...items);
  const clock = virtualClock();
  const deliverer = createDeliverer({ outbox, channels: () => ({ channels, smtp: null }), clock });
  const round = deliverer.deliverDue(new AbortController().signal);
  while (outbox.acceptedAt.size < items.length) await clock.advance(1000);
  const { delivered, failed } = await round;
  expect(failed).toBe(0);
  expect(delivered).toBeLessThan(6);
  expect(slackServer.requests).toHaveLength(delivered);
  const shown = slackServer.requests.flatMap(
    ({ body }) => body.match(/(?<=\()k_\d{16}|(?<=Key )k_\d{16}/g) ?? [],
  );
  expect(new Set(shown).size).toBe(100);
});
