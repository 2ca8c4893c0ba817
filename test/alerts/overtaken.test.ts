/** A message that waited for quiet hours to end tells how a deletion stands, not how it stood. */
import { describe, expect, test } from 'vitest';
import { compose } from '../../src/alerts/compose/compose.ts';
import { toText } from '../../src/alerts/compose/text.ts';
import { toWebhook } from '../../src/alerts/compose/webhook.ts';
import type { WebhookBody } from '../../src/alerts/compose/webhook-schema.ts';
import { createDeliverer } from '../../src/alerts/deliver.ts';
import { halvesOf, parcelsOf } from '../../src/alerts/parcel.ts';
import { overtaken } from '../../src/alerts/overtaken.ts';
import { route } from '../../src/alerts/route.ts';
import type { CaseAlert, CaseEvent } from '../../src/core/alert.ts';
import type { Channel } from '../../src/core/policy.ts';
import type { Message } from '../../src/alerts/compose/message.ts';
import { at, caseAlert, channelMap, day, hour, memoryOutbox, virtualClock, webhook } from './build.ts';

const notice = { kind: 'notice', step: 3, of: 3, noticeMs: day } as const;
const cancelled = { kind: 'cancelled', because: 'the key is protected' } as const;
const vetoed = { kind: 'vetoed', by: 'a person renamed the key while its notice ran' } as const;
const resolved = { kind: 'resolved', because: 'its period is over; its deletion is called off' } as const;
const deleted = { kind: 'deleted', noticeAcceptedAt: at } as const;
const step = { kind: 'step', step: 2, of: 3, repeated: false } as const;
const again = { ...step, repeated: true } as const;
const held = { kind: 'held', announcedFor: at, because: 'a limit', notBefore: null } as const;

/** One after another, an hour apart; named by what they are and their place. */
function alerts(events: readonly CaseEvent[], more: Partial<CaseAlert> = {}): CaseAlert[] {
  return events.map((event, index) =>
    caseAlert({ id: `${event.kind} ${String(index)}`, event, at: at - 10 * hour + index * hour, ...more }),
  );
}

function messageOf(told: readonly CaseAlert[]): Message {
  return compose(
    told.map((alert) => ({ alert, remark: null })),
    { id: 'msg_1', now: at },
  );
}

describe('is overtaken', () => {
  test.each([
    ['a notice by its cancellation', [notice, cancelled], [['notice 0', 'cancelled 1']]],
    ['a notice by a veto', [notice, vetoed], [['notice 0', 'vetoed 1']]],
    ['a notice by the end of the case', [notice, resolved], [['notice 0', 'resolved 1']]],
    [
      'a notice by the deletion, of which another channel had notice',
      [notice, deleted],
      [['notice 0', 'deleted 1']],
    ],
    ['a notice by another', [notice, notice], [['notice 0', 'notice 1']]],
    [
      'a cancellation by another notice, and the first notice, too',
      [notice, cancelled, notice],
      [
        ['cancelled 1', 'notice 2'],
        ['notice 0', 'notice 2'],
      ],
    ],
    [
      'what a limit held, by the deletion',
      [notice, held, deleted],
      [
        ['held 1', 'deleted 2'],
        ['notice 0', 'deleted 2'],
      ],
    ],
    [
      'a repetition of a step by a later one, but not that it was reached',
      [step, again, again, { ...again, step: 3 }, again],
      [
        ['step 2', 'step 4'],
        ['step 1', 'step 4'],
      ],
    ],
    ['nothing that the end of the case leaves true', [cancelled, resolved], []],
    ['no notice after the end of a case', [resolved, notice], []],
    ['no end by an end', [vetoed, resolved], []],
  ] as const)('%s', (_what, events, expected) => {
    expect([...overtaken(alerts(events))].map(([id, by]) => [id, by.id])).toEqual(expected);
  });

  test('nothing of another case, or of another key of the case', () => {
    const [one] = alerts([notice]);
    const subject = { kind: 'key', id: 'k_another', name: 'User 8', originalName: 'User 8' } as const;
    const ofKey = alerts([cancelled], { subject });
    const ofCase = alerts([cancelled, resolved], { findingId: 'another' });
    expect(overtaken([one!, ...ofKey, ...ofCase]).size).toBe(0);
  });
});

