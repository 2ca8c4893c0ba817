/** The picture of a mail, from the outbox to a real mail server and back out of what that was sent. */
import PostalMime from 'postal-mime';
import type { Email } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { createDeliverer } from '../../src/alerts/deliver.ts';
import type { Alert } from '../../src/core/alert.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Clock, DailyUseOf } from '../../src/ports.ts';
import {
  at,
  caseAlert,
  channelMap,
  day,
  email,
  item,
  memoryOutbox,
  slack,
  stillClock,
  systemAlert,
  webhook,
} from './build.ts';
import { httpReceiver, respond, smtpReceiver } from './channels/servers.ts';

const today = Math.floor(at / day) * day;
const steady: DailyUseOf = async () =>
  Array.from({ length: 30 }, (_, index) => ({ day: today - (29 - index) * day, used: index * 100_000 }));

interface Sent {
  readonly raw: string;
  readonly mail: Email;
}

/** What the mail server was given of these alerts in one message. */
async function sent(
  alerts: readonly Alert[],
  dailyUse: DailyUseOf | null,
  receiverSleep: Clock['sleep'] = (ms, signal) => stillClock.sleep(ms, signal),
): Promise<Sent> {
  await using server = await smtpReceiver();
  const channels = channelMap(email('ops', ['ops@example.com']));
  const smtp = { url: new Secret(`smtp://127.0.0.1:${String(server.port)}`), from: 'keywarden@example.com' };
  const deliverer = createDeliverer({
    outbox: memoryOutbox(
      ...alerts.map((alert, index) =>
        item({ id: `item-${String(index)}`, alert, recipient: 'ops@example.com' }),
      ),
    ),
    channels: () => ({ channels, smtp }),
    clock: stillClock,
    receiverSleep,
    ...(dailyUse === null ? {} : { dailyUse }),
  });
  expect(await deliverer.deliverDue(new AbortController().signal)).toEqual({ delivered: 1, failed: 0 });
  const raw = server.mails[0]?.raw ?? '';
  return { raw, mail: await PostalMime.parse(raw) };
}

/** The kinds of the parts, outermost first. */
function structure(raw: string): string[] {
  return Array.from(raw.matchAll(/^content-type: ([a-z]+\/[a-z]+)/gim), ([, kind = '']) => kind);
}

describe('a mail about one amount', () => {
  test('carries its picture, and shows no other', async () => {
    const { raw, mail } = await sent([caseAlert()], steady);
    expect(structure(raw)).toEqual([
      'multipart/alternative',
      'text/plain',
      'multipart/related',
      'text/html',
      'image/png',
    ]);
    const [picture, ...others] = mail.attachments;
    expect(others).toEqual([]);
    expect(picture).toMatchObject({ mimeType: 'image/png', disposition: 'inline', related: true });
    const sources = Array.from(
      mail.html?.matchAll(/<img\b[^>]* src="([^"]*)"/g) ?? [],
      ([, source]) => source,
    );
    expect(sources).toEqual([`cid:${picture?.contentId?.slice(1, -1) ?? ''}`]);
    expect(mail.html).toMatch(
      /<img [^>]*width="552" height="72" alt="Spend a day, last 30 days \(UTC\): highest \$2\.90 on 23 Nov; today \$2\.90 so far"/,
    );
    expect(mail.text).toContain(
      'Spend a day, last 30 days (UTC): highest $2.90 on 23 Nov; today $2.90 so far.',
    );
  });

  test('is the same message and of the same thread with and without', async () => {
    const [{ mail: drawn }, { mail: plain }] = [
      await sent([caseAlert()], steady),
      await sent([caseAlert()], null),
    ];
    const identity = ({ messageId, inReplyTo, references, subject }: Email) => ({
      messageId,
      inReplyTo,
      references,
      subject,
    });
    expect(identity(drawn)).toEqual(identity(plain));
    expect(drawn.inReplyTo).toMatch(/^<finding\.[0-9a-f]{32}@example\.com>$/);
  });

  test('is about that case’s own key, as of when it is sent', async () => {
    const asked: unknown[] = [];
    await sent([caseAlert()], (alert, now) => {
      asked.push([alert.subject, now]);
      return steady(alert, now);
    });
    expect(asked).toEqual([[caseAlert().subject, at]]);
  });
});

describe('a mail goes without', () => {
  const drawsNothing = async (alerts: readonly Alert[], dailyUse: DailyUseOf, sleep?: Clock['sleep']) => {
    const { raw, mail } = await sent(alerts, dailyUse, sleep);
    expect(structure(raw)).toEqual(['multipart/alternative', 'text/plain', 'text/html']);
    expect(mail.text).toContain('“User 7” has used 107% of its $20 budget');
    expect(mail.html).not.toContain('<img');
  };

  test('when there is nothing to draw', () => drawsNothing([caseAlert()], async () => null));

  test('when the days cannot be read', () =>
    drawsNothing([caseAlert()], () => Promise.reject(new Error('the disk is gone'))));

  test('when reading them fails at once', () =>
    drawsNothing([caseAlert()], () => {
      throw new Error('the state is closed');
    }));

  test('when they cannot be drawn', () => drawsNothing([caseAlert()], async () => [{ day: NaN, used: NaN }]));

  test('when reading them takes longer than two seconds', () =>
    drawsNothing(
      [caseAlert()],
      () => new Promise(() => {}),
      // Two seconds are over at once; half a minute never is.
      (ms, signal) => (ms === 2000 ? Promise.resolve() : stillClock.sleep(ms, signal)),
    ));

  test('when it is about several cases', () =>
    drawsNothing([caseAlert(), caseAlert({ id: 'two' })], () => {
      throw new Error('nobody asks');
    }));
});

test.each<[string, Alert]>([
  ['an idle key', caseAlert({ figures: { kind: 'idle', deadline: at, why: 'unused' } })],
  ['Keywarden itself', systemAlert()],
])('of %s nothing is asked', async (_what, alert) => {
  let asked = 0;
  await sent([alert], async () => {
    asked += 1;
    return null;
  });
  expect(asked).toBe(0);
});

test('Slack and webhooks get no picture, and nothing is asked for them', async () => {
  await using server = await httpReceiver(respond(200, 'ok'));
  const channels = channelMap(slack('ops', server.url), webhook('pager', server.url));
  let asked = 0;
  const deliverer = createDeliverer({
    outbox: memoryOutbox(item(), item({ channel: 'pager' })),
    channels: () => ({ channels, smtp: null }),
    clock: stillClock,
    dailyUse: async (...one) => {
      asked += 1;
      return steady(...one);
    },
  });
  expect(await deliverer.deliverDue(new AbortController().signal)).toEqual({ delivered: 2, failed: 0 });
  expect(asked).toBe(0);
  expect(server.requests.map(({ body }) => body).join()).not.toContain('a day, last');
});
