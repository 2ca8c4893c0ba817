import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFaults, parseFaultRule, type Fault, type FaultRule } from '../../src/sandbox/faults.ts';
import { serve } from '../../src/sandbox/serve.ts';
import { openAccount, usd } from './account.ts';

function strikesOf(rule: FaultRule, requests: number): boolean[] {
  const faults = createFaults('test');
  faults.add(rule);
  return Array.from({ length: requests }, () => faults.strike('list').length > 0);
}

const empty: Fault = { kind: 'empty' };

describe('createFaults', () => {
  it('strikes after some, for some, and then no more', () => {
    expect(strikesOf({ endpoint: 'list', fault: empty, skip: 1, times: 2 }, 5)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  it('strikes by chance, the same for the same seed', () => {
    const rule: FaultRule = { endpoint: 'any', fault: empty, probability: 0.3 };
    const strikes = strikesOf(rule, 1_000);
    expect(strikes).toEqual(strikesOf(rule, 1_000));
    const share = strikes.filter(Boolean).length / 1_000;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.35);
  });

  it('strikes only the endpoint it is meant for, until it is taken back', () => {
    const faults = createFaults();
    const takeBack = faults.add({ endpoint: 'rename', fault: empty });
    expect(faults.strike('list')).toEqual([]);
    expect(faults.strike('rename')).toEqual([empty]);
    takeBack();
    expect(faults.strike('rename')).toEqual([]);
    faults.add({ endpoint: 'any', fault: empty });
    expect(faults.rules).toHaveLength(1);
    faults.clear();
    expect(faults.strike('rename')).toEqual([]);
  });
});

describe('parseFaultRule', () => {
  it('takes a rule', () => {
    const rule = { endpoint: 'list', fault: { kind: 'status', status: 503 }, times: 1 };
    expect(parseFaultRule(rule)).toEqual(rule);
  });

  it.each([
    null,
    {},
    { endpoint: 'nowhere', fault: empty },
    { endpoint: 'list', fault: { kind: 'explode' } },
    { endpoint: 'list', fault: { kind: 'status', status: 200 } },
    { endpoint: 'list', fault: empty, time: 1 },
  ])('refuses %j', (value) => {
    expect(() => parseFaultRule(value)).toThrow(/not a fault/);
  });
});

/** An account of three keys with usage, in which one fault is on order. */
function struckAccount(fault: Fault, endpoint: FaultRule['endpoint'] = 'any') {
  const account = openAccount();
  for (const name of ['a', 'b', 'c']) {
    account.world.spend(account.world.addKey({ name, secret: `tk_${name}` }).secret, usd(1), 'm');
  }
  account.faults.add({ endpoint, fault, times: 1 });
  return account;
}

describe('faults of the answer', () => {
  const text = async (fault: Fault, path = '/api/keys') =>
    (await struckAccount(fault).ask('GET', path)).text();
  const json = async (fault: Fault, path = '/api/keys') => JSON.parse(await text(fault, path)) as unknown;

  it('can be a status, before or after the request takes effect', async () => {
    const before = struckAccount({ kind: 'status', status: 503, retryAfter: '7' });
    const refused = await before.ask('DELETE', '/api/keys/tk_a');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '7']);
    expect(before.world.keys()).toHaveLength(3);
    const after = struckAccount({ kind: 'status', status: 500, after: true });
    expect((await after.ask('DELETE', '/api/keys/tk_a')).status).toBe(500);
    expect(after.world.keys()).toHaveLength(2);
    expect((await after.ask('GET', '/api/keys')).status).toBe(200);
  });

  it('can be late by the injected clock', async () => {
    const { ask, clock } = struckAccount({ kind: 'delay', ms: 30_000 });
    const answer = ask('GET', '/api/keys');
    await clock.asleep(1);
    expect(clock.nextWakeAt).toBe(clock.now() + 30_000);
    await clock.advance(30_000);
    expect((await answer).status).toBe(200);
  });

  it('can be late and wrong', async () => {
    const { ask, clock, faults } = struckAccount({ kind: 'delay', ms: 5 });
    faults.add({ endpoint: 'list', fault: { kind: 'status', status: 502 }, times: 1 });
    const answer = ask('GET', '/api/keys');
    await clock.asleep(1);
    await clock.advance(5);
    expect((await answer).status).toBe(502);
  });

  it.each(['malformed', 'truncated', 'empty'] as const)('can be %s', async (kind) => {
    const body = await text({ kind });
    expect(() => JSON.parse(body) as unknown).toThrow(SyntaxError);
    expect(body.length > 0).toBe(kind !== 'empty');
  });

  it('can be a page or any text', async () => {
    const page = await struckAccount({ kind: 'html' }).ask('GET', '/api/keys');
    expect([page.status, page.headers.get('Content-Type')]).toEqual([200, 'text/html']);
    expect(await page.text()).toContain('<h1>');
    expect(await json({ kind: 'body', text: '[1e400]' })).toEqual([Infinity]);
  });

  it('can lack a field or have another value in it', async () => {
    const rows = (await json({ kind: 'missing-field', field: 'created_at' })) as object[];
    expect(rows).toHaveLength(3);
    expect(rows.every((row) => !('created_at' in row) && 'key' in row)).toBe(true);
    expect(
      await json({ kind: 'set-field', field: 'cost', value: '1.00' }, '/api/billing/usage'),
    ).toMatchObject({
      cost: '1.00',
      keys: { a: { cost: '1.00', models: { m: { cost: '1.00', requests: 1 } } } },
    });
  });

  it('can have an empty or a shrunk list', async () => {
    expect(await json({ kind: 'empty-list' })).toEqual([]);
    expect(await json({ kind: 'shrunk-list', keep: 0.7 })).toHaveLength(2);
    const empty = (await json({ kind: 'empty-list' }, '/api/billing/usage')) as {
      keys: object;
      cost: number;
    };
    expect([empty.keys, empty.cost]).toEqual([{}, 3]);
    const shrunk = (await json({ kind: 'shrunk-list', keep: 0.4 }, '/api/billing/usage')) as { keys: object };
    expect(Object.keys(shrunk.keys)).toEqual(['a']);
    const series = await json({ kind: 'shrunk-list', keep: 0.5 }, '/api/billing/time-series');
    expect((series as { data_points: unknown[] }).data_points).toHaveLength(5);
  });

  it.each([
    ['before', 3],
    ['after', 2],
    ['mid-body', 2],
  ] as const)('can break off %s without a socket: a body that fails', async (when, left) => {
    const { ask, world } = struckAccount({ kind: 'cut', when });
    const answer = await ask('DELETE', '/api/keys/tk_a');
    await expect(answer.text()).rejects.toThrow();
    expect(world.keys()).toHaveLength(left);
  });
});

describe('a broken connection on a real socket', () => {
  const account = openAccount();
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    server = await serve(account.api);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const headers = { Authorization: 'Bearer admin_test' };
  const remove = (secret: string) => fetch(`${server.url}/api/keys/${secret}`, { method: 'DELETE', headers });

  it.each([
    ['before', true],
    ['after', false],
  ] as const)('%s: no answer at all', async (when, stays) => {
    const { secret } = account.world.addKey({ name: when });
    account.faults.add({ endpoint: 'delete', fault: { kind: 'cut', when }, times: 1 });
    await expect(remove(secret)).rejects.toThrow('fetch failed');
    expect(account.world.find(secret)?.deletedAt === null).toBe(stays);
  });

  it('amid the body: a status and then nothing more', async () => {
    const { secret } = account.world.addKey({ name: 'x' });
    account.faults.add({ endpoint: 'delete', fault: { kind: 'cut', when: 'mid-body' }, times: 1 });
    const answer = await remove(secret);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('terminated');
    expect(account.world.find(secret)?.deletedAt).not.toBeNull();
  });

  it('leaves the next request alone', async () => {
    expect((await fetch(`${server.url}/api/keys`, { headers })).status).toBe(200);
  });
});
