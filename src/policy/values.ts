/** Written values into numbers, exactly. Each returns null for what is not such a value. */
import { Temporal } from 'temporal-polyfill';

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Ten years: longer than any deadline here, and far from the end of what a date can hold. */
export const maxDurationMs = 3650 * 86_400_000;

/** `90s`, `15m`, `24h`, `7d`, `2w` in milliseconds, which may exceed `maxDurationMs`. */
export function parseDuration(text: string): number | null {
  const match = /^([0-9]{1,9})([smhdw])$/.exec(text);
  const unit = unitMs[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}

/** `80%` → 80, `12.5%` → 12.5. */
export function parsePercent(text: string): number | null {
  const match = /^([0-9]{1,6}(?:\.[0-9]{1,4})?)%$/.exec(text);
  return match === null ? null : Number(match[1]);
}

/** `22:00-07:00` in minutes after midnight. */
export function parseHours(text: string): { readonly from: number; readonly to: number } | null {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (match === null) return null;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  return { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `mon` → 1 … `sun` → 7, as ISO 8601 counts. */
export function parseWeekday(text: string): number | null {
  const index = weekdays.indexOf(text);
  return index < 0 ? null : index + 1;
}

/** `sat` → [6]; `mon-fri` → [1, …, 5]; `sat-mon` → [6, 7, 1]. */
export function parseDays(text: string): readonly number[] | null {
  const [first = '', last = first] = text.split('-');
  const from = parseWeekday(first);
  const to = parseWeekday(last);
  if (from === null || to === null) return null;
  const length = ((to - from + 7) % 7) + 1;
  return Array.from({ length }, (_, i) => ((from - 1 + i) % 7) + 1);
}

/** Whether it is an IANA name. "+02:00" is not, nor is "PST", which `Intl` takes but periods cannot be made of. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

const address = String.raw`[^\s@<>,;:"]+@[^\s@<>,;:"]+`;
const bareAddress = new RegExp(`^${address}$`);
const namedAddress = new RegExp(`^[^<>@\\r\\n]*<${address}>$`);

/** `ops@example.com` */
export function isAddress(text: string): boolean {
  return bareAddress.test(text);
}

/** `ops@example.com` or `Ops <ops@example.com>` */
export function isSender(text: string): boolean {
  return bareAddress.test(text) || namedAddress.test(text);
}

/** Whether it is a URL with one of these schemes (`https:`). */
export function isUrl(text: string, schemes: readonly string[]): boolean {
  return URL.canParse(text) && schemes.includes(new URL(text).protocol);
}
