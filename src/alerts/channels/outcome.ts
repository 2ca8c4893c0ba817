/** What an attempt came to, in words without the URL, the password or anything the far end may echo of them. */
import type { EpochMs } from '../../core/key.ts';
import type { SendOutcome } from '../../ports.ts';

export type NotSent = Extract<SendOutcome, { ok: false }>;

export const sent: SendOutcome = { ok: true };

/** Worth trying again: the far end or the way to it may recover. */
export function tryAgain(error: string, retryAfterMs: number | null = null): NotSent {
  return { ok: false, error, retryable: true, retryAfterMs };
}

/** Not worth trying again: the same message will be refused the same way. */
export function refused(error: string): NotSent {
  return { ok: false, error, retryable: false, retryAfterMs: null };
}

/** Not worth trying again as it is; a smaller one may be taken. */
export function tooLarge(error: string): NotSent {
  return { ...refused(error), isTooLarge: true };
}

/** 2xx is accepted; 408, 425, 429 and 5xx may pass; anything else is a refusal, redirects included. */
export function httpOutcome(
  answer: { readonly status: number; readonly retryAfter: string | null; readonly reason?: string | null },
  now: EpochMs,
): SendOutcome {
  const { status, retryAfter, reason } = answer;
  if (status >= 200 && status < 300) return sent;
  const words = `answered ${String(status)}${reason ? ` (${reason})` : ''}`;
  if (status >= 300 && status < 400) return refused(`${words}: redirects are not followed`);
  if (status === 413) return tooLarge(words);
  const passing = status >= 500 || [408, 425, 429].includes(status);
  return passing ? tryAgain(words, retryAfterMs(retryAfter, now)) : refused(words);
}

/** `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3); null when absent or neither. */
export function retryAfterMs(header: string | null, now: EpochMs): number | null {
  if (header === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** A failure on the way, told by its code only (messages may hold addresses and answers). */
export function networkOutcome(error: unknown): NotSent {
  const code = errorCode(error);
  if (code === null) return tryAgain('could not be reached');
  if (code.includes('CERT') || code.includes('SIGNATURE')) {
    return tryAgain(`its certificate could not be verified (${code})`);
  }
  return tryAgain(codeWords[code] ?? `could not be reached (${code})`);
}

const codeWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNECTION: 'the connection was cut',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  ETIMEDOUT: 'it did not answer in time',
  ETLS: 'no encrypted connection could be made',
};

/** Codes of Node, its TLS and undici; nodemailer's own are less exact than what they stand for. */
const codeForm = /^(E|UND_|ERR_|CERT_|UNABLE_|DEPTH_|SELF_)[A-Z0-9_]*$/;

/** The first code in the chain of causes. */
function errorCode(error: unknown, depth = 5): string | null {
  if (typeof error !== 'object' || error === null || depth === 0) return null;
  const { originalCode, code, cause, errors } = error as Record<string, unknown>;
  const found = [originalCode, code].find((one) => typeof one === 'string' && codeForm.test(one));
  if (typeof found === 'string') return found;
  return errorCode(cause ?? (Array.isArray(errors) ? errors[0] : undefined), depth - 1);
}
