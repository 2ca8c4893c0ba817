import { describe, expect, test } from 'vitest';
import { route } from '../../src/alerts/route.ts';
import type { Alert } from '../../src/core/alert.ts';
import type { Channel, Smtp } from '../../src/core/policy.ts';
import { Secret } from '../../src/core/secret.ts';
import {
  at,
  caseAlert,
  channelMap,
  day,
  email,
  hostileNames,
  slack,
  systemAlert,
  template,
  variables,
  webhook,
} from './build.ts';

const owner = email('owner', ['{{ metadata.email }}']);
const ops = slack('ops');
const smtp: Smtp = { url: new Secret('smtp://localhost'), from: 'keywarden@example.com' };

function routed(alert: Alert, channels: readonly Channel[], more: Partial<Parameters<typeof route>[2]> = {}) {
  return route([alert], channelMap(...channels), { at, passId: 'pass-9', smtp, ...more });
}

/** To the owner and to ops, with this metadata. */
function toOwner(metadata: Record<string, unknown>, more: Partial<Parameters<typeof caseAlert>[0]> = {}) {
  return caseAlert({ channels: ['owner', 'ops'], variables: variables({ metadata }), ...more });
}

describe('an alert goes to each of its channels', () => {
  test('one item each, in order, in the batch of the pass', () => {
    const pager = webhook('pager', 'https://example.com');
    const { items, undeliverable } = routed(caseAlert({ channels: ['ops', 'owner', 'pager'] }), [
      ops,
      owner,
      pager,
    ]);
    expect(undeliverable).toEqual([]);
    expect(
      items.map(({ channel, recipient, batch, remark }) => ({ channel, recipient, batch, remark })),
    ).toEqual([
      { channel: 'ops', recipient: '', batch: 'pass-9', remark: null },
      { channel: 'owner', recipient: 'user7@example.com', batch: 'pass-9', remark: null },
      { channel: 'pager', recipient: '', batch: 'pass-9', remark: null },
    ]);
    expect(items[0]).toMatchObject({ createdAt: at, notBefore: at });
  });

  test('the id is that of the alert, the channel and the recipient, whatever the pass', () => {
    const id = (passId: string, address = 'a@example.com'): string | undefined =>
      routed(
        caseAlert({ channels: ['owner'], variables: variables({ metadata: { email: address } }) }),
        [owner],
        { passId },
      ).items[0]?.id;
    expect(id('one')).toBe(id('two'));
    expect(id('one')).not.toBe(id('one', 'b@example.com'));
    expect(id('one')).toMatch(/^alert-1\/owner\/[0-9a-f]{12}$/);
  });

  test('a channel named twice is one', () => {
    expect(routed(caseAlert({ channels: ['ops', 'ops'] }), [ops]).items).toHaveLength(1);
  });
});

describe('an alert that cannot be addressed goes to the others, which say so', () => {
  test.each([
    ['missing', {}, 'metadata.email is missing'],
    ['not text', { email: 7 }, 'metadata.email is missing'],
    ['not an address', { email: 'nobody' }, 'metadata.email is not one valid e-mail address'],
    ['a list', { email: 'a@example.com,b@example.com' }, 'metadata.email is not one valid e-mail address'],
    [
      'with a header',
      { email: 'a@example.com\r\nBcc: b@example.com' },
      'metadata.email is not one valid e-mail address',
    ],
  ])('%s', (_name, metadata, because) => {
    const { items, undeliverable } = routed(toOwner(metadata), [owner, ops]);
    expect(items.map(({ channel, remark }) => [channel, remark])).toEqual([
      ['ops', `could not be sent to owner: ${because}`],
    ]);
    expect(undeliverable).toEqual([]);
  });

  test('never echoing what was in the metadata', () => {
    for (const hostile of Object.values(hostileNames)) {
      const { items } = routed(toOwner({ email: hostile }), [owner, ops]);
      expect(items.map(({ remark }) => remark)).toEqual([
        'could not be sent to owner: metadata.email is not one valid e-mail address',
      ]);
    }
  });

  test('a domain that is not allowed', () => {
    const guarded = email('owner', ['{{ metadata.email }}'], {
      allowDomains: ['example.com', 'bücher.example'],
    });
    const channelsOf = (address: string): string[] =>
      routed(toOwner({ email: address }), [guarded, ops]).items.map(({ channel }) => channel);
    expect(channelsOf('a@EXAMPLE.com')).toEqual(['owner', 'ops']);
    expect(channelsOf('a@xn--bcher-kva.example')).toEqual(['owner', 'ops']);
    expect(channelsOf('a@evil.example')).toEqual(['ops']);
    expect(channelsOf('a@sub.example.com')).toEqual(['ops']);
    expect(channelsOf('a@example.com.evil.example')).toEqual(['ops']);
  });

  test('fixed addresses are the operator’s and need no permission', () => {
    const guarded = email('owner', ['root@localhost'], { allowDomains: ['example.com'] });
    expect(routed(toOwner({}), [guarded]).items[0]?.recipient).toBe('root@localhost');
  });

  test('with no other channel it is undeliverable', () => {
    const { items, undeliverable } = routed(toOwner({}, { channels: ['owner'] }), [owner, ops]);
    expect(items).toEqual([]);
    expect(undeliverable).toMatchObject([{ channel: 'owner', because: 'metadata.email is missing' }]);
  });

  test('a channel that is gone, and mail without a server', () => {
    const both = routed(caseAlert({ channels: ['gone', 'owner', 'ops'] }), [owner, ops], { smtp: null });
    expect(both.items.map(({ remark }) => remark)).toEqual([
      'could not be sent to gone: there is no such channel any more; could not be sent to owner: no mail server is configured',
    ]);
  });

  test('news about Keywarden itself has no owner', () => {
    const { items } = routed(systemAlert({ channels: ['owner', 'ops'] }), [owner, ops]);
    expect(items.map(({ channel, remark }) => [channel, remark])).toEqual([
      ['ops', 'could not be sent to owner: it is addressed by metadata.email, and this is about no key'],
    ]);
    expect(routed(systemAlert({ channels: ['owner'] }), [owner]).undeliverable).toHaveLength(1);
  });
});

