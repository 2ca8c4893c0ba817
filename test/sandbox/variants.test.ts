import { describe, expect, it } from 'vitest';
import { parseVariants } from '../../src/sandbox/variants.ts';
import { dayMs, hourMs, openAccount, start, usd } from './account.ts';
import type { Variants } from '../../src/sandbox/variants.ts';

/** A key that used 1 dollar as `old`, was renamed to `new`, and then used 2. */
async function renamedAccount(chosen: Partial<Variants>) {
  const account = openAccount(chosen);
  const { world, clock } = account;
  const { secret } = world.addKey({ name: 'old' });
  world.spend(secret, usd(1), 'm');
  await clock.advance(hourMs);
  world.advanceTo(clock.now());
  world.renameByPerson(secret, 'new');
  await clock.advance(hourMs);
  world.advanceTo(clock.now());
  world.spend(secret, usd(2), 'm');
  return account;
}

describe('renameHistory', () => {
  it.each([
    ['follows', { new: 3 }],
    ['splits', { old: 1, new: 2 }],
    ['stays', { old: 3 }],
  ] as const)('%s', async (renameHistory, expected) => {
    const { usage } = await renamedAccount({ renameHistory });
    const { keys, cost } = await usage();
    expect(Object.fromEntries(Object.entries(keys).map(([name, row]) => [name, row.cost]))).toEqual(expected);
    expect(cost).toBe(3);
  });

  it('splits windows too', async () => {
    const { usage } = await renamedAccount({ renameHistory: 'splits' });
    expect(Object.keys((await usage('1h')).keys)).toEqual(['new']);
  });
});

describe('sharedNames', () => {
  it.each([
    ['merged', 3],
    ['last-wins', 2],
  ] as const)('%s', async (sharedNames, cost) => {
    const { world, usage } = openAccount({ sharedNames });
    world.spend(world.addKey({ name: 'same', createdAt: start - 2 }).secret, usd(1), 'm');
    world.spend(world.addKey({ name: 'same', createdAt: start - 1 }).secret, usd(2), 'm');
    const all = await usage();
    expect(all.keys['same']?.cost).toBe(cost);
    expect(all.cost).toBe(3);
  });
});

describe('deletedInAggregate', () => {
  it.each([
    ['listed', ['gone', 'here']],
    ['gone', ['here']],
  ] as const)('%s', async (deletedInAggregate, names) => {
    const { world, usage } = openAccount({ deletedInAggregate });
    for (const name of ['gone', 'here'])
      world.spend(world.addKey({ name, secret: name }).secret, usd(1), 'm');
    world.deleteByPerson('gone');
    const all = await usage();
    expect(Object.keys(all.keys).sort()).toEqual(names);
    expect(all.cost).toBe(2);
  });
});

describe('deleteMissing', () => {
  it.each([404, 200] as const)('%d', async (deleteMissing) => {
    const { ask } = openAccount({ deleteMissing });
    expect((await ask('DELETE', '/api/keys/tk_none')).status).toBe(deleteMissing);
  });
});

describe('noUsageRows', () => {
  it('are absent or zeros', async () => {
    const { world, usage, variants } = openAccount();
    world.addKey({ name: 'unused' });
    expect((await usage()).keys).toEqual({});
    variants.noUsageRows = 'zeros';
    expect((await usage()).keys).toEqual({
      unused: { total_tokens: 0, total_requests: 0, cost: 0, models: {} },
    });
  });
});

