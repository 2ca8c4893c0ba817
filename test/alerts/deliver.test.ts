import { describe, expect, test } from 'vitest';
import { createDeliverer } from '../../src/alerts/deliver.ts';
import type { Deliverer, Delivery } from '../../src/alerts/deliver.ts';
import type { Message } from '../../src/alerts/compose/message.ts';
import type { Route, Send } from '../../src/alerts/transmit.ts';
import type { Channel } from '../../src/core/policy.ts';
import type { SendOutcome } from '../../src/ports.ts';
import type { MemoryOutbox, VirtualClock } from './build.ts';
import {
  at,
  caseAlert,
  channelMap,
  day,
  email,
  hour,
  item,
  memoryOutbox,
  settled,
  slack,
  systemAlert,
  virtualClock,
  webhook,
} from './build.ts';

const ok: SendOutcome = { ok: true };
const busy: SendOutcome = { ok: false, error: 'answered 503', retryable: true, retryAfterMs: null };
const refused: SendOutcome = { ok: false, error: 'answered 404', retryable: false, retryAfterMs: null };

interface Sent {
  readonly at: number;
  readonly channel: string;
  readonly recipient: string;
  readonly message: Message;
}

interface Post {
  readonly deliverer: Deliverer;
  readonly outbox: MemoryOutbox;
  readonly clock: VirtualClock;
  readonly sent: Sent[];
  readonly told: Delivery[];
}

type Answer = (route: Route, message: Message, signal: AbortSignal) => SendOutcome | Promise<SendOutcome>;

function post(
  outbox: MemoryOutbox,
  channels: readonly Channel[],
  answer: Answer = () => ok,
  { aheadMs = 0, isDry = (): boolean => false } = {},
): Post {
  const clock = virtualClock();
  const sent: Sent[] = [];
  const told: Delivery[] = [];
  const send: Send = async (route, message, signal) => {
    sent.push({ at: clock.now(), channel: route.channel.name, recipient: route.recipient, message });
    return answer(route, message, signal);
  };
  const known = channelMap(...channels);
  const deliverer = createDeliverer({
    outbox,
    channels: () => ({ channels: known, smtp: null }),
    clock,
    send,
    isDry,
    timeOfDay: () => clock.now() + aheadMs,
    receiverSleep: (ms, signal) => clock.sleep(ms, signal),
    jitter: () => 0,
    onOutcome: (delivery) => told.push(delivery),
  });
  return { deliverer, outbox, clock, sent, told };
}

const live = new AbortController().signal;
const ops = webhook('ops', 'https://example.com/ops');
const other = webhook('other', 'https://example.com/other');

test('once a dry run has begun nothing goes out, of a queue under way neither, and all of it after', async () => {
  const outbox = memoryOutbox(...['1', '2', '3'].map((batch) => item({ channel: 'ops', batch })));
  let dry = false;
  const answer: Answer = () => {
    dry = true;
    return ok;
  };
  const { deliverer, sent } = post(outbox, [ops], answer, { isDry: () => dry });
  expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
  expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 0 });
  expect(sent).toHaveLength(1);
  dry = false;
  await deliverer.deliverDue(live);
  dry = false;
  await deliverer.deliverDue(live);
  expect(sent).toHaveLength(3);
});

test('what was to go out at once does so also by a clock that is behind the one by which it was made', async () => {
  const outbox = memoryOutbox(item({ createdAt: at + 3_600_000, notBefore: at + 3_600_000 }));
  const { deliverer } = post(outbox, [ops]);
  expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
});

