import type { Aggregate } from '../../src/ports.ts';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../src/tinfoil/fingerprint.ts';
import {
  parseAggregate,
  parseKey,
  parseKeyReading,
  parseListing,
  parseSeries,
  parseTransactions,
} from '../../src/tinfoil/parse.ts';
import { Malformed, parseTime } from '../../src/tinfoil/schemas.ts';
import { apiKey, row } from './harness.ts';

const sent = { sentAt: 1000, serverAt: 2000 };
const json = (text: string): unknown => JSON.parse(text);

describe('the list', () => {
  test('becomes keys without secrets, and a book of secrets', () => {
    const full = row({
      clerk_user_id: 'user_1',
      expires_at: '2026-12-31T23:59:59+02:00',
      max_tokens: 1_000_000,
      chat: true,
      is_admin: true,
      metadata: { team: 'ml', level: 3, nested: { a: 1 } },
      last_used_at: '2026-11-01T00:00:00Z',
      surprise: 1,
    });
    const { at, serverAt, keys, secrets } = parseListing([full], sent);
    expect({ at, serverAt }).toEqual({ at: 1000, serverAt: 2000 });
    expect(keys).toEqual([
      {
        id: fingerprint(apiKey),
        createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
        name: 'User 7',
        metadata: { team: 'ml', level: 3, nested: { a: 1 } },
        expiresAt: Date.UTC(2026, 11, 31, 21, 59, 59),
        maxTokens: 1_000_000,
        chat: true,
        isAdmin: true,
        lastUsedAt: Date.UTC(2026, 10, 1),
      },
    ]);
    expect(JSON.stringify(keys)).not.toContain(apiKey);
    expect(secrets.get(fingerprint(apiKey))?.reveal()).toBe(apiKey);
  });

  test('what may be left out may also be null', () => {
    const bare = {
      metadata: {},
      expiresAt: null,
      maxTokens: null,
      chat: false,
      isAdmin: false,
      lastUsedAt: null,
    };
    expect(parseKey(row()).key).toMatchObject(bare);
    const nulls = {
      expires_at: null,
      max_tokens: null,
      metadata: null,
      chat: null,
      is_admin: null,
      last_used_at: null,
    };
    expect(parseKey(row(nulls)).key).toMatchObject(bare);
  });

  test('a cap of 0 and a zero time of Go are none', () => {
    expect(parseKey(row({ max_tokens: 0 })).key.maxTokens).toBeNull();
    expect(parseKey(row({ expires_at: '0001-01-01T00:00:00Z' })).key.expiresAt).toBeNull();
  });

  test.each([7, 'yesterday', true, {}])('last_used_at %j is as good as none', (value) => {
    expect(parseKey(row({ last_used_at: value })).key.lastUsedAt).toBeNull();
  });

  test('what is nested in metadata is cut where it is deep, so that it can be written down', () => {
    const deep = `${'{"a":['.repeat(100_000)}${']}'.repeat(100_000)}`;
    const { metadata } = parseKey({
      ...row(),
      metadata: json(`{"plan":"free","x":{"y":[1,{"z":2}]},"deep":${deep}}`),
    }).key;
    expect(JSON.parse(JSON.stringify(metadata))).toMatchObject({ plan: 'free', x: { y: [1, { z: 2 }] } });
    expect(JSON.stringify(metadata.deep).length).toBeLessThan(100);
  });

  test('metadata has no prototype, so __proto__ is a name like any other', () => {
    const { metadata } = parseKey({ ...row(), metadata: json('{"__proto__":{"keep":"yes"}}') }).key;
    expect(Object.keys(metadata)).toEqual(['__proto__']);
    expect(metadata.keep).toBeUndefined();
    expect(Object.getPrototypeOf(metadata)).toBeNull();
  });

  test.each([
    ['key', [undefined, null, '', 7, '.', '..', 'a b', 'tk_ü', 'tk_\n']],
    ['name', [undefined, null, 7, {}, ['x']]],
    [
      'created_at',
      [undefined, null, '', 7, '2026-01-02', 'yesterday', '2026-02-30T00:00:00Z', '0001-01-01T00:00:00Z'],
    ],
    ['expires_at', ['', 7, 'never', false, '2026-13-01T00:00:00Z', '1969-12-31T23:59:59Z']],
    ['max_tokens', ['1000', -1, 1.5, 2 ** 53, NaN, true, {}]],
    ['chat', ['true', 1, {}]],
    ['is_admin', ['false', 0, []]],
    ['metadata', ['{}', 7, [], true]],
  ])('a row with a wrong %s spoils the list', (field, values) => {
    for (const value of values) {
      const rows = [row({ key: 'tk_fine' }), row({ [field]: value })];
      expect(() => parseListing(rows, sent), inspect(value)).toThrow(Malformed);
      expect(() => parseListing(rows, sent)).toThrow(new RegExp(`^row 2: ${field}`));
    }
  });

  test.each([null, {}, { keys: [] }, 'x', 7, [null], [[]], ['tk_x']])('%j is not a list of keys', (value) => {
    expect(() => parseListing(value, sent)).toThrow(Malformed);
  });

  test('a secret that is listed twice spoils the list', () => {
    expect(() => parseListing([row(), row({ name: 'Other' })], sent)).toThrow(/row 2: key is listed twice/);
  });

  test('a fault is told without the value', () => {
    const secretive = row({ key: 'tk_secret value' });
    expect(() => parseListing([secretive], sent)).toThrow(/^row 1: key is not a key$/);
  });
});

