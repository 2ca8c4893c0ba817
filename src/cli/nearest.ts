import { editDistance } from '../policy/nearest.ts';

/** Longer names are not compared: the cost grows with the square, and strangers choose them. */
const longest = 100;

/** Those of `known` that a person may have meant by `text`, nearest first, at most three. */
export function nearestNames(text: string, known: readonly string[]): string[] {
  const wanted = text.toLowerCase();
  if (wanted.length > longest) return [];
  const allowance = Math.max(1, Math.floor(wanted.length / 3));
  return [...new Set(known)]
    .filter((name) => name.length <= longest)
    .map((name) => ({ name, distance: distanceOf(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= allowance)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** A name that begins with what was typed counts as near, however much longer it is. */
const distanceOf = (wanted: string, name: string): number =>
  wanted.length >= 3 && name.startsWith(wanted)
    ? Math.min(1, name.length - wanted.length)
    : editDistance(wanted, name);
