import { describe, expect, it } from 'vitest';
import { windowMs, windows } from '../../src/core/key.ts';
import { dayMs, hourMs, openAccount, start, usd, type Aggregate } from './account.ts';

describe('authorization', () => {
  it.each([{}, { Authorization: 'Bearer wrong' }, { Authorization: 'admin_test' }])(
    'is refused with %j',
    async (headers) => {
      const { api } = openAccount();
      for (const path of ['/api/keys', '/api/billing/usage']) {
        const answer = await api.request(path, { headers });
        expect(answer.status).toBe(401);
        expect(await answer.json()).toEqual({ status: 'error', message: 'Invalid admin API key' });
      }
    },
  );
});

describe('GET /api/keys', () => {
  it('lists what there is as the page has it', async () => {
    const { world, list } = openAccount();
    const { secret } = world.addKey({
      name: 'User: ana@example.com',
      createdAt: start - dayMs,
      expiresAt: start + dayMs,
      maxTokens: 1_000_000,
      metadata: { plan: 'free', odd: [1] },
    });
    world.addKey({ name: 'bare', chat: true, isAdmin: true });
    const [first, second] = await list();
    expect(first).toEqual({
      key: secret,
      name: 'User: ana@example.com',
      clerk_user_id: expect.stringMatching(/^user_\w{24}$/) as string,
      created_at: '2026-10-04T00:00:00Z',
      expires_at: '2026-10-06T00:00:00Z',
      max_tokens: 1_000_000,
      chat: false,
      is_admin: false,
      metadata: { plan: 'free', odd: [1] },
    });
    expect(second).toMatchObject({ name: 'bare', chat: true, is_admin: true, metadata: {} });
    expect(Object.keys(second ?? {})).not.toContain('expires_at');
  });

  it('shows no deleted key and brings the world to the clock’s time', async () => {
    const { world, clock, list } = openAccount();
    const { secret } = world.addKey({ name: 'a' });
    world.schedule(start + hourMs, () => world.deleteByPerson(secret));
    expect(await list()).toHaveLength(1);
    await clock.advance(hourMs);
    expect(await list()).toHaveLength(0);
  });

  it('keeps a metadata field called __proto__', async () => {
    const { world, ask } = openAccount();
    world.addKey({ name: 'a', metadata: JSON.parse('{"__proto__": "x"}') as Record<string, unknown> });
    expect(await (await ask('GET', '/api/keys')).text()).toContain('"metadata":{"__proto__":"x"}');
  });
});

describe('POST /api/keys', () => {
  it('creates a key and answers with it', async () => {
    const { world, json } = openAccount();
    const created = await json<Record<string, unknown>>('POST', '/api/keys', {
      name: 'Production API Key',
      expires_at: '2026-12-31T23:59:59+01:00',
      max_tokens: 1_000_000,
      metadata: { team: 'backend' },
    });
    expect(created).toMatchObject({
      key: expect.stringMatching(/^tk_\w{40}$/) as string,
      created_at: '2026-10-05T00:00:00Z',
      expires_at: '2026-12-31T22:59:59Z',
      max_tokens: 1_000_000,
      metadata: { team: 'backend' },
    });
    expect(world.log.items).toMatchObject([{ kind: 'created', by: 'api', to: 'Production API Key' }]);
  });

  it.each([
    [{}, 'Missing name'],
    [{ name: '' }, 'Missing name'],
    [{ name: 'User: a@b.example' }, 'API key name must not contain special characters'],
    [{ name: 'a', expires_at: 'tomorrow' }, 'Invalid expires_at'],
    [{ name: 'a', max_tokens: 1.5 }, 'Invalid max_tokens'],
    [{ name: 'a', metadata: [] }, 'Invalid metadata'],
    [{ name: 'a', metadata: { long: 'x'.repeat(5_200) } }, 'Metadata exceeds maximum size of 5KB'],
    [[], 'Invalid request body'],
  ])('refuses %j', async (body, message) => {
    const { world, ask } = openAccount();
    const answer = await ask('POST', '/api/keys', body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ status: 'error', message });
    expect(world.keys()).toHaveLength(0);
  });
});

