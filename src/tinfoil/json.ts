/** JSON of a size that can be afforded. */
import { Malformed } from './schemas.ts';

/** What has been cut off, or a gateway's page. */
export class NotJson extends Error {}

/**
 * Values in one answer, lists and objects included. Each costs up to 90 bytes in memory, however few it
 * has on the wire: a whole answer of empty lists would be twenty times its size. A list of 100,000 keys has some
 * 1,500,000.
 */
const mostValues = 4_000_000;

/** Broken UTF-8 becomes U+FFFD. Throws `NotJson`, and `Malformed` for what would take too much memory. */
export function parseJson(bytes: Buffer): unknown {
  if (hasTooManyValues(bytes)) throw new Malformed(`it has more than ${String(mostValues)} values`);
  try {
    return JSON.parse(withoutMark(bytes.toString())) as unknown;
  } catch {
    throw new NotJson();
  }
}

/** A byte order mark is no part of the text. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

const [quote, backslash, comma, bracket, brace] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/** Bytes tell, for in UTF-8 these stand for nothing else. What stands in texts is left out only where it matters. */
function hasTooManyValues(bytes: Buffer): boolean {
  return bytes.length > mostValues && mostMarks(bytes) > mostValues && hasTooManyOutsideTexts(bytes);
}

/**
 * How many commas, brackets and braces there may be: a few too many, never too few. Four bytes at a time, which
 * takes a quarter of the time: in a pass over 100,000 keys it would be a tenth of everything.
 */
function mostMarks(bytes: Buffer): number {
  const lead = -bytes.byteOffset & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + lead, (bytes.length - lead) >> 2);
  let marks = bytes.length - 4 * words.length;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? 0;
    // A bracket and a brace differ in one bit.
    const found = zeroBytes(word ^ 0x2c2c2c2c) | zeroBytes((word | 0x20202020) ^ 0x7b7b7b7b);
    if (found !== 0)
      marks += ((found >>> 7) & 1) + ((found >>> 15) & 1) + ((found >>> 23) & 1) + (found >>> 31);
  }
  return marks;
}

/** One bit for each of the four bytes that is zero, and maybe for the one above it: `(x - 1) & ~x` byte by byte. */
function zeroBytes(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080;
}

function hasTooManyOutsideTexts(bytes: Buffer): boolean {
  let values = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at];
    if (code === quote) at = endOfText(bytes, at);
    else if ((code === comma || code === bracket || code === brace) && ++values > mostValues) return true;
  }
  return false;
}

/** The place of the quotation mark that ends the text; the answer's end if there is none. */
function endOfText(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === quote) return at;
    if (bytes[at] === backslash) at += 1;
  }
  return bytes.length;
}
