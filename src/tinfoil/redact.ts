import type { Secret } from '../core/secret.ts';

/** How much of what a server says is passed on. */
const longestMessage = 200;
/** API keys and admin keys, by their documented prefixes. */
const keyLike = /(?:tk|admin)_[\w.~%+/=-]*/gi;
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** A stranger's words as one short line, without the given secrets and anything that looks like a key. */
export function redact(text: string, secrets: readonly Secret[]): string {
  let line = text.replace(/\s+/g, ' ').replace(invisible, '').trim();
  for (const secret of secrets) {
    const value = secret.reveal();
    for (const form of [value, encodeURIComponent(value)]) {
      if (form !== '') line = line.replaceAll(form, '[secret]');
    }
  }
  line = line.replace(keyLike, '[secret]');
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage - 1)}…`;
}

/**
 * The words in an error's body: `{"status":"error","message":…}` (documented), `{"error":…}` (seen),
 * plain text; null for an empty body or a page of HTML.
 */
export function serverMessage(body: string, secrets: readonly Secret[]): string | null {
  const words = messageIn(body).trim();
  return words === '' || words.startsWith('<') ? null : redact(words, secrets);
}

function messageIn(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return body;
  }
  if (typeof json === 'string') return json;
  if (typeof json !== 'object' || json === null) return '';
  const { message, error } = json as { message?: unknown; error?: unknown };
  const nested =
    typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  return [message, nested].find((one) => typeof one === 'string') ?? '';
}
