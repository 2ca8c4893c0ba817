/** Every endpoint, against the simulated account in each of the ways the API might be. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { createAdminApi } from '../../src/sandbox/api.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import { startSandbox } from '../../src/sandbox/serve.ts';
import { createVariants } from '../../src/sandbox/variants.ts';
import type { Variants } from '../../src/sandbox/variants.ts';
import { createWorld } from '../../src/sandbox/world.ts';
import type { WorldOptions } from '../../src/sandbox/world.ts';
import { createAdminClient } from '../../src/tinfoil/client.ts';
import { fingerprint } from '../../src/tinfoil/fingerprint.ts';
import { adminKey, errorOf, never, start, testClock } from './harness.ts';

function account(chosen: Partial<Variants> = {}, options: Partial<WorldOptions> = {}) {
  const clock = testClock();
  const world = createWorld({ seed: 7, start, keys: 12, ...options });
  const faults = createFaults(7);
  const app = createAdminApi(world, { clock, adminKey, variants: createVariants(chosen), faults });
  const { reader, writer } = createAdminClient({
    baseUrl: new URL('http://sandbox.test'),
    adminKey: new Secret(adminKey),
    clock,
    fetch: async (input, init) => app.fetch(new Request(input, init)),
    // Long enough to outlast a minute's limit that does not say how long it lasts.
    retries: { firstPauseMs: 20_000, longestPauseMs: 60_000, random: () => 1 },
  });
  return { clock, world, faults, reader, writer };
}

/** Uses all eight endpoints and compares each with the truth. */
async function exercise(
  { clock, world, reader, writer }: ReturnType<typeof account>,
  variants: Partial<Variants>,
) {
  const made = await writer.createKey({ name: 'Made here', maxTokens: 7, metadata: { plan: 'free' } }, never);
  expect(made.key).toMatchObject({
    name: 'Made here',
    maxTokens: 7,
    metadata: { plan: 'free' },
    expiresAt: null,
  });

  await writer.renameKey(made.key, made.secret, 'Renamed here', never);
  const listing = await reader.listKeys(never);
  const names = new Map(listing.keys.map(({ id, name }) => [id, name]));
  expect(names).toEqual(new Map(world.keys().map(({ secret, name }) => [fingerprint(secret), name])));
  expect(names.get(made.key.id)).toBe('Renamed here');
  expect(Math.abs((listing.serverAt ?? 0) - clock.now() - (variants.dateSkewMs ?? 0))).toBeLessThan(1000);

  const aggregate = await reader.usage(null, never);
  expect(aggregate.total.requests).toBeGreaterThan(0);
  expect((await reader.usage('7d', never)).total.requests).toBeLessThanOrEqual(aggregate.total.requests);
  const used = world.keys().find(({ secret }) => world.lifetime(secret).requests > 0);
  const secret = new Secret(used?.secret ?? '');
  const reading = await reader.keyUsage(secret, null, never);
  if (variants.freshness === undefined || variants.freshness === 'immediate') {
    expect(reading).toMatchObject({ ...world.lifetime(secret.reveal()) });
  }
  expect((await reader.series('24h', never)).points.length).toBeGreaterThan(0);
  await reader.transactions(never);

  const before = world.keys().length;
  const fresh = listing.keys.find(({ id }) => id === made.key.id) ?? made.key;
  await writer.deleteKey(fresh, made.secret, never);
  await writer.deleteKey(fresh, made.secret, never); // gone is gone, whatever the API says
  expect(world.keys()).toHaveLength(before - 1);
}

const alternatives: { readonly [Name in keyof Variants]: readonly Variants[Name][] } = {
  renameHistory: ['follows', 'splits', 'stays'],
  sharedNames: ['merged', 'last-wins'],
  deletedInAggregate: ['listed', 'gone'],
  deleteMissing: [404, 200],
  noUsageRows: ['absent', 'zeros'],
  rateLimit: [
    'none',
    { perMinute: 3, retryAfter: 'seconds' },
    { perMinute: 3, retryAfter: 'date' },
    { perMinute: 3, retryAfter: 'none' },
  ],
  freshness: ['immediate', { lateMs: 120_000 }, { fallsAt: start - 1000, lostMs: 3_600_000 }],
  renameRules: ['none', { maxLength: 40 }, 'unique'],
  listOrder: ['created', 'shuffled'],
  errorBody: ['message', 'error'],
  extras: [false, true],
  absent: ['omitted', 'null'],
  timeOffset: ['Z', '+02:00', '-09:30'],
  dateSkewMs: [0, 600_000, -600_000],
};

