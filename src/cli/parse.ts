/**
 * Texts of flags and variables → values. Each throws an `Error` whose message says what is expected
 * without the text itself, which may hold a secret.
 */
import { isIPv4 } from 'node:net';
import type { ClockScale } from '../clock.ts';
import { parseDuration as policyDuration } from '../policy/values.ts';
import type { Settings } from '../settings.ts';

/** `60s`, `2m`, `1h` and the like, or `500ms` → milliseconds, more than zero and at most 365 days. */
export function parseDuration(text: string): number {
  const ms = /^\d{1,9}ms$/.test(text) ? Number.parseInt(text, 10) : (policyDuration(text) ?? 0);
  if (ms <= 0 || ms > 365 * 86_400_000) throw new Error('must be a duration such as 60s, 2m or 1h');
  return ms;
}

/** As parseDuration, or `0s`. */
export function parseDurationOrZero(text: string): number {
  return /^0(ms|s|m|h)$/.test(text) ? 0 : parseDuration(text);
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Error('must be a whole number from 1');
  return Number(text);
}

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error('must be a port from 0 to 65535');
  return Number(text);
}

/** More than zero, and such that a timer still means something. */
export function parseSpeed(text: string): number {
  const speed = /^\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (speed <= 0) throw new Error('must be a number above 0');
  return speed;
}

export function parseSwitch(text: string): boolean {
  const lower = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(lower)) return true;
  if (['false', '0', 'no', 'off'].includes(lower)) return false;
  throw new Error('must be true or false');
}

export const parseChoice =
  <T extends string>(...choices: readonly T[]) =>
  (text: string): T => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return found;
  };

/** `host` as in a URL or an address: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

export function parseApiUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    throw new Error('must be an https:// URL');
  }
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password');
  if (url.search !== '' || url.hash !== '') throw new Error('must not hold a query or fragment');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new Error('must be https:// (plain http:// would send the admin key in the clear; loopback only)');
  }
  return url;
}

/** `host:port`, `[::1]:port` or `off` (null). Port 0 takes any free one. */
export function parseListen(text: string): Settings['listen'] {
  if (text === 'off') return null;
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) throw new Error('must be HOST:PORT or off');
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port };
}

/** `realStartMs,startMs,speed` */
export function parseClock(text: string): ClockScale {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [realStart = Number.NaN, start = Number.NaN, speed = Number.NaN] = parts;
  if (parts.length !== 3 || !parts.every(Number.isFinite) || speed <= 0) {
    throw new Error('must be REAL_START_MS,START_MS,SPEED');
  }
  return { realStart, start, speed };
}

export function parsePath(text: string): string {
  if (text === '' || text.includes('\0')) throw new Error('must be a path');
  return text;
}