describe('one message a channel, recipient and batch', () => {
  test('with all its alerts, marked together after the answer', async () => {
    const items = [item(), item(), item()];
    const outbox = memoryOutbox(...items);
    let answered = 0;
    const { deliverer, sent, clock } = post(outbox, [ops], async () => {
      await clock.sleep(5000);
      answered = clock.now();
      return ok;
    });
    const round = deliverer.deliverDue(live);
    await clock.advance(5000);
    expect(await round).toEqual({ delivered: 1, failed: 0 });
    expect(sent).toHaveLength(1);
    expect(sent[0]?.message.alerts).toHaveLength(3);
    expect(items.map(({ id }) => outbox.acceptedAt.get(id))).toEqual([answered, answered, answered]);
    expect(answered).toBe(at + 5000);
  });

  test('also where the address differs in case, as it was first written; another’s has its own', async () => {
    const to = (recipient: string, cc = '') => item({ channel: 'owner', recipient, cc });
    const outbox = memoryOutbox(
      to('Ann@example.com'),
      to('ann@example.com'),
      to('anna@example.com'),
      to('ann@example.com', 'Bo@example.com'),
      to('ANN@example.com', 'bo@example.com'),
    );
    const { deliverer, sent } = post(outbox, [email('owner', ['{{ metadata.email }}'])]);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 3, failed: 0 });
    expect(sent.map(({ recipient, message }) => [recipient, message.alerts.length])).toEqual([
      ['Ann@example.com', 2],
      ['anna@example.com', 1],
      ['ann@example.com', 2],
    ]);
  });

  test('a notice that it only counts is not accepted: it goes in the next one', async () => {
    const event = { kind: 'notice', step: 3, of: 3, noticeMs: day } as const;
    const notice = (id: string) => item({ alert: caseAlert({ id, event, findingId: id }) });
    const items = [notice('first'), notice('second'), notice('third'), item()];
    const outbox = memoryOutbox(...items);
    const { deliverer, sent, told } = post(outbox, [ops], (_route, { alerts }) => {
      return { ok: true, told: alerts.slice(0, 2).map(({ id }) => id) };
    });
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 2, failed: 0 });
    expect(sent.map(({ message }) => message.alerts.map(({ id }) => id))).toEqual([
      items.map(({ alert }) => alert.id),
      ['third'],
    ]);
    expect(new Set(sent.map(({ message }) => message.id)).size).toBe(2);
    expect(told.map(({ alertIds }) => alertIds.length)).toEqual([3, 1]);
    expect(items.map(({ id }) => outbox.acceptedAt.get(id))).toEqual([at, at, at, at]);
  });

  test('and stays as it is, where that one fails', async () => {
    const event = { kind: 'notice', step: 3, of: 3, noticeMs: day } as const;
    const items = ['first', 'second'].map((id) => item({ alert: caseAlert({ id, event, findingId: id }) }));
    const outbox = memoryOutbox(...items);
    const { deliverer } = post(outbox, [ops], (_route, { alerts }) =>
      alerts.length === 2 ? { ok: true, told: ['first'] } : busy,
    );
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 1 });
    expect(items.map(({ id }) => outbox.acceptedAt.has(id))).toEqual([true, false]);
  });

  test('of a notice that runs already, a channel that takes it later tells when it ends', async () => {
    const event = { kind: 'notice', step: 3, of: 3, noticeMs: day } as const;
    const alert = caseAlert({ event });
    const outbox = memoryOutbox(item({ alert }), item({ alert, channel: 'other' }));
    const { deliverer, sent, clock } = post(outbox, [ops, other], ({ channel }) =>
      channel.name === 'other' && clock.now() < at + 10 * hour ? busy : ok,
    );
    await deliverer.deliverDue(live);
    await clock.advance(10 * hour);
    await deliverer.deliverDue(live);
    expect(sent.map(({ channel, message }) => [channel, message.headline])).toEqual([
      ['ops', '“User 7” will be deleted in 24 hours'],
      ['other', '“User 7” will be deleted in 24 hours'],
      ['other', '“User 7” will be deleted in 14 hours'],
    ]);
    expect(sent.at(-1)?.message.alerts[0]).toMatchObject({ next: [{ kind: 'delete', dueAt: at + day }] });
  });

  test('in two where the receiver finds it too large, down to one alert, which may be refused for good', async () => {
    const items = [item(), item(), item(), item(), item()];
    const outbox = memoryOutbox(...items);
    const large = items[3]?.alert.id ?? '';
    const { deliverer, sent } = post(outbox, [ops], (_route, { alerts }) =>
      alerts.length > 2 || alerts.some(({ id }) => id === large) ? { ...refused, isTooLarge: true } : ok,
    );
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 3, failed: 1 });
    expect(sent.map(({ message }) => message.alerts.length)).toEqual([5, 3, 2, 1, 2, 1, 1]);
    expect(items.map(({ id }) => outbox.entry(id).state)).toEqual([
      'delivered',
      'delivered',
      'delivered',
      'dead',
      'delivered',
    ]);
  });

  test('others apart: by recipient, by copies, by batch', async () => {
    const owner = email('owner', ['{{ metadata.email }}']);
    const to = { channel: 'owner', recipient: 'a@example.com' };
    const items = [
      item(to),
      item({ ...to, recipient: 'b@example.com' }),
      item({ ...to, cc: 'c@example.com' }),
      item({ ...to, batch: 'pass-2' }),
    ];
    const { deliverer, sent } = post(memoryOutbox(...items), [owner]);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 4, failed: 0 });
    expect(new Set(sent.map(({ message }) => message.id)).size).toBe(4);
  });

  test('a repeat carries the same id', async () => {
    const outbox = memoryOutbox(item(), item());
    const first = post(outbox, [ops], () => busy);
    await first.deliverer.deliverDue(live);
    // As after a restart.
    const second = post(outbox, [ops]);
    await second.clock.advance(day / 2);
    await second.deliverer.deliverDue(live);
    expect(second.sent[0]?.message.id).toBe(first.sent[0]?.message.id);
    expect(first.sent[0]?.message.id).toMatch(/^msg_[0-9a-f]{32}$/);
  });

  test('a part of it carries another id, and so does it with others in it', async () => {
    const [one, two, three] = [item(), item(), item()];
    const idOf = async (...items: ReturnType<typeof item>[]): Promise<string | undefined> => {
      const { deliverer, sent } = post(memoryOutbox(...items), [ops], () => busy);
      await deliverer.deliverDue(live);
      return sent[0]?.message.id;
    };
    expect(await idOf(two, one)).toBe(await idOf(one, two));
    expect(new Set([await idOf(one), await idOf(one, two), await idOf(one, two, three)]).size).toBe(3);
  });

  test('oldest first', async () => {
    const items = [item({ batch: 'late', createdAt: at - 1 }), item({ batch: 'early', createdAt: at - 2 })];
    const { deliverer, sent } = post(memoryOutbox(...items), [ops]);
    await deliverer.deliverDue(live);
    expect(sent.map(({ message }) => message.alerts[0]?.id)).toEqual(
      items.toReversed().map(({ alert }) => alert.id),
    );
  });

  test('nothing before its time', async () => {
    const outbox = memoryOutbox(item({ notBefore: at + hour, batch: 'quiet:x' }));
    const { deliverer, clock, sent } = post(outbox, [ops]);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 0 });
    await clock.advance(hour);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
    expect(sent[0]?.message.at).toBe(at + hour);
  });
});

