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
