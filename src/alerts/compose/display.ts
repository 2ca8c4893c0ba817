/**
 * Names and metadata are written by strangers. Here they become text that shows itself and does
 * nothing else: no line breaks, no terminal or direction controls, no invisible characters, no
 * kilobytes. Each format then escapes what is special to it.
 */

/** Graphemes of a stranger's text that are shown. */
const defaultGraphemes = 100;
/** Code units a shown text may have before its invisibles are spelled out: a grapheme can be long. */
const unitsPerGrapheme = 8;

export const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A zero-width joiner inside an emoji (👩‍💻) and a non-joiner inside a word (می‌خواهم) are what they seem. */
const innocentJoiner =
  /(?<=\p{Extended_Pictographic}[\p{Emoji_Modifier}\uFE0F]{0,2})\u200D|(?<=\p{L})\u200C(?=\p{L})/gu;
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]/gu;

/** A stranger's text as it is shown: at most `max` graphemes, what cannot be seen spelled out as ⟨U+202E⟩. */
export function display(text: string, max: number = defaultGraphemes): string {
  return reveal(shorten(text, max, max * unitsPerGrapheme));
}

/** A stranger's text in quotation marks. */
export function quoted(text: string, max?: number): string {
  return `“${display(text, max)}”`;
}

/** Every invisible or controlling character as ⟨U+…⟩. */
export function reveal(text: string): string {
  const innocent = new Set(Array.from(text.matchAll(innocentJoiner), (match) => match.index));
  return text.replace(invisible, (character, offset: number) =>
    innocent.has(offset) ? character : `⟨U+${codePoint(character)}⟩`,
  );
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

/** At most `maxGraphemes` and `maxUnits` UTF-16 units, `…` included, never cutting inside a grapheme. */
export function shorten(text: string, maxGraphemes: number, maxUnits: number = Infinity): string {
  if (text.length <= Math.min(maxGraphemes, maxUnits)) return text;
  let kept = '';
  let count = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    const rest = text.length - index;
    if (count + 1 >= maxGraphemes && segment.length < rest) return `${kept}…`;
    if (index + segment.length >= maxUnits && (segment.length < rest || text.length > maxUnits))
      return `${kept}…`;
    kept += segment;
    count += 1;
  }
  return kept;
}

/** Lines joined by `\n`, as many as fit into `maxUnits`, and how many did not. */
export function fitLines(lines: readonly string[], maxUnits: number): { text: string; left: number } {
  let used = 0;
  let count = 0;
  for (const line of lines) {
    used += line.length + (count > 0 ? 1 : 0);
    if (used > maxUnits) break;
    count += 1;
  }
  return { text: lines.slice(0, count).join('\n'), left: lines.length - count };
}