describe('retries', () => {
  test('half a minute, doubling to an hour, given up a day after', async () => {
    const one = item();
    const { deliverer, outbox, clock, sent, told } = post(memoryOutbox(one), [ops], () => busy);
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await clock.advance(2 * day);
    stop.abort();
    await running;
    const minutes = sent.map((each) => (each.at - at) / 60_000);
    expect(minutes.slice(0, 10)).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5]);
    expect(minutes.at(-1)).toBe(24 * 60);
    expect(outbox.entry(one.id)).toMatchObject({ state: 'dead', lastError: 'answered 503' });
    expect(told.at(-1)).toMatchObject({
      channel: 'ops',
      kind: 'webhook',
      result: 'dead',
      error: 'answered 503',
    });
    expect(told.filter(({ result }) => result === 'retry')).toHaveLength(sent.length - 1);
  });

  test('as late as the receiver asks', async () => {
    const one = item();
    const { deliverer, outbox } = post(memoryOutbox(one), [ops], () => ({
      ...busy,
      retryAfterMs: 10 * 60_000,
    }));
    await deliverer.deliverDue(live);
    expect(outbox.entry(one.id)).toMatchObject({
      state: 'pending',
      attempts: 1,
      nextAttemptAt: at + 10 * 60_000,
    });
  });

  test('none after a refusal', async () => {
    const one = item();
    const { deliverer, outbox, told } = post(memoryOutbox(one), [ops], () => refused);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 1 });
    expect(outbox.entry(one.id)).toMatchObject({ state: 'dead', lastError: 'answered 404' });
    expect(told).toMatchObject([{ result: 'dead', alertIds: [one.alert.id] }]);
  });

  test('what was held by quiet hours for a day still gets all its attempts', async () => {
    const held = item({ notBefore: at + 2 * day });
    const { deliverer, outbox, clock } = post(memoryOutbox(held), [ops], () => busy);
    await clock.advance(2 * day);
    await deliverer.deliverDue(live);
    expect(outbox.entry(held.id)).toMatchObject({ state: 'pending', nextAttemptAt: at + 2 * day + 30_000 });
  });

  test('a channel that the policy no longer has is given up, and said', async () => {
    const one = item({ channel: 'gone' });
    const { deliverer, outbox, told, sent } = post(memoryOutbox(one), [ops]);
    await deliverer.deliverDue(live);
    expect(sent).toEqual([]);
    expect(outbox.entry(one.id)).toMatchObject({
      state: 'dead',
      lastError: 'the policy has no channel gone any more',
    });
    expect(told).toMatchObject([{ kind: null, result: 'dead' }]);
  });
});

