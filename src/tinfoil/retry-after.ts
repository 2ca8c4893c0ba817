import type { EpochMs } from '../core/key.ts';
import type { AnswerHeaders } from './transport.ts';

/** A header cannot put off a request for longer than a day. */
const longestMs = 86_400_000;
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** The instant of an HTTP date in its one current form (RFC 9110, IMF-fixdate); null for anything else. */
export function parseHttpDate(text: string | null): EpochMs | null {
  if (text === null || !httpDate.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/**
 * How long `Retry-After` asks to wait: seconds, or a date, which counts from the answer's own `Date`
 * (`now` if it has none), for the clocks may differ. At most a day; null when absent or unreadable.
 */
export function retryAfterMs(headers: AnswerHeaders, now: EpochMs): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(longestMs, Math.ceil(Number(text) * 1000));
  const until = parseHttpDate(text);
  if (until === null) return null;
  const from = parseHttpDate(headers.get('date')) ?? now;
  return Math.min(longestMs, Math.max(0, until - from));
}
