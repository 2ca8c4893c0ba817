import type { Context } from 'hono';
import type { EpochMs } from '../core/key.ts';

/** A message that a receiver took in. */
export interface Received {
  readonly at: EpochMs;
  /** The JSON body. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the request says that its body is JSON. */
export function saysJson(c: Context): boolean {
  return /^application\/json\b/i.test(c.req.header('Content-Type') ?? '');
}