describe('what could not go before the quiet hours', () => {
  // 10:00 in Berlin, a minute before they begin.
  const quiet = {
    fromMinute: 601,
    toMinute: 660,
    days: [1],
    except: ['notice'],
    timeZone: 'Europe/Berlin',
  } as const;
  const hushed: Channel = { ...ops, quiet };

  /** When it sends, beginning a minute from now. */
  async function sentWithinAnHour({ deliverer, clock, sent }: Post): Promise<number[]> {
    const stop = new AbortController();
    await clock.advance(60_000);
    const running = deliverer.run(stop.signal);
    await clock.advance(hour);
    stop.abort();
    await running;
    return sent.map((one) => one.at - at);
  }

  test('waits for their end, also in a new process', async () => {
    const outbox = memoryOutbox(item());
    const first = post(outbox, [hushed], () => busy);
    await first.clock.advance(45_000);
    await first.deliverer.deliverDue(live);
    expect(await sentWithinAnHour(post(outbox, [hushed]))).toEqual([hour]);
    expect(first.sent).toHaveLength(1);
  });

  test('waits where clocks show them, and for as long as they last by these', async () => {
    const outbox = memoryOutbox(item());
    // 10:31 in Berlin by the clocks there.
    const ahead = post(outbox, [hushed], () => ok, { aheadMs: 30 * 60_000 });
    expect(await sentWithinAnHour(ahead)).toEqual([hour / 2]);
  });

  test('goes on during them where it may', async () => {
    const notice = caseAlert({ event: { kind: 'notice', step: 2, of: 3, noticeMs: day } });
    const outbox = memoryOutbox(item({ alert: notice }));
    const { deliverer, clock, sent } = post(outbox, [hushed]);
    await clock.advance(2 * 60_000);
    await deliverer.deliverDue(live);
    expect(sent.map((one) => one.at - at)).toEqual([2 * 60_000]);
  });
});

