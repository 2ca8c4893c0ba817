/** Money is whole micro-dollars (10⁻⁶ USD) in a safe integer; text is decimal. Nothing here adds floats. */
import type { Known } from './key.ts';

/** Below this many micro-dollars, a product of doubles is off by less than `doubt` (2 × 2⁻⁵² × 10¹²). */
const easy = 1e12;
const doubt = 0.001;
const decimals = 6;
const longestText = 400;
const numeral = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * Dollars to micro-dollars: the shortest decimal text that names the double, rounded once, half away
 * from zero. Text is taken digit by digit. Throws a `RangeError` for what is negative, not a number,
 * or beyond the safe integers.
 */
export function microUsd(value: number | string): number {
  if (typeof value === 'number' && value >= 0) {
    const micro = value * 1e6;
    const rounded = Math.round(micro);
    // Away from a tie, an error too small to reach it cannot change what is rounded to.
    if (micro < easy && Math.abs(micro - rounded) < 0.5 - doubt) return Math.abs(rounded); // never −0
  }
  const parts = numeral.exec(String(value));
  if (parts === null || parts[0].length > longestText) throw new RangeError('not an amount of money');
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  return shifted(BigInt(whole + fraction), Number(exponent) - fraction.length + decimals);
}

/** `digits` × 10^`places`, rounded half up. */
function shifted(digits: bigint, places: number): number {
  const exact = places >= 0 ? digits * 10n ** BigInt(places) : halfUp(digits, 10n ** BigInt(-places));
  if (exact > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('an amount of money beyond all measure');
  return Number(exact);
}

function halfUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor / 2n) / divisor;
}

/** Decimal dollars with two to six decimals: `21.40`, `0.000001`. */
export function formatUsd(micro: number): string {
  const sign = micro < 0 ? '-' : '';
  const digits = String(Math.abs(micro)).padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0{1,4}$/, '');
  return `${sign}${digits.slice(0, -decimals)}.${fraction}`;
}

/** An amount as a person writes it: plain decimal text with at most six decimals, in micro-dollars. */
export function parseUsd(text: string): Known<number> {
  if (!/^\d{1,20}(\.\d+)?$/.test(text))
    return { known: false, because: 'not a plain decimal amount of dollars' };
  const fraction = text.split('.')[1] ?? '';
  if (fraction.length > decimals) return { known: false, because: 'more than six decimals' };
  try {
    return { known: true, value: microUsd(text) };
  } catch {
    return { known: false, because: 'too large an amount' };
  }
}
