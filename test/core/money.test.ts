import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatUsd, microUsd, parseUsd } from '../../src/core/money.ts';

/** The same by another way: the number's plain decimal text, cut by hand. */
function reference(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const scale = BigInt(fraction.length) - BigInt(exponent) - 6n;
  const digits = BigInt(whole + fraction);
  if (scale <= 0n) return digits * 10n ** -scale;
  const unit = 10n ** scale;
  const rest = digits % unit;
  return digits / unit + (2n * rest >= unit ? 1n : 0n);
}

const amounts = fc.oneof(
  fc.double({ min: 0, max: 9_000_000_000, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.nat(2_000_000_000).map((n) => n / 100),
  fc.nat(2_000_000_000).map((n) => n / 1e7),
  // Ties, where a product of doubles falls on either side.
  fc.integer({ min: 0, max: 1e12 }).map((n) => (n * 10 + 5) / 1e7),
  fc.tuple(fc.nat(1_000_000), fc.nat(1_000_000)).map(([n, m]) => n + m / 1e6),
);

describe('microUsd', () => {
  test.each([
    [15, 15_000_000],
    [0.1, 100_000],
    [0.0000005, 1],
    [0.00000049, 0],
    [1.0000005, 1_000_001],
    [1.00000049999, 1_000_000],
    [0.0000025, 3],
    [2.675, 2_675_000],
    [5e-324, 0],
    [9_007_199_253.5, 9_007_199_253_500_000],
    [0, 0],
    [-0, 0],
  ])('%d dollars are %d micro-dollars', (dollars, micro) => {
    expect(microUsd(dollars)).toBe(micro);
  });

  test('agrees with exact arithmetic on the shortest decimal text', () => {
    fc.assert(
      fc.property(amounts, (value) => {
        expect(BigInt(microUsd(value))).toBe(reference(String(value)));
      }),
      { numRuns: 5000 },
    );
  });

  test('takes text digit by digit, beyond what a double holds', () => {
    expect(microUsd('0.00000050000000000000000001')).toBe(1);
    expect(microUsd('0.00000049999999999999999999')).toBe(0);
    expect(microUsd('1.5e3')).toBe(1_500_000_000);
    fc.assert(
      fc.property(fc.bigInt(0n, 9_007_199_254n), fc.stringMatching(/^\d{1,20}$/), (whole, fraction) => {
        const text = `${String(whole)}.${fraction}`;
        const expected = reference(text);
        if (expected <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(microUsd(text))).toBe(expected);
        else expect(() => microUsd(text)).toThrow(RangeError);
      }),
    );
  });

  test.each([
    -1,
    -0.0000001,
    NaN,
    Infinity,
    1e10,
    1e300,
    '',
    ' 1',
    '1e9999',
    '0x10',
    '-1',
    '1_000',
    `1${'0'.repeat(500)}`,
  ])('refuses %s', (value) => {
    expect(() => microUsd(value)).toThrow(RangeError);
  });

  test('tells what is too much from what is no amount', () => {
    for (const text of ['x', '-1', `1${'0'.repeat(400)}`])
      expect(() => microUsd(text)).toThrow('not an amount of money');
    for (const text of [`1${'0'.repeat(399)}`, '1e9999', '9007199254.740992'])
      expect(() => microUsd(text)).toThrow('an amount of money beyond all measure');
  });

  test('takes nothing for nothing, whatever its exponent, and what is next to nothing, too', () => {
    expect(['0e9999', '0e-9999', '1e-9999', '0'].map(microUsd)).toEqual([0, 0, 0, 0]);
  });
});

describe('formatUsd and parseUsd', () => {
  test.each([
    [21_400_000, '21.40'],
    [1, '0.000001'],
    [0, '0.00'],
    [1_234_500, '1.2345'],
    [100_000_000, '100.00'],
    [-5_500_000, '-5.50'],
    [Number.MAX_SAFE_INTEGER, '9007199254.740991'],
  ])('%d reads %s', (micro, text) => {
    expect(formatUsd(micro)).toBe(text);
  });

  test('the text is the exact amount, below zero as well', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (micro) => {
        const text = formatUsd(micro);
        const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.(\d{2,6})$/.exec(text) ?? [];
        const exact = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
        expect(sign === '-' ? -exact : exact).toBe(BigInt(micro));
        expect(sign === '-').toBe(micro < 0);
      }),
    );
  });

  test('what a person writes is taken exactly, or refused beyond the safe integers', () => {
    const written = fc.stringMatching(/^[0-9]{1,11}(\.[0-9]{1,6})?$/);
    fc.assert(
      fc.property(written, (text) => {
        const expected = reference(text);
        if (expected > BigInt(Number.MAX_SAFE_INTEGER)) expect(parseUsd(text).known).toBe(false);
        else expect(parseUsd(text)).toEqual({ known: true, value: Number(expected) });
      }),
    );
    expect(parseUsd('9007199254.740991')).toEqual({ known: true, value: Number.MAX_SAFE_INTEGER });
    expect(parseUsd('9007199254.740992').known).toBe(false);
  });

  test('each undoes the other', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (micro) => {
        const text = formatUsd(micro);
        expect(text).toMatch(/^\d+\.\d{2,6}$/);
        expect(parseUsd(text)).toEqual({ known: true, value: micro });
      }),
    );
  });

  test.each(['', '-1', '+1', '1.', '.5', '1e3', '1,5', ' 1', '0x1', 'NaN', '1.0000001', '99999999999999999'])(
    'parseUsd refuses "%s" and says why',
    (text) => {
      expect(parseUsd(text)).toMatchObject({ known: false, because: expect.stringMatching(/\w/) as string });
    },
  );
});
