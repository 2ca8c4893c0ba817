/** Reading what a program asks of the simulated Admin API. */
import type { Context } from 'hono';
import type { KeySpec } from './account-key.ts';

/** A request that is answered with an error. The message is the one that goes into the body. */
export class RefusedRequest extends Error {
  readonly status: 400 | 401 | 404 | 405 | 409 | 429;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: RefusedRequest['status'],
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'RefusedRequest';
    this.status = status;
    this.headers = headers;
  }
}

type Body = Readonly<Record<string, unknown>>;

export async function readBody(c: Context): Promise<Body> {
  const body = await c.req.json<unknown>().catch(() => null);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RefusedRequest(400, 'Invalid request body');
  }
  return body as Body;
}

export function readText(body: Body, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '') throw new RefusedRequest(400, `Missing ${field}`);
  return value;
}

/** By the rule as the live service words it. */
export function readName(body: Body): string {
  const name = readText(body, 'name');
  if (!/^[A-Za-z0-9_. -]+$/.test(name)) {
    throw new RefusedRequest(400, 'API key name must not contain special characters');
  }
  return name;
}

export function readKeySpec(body: Body): KeySpec {
  const { expires_at: expiresAt, max_tokens: maxTokens } = body;
  return {
    name: readName(body),
    ...(isGiven(expiresAt) && { expiresAt: readTime(expiresAt) }),
    ...(isGiven(maxTokens) && { maxTokens: readWhole(maxTokens) }),
    metadata: readMetadata(body['metadata']),
  };
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function readTime(value: unknown): number {
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(at)) throw new RefusedRequest(400, 'Invalid expires_at');
  return at;
}

function readWhole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new RefusedRequest(400, 'Invalid max_tokens');
  }
  return value;
}

function readMetadata(value: unknown): Body {
  if (!isGiven(value)) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new RefusedRequest(400, 'Invalid metadata');
  if (Buffer.byteLength(JSON.stringify(value)) > 5 * 1_024) {
    throw new RefusedRequest(400, 'Metadata exceeds maximum size of 5KB');
  }
  return value as Body;
}