describe('a message in which a notice is called off', () => {
  test('has one entry, which says that there was a notice', () => {
    const message = messageOf(alerts([notice, cancelled]));
    expect(message.headline).toBe('“User 7” will not be deleted after all');
    expect(message.alerts.map(({ id }) => id)).toEqual(['cancelled 1']);
    expect(message.overtaken.map(({ id }) => id)).toEqual(['notice 0']);
    const text = toText(message);
    expect(text).toContain('Reason: the key is protected.\n');
    expect(text).toContain(
      'The notice that “User 7” would be deleted, of Mon 23 Nov 2026, 00:00 CET, waited here until now.\n',
    );
    expect(text).not.toContain('will be deleted');
    expect(text).not.toContain('To stop');
  });

  test('says of no notice that it waited where another one stands', () => {
    const message = messageOf(alerts([notice, notice]));
    expect(message.headline).toBe('“User 7” will be deleted in 24 hours');
    expect(toText(message)).not.toContain('waited');
  });

  test('tells machines of both, the notice as what was to come', () => {
    const told = [...alerts([notice, cancelled]), ...alerts([cancelled, notice], { findingId: 'another' })];
    const { data } = JSON.parse(toWebhook(messageOf(told))) as WebhookBody;
    expect(data.alerts.map(({ headline }) => headline)).toEqual([
      '“User 7” was to be deleted',
      'Earlier: “User 7” will not be deleted after all',
      '“User 7” will not be deleted after all',
      '“User 7” will be deleted in 24 hours',
    ]);
    expect(data.alerts[0]).toMatchObject({ kind: 'notice', next: [] });
  });
});

test('a digest of a night tells once that a case is still there', () => {
  const message = messageOf(alerts([step, again, again]));
  expect(message.alerts.map(({ id }) => id)).toEqual(['step 0', 'step 2']);
  expect(message.overtaken.map(({ id }) => id)).toEqual(['step 1']);
  expect(toText(message)).not.toContain('waited');
});

describe('a channel with quiet hours', () => {
  const quiet = {
    days: [1, 2, 3, 4, 5, 6, 7],
    fromMinute: 9 * 60,
    toMinute: 17 * 60,
    timeZone: 'UTC',
    except: [],
  };
  const ops: Channel = { ...webhook('ops', 'https://example.com/ops'), quiet };
  const live = new AbortController().signal;

  function held(...events: readonly CaseEvent[]) {
    const clock = virtualClock();
    const outbox = memoryOutbox();
    const told = alerts(events);
    for (const [index, alert] of told.entries()) {
      const routed = route([alert], channelMap(ops), {
        at: at + index * hour,
        passId: `pass-${String(index)}`,
      });
      outbox.add(...routed.items);
    }
    return { clock, outbox, told };
  }

  test('delivers both as one, and no notice after it though none was shown', async () => {
    const { clock, outbox } = held(notice, cancelled);
    const sent: Message[] = [];
    const deliverer = createDeliverer({
      outbox,
      channels: () => ({ channels: channelMap(ops), smtp: null }),
      clock,
      send: (_route, message) => {
        sent.push(message);
        return Promise.resolve({ ok: true, told: message.alerts.map(({ id }) => id) });
      },
      receiverSleep: (ms, signal) => clock.sleep(ms, signal),
    });
    await clock.advance(8 * hour);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
    expect(sent.map(({ headline }) => headline)).toEqual(['“User 7” will not be deleted after all']);
    expect(outbox.acceptedAt.size).toBe(2);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 0 });
  });

  test('tells them together also in words without form', async () => {
    const { clock, outbox } = held(notice, cancelled);
    const sent: Message[] = [];
    const deliverer = createDeliverer({
      outbox,
      channels: () => ({ channels: channelMap(ops), smtp: null }),
      clock,
      send: (_route, message) => {
        sent.push(message);
        return sent.length === 1 ? Promise.reject(new Error('a fault')) : Promise.resolve({ ok: true });
      },
      receiverSleep: (ms, signal) => clock.sleep(ms, signal),
    });
    await clock.advance(8 * hour);
    await deliverer.deliverDue(live);
    expect(sent[1]?.headline).toBe('Keywarden: 1 alert that could not be formatted');
    expect(sent[1]?.parts).toMatchObject([{ lines: [{ alertId: 'cancelled 1' }] }]);
  });
});

test('what is about one case stays together where a message is too large', () => {
  const told = [
    ...alerts([notice]),
    ...alerts([notice], { id: 'n2', findingId: 'second' }),
    ...alerts([notice], { id: 'n3', findingId: 'third' }),
    ...alerts([cancelled]),
  ];
  const outbox = memoryOutbox();
  outbox.add(...route(told, channelMap(webhook('ops', 'https://example.com')), { at, passId: 'p' }).items);
  const tooLarge = {
    ok: false,
    error: '413',
    retryable: false,
    retryAfterMs: null,
    isTooLarge: true,
  } as const;
  return outbox.pending(at).then((entries) => {
    const [parcel] = parcelsOf(entries);
    if (parcel === undefined) throw new Error('there is no parcel');
    const halves = halvesOf(parcel, tooLarge);
    expect(
      halves?.map(({ entries: part }) => part.map(({ alert }) => (alert as CaseAlert).findingId)),
    ).toEqual([[told[0]?.findingId, told[0]?.findingId, 'second'], ['third']]);
  });
});
