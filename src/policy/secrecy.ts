/** What of a policy file is never shown: values of fields that hold secrets, and anything like a URL. */
import { nearest } from './nearest.ts';

/** Offsets of a text; the end is exclusive. */
export type Range = readonly [start: number, end: number];

export const mask = '********';

const secretFields = ['url', 'webhook_url', 'secret', 'password'];

/** Misspelt ones too: a fault about the name shows the line. */
export function isSecretField(name: string): boolean {
  return nearest(name, secretFields) !== null;
}

/** Scheme and all up to a quote or a space. The bound on the scheme keeps the search linear. */
const urlLike = /[A-Za-z][A-Za-z0-9+.-]{0,20}:\/\/[^\s"']+/g;

export function withoutUrls(text: string): string {
  return text.replace(urlLike, mask);
}

/** A value that is nothing but a reference to the environment; the rest of its line may follow. */
const onlyReference = /^\s*["']?\$\{[A-Za-z_][A-Za-z0-9_]*\}["']?\s*(?:[,}#\]\n]|$)/;

/** Merged and in order. `known`: ranges of secret fields; without a whole parse, lines tell where they are. */
export function hiddenRanges(text: string, known: readonly Range[], wellFormed: boolean): Range[] {
  const found: Range[] = known.filter(([start, end]) => !onlyReference.test(text.slice(start, end)));
  for (const match of text.matchAll(urlLike)) found.push([match.index, match.index + match[0].length]);
  if (!wellFormed) found.push(...byLines(text));
  return merged(found);
}

/** From a secret field's colon to the end of its line, or of its more indented lines. */
function byLines(text: string): Range[] {
  const found: Range[] = [];
  const field = /([A-Za-z_-]{2,20})["']?[ \t]{0,20}:([^\n]*)/g;
  for (let match = field.exec(text); match !== null; match = field.exec(text)) {
    const [whole, name = '', rest = ''] = match;
    const start = match.index + whole.length - rest.length;
    if (!isSecretField(name)) field.lastIndex = start;
    else if (!onlyReference.test(rest)) found.push([start, endOfBlock(text, match.index, field.lastIndex)]);
  }
  return found;
}

/** A value may go on in lines indented deeper than the line it began in. */
function endOfBlock(text: string, nameStart: number, lineEnd: number): number {
  const lineStart = text.lastIndexOf('\n', nameStart) + 1;
  const indent = /^[ \t]*/.exec(text.slice(lineStart, nameStart))?.[0].length ?? 0;
  let end = lineEnd;
  while (end < text.length) {
    const next = text.indexOf('\n', end + 1);
    const line = text.slice(end + 1, next < 0 ? text.length : next);
    if (line.trim() !== '' && line.length - line.trimStart().length <= indent) break;
    end = next < 0 ? text.length : next;
  }
  return end;
}

function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start <= last[1]) result[result.length - 1] = [last[0], Math.max(last[1], end)];
    else result.push([start, end]);
  }
  return result;
}