describe('no channel waits for another', () => {
  test('a silent one is given up after half a minute and the other is not late', async () => {
    const [slow, quick] = [item(), item({ channel: 'other' })];
    const { deliverer, outbox, clock } = post(memoryOutbox(slow, quick), [ops, other], ({ channel }) =>
      channel.name === 'ops' ? new Promise(() => {}) : ok,
    );
    const round = deliverer.deliverDue(live);
    await settled();
    expect(outbox.entry(quick.id).state).toBe('delivered');
    await clock.advance(30_000);
    expect(await round).toEqual({ delivered: 1, failed: 1 });
    expect(outbox.entry(slow.id)).toMatchObject({
      lastError: 'no answer within 30 s',
      nextAttemptAt: at + 60_000,
    });
  });

  test('not even for what comes while the silent one is still being tried', async () => {
    const outbox = memoryOutbox(item());
    const { deliverer, clock, sent } = post(outbox, [ops, other], ({ channel }) =>
      channel.name === 'ops' ? new Promise(() => {}) : ok,
    );
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await clock.advance(1000);
    outbox.add(item({ channel: 'other', batch: 'pass-2' }));
    deliverer.kick();
    await settled();
    expect(sent.map(({ channel }) => channel)).toEqual(['ops', 'other']);
    stop.abort();
    await running;
  });

  test('however the clock is set, Slack’s turns and the rest after a failure take as long as they take', async () => {
    let down = true;
    const items = [item(), item({ batch: 'pass-2' }), item({ batch: 'pass-3' })];
    const { deliverer, outbox, clock } = post(memoryOutbox(...items), [ops], () => (down ? busy : ok));
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await clock.advance(10_000);
    // The outbox is dated anew; what the deliverer has in mind is its own affair.
    clock.set(-5 * day);
    outbox.date(-5 * day);
    down = false;
    await clock.advance(2 * 60_000);
    expect(items.map(({ id }) => outbox.entry(id).state)).toEqual(['delivered', 'delivered', 'delivered']);
    stop.abort();
    await running;
  });

  test('behind a failed message the queue keeps its order', async () => {
    let down = true;
    const items = [item(), item({ batch: 'pass-2' }), item({ batch: 'pass-3' })];
    const { deliverer, clock, sent } = post(memoryOutbox(...items), [ops], () => (down ? busy : ok));
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await clock.advance(5 * 60_000);
    down = false;
    await clock.advance(5 * 60_000);
    const [first, second, third] = items.map(({ alert }) => alert.id);
    expect(sent.map(({ message }) => message.alerts[0]?.id)).toEqual([
      first,
      first,
      first,
      first,
      first,
      second,
      third,
    ]);
    stop.abort();
    await running;
  });

  test('but not for a message that always fails', async () => {
    const [bad, good] = [item(), item({ batch: 'pass-2' })];
    const { deliverer, outbox, clock } = post(memoryOutbox(bad, good), [ops], (_route, message) =>
      message.alerts[0]?.id === bad.alert.id ? busy : ok,
    );
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await clock.advance(hour);
    expect(outbox.entry(good.id).state).toBe('delivered');
    expect(outbox.entry(good.id).settledAt).toBeLessThan(at + 15 * 60_000);
    stop.abort();
    await running;
  });

  test('one recipient’s failure holds nobody else', async () => {
    const owner = email('owner', ['{{ metadata.email }}']);
    const items = ['a', 'b', 'c'].map((name) => item({ channel: 'owner', recipient: `${name}@example.com` }));
    const { deliverer, outbox } = post(memoryOutbox(...items), [owner], ({ recipient }) =>
      recipient === 'a@example.com' ? busy : ok,
    );
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 2, failed: 1 });
    expect(items.map(({ id }) => outbox.entry(id).state)).toEqual(['pending', 'delivered', 'delivered']);
  });

  test('a server that fails for three in a row is left alone for a while', async () => {
    const owner = email('owner', ['{{ metadata.email }}']);
    const items = Array.from({ length: 10 }, (_, index) =>
      item({ channel: 'owner', recipient: `${String(index)}@example.com` }),
    );
    const { deliverer, clock, sent } = post(memoryOutbox(...items), [owner], () => busy);
    await deliverer.deliverDue(live);
    expect(sent).toHaveLength(3);
    await clock.advance(30_000);
    await deliverer.deliverDue(live);
    expect(sent).toHaveLength(6);
  });
});

describe('Slack’s pace', () => {
  test('one message a second to one webhook, whatever the channels are called', async () => {
    const shared = 'https://hooks.slack.com/services/shared';
    const channels = [slack('ops', shared), slack('other', shared), slack('apart')];
    const items = ['ops', 'ops', 'other', 'apart'].map((channel, index) =>
      item({ channel, batch: `pass-${String(index)}` }),
    );
    const { deliverer, clock, sent } = post(memoryOutbox(...items), channels);
    const round = deliverer.deliverDue(live);
    await clock.advance(10_000);
    expect(await round).toEqual({ delivered: 4, failed: 0 });
    expect(sent.filter(({ channel }) => channel === 'apart').map((one) => one.at - at)).toEqual([0]);
    expect(sent.filter(({ channel }) => channel !== 'apart').map((one) => one.at - at)).toEqual([
      0, 1000, 2000,
    ]);
  });
});

test('a message that Slack takes a second time only has two turns', async () => {
  const second: number[] = [];
  const { deliverer, clock, sent } = post(
    memoryOutbox(item(), item({ batch: 'pass-2' })),
    [slack('ops')],
    async ({ nextTurn }, _message, signal) => {
      await nextTurn?.(signal);
      second.push(clock.now() - at);
      return ok;
    },
  );
  const round = deliverer.deliverDue(live);
  await clock.advance(10_000);
  expect(await round).toEqual({ delivered: 2, failed: 0 });
  expect([sent.map((one) => one.at - at), second]).toEqual([
    [0, 2000],
    [1000, 3000],
  ]);
});