describe('the aggregate', () => {
  const good = { tokens: 5, requests: 2, cost: 0.1, keys: {} };

  test('becomes totals and rows by name', () => {
    const models = { 'gpt-oss': { tokens: 3, requests: 1, cost: 0.07 } };
    const usage = { ...good, keys: { A: { total_tokens: 5, total_requests: 2, cost: 0.1, models } } };
    const { at, total, rows } = parseAggregate(usage, sent);
    expect({ at, total }).toEqual({ at: 1000, total: { tokens: 5, requests: 2, costMicroUsd: 100_000 } });
    expect(rows.get('A')).toEqual({
      tokens: 5,
      requests: 2,
      costMicroUsd: 100_000,
      models: new Map([['gpt-oss', { tokens: 3, requests: 1, costMicroUsd: 70_000 }]]),
    });
  });

  describe('beside the one before', () => {
    const used = (requests: number, cost = 0.1) => ({ total_tokens: 5, total_requests: requests, cost });
    const parse = (keys: unknown, before?: Aggregate) =>
      parseAggregate({ ...good, keys }, sent, false, before?.rows);
    const first = parse({ A: used(1), B: used(2), C: used(3) });

    test('gives the very same rows and names for what is the same', () => {
      const { rows } = parse({ A: used(1), B: used(9), C: used(3) }, first);
      expect(rows.names).toBe(first.rows.names);
      expect(rows.list.map((row, place) => row === first.rows.list[place])).toEqual([true, false, true]);
      expect(rows.get('B')?.requests).toBe(9);
    });

    test.each<[string, object, (number | undefined)[]]>([
      ['a name more', { A: used(1), AB: used(7), B: used(2), C: used(3) }, [1, 7, 2, 3]],
      ['a name less', { A: used(1), C: used(3) }, [1, undefined, undefined, 3]],
      ['another order', { C: used(3), A: used(1), B: used(2) }, [1, undefined, 2, 3]],
      ['another name', { A: used(1), AB: used(2), C: used(3) }, [1, 2, undefined, 3]],
      ['none', {}, [undefined, undefined, undefined, undefined]],
    ])('finds every row by its name: %s', (_, keys, requests) => {
      const { rows } = parse(keys, first);
      expect(['A', 'AB', 'B', 'C'].map((name) => rows.get(name)?.requests)).toEqual(requests);
      expect(rows.size).toBe(Object.keys(keys).length);
      expect(rows.names).not.toBe(first.rows.names);
    });

    test('a row that differs in its cost alone is another', () => {
      expect(parse({ A: used(1, 0.2) }, first).rows.get('A')?.costMicroUsd).toBe(200_000);
    });

    test('two names that are made well-formed alike spoil the answer', () => {
      expect(() => parse({ 'A\uD800': used(1), 'A\uD801': used(2) }, first)).toThrow(/a name comes twice/);
    });
  });

  test('names such as __proto__ and constructor are names', () => {
    const usage = json(
      '{"tokens":1,"requests":1,"cost":0,"keys":{"__proto__":{"total_tokens":1,"total_requests":1,"cost":0,"models":{"constructor":{"tokens":1,"requests":1,"cost":0}}}}}',
    );
    const { rows } = parseAggregate(usage, sent);
    expect([...rows.names.list]).toEqual(['__proto__']);
    expect([...(rows.get('__proto__')?.models.keys() ?? [])]).toEqual(['constructor']);
  });

  test('an empty map of Go is null', () => {
    expect(parseAggregate({ ...good, keys: null }, sent).rows.size).toBe(0);
    const usage = { ...good, keys: { A: { total_tokens: 0, total_requests: 0, cost: 0, models: null } } };
    expect(parseAggregate(usage, sent).rows.get('A')?.models.size).toBe(0);
  });

  test.each(['tokens', 'requests', 'cost'])('%s is never taken for 0', (field) => {
    for (const value of [undefined, null, '1', '', -1, NaN, Infinity, 2 ** 53, {}, [], true]) {
      expect(() => parseAggregate({ ...good, [field]: value }, sent), inspect(value)).toThrow(Malformed);
      const model = { tokens: 1, requests: 1, cost: 1, [field]: value };
      const inner = { total_tokens: 1, total_requests: 1, cost: 1, models: { m: model } };
      expect(() => parseAggregate({ ...good, keys: { A: inner } }, sent), inspect(value)).toThrow(
        new RegExp(`^keys, row 1: models, row 1: ${field}`),
      );
      const outer = {
        total_tokens: 1,
        total_requests: 1,
        cost: 1,
        [field === 'cost' ? field : `total_${field}`]: value,
      };
      expect(() => parseAggregate({ ...good, keys: { A: outer } }, sent), inspect(value)).toThrow(Malformed);
    }
  });

  test.each([
    null,
    [],
    'x',
    { ...good, keys: undefined },
    { ...good, keys: [] },
    { ...good, keys: { A: null } },
  ])('%j is not an aggregate', (value) => {
    expect(() => parseAggregate(value, sent)).toThrow(Malformed);
  });

  test('two names that differ in broken Unicode only cannot be told apart', () => {
    const one = { total_tokens: 1, total_requests: 1, cost: 1 };
    expect(() => parseAggregate({ ...good, keys: { '\ud800': one, '\udc00': one } }, sent)).toThrow(
      /comes twice/,
    );
  });
});

