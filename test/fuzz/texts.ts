/** Texts as strangers write them, the long ones included. */
import fc from 'fast-check';
import { hostileNames } from '../../src/sandbox/hostile.ts';
import { hostileNames as hostileAlertNames } from '../alerts/build.ts';

/** What a pattern or an escape may stumble over when there is much of it. */
const pieces = [
  'a', 'a.', 'a:', 'a://', 'x@', '://', ' ', '\t ', '\n', '\r\n', '*', '?', '*a', '{{', '}}', '{{ name }}', '${', '"', '\\',
  '<', '<!', '&amp;', '|', '`', 'Bearer ', 'tk_', 'tk_abcdef', 'whsec_', '%', '%2', '=?', '\0', '\u001b[', '\u0300', '\u200d',
  '\ufe0f', '\u200c', '🦊', '👩\u200d💻', '🇩', '\ud800', '\udfff', '\u202e', '\u2028', '\ufeff', 'ß', '中', 'क्', 'ᄀ', '<!channel>', ', ', '.',
  '/', '../', '-', '_', '0', '1e999', '[', '{', '(', '((a+)+', '@',
] as const; // prettier-ignore

const known = fc.constantFrom(...hostileNames, ...Object.values(hostileAlertNames));
const mixed = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join(''));

/** Up to 100,000 units, of one or two things again and again. */
export const longText = fc
  .tuple(
    fc.constantFrom(...pieces),
    fc.oneof(fc.constant(''), fc.constantFrom(...pieces)),
    fc.constantFrom(10, 500, 5_000, 100_000),
    fc.oneof(fc.constant(''), fc.constantFrom(...pieces)),
  )
  .map(([one, two, length, end]) => {
    const unit = one + two;
    return unit.repeat(Math.ceil(length / unit.length)).slice(0, length) + end;
  });

export const hostileText = fc.oneof(
  { weight: 3, arbitrary: known },
  { weight: 3, arbitrary: mixed },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
  { weight: 2, arbitrary: longText },
);

const fieldName = fc.oneof(
  fc.constantFrom(
    'email',
    'plan',
    'team',
    'critical',
    'owner',
    '__proto__',
    'constructor',
    'toString',
    '',
    'a.b',
  ),
  hostileText,
);

/** Not so deep that the simulated account could not write it down; an answer may well be. */
const nested = (depth: number): unknown => {
  let value: unknown = 'x';
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

const anyValue = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, -1, 1e21, 1e308, 0.1, true, false, null, [], {}) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(20, 2000).map(nested) },
);

export const hostileMetadata: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .array(fc.tuple(fieldName, anyValue), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries));
