/** "Did you mean": the nearest of the names that are known. */

/** Longer words are not compared: the cost grows with the square. */
const longest = 64;

/** The known name nearest to `word`, if one is near enough to have been meant; else null. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > longest) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = allowance(word.length) + 1;
  for (const name of known) {
    if (name.length > longest || Math.abs(name.length - word.length) >= bestDistance) continue;
    const distance = editDistance(lower, name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

function allowance(length: number): number {
  if (length < 4) return 1;
  return length < 9 ? 2 : 3;
}

/** Levenshtein's distance with swapped neighbours as one edit ("optimal string alignment"). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
