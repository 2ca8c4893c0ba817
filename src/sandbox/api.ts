/** The Admin API as its page has it, over a simulated account. */
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono, type Context } from 'hono';
import type { EpochMs } from '../core/key.ts';
import type { Clock } from '../ports.ts';
import type { WorldKey } from './account-key.ts';
import { withFaults, type SandboxEnv } from './fault-middleware.ts';
import { createFaults, type Faults } from './faults.ts';
import { createRandom } from './random.ts';
import { createRateLimit } from './rate-limit.ts';
import { aggregate, isSeriesWindow, isWindow, keyUsage, timeSeries, transactions } from './report.ts';
import { createVariants, type Variants } from './variants.ts';
import { RefusedRequest, readBody, readKeySpec, readName, readText } from './requests.ts';
import type { World } from './world.ts';

export interface AdminApiOptions {
  /** Every request first brings the world to this clock's time. */
  readonly clock: Clock;
  readonly adminKey: string;
  /** Looked at anew in each request, so it may be changed meanwhile. */
  readonly variants?: Variants;
  readonly faults?: Faults;
}

type Ctx = Context<SandboxEnv>;

/** Run it by `app.request(…)`, or serve it. */
export function createAdminApi(world: World, options: AdminApiOptions): Hono<SandboxEnv> {
  const { clock, adminKey, variants = createVariants(), faults = createFaults(world.seed) } = options;
  const random = createRandom(world.seed).fork('list order');
  const account = `user_${createRandom(world.seed).fork('account').text(24)}`;
  const rateLimit = createRateLimit();
  const app = new Hono<SandboxEnv>();

  app.use(async (c, next) => {
    world.advanceTo(clock.now());
    await next();
    // What a fault has already sent takes no more headers.
    if (c.res === RESPONSE_ALREADY_SENT) return;
    c.header('Date', new Date(clock.now() + variants.dateSkewMs).toUTCString());
  });
  app.use(async (c, next) => {
    if (c.req.header('Authorization') !== `Bearer ${adminKey}`)
      throw new RefusedRequest(401, 'Invalid admin API key');
    const { rateLimit: limit } = variants;
    const waitMs = limit === 'none' ? 0 : rateLimit.take(clock.now(), limit.perMinute);
    if (limit !== 'none' && waitMs > 0) {
      throw new RefusedRequest(429, 'Too many requests', retryAfter(limit.retryAfter, clock.now(), waitMs));
    }
    await next();
  });
  app.onError((error, c) => {
    if (!(error instanceof RefusedRequest)) throw error;
    const body =
      variants.errorBody === 'error' ? { error: error.message } : { status: 'error', message: error.message };
    return c.json(body, error.status, error.headers);
  });
  app.notFound((c) => c.json({ status: 'error', message: 'Not found' }, 404));

  const rfc3339 = (at: EpochMs): string => formatTime(at, variants.timeOffset);
  const row = (key: WorldKey) => keyRow(key, world, variants, account, rfc3339);

  app.get('/api/keys', withFaults(faults, clock, 'list'), (c) => {
    const keys = world.keys().map(row);
    return c.json(variants.listOrder === 'shuffled' ? random.shuffle(keys) : keys);
  });
  app.post('/api/keys', withFaults(faults, clock, 'create'), async (c) => {
    const spec = readKeySpec(await readBody(c));
    checkNewName(spec.name, null);
    return c.json(row(world.addKey(spec, 'api')));
  });
  app.post('/api/keys/rename', withFaults(faults, clock, 'rename'), async (c) => {
    const body = await readBody(c);
    const secret = readText(body, 'key');
    const name = readName(body);
    if (!isLive(secret)) throw new RefusedRequest(404, 'API key not found');
    checkNewName(name, secret);
    world.rename(secret, name, 'api');
    return c.json({ message: 'API key renamed' });
  });
  app.delete('/api/keys/:key', withFaults(faults, clock, 'delete'), (c) => {
    const deleted = world.delete(c.req.param('key'), 'api');
    if (!deleted && variants.deleteMissing === 404) throw new RefusedRequest(404, 'API key not found');
    return c.json({ message: 'API key deleted' });
  });
  app.all('/api/keys/:key', () => {
    throw new RefusedRequest(405, 'Method not allowed');
  });
  app.get('/api/billing/usage', withFaults(faults, clock, 'usage'), (c) =>
    c.json(aggregate(world, variants, readWindow(c))),
  );
  app.post('/api/billing/usage/key', withFaults(faults, clock, 'key-usage'), async (c) => {
    const key = world.find(readText(await readBody(c), 'key'));
    if (key === undefined || key.deletedAt !== null) throw new RefusedRequest(404, 'API key not found');
    return c.json(keyUsage(world, variants, key, readWindow(c)));
  });
  app.get('/api/billing/time-series', withFaults(faults, clock, 'series'), (c) => {
    const window = c.req.query('time') ?? '24h';
    if (!isSeriesWindow(window)) throw new RefusedRequest(400, 'Invalid time period');
    return c.json(timeSeries(world, variants, window, rfc3339));
  });
  app.get('/api/billing/transactions', withFaults(faults, clock, 'transactions'), (c) =>
    c.json(transactions(world, rfc3339)),
  );

  const isLive = (secret: string): boolean => world.find(secret)?.deletedAt === null;

  function checkNewName(name: string, of: string | null): void {
    const { renameRules } = variants;
    if (typeof renameRules === 'object' && name.length > renameRules.maxLength) {
      throw new RefusedRequest(400, 'API key name is too long');
    }
    const taken =
      renameRules === 'unique' && world.keys().some((key) => key.name === name && key.secret !== of);
    if (taken) throw new RefusedRequest(409, 'API key name already exists');
  }

  return app;
}

