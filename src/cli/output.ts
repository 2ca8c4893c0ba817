/** Results on standard output: aligned columns for eyes, JSON for programs. */
import pc from 'picocolors';
import stringWidth from 'string-width';
import type { EpochMs } from '../core/key.ts';
import { redact } from '../scrub.ts';
import { visible, visibleJson } from './terminal.ts';
import type { Screen } from './world.ts';

export type Colour = (colours: ReturnType<typeof pc.createColors>, text: string) => string;

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly align?: 'right';
  /** May be cut down to so many characters when the terminal is narrow. */
  readonly min?: number;
  /** Left out when the terminal is narrow, the highest first; absent: always there. */
  readonly drop?: number;
  /** On a terminal that has colours. */
  readonly colour?: (row: Row) => Colour | null;
}

const gap = '  ';

/** RFC 3339 in UTC, with milliseconds only where there are some. */
export const rfc3339 = (at: EpochMs): string => new Date(at).toISOString().replace('.000Z', 'Z');

/** `2026-11-23` */
export const day = (at: EpochMs): string => new Date(at).toISOString().slice(0, 10);

/** `2026-11-23 10:00Z` */
export const minute = (at: EpochMs): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;

/** `1,234,567` */
export const count = (value: number): string => value.toLocaleString('en-US');

/** A length of time in its largest unit: `3 d`, `5 h`, `12 min`. */
export function span(ms: number): string {
  if (ms >= 2 * 86_400_000) return `${Math.floor(ms / 86_400_000)} d`;
  if (ms >= 2 * 3_600_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.max(0, Math.floor(ms / 60_000))} min`;
}

/** What strangers wrote, as one line of bounded length that a terminal only prints; a secret in it is hidden. */
export const strange = (text: string): string => visible(redact(text), 200);

export function writeJson(screen: Screen, value: unknown): void {
  screen.write(`${redact(visibleJson(value))}\n`);
}

/** Columns side by side, cut to the terminal's width; nothing is cut when the output is no terminal. */
export function writeTable<Row>(screen: Screen, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const shown = layOut(columns, rows, screen.columns ?? Infinity);
  const colours = pc.createColors(screen.colour);
  const titles = shown.map(({ column, width }) => cell(column.title, width, column.align));
  screen.write(`${colours.bold(titles.join(gap).trimEnd())}\n`);
  for (const row of rows) {
    const cells = shown.map(({ column, width }) => {
      const text = cell(column.text(row), width, column.align);
      const paint = column.colour?.(row) ?? null;
      return paint === null ? text : paint(colours, text);
    });
    screen.write(`${cells.join(gap).trimEnd()}\n`);
  }
}

interface Placed<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Drops what may be dropped, then narrows what may be narrowed, until it fits or nothing is left to give. */
function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], room: number): Placed<Row>[] {
  let placed = columns.map((column) => {
    const widths = rows.map((row) => stringWidth(column.text(row)));
    return { column, width: widths.reduce((a, b) => Math.max(a, b), stringWidth(column.title)) };
  });
  const least = (one: Placed<Row>) => Math.min(one.width, one.column.min ?? one.width);
  const total = (widthOf: (one: Placed<Row>) => number) =>
    placed.reduce((sum, one) => sum + widthOf(one), (placed.length - 1) * gap.length);
  while (total(least) > room) {
    const drops = placed.map(({ column }) => column.drop ?? 0);
    const highest = Math.max(...drops);
    if (highest === 0) break;
    placed = placed.filter(({ column }) => column.drop !== highest);
  }
  for (let excess = total((one) => one.width) - room; excess > 0 && Number.isFinite(excess); excess -= 1) {
    const widest = placed.reduce((a, b) => (b.width - least(b) > a.width - least(a) ? b : a));
    if (widest.width <= least(widest)) break;
    placed = placed.map((one) => (one === widest ? { ...one, width: one.width - 1 } : one));
  }
  return placed;
}

function cell(text: string, width: number, align: 'right' | undefined): string {
  const cut = fit(text, width);
  const pad = ' '.repeat(Math.max(0, width - stringWidth(cut)));
  return align === 'right' ? pad + cut : cut + pad;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `width` columns wide, cut between whole characters, with `…` where something is missing. */
export function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = '';
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}
