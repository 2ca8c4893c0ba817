/**
 * The list of keys, from one answer to the next. Most are byte for byte the one before, and those are not
 * parsed again. What is kept meanwhile holds no secret: the answer's hash, what its rows became, and where
 * in it each secret stands.
 */
import { hash } from 'node:crypto';
import type { Key, SecretBook } from '../core/key.ts';
import type { Listing } from '../ports.ts';
import { parseJson } from './json.ts';
import { fingerprint } from './fingerprint.ts';
import { parseListing, secretsOf } from './parse.ts';
import type { KnownRows } from './parse.ts';
import type { Answer } from './request.ts';
import { secretBook } from './secret-book.ts';

interface Heard {
  readonly hash: string;
  readonly known: KnownRows;
  /** In bytes; found when a secret is first asked for. */
  places: Int32Array | null;
}

/** Throws `NotJson` and `Malformed`. */
export function createLister(): (answer: Answer) => Listing {
  let last: Heard | null = null;
  return (answer) => {
    const { sentAt, serverAt, bytes } = answer;
    const digest = hash('sha256', bytes, 'hex');
    if (last?.hash === digest) {
      const { keys } = last.known;
      return { at: sentAt, serverAt, keys, secrets: bookIn(bytes, last) };
    }
    const { known, ...listing } = parseListing(parseJson(bytes), answer, last?.known);
    for (const row of known.rows as { key: unknown }[]) row.key = null;
    last = { hash: digest, known, places: null };
    return listing;
  };
}

/** The secrets in an answer that was parsed before: read where they stand, or all of them if one is not there. */
function bookIn(bytes: Buffer, heard: Heard): SecretBook {
  const { keys } = heard.known;
  let texts: readonly string[] | null = null;
  const all = (): readonly string[] => (texts ??= secretsOf(parseJson(bytes)));
  return secretBook(keys, (place) => {
    heard.places ??= placesIn(bytes, all());
    return secretAt(bytes, heard.places[place], keys[place]) ?? all()[place];
  });
}

/** Of texts that stand in `bytes` one after the other; −1: not as it is. */
function placesIn(bytes: Buffer, texts: readonly string[]): Int32Array {
  let from = 0;
  return Int32Array.from(texts, (text) => {
    const at = bytes.indexOf(`"${text}"`, from);
    if (at < 0) return -1;
    from = at + 1;
    return from;
  });
}

function secretAt(bytes: Buffer, at: number | undefined, key: Key | undefined): string | null {
  if (at === undefined || at < 0) return null;
  const text = bytes.toString('utf8', at, bytes.indexOf('"', at));
  return fingerprint(text) === key?.id ? text : null;
}