function readWindow(c: Ctx) {
  const window = c.req.query('time');
  if (window === undefined) return null;
  if (!isWindow(window)) throw new RefusedRequest(400, 'Invalid time period');
  return window;
}

function retryAfter(form: 'seconds' | 'date' | 'none', now: EpochMs, waitMs: number): Record<string, string> {
  switch (form) {
    case 'seconds':
      return { 'Retry-After': String(Math.ceil(waitMs / 1_000)) };
    case 'date':
      // A date has whole seconds, so it must be the first one after the wait.
      return { 'Retry-After': new Date(Math.ceil((now + waitMs) / 1_000) * 1_000).toUTCString() };
    case 'none':
      return {};
    default:
      return form satisfies never;
  }
}

function keyRow(
  key: WorldKey,
  world: World,
  variants: Variants,
  account: string,
  rfc3339: (at: EpochMs) => string,
): object {
  const optional = (name: string, value: unknown) =>
    value === null && variants.absent === 'omitted' ? {} : { [name]: value };
  return {
    key: key.secret,
    name: key.name,
    clerk_user_id: account,
    created_at: rfc3339(key.createdAt),
    ...optional('expires_at', key.expiresAt === null ? null : rfc3339(key.expiresAt)),
    ...optional('max_tokens', key.maxTokens),
    chat: key.chat,
    is_admin: key.isAdmin,
    ...optional('metadata', key.metadata),
    ...(variants.extras && extras(key, world, rfc3339)),
  };
}

function extras(key: WorldKey, world: World, rfc3339: (at: EpochMs) => string): object {
  const { tokens, requests } = world.lifetime(key.secret);
  const lastUsedAt = world.lastUsedAt(key.secret);
  return {
    last_used_at: lastUsedAt === null ? null : rfc3339(lastUsedAt),
    tokens_used: tokens,
    request_count: requests,
    disabled: false,
    scope: 'inference',
  };
}

/** RFC 3339 at the given offset; fractions of a second only where there are any. */
export function formatTime(at: EpochMs, offset: string): string {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? [];
  const shiftMs = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return new Date(at + shiftMs).toISOString().replace('.000Z', 'Z').replace('Z', offset);
}
