import { describe, expect, it } from 'vitest';
import { acceptanceKey } from '../../src/core/court.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { alert, dayMs, finding, item, now, stateFile } from './fixtures.ts';

const ids = (entries: readonly { id: string }[]): string[] => entries.map(({ id }) => id);
const clock = { now: () => now + 5 };

describe('the outbox', () => {
  it('gives items back as they were put in, not yet tried', async () => {
    await using store = await openSqlite(stateFile());
    await store.commit({ outbox: [item('a')] });
    expect(await store.outbox.pending(now)).toEqual([
      {
        ...item('a'),
        attempts: 0,
        nextAttemptAt: now,
        state: 'pending',
        settledAt: null,
        lastError: null,
        acceptedAt: null,
      },
    ]);
  });

  it('gives those that are due, the oldest first, and of one age in the order they came', async () => {
    await using store = await openSqlite(':memory:');
    await store.commit({
      outbox: [
        item('second'),
        item('third'),
        item('in quiet hours', { notBefore: now + 1 }),
        item('first', { createdAt: now - 1 }),
      ],
    });
    expect(ids(await store.outbox.pending(now))).toEqual(['first', 'second', 'third']);
    expect(ids(await store.outbox.pending(now + 1))).toEqual(['first', 'second', 'third', 'in quiet hours']);
  });

  it('gives what was to go at once also by a clock that is behind, and nothing else', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a'), item('b'), item('quiet', { notBefore: now + 50 })] });
    await store.outbox.failed(['b'], { error: 'HTTP 503', nextAttemptAt: now + 60 });
    expect(ids(await store.outbox.pending(now - 1000))).toEqual(['a']);
  });

  it('says of an alert that one channel took when that was, to the others', async () => {
    await using store = await openSqlite(':memory:', { clock });
    const notice = alert('notice');
    const to = (channel: string) => item(channel, { alert: notice, channel });
    await store.commit({ outbox: [to('ops'), to('owner'), item('another')] });
    await store.outbox.delivered(['ops'], now + 7);
    expect(await store.outbox.pending(now)).toMatchObject([
      { id: 'owner', acceptedAt: now + 7 },
      { id: 'another', acceptedAt: null },
    ]);
  });

  it('takes an item once, whatever became of it', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a'), item('b'), item('b', { channel: 'other' })] });
    await store.outbox.delivered(['a'], now);
    await store.commit({ outbox: [item('a'), item('b', { remark: 'again' })] });
    expect(await store.outbox.pending(now)).toMatchObject([{ id: 'b', channel: 'ops', remark: null }]);
  });

  it('dates what waits anew when the clock was set, and leaves alone what is settled', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a'), item('b'), item('quiet', { notBefore: now + 50 })] });
    await store.outbox.delivered(['a'], now);
    await store.outbox.failed(['b'], { error: 'HTTP 503', nextAttemptAt: now + 60 });
    // It has been read by then.
    expect(ids(await store.outbox.pending(now + 60))).toEqual(['b', 'quiet']);
    await store.commit({ outboxLaterMs: -1000, outbox: [item('new')] });
    expect(await store.outbox.pending(now - 941)).toMatchObject([
      { id: 'quiet', createdAt: now - 1000, notBefore: now - 950 },
      { id: 'new' },
    ]);
    expect(await store.outbox.pending(now)).toMatchObject([
      { id: 'b', createdAt: now - 1000, notBefore: now - 1000, nextAttemptAt: now - 940, attempts: 1 },
      { id: 'quiet' },
      { id: 'new', createdAt: now, notBefore: now },
    ]);
  });

  it('tells of channels that alerts were given up on, until one is delivered there', async () => {
    let at = now;
    await using store = await openSqlite(':memory:', { clock: { now: () => at } });
    await store.commit({
      outbox: [
        item('a'),
        item('b'),
        item('c', { channel: 'other' }),
        item('d'),
        item('e', { channel: 'other' }),
      ],
    });
    expect(await store.deadChannels(0)).toEqual([]);
    await store.outbox.failed(['a'], { error: 'HTTP 500', nextAttemptAt: null });
    at = now + 10;
    await store.outbox.failed(['b'], { error: 'HTTP 404', nextAttemptAt: null });
    await store.outbox.failed(['c'], { error: 'HTTP 410', nextAttemptAt: null });
    expect(await store.deadChannels(now - 1)).toEqual([
      { channel: 'ops', alerts: 2, lastError: 'HTTP 404' },
      { channel: 'other', alerts: 1, lastError: 'HTTP 410' },
    ]);
    expect(await store.deadChannels(now + 10)).toEqual([]);
    await store.outbox.delivered(['d'], now + 5);
    await store.outbox.delivered(['e'], now + 20);
    expect(await store.deadChannels(now - 1)).toMatchObject([{ channel: 'ops' }]);
  });

  it('waits after a failure until the next attempt is due', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a'), item('b')] });
    await store.outbox.failed(['a', 'b'], { error: 'HTTP 503', nextAttemptAt: now + 60 });
    expect(await store.outbox.pending(now + 59)).toEqual([]);
    expect(await store.outbox.pending(now + 60)).toMatchObject([
      { id: 'a', attempts: 1, lastError: 'HTTP 503', nextAttemptAt: now + 60 },
      { id: 'b', attempts: 1 },
    ]);
  });

  it('takes in the same stroke what a recipient of a message did not get', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a')] });
    const rest = (id: string) => [item(id, { alert: alert('alert of a'), recipient: id })];
    const unserved = [
      { items: rest('late'), failure: { error: 'refused with 451', nextAttemptAt: now + 30 } },
      { items: rest('gone'), failure: { error: 'refused with 550', nextAttemptAt: null } },
    ];
    await store.outbox.delivered(['a'], now, unserved);
    expect(await store.outbox.pending(now + 29)).toEqual([]);
    expect(await store.outbox.pending(now + 30)).toMatchObject([
      { id: 'late', recipient: 'late', attempts: 1, lastError: 'refused with 451' },
    ]);
    expect((await store.outboxSummary()).dead).toMatchObject([{ id: 'gone', lastError: 'refused with 550' }]);
    expect(await store.recorded({ limit: 10 })).toMatchObject([{ kind: 'alert-undelivered' }]);
  });

  it('shows what was given up on as undelivered', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a'), item('b'), item('c', { createdAt: now - 7 })] });
    await store.outbox.failed(['a'], { error: 'HTTP 404', nextAttemptAt: null });
    expect(ids(await store.outbox.pending(now + dayMs))).toEqual(['c', 'b']);
    expect(await store.outboxSummary()).toMatchObject({
      pending: 2,
      oldestPendingAt: now - 7,
      dead: [{ id: 'a', state: 'dead', attempts: 1, lastError: 'HTTP 404', settledAt: now + 5 }],
    });
  });

  it('is empty when everything was delivered', async () => {
    await using store = await openSqlite(':memory:');
    await store.commit({ outbox: [item('a'), item('b')] });
    await store.outbox.delivered(['a', 'b'], now);
    expect(await store.outboxSummary()).toEqual({ pending: 0, dead: [], oldestPendingAt: null });
  });

  it('keeps a stranger’s metadata in an alert without a prototype', async () => {
    await using store = await openSqlite(':memory:');
    const metadata = JSON.parse('{"__proto__":"x","email":"a@example.com"}') as Record<string, unknown>;
    const told = alert('x');
    await store.commit({
      outbox: [item('a', { alert: { ...told, variables: { ...told.variables, metadata } } })],
    });
    const [entry] = await store.outbox.pending(now);
    const back = entry?.alert.topic === 'case' ? entry.alert.variables.metadata : {};
    expect(Object.getPrototypeOf(back)).toBeNull();
    expect(Object.entries(back)).toEqual([
      ['__proto__', 'x'],
      ['email', 'a@example.com'],
    ]);
  });
});

