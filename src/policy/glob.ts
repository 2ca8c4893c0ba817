/**
 * Wildcards: `*` any text, `?` any one character; everything else is itself, case-sensitive. Names are
 * written by strangers, so nothing is ever made into a regular expression; the time is at most
 * proportional to the pattern's length times the text's.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  // Nearly all patterns have one `*`, at the end or at the beginning.
  const rest = pattern.replace('*', '');
  if (!/[*?]/.test(rest)) {
    if (pattern.endsWith('*')) return (text) => text.startsWith(rest);
    if (pattern.startsWith('*')) return (text) => text.endsWith(rest);
  }
  const wanted = [...pattern];
  return (text) => matches(wanted, [...text]);
}

/** Walks both once; a mismatch goes back to the last `*` and lets it take one character more. */
function matches(wanted: readonly string[], given: readonly string[]): boolean {
  let w = 0;
  let starAt = -1;
  let resumeAt = 0;
  for (let g = 0; g < given.length;) {
    if (wanted[w] === '*') {
      starAt = w++;
      resumeAt = g;
    } else if (w < wanted.length && (wanted[w] === '?' || wanted[w] === given[g])) {
      w++;
      g++;
    } else if (starAt >= 0) {
      w = starAt + 1;
      g = ++resumeAt;
    } else {
      return false;
    }
  }
  while (wanted[w] === '*') w++;
  return w === wanted.length;
}