describe('renaming and deleting', () => {
  it('renames', async () => {
    const { world, json } = openAccount();
    const { secret, id } = world.addKey({ name: 'a' });
    expect(await json('POST', '/api/keys/rename', { key: secret, name: 'Staging API Key_1.0' })).toEqual({
      message: 'API key renamed',
    });
    expect(world.find(secret)?.name).toBe('Staging API Key_1.0');
    expect(world.log.items.at(-1)).toMatchObject({ kind: 'renamed', by: 'api', id, from: 'a' });
  });

  it('refuses a name with special characters and a key that is not there', async () => {
    const { world, ask } = openAccount();
    const { secret } = world.addKey({ name: 'a' });
    expect((await ask('POST', '/api/keys/rename', { key: secret, name: 'a/b' })).status).toBe(400);
    expect((await ask('POST', '/api/keys/rename', { key: 'tk_none', name: 'b' })).status).toBe(404);
    expect(world.find(secret)?.name).toBe('a');
  });

  it('deletes, and then knows the key no more', async () => {
    const { world, ask, json } = openAccount();
    const { secret } = world.addKey({ name: 'a', secret: 'tk_a/b c' });
    expect(await json('DELETE', `/api/keys/${encodeURIComponent(secret)}`)).toEqual({
      message: 'API key deleted',
    });
    expect(world.find(secret)?.deletedAt).toBe(start);
    expect((await ask('POST', '/api/keys/rename', { key: secret, name: 'b' })).status).toBe(404);
    expect((await ask('POST', '/api/billing/usage/key', { key: secret })).status).toBe(404);
  });

  it('answers 405 to reading a single key and 404 to what is not there', async () => {
    const { ask } = openAccount();
    expect((await ask('GET', '/api/keys/tk_x')).status).toBe(405);
    expect((await ask('GET', '/api/other')).status).toBe(404);
  });
});

describe('usage', () => {
  it('reports every window exactly as it was, in all and by key, name and model', async () => {
    const { world, clock, usage, json } = openAccount({}, { population: 'plain', keys: 15 });
    const day = 33.7 * dayMs;
    await clock.advance(day);
    for (const window of [null, ...windows]) {
      const all = await usage(window ?? undefined);
      const from = window === null ? -Infinity : start + day - windowMs[window];
      let cost = 0;
      for (const { secret, name } of world.keys()) {
        const truth = world.consumed(secret, from, start + day);
        cost += truth.costMicroUsd;
        const one = await json<Record<string, number>>(
          'POST',
          `/api/billing/usage/key${window === null ? '' : `?time=${window}`}`,
          { key: secret },
        );
        expect(Math.round((one['cost'] ?? 0) * 1e6)).toBe(truth.costMicroUsd);
        expect((one['prompt_tokens'] ?? 0) + (one['completion_tokens'] ?? 0)).toBe(truth.tokens);
        expect(one['requests']).toBe(truth.requests);
        const row = all.keys[name];
        if (truth.requests === 0) expect(row).toBeUndefined();
        else {
          expect(row).toMatchObject({ total_tokens: truth.tokens, total_requests: truth.requests });
          const models = Object.values(row?.models ?? {});
          expect(models.reduce((sum, model) => sum + model.requests, 0)).toBe(truth.requests);
        }
      }
      expect(Math.round(all.cost * 1e6)).toBe(cost);
    }
  });

  it('writes money as decimal numbers', async () => {
    const { world, ask } = openAccount();
    const { secret } = world.addKey({ name: 'a' });
    world.spend(secret, { costMicroUsd: 1, tokens: 1, requests: 1 }, 'm');
    const answer = await ask('GET', '/api/billing/usage');
    expect(await answer.text()).toContain('"cost":0.000001,');
  });

  it('refuses a period there is not', async () => {
    const { world, ask } = openAccount();
    const { secret } = world.addKey({ name: 'a' });
    expect((await ask('GET', '/api/billing/usage?time=5m')).status).toBe(400);
    expect((await ask('POST', '/api/billing/usage/key?time=2d', { key: secret })).status).toBe(400);
    expect((await ask('GET', '/api/billing/time-series?time=1y')).status).toBe(400);
  });

  it('keeps a row named __proto__', async () => {
    const { world, ask } = openAccount();
    world.spend(world.addKey({ name: '__proto__' }).secret, usd(1), 'm');
    expect(await (await ask('GET', '/api/billing/usage')).text()).toContain(
      '"keys":{"__proto__":{"total_tokens"',
    );
  });
});