describe('rateLimit', () => {
  it.each([
    ['seconds', '60'],
    ['date', 'Mon, 05 Oct 2026 00:01:00 GMT'],
    ['none', null],
  ] as const)('with Retry-After as %s', async (retryAfter, header) => {
    const { ask, clock } = openAccount({ rateLimit: { perMinute: 2, retryAfter } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push(await ask('GET', '/api/keys'));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(statuses[2]?.headers.get('Retry-After')).toBe(header);
    await clock.advance(60_000);
    expect((await ask('GET', '/api/keys')).status).toBe(200);
  });

  it('lets a request through exactly when it said', async () => {
    const { ask, clock } = openAccount({ rateLimit: { perMinute: 1, retryAfter: 'seconds' } });
    await ask('GET', '/api/keys');
    await clock.advance(17_400);
    const waitMs = Number((await ask('GET', '/api/keys')).headers.get('Retry-After')) * 1_000;
    await clock.advance(waitMs);
    expect((await ask('GET', '/api/keys')).status).toBe(200);
  });
});

describe('freshness', () => {
  it('is late by what it is told', async () => {
    const { world, clock, usage, variants, json } = openAccount({ freshness: { lateMs: 60_000 } });
    const { secret } = world.addKey({ name: 'a' });
    world.spend(secret, usd(1), 'm');
    await clock.advance(59_999);
    expect((await usage()).cost).toBe(0);
    await clock.advance(1);
    expect((await usage()).cost).toBe(1);
    expect((await json<{ cost: number }>('POST', '/api/billing/usage/key', { key: secret })).cost).toBe(1);
    variants.freshness = 'immediate';
    world.spend(secret, usd(1), 'm');
    expect((await usage()).cost).toBe(2);
  });

  it('loses a part once, so that counters fall and then grow again', async () => {
    const freshness = { fallsAt: start + 2 * hourMs, lostMs: hourMs };
    const { world, clock, usage } = openAccount({ freshness });
    const { secret } = world.addKey({ name: 'a' });
    for (const at of [0.5, 1.5, 2.5]) world.spend(secret, usd(1), 'm', start + at * hourMs);
    const costs = [];
    for (const step of [1, 0.9, 0.1, 1]) {
      await clock.advance(step * hourMs);
      costs.push((await usage()).cost);
    }
    expect(costs).toEqual([1, 2, 1, 2]);
    expect(world.lifetime(secret).costMicroUsd).toBe(3_000_000);
  });
});

describe('renameRules', () => {
  it('can limit the length', async () => {
    const { world, ask } = openAccount({ renameRules: { maxLength: 5 } });
    const { secret: key } = world.addKey({ name: 'a' });
    expect((await ask('POST', '/api/keys/rename', { key, name: '123456' })).status).toBe(400);
    expect((await ask('POST', '/api/keys/rename', { key, name: '12345' })).status).toBe(200);
  });

  it('can want unique names, the key’s own not counted', async () => {
    const { world, ask } = openAccount({ renameRules: 'unique' });
    const { secret: key } = world.addKey({ name: 'a' });
    world.addKey({ name: 'b' });
    expect((await ask('POST', '/api/keys/rename', { key, name: 'b' })).status).toBe(409);
    expect((await ask('POST', '/api/keys/rename', { key, name: 'a' })).status).toBe(200);
    expect((await ask('POST', '/api/keys', { name: 'b' })).status).toBe(409);
  });
});

describe('listOrder', () => {
  it('is by creation, or another each time', async () => {
    const { world, list, variants } = openAccount();
    for (let i = 0; i < 20; i++) world.addKey({ name: `${i}`, createdAt: start - 100 + i });
    const order = async () => (await list()).map(({ name }) => name);
    const created = await order();
    expect(created).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    variants.listOrder = 'shuffled';
    const shuffled = [await order(), await order()];
    expect(shuffled[0]).not.toEqual(created);
    expect(shuffled[1]).not.toEqual(shuffled[0]);
    expect([...(shuffled[0] ?? [])].sort()).toEqual([...created].sort());
  });
});

describe('errorBody', () => {
  it('has the message under error or under message', async () => {
    const { ask, variants } = openAccount({ errorBody: 'error' });
    expect(await (await ask('DELETE', '/api/keys/x')).json()).toEqual({ error: 'API key not found' });
    variants.errorBody = 'message';
    expect(await (await ask('DELETE', '/api/keys/x')).json()).toEqual({
      status: 'error',
      message: 'API key not found',
    });
  });
});

describe('the form of rows', () => {
  it('can have extras', async () => {
    const { world, list } = openAccount({ extras: true });
    world.spend(world.addKey({ name: 'a', createdAt: start - 2 }).secret, usd(1, 1_000, 3), 'm');
    world.addKey({ name: 'b' });
    const [a, b] = await list();
    expect(a).toMatchObject({
      last_used_at: '2026-10-05T00:00:00Z',
      tokens_used: 1_000,
      request_count: 3,
      disabled: false,
      scope: 'inference',
    });
    expect(b).toMatchObject({ last_used_at: null, tokens_used: 0 });
  });

  it('can say null, and times with an offset', async () => {
    const { world, list } = openAccount({ absent: 'null', timeOffset: '-03:30' });
    world.addKey({ name: 'a', createdAt: start + 250, metadata: null });
    expect((await list())[0]).toMatchObject({
      created_at: '2026-10-04T20:30:00.250-03:30',
      expires_at: null,
      max_tokens: null,
      metadata: null,
    });
  });
});

describe('parseVariants', () => {
  it('reads what a command line says', () => {
    const texts = [
      'renameHistory=splits',
      'sharedNames=last-wins',
      'deletedInAggregate=gone',
      'deleteMissing=200',
      'noUsageRows=zeros',
      'rateLimit=30:date',
      'freshness=late:120',
      'renameRules=maxLength:40',
      'listOrder=shuffled',
      'errorBody=error',
      'extras=true',
      'absent=null',
      'timeOffset=+02:00',
      'dateSkewMs=-5000',
    ];
    expect(parseVariants(texts, start)).toEqual({
      renameHistory: 'splits',
      sharedNames: 'last-wins',
      deletedInAggregate: 'gone',
      deleteMissing: 200,
      noUsageRows: 'zeros',
      rateLimit: { perMinute: 30, retryAfter: 'date' },
      freshness: { lateMs: 120_000 },
      renameRules: { maxLength: 40 },
      listOrder: 'shuffled',
      errorBody: 'error',
      extras: true,
      absent: 'null',
      timeOffset: '+02:00',
      dateSkewMs: -5_000,
    });
    expect(parseVariants(['freshness=falls', 'rateLimit=5', 'renameRules=unique'], start)).toEqual({
      freshness: { fallsAt: start + dayMs, lostMs: 6 * hourMs },
      rateLimit: { perMinute: 5, retryAfter: 'seconds' },
      renameRules: 'unique',
    });
  });

  it.each([
    ['renameHistroy=splits', /no variant is named "renameHistroy"; there are renameHistory, /],
    ['__proto__=x', /no variant is named/],
    ['renameHistory=split', /variant renameHistory: must be follows or splits or stays/],
    ['freshness=late', /variant freshness: needs a whole number/],
    ['timeOffset=CET', /variant timeOffset: must be Z or an offset/],
    ['extras', /variant extras: must be true or false/],
  ])('says what is wrong with %s', (text, message) => {
    expect(() => parseVariants([text], start)).toThrow(message);
  });
});
