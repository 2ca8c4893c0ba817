import { createAdminApi } from '../../src/sandbox/api.ts';
import { virtualClock } from '../../src/sandbox/clock.ts';
import { demoStart } from '../../src/sandbox/demo-population.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import { createVariants, type Variants } from '../../src/sandbox/variants.ts';
import { createWorld, type WorldOptions } from '../../src/sandbox/world.ts';

export const start = demoStart;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export interface Row {
  readonly total_tokens: number;
  readonly total_requests: number;
  readonly cost: number;
  readonly models: Readonly<Record<string, { tokens: number; requests: number; cost: number }>>;
}

export interface Aggregate {
  readonly tokens: number;
  readonly requests: number;
  readonly cost: number;
  readonly keys: Readonly<Record<string, Row>>;
}

/** An account that stands still unless told otherwise, and its API without a socket. */
export function openAccount(chosen: Partial<Variants> = {}, options: Partial<WorldOptions> = {}) {
  const clock = virtualClock(start);
  const world = createWorld({ seed: 'test', start, population: 'quiet', ...options });
  const variants = createVariants(chosen);
  const faults = createFaults('test');
  const api = createAdminApi(world, { clock, adminKey: 'admin_test', variants, faults });

  const ask = async (method: string, path: string, body?: unknown): Promise<Response> =>
    api.request(path, {
      method,
      headers: { Authorization: 'Bearer admin_test', 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const json = async <T>(method: string, path: string, body?: unknown): Promise<T> =>
    (await (await ask(method, path, body)).json()) as T;

  return {
    clock,
    world,
    variants,
    faults,
    api,
    ask,
    json,
    list: () => json<Record<string, unknown>[]>('GET', '/api/keys'),
    usage: (time?: string) =>
      json<Aggregate>('GET', `/api/billing/usage${time === undefined ? '' : `?time=${time}`}`),
  };
}

export const usd = (dollars: number, tokens = 1_000, requests = 1) => ({
  costMicroUsd: Math.round(dollars * 1_000_000),
  tokens,
  requests,
});
