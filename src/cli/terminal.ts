/** Showing text that strangers wrote: key names, metadata, answers of other machines. */

/**
 * What a terminal obeys or does not show: controls (escape sequences begin with one), characters that turn
 * the direction of writing, zero-width and other invisible ones, line separators, half characters, and
 * those that mean nothing yet or only privately.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Combining marks without end pile up over the neighbouring lines. */
const pile = /(\p{M}{4})\p{M}+/gu;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The text on one line with nothing hidden in it, as in `⟨U+202E⟩`; at most `max` graphemes of it. */
export function visible(text: string, max = Infinity): string {
  const shown = text.replace(unseen, codePoint).replace(pile, '$1…');
  return shown.length <= max ? shown : shortened(shown, max);
}

function codePoint(character: string): string {
  return `⟨U+${hex(character.codePointAt(0) ?? 0)}⟩`;
}

function shortened(text: string, max: number): string {
  let count = 0;
  let end = 0;
  for (const { index } of graphemes.segment(text)) {
    if (count === max) return `${text.slice(0, end)}…`;
    count += 1;
    if (count === max) end = index;
  }
  return text;
}

/** Indented JSON that a terminal shows as it is: what it would obey or hide is written as `\u` escapes. */
export function visibleJson(value: unknown): string {
  // JSON has escaped the line breaks within texts; those that are left are its own.
  return JSON.stringify(value, null, 2).replace(unseen, (character) =>
    character === '\n' ? character : escaped(character),
  );
}

function escaped(character: string): string {
  return [...Array(character.length).keys()].map((at) => `\\u${hex(character.charCodeAt(at))}`).join('');
}

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');
