/** Faults of a policy file: what is wrong, where, and how to mend it. */
import { LineCounter } from 'yaml';
import { pathOf } from './pointer.ts';
import { mask, withoutUrls, type Range } from './secrecy.ts';

/** Something wrong at an offset of the text; `pointer` is the value's place in the document. */
export interface Problem {
  readonly pointer: string;
  readonly offset: number;
  readonly message: string;
  readonly hint: string | null;
}

/** A problem as people see it. Holds no secret and no control character. */
export interface Fault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** `policies[2].steps[0].at`; '' for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** How to mend it; null: the message says it all. */
  readonly hint: string | null;
  /** The lines around it, with a mark under the place; '' when there are none to show. */
  readonly frame: string;
}

/** More would only scroll the first ones away. */
const maxFaults = 100;
const maxQuoted = 60;
const linesBefore = 2;
const linesAfter = 1;
const maxShownColumns = 140;

/** Something of the file, in backticks: shortened, without URLs and without control characters. */
export function quote(text: string): string {
  const safe = printable(withoutUrls(text));
  return `\`${safe.length > maxQuoted ? `${safe.slice(0, maxQuoted)}…` : safe}\``;
}

/** As `file:line:column: message`, the lines around it, and the hint. */
export function formatFaults(faults: readonly Fault[]): string {
  return faults.map((fault) => formatFault(fault)).join('\n');
}

export function formatWarnings(warnings: readonly Fault[]): string {
  return warnings.map((warning) => formatFault(warning, 'warning: ')).join('\n');
}

function formatFault({ file, line, column, message, hint, frame }: Fault, severity = ''): string {
  const place = `${file}:${String(line)}:${String(column)}: ${severity}${message}\n`;
  return `${place}${frame === '' ? '' : `${frame}\n`}${hint === null ? '' : `  = ${hint}\n`}`;
}

/** In the order of the file, each once, the first hundred. `hidden` must be in order. */
export function faultsOf(
  fileName: string,
  text: string,
  problems: readonly Problem[],
  hidden: readonly Range[],
): Fault[] {
  const lines = text.split('\n');
  const counter = new LineCounter();
  lines.reduce((start, line) => (counter.addNewLine(start), start + line.length + 1), 0);

  const all = distinct(problems);
  const faults = all.slice(0, maxFaults).map(({ pointer, offset, message, hint }) => {
    const { line, col } = counter.linePos(Math.min(offset, text.length));
    const frame = frameOf(lines, counter.lineStarts, line, col, hidden);
    const path = printable(withoutUrls(pathOf(pointer)));
    const words = { message: printable(message), hint: hint === null ? null : printable(hint) };
    return { file: printable(fileName), line, column: col, path, ...words, frame };
  });
  const last = faults.at(-1);
  if (all.length <= maxFaults || last === undefined) return faults;
  const more = `and ${String(all.length - maxFaults)} more faults below`;
  return [...faults, { ...last, path: '', message: more, hint: null, frame: '' }];
}

function distinct(problems: readonly Problem[]): Problem[] {
  const unique = new Map(
    problems.map((problem) => [`${String(problem.offset)} ${problem.message}`, problem]),
  );
  return [...unique.values()].sort((a, b) => a.offset - b.offset);
}

function frameOf(
  lines: readonly string[],
  starts: readonly number[],
  line: number,
  column: number,
  hidden: readonly Range[],
): string {
  if (lines.every((text) => text.trim() === '')) return '';
  const first = Math.max(line - linesBefore, 1);
  const last = Math.min(line + linesAfter, lines.length);
  const width = String(last).length;
  const shown: string[] = [];
  const mark = concealed(lines[line - 1] ?? '', starts[line - 1] ?? 0, hidden, column - 1).column;
  const from = mark < maxShownColumns ? 0 : mark - maxShownColumns / 2;
  for (let number = first; number <= last; number++) {
    const { text } = concealed(lines[number - 1] ?? '', starts[number - 1] ?? 0, hidden, 0);
    const cut = printable(text.slice(from, from + maxShownColumns).trimEnd());
    shown.push(`${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${cut}`.trimEnd());
    if (number === line) shown.push(`  ${' '.repeat(width)} | ${' '.repeat(mark - from)}^`);
  }
  return shown.join('\n');
}

/** A line with its secrets masked, and where a column of it then stands. Columns from 0. */
function concealed(line: string, lineStart: number, hidden: readonly Range[], column: number) {
  let text = '';
  let at = 0;
  let mark = column;
  for (const [start, end] of hidden) {
    const from = Math.max(start - lineStart, 0);
    const to = Math.min(end - lineStart, line.length);
    if (to <= from) continue;
    text += line.slice(at, from);
    if (column >= to) mark = text.length + mask.length + column - to;
    else if (column >= from) mark = text.length;
    text += mask;
    at = to;
  }
  return { text: text + line.slice(at), column: mark };
}

/** Control and formatting characters could rewrite the terminal; one character stays one. */
function printable(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}