describe('a message that cannot be composed', () => {
  test('goes out in plain words', async () => {
    const broken = caseAlert({ timeZone: 'Mars/Olympus' });
    const one = item({ alert: broken });
    const { deliverer, outbox, sent } = post(memoryOutbox(one), [ops]);
    await deliverer.deliverDue(live);
    expect(sent[0]?.message.headline).toBe('Keywarden: 1 alert that could not be formatted');
    expect(JSON.stringify(sent[0]?.message.parts)).toContain(
      'step: free-tier-spend, finding free-tier-spend/k_0123456789abcdef',
    );
    expect(outbox.entry(one.id).state).toBe('delivered');
  });

  test('or put into its channel’s format', async () => {
    const { deliverer, sent } = post(
      memoryOutbox(item({ alert: systemAlert() })),
      [ops],
      (_route, message) => {
        if (message.alerts.length > 0) throw new TypeError('no format');
        return ok;
      },
    );
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
    expect(sent.map(({ message }) => message.headline)).toEqual([
      'The policy file is invalid',
      'Keywarden: 1 alert that could not be formatted',
    ]);
  });
});

describe('stopping', () => {
  test('leaves what was not answered as it was', async () => {
    const one = item();
    const { deliverer, outbox, told } = post(
      memoryOutbox(one, item({ batch: 'pass-2' })),
      [ops],
      () => new Promise(() => {}),
    );
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await settled();
    stop.abort();
    await running;
    expect(outbox.entry(one.id)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(told).toEqual([]);
  });

  test('a kick wakes the loop', async () => {
    const outbox = memoryOutbox();
    const { deliverer, sent } = post(outbox, [ops]);
    const stop = new AbortController();
    const running = deliverer.run(stop.signal);
    await settled();
    outbox.add(item());
    deliverer.kick();
    await settled();
    expect(sent).toHaveLength(1);
    stop.abort();
    await running;
  });

  test('an outbox that cannot be written fails the loop', async () => {
    const outbox = memoryOutbox(item());
    outbox.delivered = () => Promise.reject(new Error('disk full'));
    await expect(post(outbox, [ops]).deliverer.run(live)).rejects.toThrow('disk full');
    await expect(post(outbox, [ops]).deliverer.deliverDue(live)).rejects.toThrow('disk full');
  });
});

describe('what cannot be written down, the disk being full,', () => {
  test('is not sent again: only the note of it is made up for', async () => {
    const first = item();
    const outbox = memoryOutbox(first);
    const delivered = outbox.delivered.bind(outbox);
    outbox.delivered = () => Promise.reject(new Error('disk full'));
    const { deliverer, sent, told, clock } = post(outbox, [ops, other]);
    for (let round = 0; round < 3; round += 1)
      await expect(deliverer.deliverDue(live)).rejects.toThrow('disk full');
    await expect(deliverer.run(live)).rejects.toThrow('disk full');
    expect([sent.length, told]).toEqual([1, []]);
    const second = item({ channel: 'other' });
    outbox.add(second);
    await expect(deliverer.deliverDue(live)).rejects.toThrow('disk full');
    expect(sent.map(({ channel }) => channel)).toEqual(['ops', 'other']);

    outbox.delivered = delivered;
    await clock.advance(hour);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 0 });
    expect(sent).toHaveLength(2);
    expect([first, second].map(({ id }) => outbox.acceptedAt.get(id))).toEqual([at, at]);
    expect(told.map(({ result }) => result)).toEqual(['delivered', 'delivered']);
  });

  test('is not tried again either where it was refused', async () => {
    const one = item();
    const outbox = memoryOutbox(one);
    const failed = outbox.failed.bind(outbox);
    outbox.failed = () => Promise.reject(new Error('disk full'));
    const { deliverer, sent, told } = post(outbox, [ops], () => refused);
    await expect(deliverer.deliverDue(live)).rejects.toThrow('disk full');
    await expect(deliverer.deliverDue(live)).rejects.toThrow('disk full');
    outbox.failed = failed;
    await deliverer.deliverDue(live);
    expect([sent.length, outbox.entry(one.id).state]).toEqual([1, 'dead']);
    expect(told.map(({ result }) => result)).toEqual(['dead']);
  });
});
