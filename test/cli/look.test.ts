import { describe, expect, test } from 'vitest';
import { keys } from '../../src/cli/keys.ts';
import { series } from '../../src/cli/series.ts';
import { transactions } from '../../src/cli/transactions.ts';
import { usage } from '../../src/cli/usage.ts';
import { idOf, now, row, scene } from './account.ts';

const day = 86_400_000;
const rows = [
  row('tk_secretNumberOne', {
    name: 'Production API',
    createdAt: now - 400 * day,
    metadata: { team: 'ml', n: 7 },
  }),
  row('tk_secretNumberTwo', {
    name: 'User with a rather long name that a narrow terminal has no room for',
    createdAt: now - 20 * day,
    expiresAt: now - day,
    maxTokens: 1_000_000,
  }),
  row('tk_secretNumber003', {
    name: '実験 🧑‍🔬 '.repeat(8),
    createdAt: now - 10 * day,
    expiresAt: now + 30 * day,
  }),
];
const lineWidths = (text: string) => text.split('\n').map((line) => line.length);

describe('keys', () => {
  test('in 80 columns', async () => {
    const { by, out } = scene({ rows, columns: 80 });
    expect(await keys(by, {})).toBe(0);
    expect(out()).toMatchSnapshot();
    expect(Math.max(...lineWidths(out()))).toBeLessThanOrEqual(80);
  });

  test('in a narrow terminal', async () => {
    const { by, out } = scene({ rows, columns: 60 });
    await keys(by, {});
    expect(out()).toMatchSnapshot();
    expect(Math.max(...lineWidths(out()))).toBeLessThanOrEqual(60);
  });

  test('are not cut where there is no terminal', async () => {
    const { by, out } = scene({ rows });
    await keys(by, {});
    expect(out()).toContain('User with a rather long name that a narrow terminal has no room for');
    expect(out()).toContain('team=ml n=7');
  });

  test('as JSON, whose shape is stable', async () => {
    const { by, out, err } = scene({ rows: rows.slice(0, 2), output: 'json' });
    await keys(by, {});
    expect(JSON.parse(out())).toEqual([
      {
        id: idOf('tk_secretNumberOne'),
        name: 'Production API',
        created_at: '2025-10-19T10:00:00Z',
        expires_at: null,
        max_tokens: null,
        chat: false,
        is_admin: false,
        last_used_at: null,
        metadata: { team: 'ml', n: 7 },
      },
      {
        id: idOf('tk_secretNumberTwo'),
        name: 'User with a rather long name that a narrow terminal has no room for',
        created_at: '2026-11-03T10:00:00Z',
        expires_at: '2026-11-22T10:00:00Z',
        max_tokens: 1_000_000,
        chat: false,
        is_admin: false,
        last_used_at: null,
        metadata: {},
      },
    ]);
    expect(err()).toBe('');
  });

  test('can be chosen by name', async () => {
    const { by, out } = scene({ rows, output: 'json' });
    await keys(by, { pattern: 'Prod*' });
    expect(JSON.parse(out())).toHaveLength(1);
  });

  test('none is said on standard error, and is an empty list', async () => {
    const table = scene({});
    await keys(table.by, {});
    expect([table.out(), table.err()]).toEqual(['', 'No keys.\n']);
    const json = scene({ output: 'json' });
    await keys(json.by, {});
    expect(json.out()).toBe('[]\n');
  });

  test.each(['table', 'json'] as const)('hostile names and metadata are only text: %s', async (output) => {
    const name = '\u001b[2J\u001b]0;owned\u0007\u202eevil\r\n\u009b31m@everyone';
    const metadata = { 'a\u001b[1m': '\u2028b', nested: { c: '\u009bm' }, ['__proto__']: 'p' };
    const { by, out } = scene({ rows: [row('tk_secretNumberOne', { name, metadata })], output });
    await keys(by, {});
    // eslint-disable-next-line no-control-regex -- exactly these must not be there
    expect(out()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(out()).toContain('@everyone');
  });

  test.each(['table', 'json'] as const)(
    'a secret that someone made a name of is hidden: %s',
    async (output) => {
      const metadata = { copy: 'tk_secretNumberOne' };
      const named = row('tk_secretNumberOne', { name: 'tk_secretNumberOne', metadata });
      const { by, out } = scene({ rows: [named], output });
      await keys(by, {});
      expect(out()).not.toContain('tk_secretNumberOne');
      expect(out()).toContain(idOf('tk_secretNumberOne'));
    },
  );

  test('an enormous name stays a line of bounded length', async () => {
    const { by, out } = scene({ rows: [row('tk_secretNumberOne', { name: 'x'.repeat(1_000_000) })] });
    await keys(by, {});
    expect(out().length).toBeLessThan(2000);
  });
});

describe('usage', () => {
  const models = new Map([['gpt-oss-120b', { costMicroUsd: 1_500_000, tokens: 9, requests: 1 }]]);
  const aggregate = {
    small: { costMicroUsd: 1, tokens: 1, requests: 1, models: new Map() },
    big: { costMicroUsd: 1_500_000, tokens: 1_234_566, requests: 88, models },
  };

  test('by name, the dearest first, with the total', async () => {
    const { by, out } = scene({ usage: aggregate, columns: 80 });
    expect(await usage(by, { window: '24h' })).toBe(0);
    expect(out()).toMatchSnapshot();
  });

  test('by name as JSON', async () => {
    const { by, out } = scene({ usage: aggregate, output: 'json' });
    await usage(by, { window: null });
    expect(JSON.parse(out())).toEqual({
      time: 'all',
      at: '2026-11-23T10:00:00Z',
      cost: '21.40',
      tokens: 1_234_567,
      requests: 89,
      keys: [
        {
          name: 'big',
          cost: '1.50',
          tokens: 1_234_566,
          requests: 88,
          models: [{ model: 'gpt-oss-120b', cost: '1.50', tokens: 9, requests: 1 }],
        },
        { name: 'small', cost: '0.000001', tokens: 1, requests: 1, models: [] },
      ],
    });
  });

  test('of one key', async () => {
    const table = scene({ rows, columns: 80 });
    await usage(table.by, { key: 'Production API', window: '24h' });
    expect(table.out()).toMatchSnapshot();
    const json = scene({ rows, output: 'json' });
    await usage(json.by, { key: idOf('tk_secretNumberOne'), window: '24h' });
    expect(JSON.parse(json.out())).toEqual({
      time: '24h',
      at: '2026-11-23T10:00:00Z',
      id: idOf('tk_secretNumberOne'),
      name: 'Production API',
      cost: '21.40',
      tokens: 1_234_567,
      requests: 89,
      prompt_tokens: 1_000_000,
      completion_tokens: 234_567,
    });
  });
});

describe('which key is meant', () => {
  const twins = [row('tk_secretNumberOne', { name: 'Twin' }), row('tk_secretNumberTwo', { name: 'Twin' })];

  test('a name that two keys bear lists them', async () => {
    const { by } = scene({ rows: twins });
    const refusal = usage(by, { key: 'Twin', window: null });
    await expect(refusal).rejects.toMatchObject({ exitCode: 1 });
    await expect(refusal).rejects.toThrow(
      `2 keys are called Twin; name one by its id:\n` +
        twins.map(({ key }) => `  ${key.id}  created 2026-01-05`).join('\n'),
    );
  });

  test('an unknown name brings the nearest', async () => {
    const { by } = scene({ rows });
    const refusal = usage(by, { key: 'Prodution api', window: null });
    await expect(refusal).rejects.toMatchObject({
      exitCode: 1,
      message: 'No key has the name Prodution api.\nDid you mean:\n  Production API',
    });
  });

  test('an unknown id is not matched with names', async () => {
    const { by } = scene({ rows });
    await expect(usage(by, { key: 'k_0000000000000000', window: null })).rejects.toThrow(
      /^No key has the id k_0000000000000000\.$/,
    );
  });

  test('a secret is refused, with the id it stands for, and not repeated', async () => {
    const { by } = scene({ rows });
    const refusal = usage(by, { key: 'tk_secretNumberOne', window: null });
    await expect(refusal).rejects.toMatchObject({ exitCode: 2 });
    await expect(refusal).rejects.toThrow(idOf('tk_secretNumberOne'));
    await expect(refusal).rejects.not.toThrow('tk_secretNumberOne');
  });
});

describe('series', () => {
  const models = new Map([
    ['llama3-3-70b', { tokens: 20_000, requests: 40 }],
    ['deepseek-r1-0528', { tokens: 30_000, requests: 60 }],
  ]);
  const points = [{ at: now, tokens: 50_000, requests: 100, models }];

  test('as a table, the busiest model first', async () => {
    const { by, out } = scene({ points, columns: 80 });
    expect(await series(by, { window: '24h' })).toBe(0);
    expect(out()).toMatchSnapshot();
  });

  test('as JSON', async () => {
    const { by, out } = scene({ points, output: 'json' });
    await series(by, { window: '5m' });
    expect(JSON.parse(out())).toMatchObject({
      time: '5m',
      interval: '1h0m0s',
      data_points: [{ time: '2026-11-23T10:00:00Z', tokens: 50_000, requests: 100 }],
    });
  });
});

describe('transactions', () => {
  const list = [
    {
      id: 'in_1',
      at: now - day,
      type: 'Invoice',
      description: 'Monthly',
      amountMicroUsd: 99_000_000,
      status: 'completed',
    },
    {
      id: 'cr_2',
      at: now,
      type: 'Credit',
      description: 'Goodwill',
      amountMicroUsd: -5_500_000,
      status: 'completed',
    },
  ];

  test('as a table, the newest first', async () => {
    const { by, out } = scene({ transactions: list, columns: 80 });
    expect(await transactions(by)).toBe(0);
    expect(out()).toMatchSnapshot();
  });

  test('as JSON', async () => {
    const { by, out } = scene({ transactions: list, output: 'json' });
    await transactions(by);
    expect(JSON.parse(out())).toEqual([
      {
        id: 'cr_2',
        date: '2026-11-23T10:00:00Z',
        type: 'Credit',
        description: 'Goodwill',
        amount: '-5.50',
        status: 'completed',
      },
      {
        id: 'in_1',
        date: '2026-11-22T10:00:00Z',
        type: 'Invoice',
        description: 'Monthly',
        amount: '99.00',
        status: 'completed',
      },
    ]);
  });
});
