/**
 * What each field of an answer must be. Whatever is used is strict, whatever is not used is ignored:
 *
 * - a missing or garbled number is never taken for 0
 * - absent and `null` mean the same, and only where the API may leave a field out
 * - `max_tokens: 0` is no cap: 0 was seen to clear one
 * - Go's zero time (`0001-01-01T00:00:00Z`) in an optional time means that it is not set
 * - metadata that is not an object is malformed: as "none" it could lift a protection
 *
 * Hand-written, since each value is converted as it is checked, in one go over up to 100,000 rows.
 */
import type { EpochMs } from '../core/key.ts';
import { microUsd } from '../core/money.ts';

/** Says which field is wrong and how, never its value. */
export class Malformed extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function object(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Malformed(`${what} is not an object`);
}

export function array(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Malformed(`${what} is not a list`);
}

export function absent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Well-formed Unicode: a lone surrogate would not survive being stored. */
export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value.toWellFormed();
  throw new Malformed(`${name} is not text`);
}

/** A whole number from 0 up, exact in a double. */
export function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (Number.isSafeInteger(value) && (value as number) >= 0) return Math.abs(value as number); // never −0
  throw new Malformed(`${name} is not a whole number`);
}

/** Dollars, in micro-dollars. */
export function cost(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw new Malformed(`${name} is not an amount of money`);
  try {
    return microUsd(value);
  } catch {
    throw new Malformed(`${name} is not an amount of money`);
  }
}

/** Dollars, in micro-dollars; below zero for what is paid back. */
export function signedCost(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && value < 0) return -cost({ [name]: -value }, name);
  return cost(fields, name);
}

/** A flag that may be left out, which is false. */
export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (absent(value)) return false;
  if (typeof value === 'boolean') return value;
  throw new Malformed(`${name} is neither true nor false`);
}

/** RFC 3339, since 1970. */
export function time(fields: Fields, name: string): EpochMs {
  const at = parseTime(fields[name]);
  if (at !== null && at >= 0) return at;
  throw new Malformed(`${name} is not a time`);
}

export function optionalTime(fields: Fields, name: string): EpochMs | null {
  if (absent(fields[name]) || parseTime(fields[name]) === goZeroTime) return null;
  return time(fields, name);
}

const rfc3339 =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;
const goZeroTime = -62_135_596_800_000;

/** Milliseconds, the rest cut off; null for what is not a time of RFC 3339. */
export function parseTime(value: unknown): EpochMs | null {
  if (typeof value !== 'string' || value.length > 64 || !rfc3339.test(value)) return null;
  const at = Date.parse(value.toUpperCase());
  return Number.isNaN(at) || !isDayOfMonth(value) ? null : at;
}

/** `Date` takes the 31st of a shorter month for a day of the next. */
function isDayOfMonth(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return day <= 28 || new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
}

/** How deep lists and objects in metadata are kept. */
const deepest = 10;

/**
 * A copy without a prototype, so that `__proto__` is a name like any other. Only plain values are used:
 * of what is nested, the depth is cut, since writing it down would end in an overflow of the stack.
 */
export function metadata(fields: Fields): Fields {
  const copy = Object.create(null) as Record<string, unknown>;
  if (absent(fields.metadata)) return copy;
  const given = object(fields.metadata, 'metadata');
  for (const name of Object.keys(given)) copy[name] = shallow(given[name], deepest);
  return copy;
}

function shallow(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return depth === 0 ? [] : value.map((one) => shallow(one, depth - 1));
  if (depth === 0) return {};
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, one] of Object.entries(value)) copy[name] = shallow(one, depth - 1);
  return copy;
}

/** A token cap; null: none. */
export function tokenCap(fields: Fields): number | null {
  if (absent(fields.max_tokens)) return null;
  return count(fields, 'max_tokens') || null;
}

/**
 * What a key's secret must be to be sent back in a header, a body and a path: visible ASCII, and no
 * `.` or `..`, which a URL would resolve.
 */
const visible = /^[\x21-\x7e]+$/;

export function secretText(fields: Fields): string {
  const value = fields.key;
  if (typeof value === 'string' && visible.test(value) && value !== '.' && value !== '..') return value;
  throw new Malformed('key is not a key');
}