const single = Object.entries(alternatives).flatMap(([name, values]) =>
  values.map((value) => ({
    title: `${name}: ${JSON.stringify(value)}`,
    chosen: { [name]: value } satisfies Partial<Variants>,
  })),
);

test.each(single)('$title', async ({ chosen }) => {
  await exercise(account(chosen), chosen);
});

test('any of them together', async () => {
  const arbitraries = Object.fromEntries(
    Object.entries(alternatives).map(([name, values]) => [name, fc.constantFrom<unknown>(...values)]),
  );
  const any = fc.record(arbitraries) as fc.Arbitrary<Variants>;
  await fc.assert(
    fc.asyncProperty(any, async (chosen) => {
      // The account's dates of Retry-After follow its true clock, not the one its Date shows.
      fc.pre(
        chosen.dateSkewMs === 0 ||
          typeof chosen.rateLimit === 'string' ||
          chosen.rateLimit.retryAfter !== 'date',
      );
      await exercise(account(chosen), chosen);
    }),
    { numRuns: 30 },
  );
});

test('names and metadata made to harm arrive as they are', async () => {
  const { reader, world } = account({}, { population: 'hostile' });
  const { keys } = await reader.listKeys(never);
  expect(keys.map(({ name }) => name)).toEqual(world.keys().map(({ name }) => name));
  const { rows } = await reader.usage(null, never);
  for (const { name, secret } of world.keys()) {
    if (world.lifetime(secret).requests > 0) expect(rows.get(name)).toBeDefined();
  }
});

test('a name too long or taken is told by its kind', async () => {
  const limited = account({ renameRules: { maxLength: 5 } });
  expect(await errorOf(limited.writer.createKey({ name: 'too long' }, never))).toMatchObject({
    kind: 'bad-request',
    serverMessage: 'API key name is too long',
  });
  const unique = account({ renameRules: 'unique', errorBody: 'error' });
  const name = 'Twice';
  await unique.writer.createKey({ name }, never);
  expect(await errorOf(unique.writer.createKey({ name }, never))).toMatchObject({
    kind: 'conflict',
    outcome: 'none',
  });
});

describe('on real sockets', () => {
  async function served(rules: readonly FaultRule[]) {
    const clock = testClock();
    const sandbox = await startSandbox({ seed: 7, clock, keys: 6 });
    for (const rule of rules) sandbox.faults.add(rule);
    const client = createAdminClient({
      baseUrl: new URL(sandbox.apiUrl),
      adminKey: new Secret(sandbox.adminKey),
      clock,
    });
    return { sandbox, ...client };
  }

  const cut = (endpoint: FaultRule['endpoint'], when: 'before' | 'after' | 'mid-body'): FaultRule => ({
    endpoint,
    fault: { kind: 'cut', when },
    times: 1,
  });

  test.each(['before', 'after'] as const)('a deletion cut %s it takes effect is done once', async (when) => {
    const { sandbox, reader, writer } = await served([cut('delete', when), cut('list', 'mid-body')]);
    await using _ = sandbox;
    const { keys, secrets } = await reader.listKeys(never);
    const [key] = keys;
    const secret = secrets.get(key?.id ?? 'k_');
    if (key === undefined || secret === undefined) throw new Error('the account has no keys');
    await writer.deleteKey(key, secret, never);
    expect(sandbox.world.keys()).toHaveLength(keys.length - 1);
    expect(sandbox.world.log.items.filter(({ kind }) => kind === 'deleted')).toHaveLength(1);
  });

  test.each(['before', 'after'] as const)('a rename cut %s it takes effect is done once', async (when) => {
    const { sandbox, reader, writer } = await served([cut('rename', when)]);
    await using _ = sandbox;
    const { keys, secrets } = await reader.listKeys(never);
    const [key] = keys;
    const secret = secrets.get(key?.id ?? 'k_');
    if (key === undefined || secret === undefined) throw new Error('the account has no keys');
    await writer.renameKey(key, secret, 'New name', never);
    expect(sandbox.world.find(secret.reveal())?.name).toBe('New name');
    expect(sandbox.world.log.items.filter(({ kind }) => kind === 'renamed')).toHaveLength(1);
  });

  test.each([
    ['before', 0],
    ['after', 1],
    ['mid-body', 1],
  ] as const)('a creation cut %s its answer is never repeated', async (when, made) => {
    const { sandbox, writer } = await served([cut('create', when)]);
    await using _ = sandbox;
    const error = await errorOf(writer.createKey({ name: 'Only once' }, never));
    expect(error).toMatchObject({ kind: 'network', outcome: 'unknown' });
    expect(sandbox.world.keys().filter(({ name }) => name === 'Only once')).toHaveLength(made);
  });
});