describe('the other answers', () => {
  const reading = { prompt_tokens: 800_000, completion_tokens: 700_000, requests: 3200, cost: 15.0 };

  test('one key’s reading', () => {
    expect(parseKeyReading(reading, sent)).toEqual({
      at: 1000,
      costMicroUsd: 15_000_000,
      tokens: 1_500_000,
      requests: 3200,
      promptTokens: 800_000,
      completionTokens: 700_000,
    });
  });

  test.each(['prompt_tokens', 'completion_tokens', 'requests', 'cost'])(
    'of which %s is required',
    (field) => {
      for (const value of [undefined, null, '1', -1, NaN, 2 ** 53]) {
        expect(() => parseKeyReading({ ...reading, [field]: value }, sent)).toThrow(Malformed);
      }
    },
  );

  test('whose sum must be exact', () => {
    const huge = { ...reading, prompt_tokens: Number.MAX_SAFE_INTEGER };
    expect(() => parseKeyReading(huge, sent)).toThrow(/sum of tokens/);
  });

  test('the series', () => {
    const point = {
      time: '2024-01-01T02:24:00Z',
      tokens: 7,
      requests: 2,
      models: { m: { tokens: 7, requests: 2 } },
    };
    expect(parseSeries({ data_points: [point], interval: '2h24m0s' })).toEqual({
      interval: '2h24m0s',
      points: [
        {
          at: Date.UTC(2024, 0, 1, 2, 24),
          tokens: 7,
          requests: 2,
          models: new Map([['m', { tokens: 7, requests: 2 }]]),
        },
      ],
    });
    expect(parseSeries({ data_points: null, interval: '1m0s' }).points).toEqual([]);
    expect(() => parseSeries({ data_points: [{ ...point, tokens: null }], interval: '' })).toThrow(
      /row 1: tokens/,
    );
    expect(() => parseSeries({ data_points: [] })).toThrow(/interval/);
  });

  test('transactions, of which a refund may be negative', () => {
    const one = {
      id: 'in_1',
      date: '2024-01-01T00:00:00Z',
      type: 'Refund',
      description: 'x',
      amount: -25.5,
      status: 'completed',
    };
    expect(parseTransactions([one])).toEqual([
      {
        id: 'in_1',
        at: Date.UTC(2024, 0, 1),
        type: 'Refund',
        description: 'x',
        amountMicroUsd: -25_500_000,
        status: 'completed',
      },
    ]);
    expect(parseTransactions(null)).toEqual([]);
    for (const amount of ['25', NaN, -1e300, null]) {
      expect(() => parseTransactions([{ ...one, amount }])).toThrow(/row 1: amount/);
    }
  });
});

describe('times', () => {
  test.each([
    ['2024-01-01T00:00:00Z', Date.UTC(2024, 0, 1)],
    ['2024-01-01t00:00:00z', Date.UTC(2024, 0, 1)],
    ['2024-01-01T02:00:00.123456789+02:00', Date.UTC(2024, 0, 1, 0, 0, 0, 123)],
    ['2023-12-31T16:30:00.5-07:30', Date.UTC(2024, 0, 1, 0, 0, 0, 500)],
    ['2024-02-29T00:00:00-00:00', Date.UTC(2024, 1, 29)],
  ])('%s', (text, at) => {
    expect(parseTime(text)).toBe(at);
  });

  test.each([
    '2023-02-29T00:00:00Z', '2024-00-01T00:00:00Z', '2024-01-00T00:00:00Z', '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z', '2024-01-01T00:00:61Z', '2024-01-01T00:00:00', '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00+24:00', '2024-01-01T00:00:00+0200', '1704067200', ' 2024-01-01T00:00:00Z',
    `2024-01-01T00:00:00.${'1'.repeat(100)}Z`,
  ])('%s is none', (text) => {
    expect(parseTime(text)).toBeNull();
  }); // prettier-ignore

  test('agree with the platform’s own for every instant', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date(253_402_300_799_999), noInvalidDate: true }),
        (date) => {
          expect(parseTime(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });
});

test('a fingerprint is k_ and the first 16 hex digits of the SHA-256', () => {
  fc.assert(
    fc.property(fc.string(), (secret) => {
      const digest = createHash('sha256').update(secret, 'utf8').digest('hex');
      expect(fingerprint(secret)).toBe(`k_${digest.slice(0, 16)}`);
    }),
  );
});