interface Series {
  readonly data_points: readonly {
    readonly time: string;
    readonly tokens: number;
    readonly requests: number;
  }[];
  readonly interval: string;
}

describe('GET /api/billing/time-series', () => {
  it('divides the window in ten', async () => {
    const { world, clock, json } = openAccount();
    const { secret } = world.addKey({ name: 'a' });
    await clock.advance(dayMs);
    world.spend(secret, usd(1, 500, 2), 'm', start + 1);
    world.advanceTo(clock.now());
    world.spend(secret, usd(1, 700, 3), 'm');
    const series = await json<Series>('GET', '/api/billing/time-series');
    expect(series.interval).toBe('2h24m0s');
    expect(series.data_points).toHaveLength(10);
    expect(series.data_points[0]).toEqual({
      time: '2026-10-05T00:00:00Z',
      tokens: 500,
      requests: 2,
      models: { m: { tokens: 500, requests: 2 } },
    });
    expect(series.data_points.map(({ requests }) => requests)).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    expect(series.data_points[1]?.time).toBe('2026-10-05T02:24:00Z');
  });

  it.each([
    ['5m', '30s'],
    ['15m', '1m30s'],
    ['30m', '3m0s'],
    ['1h', '6m0s'],
    ['7d', '16h48m0s'],
    ['90d', '216h0m0s'],
  ])('takes %s and steps by %s', async (window, interval) => {
    const { json } = openAccount();
    const series = await json<Series>('GET', `/api/billing/time-series?time=${window}`);
    expect(series.interval).toBe(interval);
  });
});

describe('GET /api/billing/transactions', () => {
  it('has a fee and the month before’s usage on each first of a month', async () => {
    const { world, clock, json } = openAccount();
    world.spend(world.addKey({ name: 'a' }).secret, usd(25.504), 'm');
    await clock.advanceTo(Date.UTC(2026, 10, 2));
    const entries = await json<Record<string, unknown>[]>('GET', '/api/billing/transactions');
    expect(entries.slice(-2)).toEqual([
      {
        id: 'in_202611',
        date: '2026-11-01T00:00:00Z',
        status: 'completed',
        type: 'Invoice',
        description: 'Monthly subscription',
        amount: 99,
      },
      {
        id: 'ch_202611',
        date: '2026-11-01T00:00:00Z',
        status: 'completed',
        type: 'Charge',
        description: 'API Usage',
        amount: 25.5,
      },
    ]);
  });
});

describe('the Date header', () => {
  it('is the clock’s, and as wrong as it is told to be', async () => {
    const { ask, clock, variants } = openAccount();
    await clock.advance(90_000);
    expect((await ask('GET', '/api/keys')).headers.get('Date')).toBe('Mon, 05 Oct 2026 00:01:30 GMT');
    variants.dateSkewMs = -10 * 60_000;
    expect((await ask('GET', '/api/keys')).headers.get('Date')).toBe('Sun, 04 Oct 2026 23:51:30 GMT');
  });
});

describe('deterministic answers', () => {
  it('are the same for the same seed and time', async () => {
    const answers = await Promise.all(
      [0, 1].map(async () => {
        const { clock, ask } = openAccount({}, { population: 'demo' });
        await clock.advance(40 * dayMs);
        const usage = (await (await ask('GET', '/api/billing/usage?time=30d')).json()) as Aggregate;
        return [await (await ask('GET', '/api/keys')).text(), usage];
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
  });
});
