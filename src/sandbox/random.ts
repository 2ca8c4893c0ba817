/**
 * Chance that is the same every time. A generator's draws depend on its seed alone, and a fork's on
 * the seed and the labels that lead to it, so a new consumer shifts nobody else's draws.
 */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  /** One of `items`; throws a RangeError when there is none. */
  pick<T>(items: readonly T[]): T;
  /** The items in another order; the array stays as it is. */
  shuffle<T>(items: readonly T[]): T[];
  /** `length` characters of [0-9A-Za-z]. */
  text(length: number): string;
  fork(label: string): Random;
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function createRandom(seed: string | number): Random {
  const path = String(seed);
  const next = sfc32(hash(path));
  const integer = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[integer(0, items.length - 1)] as (typeof items)[number];
    },
    shuffle: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .sort((a, b) => a.place - b.place)
        .map(({ item }) => item),
    text: (length) => Array.from({ length }, () => alphabet.charAt(integer(0, 61))).join(''),
    fork: (label) => createRandom(`${path}/${label}`),
  };
}

type Words = [number, number, number, number];

/** cyrb128, in the public domain: 128 well mixed bits of a text. */
function hash(text: string): Words {
  let [a, b, c, d]: Words = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ code, 597399067);
    b = c ^ Math.imul(b ^ code, 2869860233);
    c = d ^ Math.imul(c ^ code, 951274213);
    d = a ^ Math.imul(d ^ code, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return [a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a];
}

/** Chris Doty-Humphrey's sfc32, of PractRand; its first rounds are thrown away to mix the seed in. */
function sfc32([seedA, seedB, seedC, seedD]: Words): () => number {
  let [a, b, c, counter] = [seedA | 0, seedB | 0, seedC | 0, seedD | 0];
  const draw = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 12; i++) draw();
  return draw;
}
