/** JSON of a size that can be afforded. */
import { Malformed } from './schemas.ts';

/** Below this nothing in a text can be too much. */
const smallLength = 1_000_000;

/**
 * Values in one answer, lists and objects included. Each costs up to 90 bytes in memory, however few it
 * has on the wire: a whole answer of empty lists would be twenty times its size. The usage of 100,000 keys
 * by model is some 800,000.
 */
const mostValues = 2_000_000;

/** Throws a SyntaxError for what is not JSON, and `Malformed` for what would take too much memory. */
export function parseJson(text: string): unknown {
  if (text.length > smallLength && hasTooManyValues(text)) {
    throw new Malformed(`it has more than ${String(mostValues)} values`);
  }
  return JSON.parse(text) as unknown;
}

const [quote, backslash, comma, bracket, brace] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

function hasTooManyValues(text: string): boolean {
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if ((code === comma || code === bracket || code === brace) && ++values > mostValues) return true;
  }
  return false;
}

/** The place of the quotation mark that ends the string; the text's end if there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at += 1;
  }
  return text.length;
}