describe('several addresses', () => {
  test('one good one is enough, and what is wrong with the others is said', () => {
    const mixed = email('owner', ['{{ metadata.email }}', 'fixed@example.com'], {
      cc: [template('{{ metadata.boss }}'), template('fixed@example.com')],
    });
    const { items } = routed(toOwner({ boss: 'boss@example.com' }, { channels: ['owner'] }), [mixed]);
    expect(items).toMatchObject([
      {
        recipient: 'fixed@example.com',
        cc: 'boss@example.com',
        remark: 'could not be sent to owner: metadata.email is missing',
      },
    ]);
  });

  test('each once', () => {
    const twice = email('owner', ['a@example.com', 'a@example.com', 'b@example.com']);
    expect(routed(toOwner({}), [twice]).items[0]?.recipient).toBe('a@example.com,b@example.com');
  });

  test('each once, also where they differ in case, as they are first written', () => {
    const cc = [template('ann@example.com'), template('Bo@example.com'), template('bo@EXAMPLE.com')];
    const twice = email('owner', ['{{ metadata.email }}', 'ann@example.com'], { cc });
    const { items } = routed(toOwner({ email: 'Ann@Example.com' }), [twice]);
    expect(items).toMatchObject([{ recipient: 'Ann@example.com', cc: 'Bo@example.com' }]);
  });
});

describe('quiet hours', () => {
  const quiet = {
    fromMinute: 9 * 60,
    toMinute: 12 * 60,
    days: [1, 2, 3, 4, 5],
    except: ['notice'],
    timeZone: 'Europe/Berlin',
  } as const;
  const held = { ...slack('ops'), quiet };

  test('hold an alert for the digest at their end', () => {
    const { items } = routed(caseAlert(), [held]);
    expect(items).toMatchObject([
      { batch: 'quiet:2026-11-23T11:00:00.000Z', notBefore: Date.parse('2026-11-23T11:00:00Z') },
    ]);
  });

  test('go by what clocks show, for as long as that takes by the time of deliveries', () => {
    // 10:00 in Berlin by what clocks show.
    const behind = { at: at - 5 * day, timeOfDay: Date.parse('2026-11-23T09:00:00Z') };
    expect(routed(caseAlert(), [held], behind).items).toMatchObject([
      { batch: 'quiet:2026-11-23T11:00:00.000Z', notBefore: at - 5 * day + 2 * 3_600_000 },
    ]);
    const awake = { at, timeOfDay: Date.parse('2026-11-23T11:00:00Z') };
    expect(routed(caseAlert(), [held], awake).items).toMatchObject([{ batch: 'pass-9', notBefore: at }]);
  });

  test('gather those of several passes', () => {
    const batch = (passId: string, when: number): string | undefined =>
      routed(caseAlert(), [held], { passId, at: when }).items[0]?.batch;
    expect(batch('one', at)).toBe(batch('two', at + 60_000));
    expect(batch('one', at)).not.toBe(batch('one', at + day));
  });

  test('let the excepted through at once', () => {
    const notice = caseAlert({ event: { kind: 'notice', step: 1, of: 1, noticeMs: day } });
    expect(routed(notice, [held]).items).toMatchObject([{ batch: 'pass-9', notBefore: at }]);
    const deleted = caseAlert({ event: { kind: 'deleted', noticeAcceptedAt: at } });
    expect(routed(deleted, [held]).items[0]?.batch).toMatch(/^quiet:/);
    const both = { ...held, quiet: { ...quiet, except: ['notice', 'delete'] as const } };
    expect(routed(deleted, [both]).items[0]?.batch).toBe('pass-9');
  });
});