describe('an alert that is given up on', () => {
  it('is on record, once, with the channel and why', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a', { alert: alert('step', 'f') }), item('b')] });
    await store.outbox.failed(['a', 'b'], { error: 'busy', nextAttemptAt: now });
    expect(await store.recorded({ limit: 9 })).toEqual([]);
    await store.outbox.failed(['a'], { error: 'gone', nextAttemptAt: null });
    await store.outbox.failed(['a'], { error: 'gone', nextAttemptAt: null });
    expect(await store.recorded({ limit: 9, findingId: 'f' })).toMatchObject([
      {
        at: now + 5,
        kind: 'alert-undelivered',
        facts: { alert: 'step', channel: 'ops', attempts: 2, because: 'gone' },
      },
    ]);
    expect(await store.recorded({ limit: 9 })).toHaveLength(1);
  });
});

describe('an acceptance', () => {
  it('is the first instant at which any receiver of a channel took the alert', async () => {
    await using store = await openSqlite(':memory:');
    const told = alert('notice');
    await store.commit({
      outbox: [
        item('to ops', { alert: told }),
        item('to owner', { alert: told, channel: 'owner' }),
        item('other', { alert: alert('unheard') }),
      ],
    });
    expect(await store.acceptances(['notice'])).toEqual(new Map());
    await store.outbox.delivered(['to owner'], now + 20);
    await store.outbox.delivered(['to ops'], now + 10);
    await store.outbox.delivered(['to ops'], now + 90);
    expect(await store.acceptances(['notice', 'unheard', 'unknown'])).toEqual(
      new Map([
        [acceptanceKey('notice', 'ops'), now + 10],
        [acceptanceKey('notice', 'owner'), now + 20],
      ]),
    );
  });

  it('comes late from an item that had been given up on', async () => {
    await using store = await openSqlite(':memory:', { clock });
    await store.commit({ outbox: [item('a')] });
    await store.outbox.failed(['a'], { error: 'timeout', nextAttemptAt: null });
    await store.outbox.delivered(['a'], now + 9);
    expect(await store.acceptances(['alert of a'])).toEqual(
      new Map([[acceptanceKey('alert of a', 'ops'), now + 9]]),
    );
    expect((await store.outboxSummary()).dead).toEqual([]);
  });

  it('outlives its delivery for as long as its finding is open', async () => {
    await using store = await openSqlite(':memory:', { clock });
    const notice = (findingId: string) =>
      item(findingId, { alert: alert(`notice of ${findingId}`, findingId) });
    await store.commit({
      findings: [finding('open'), finding('closed')],
      outbox: [notice('open'), notice('closed')],
    });
    await store.commit({ outbox: [item('undelivered')] });
    await store.outbox.delivered(['open', 'closed'], now);
    await store.outbox.failed(['undelivered'], { error: 'gone', nextAttemptAt: null });
    await store.commit({ findings: [finding('closed', { closedAt: now })] });
    const both = ['notice of open', 'notice of closed'];
    const accepted = async (): Promise<string[]> => [...(await store.acceptances(both)).keys()];

    await store.thin(now + 31 * dayMs, [], 0);
    expect(await accepted()).toEqual(both.map((id) => acceptanceKey(id, 'ops')));
    expect(ids((await store.outboxSummary()).dead)).toEqual(['undelivered']);
    await store.commit({ outbox: [notice('open')] });
    expect(ids(await store.outbox.pending(now)), 'the delivery itself is forgotten').toEqual(['open']);

    await store.thin(now + 401 * dayMs, [], 0);
    expect(await accepted()).toEqual([acceptanceKey('notice of open', 'ops')]);
    expect((await store.outboxSummary()).dead).toEqual([]);
  });
});
