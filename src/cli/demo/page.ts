/** How the story is set: a time, a tag, a sentence and what belongs to it, all within the width. */
import pc from 'picocolors';
import stringWidth from 'string-width';
import type { EpochMs } from '../../core/key.ts';
import { redact } from '../../scrub.ts';
import { fit } from '../output.ts';
import { visible } from '../terminal.ts';
import type { Screen } from '../world.ts';

/** What kind of thing happened; each has its colour. */
export type Tag =
  | 'spent'
  | 'people'
  | 'alert'
  | 'notice'
  | 'deleted'
  | 'renamed'
  | 'restored'
  | 'spared'
  | 'held'
  | 'over'
  | 'unsure'
  | 'failed'
  | 'digest';

export interface Event {
  readonly at: EpochMs;
  readonly tag: Tag;
  readonly text: string;
  /** In the background: numbers, what comes next, who was told. */
  readonly detail?: string;
}

export interface Page {
  /** A line of its own, wrapped. */
  line(text: string): void;
  /** A rule with a title in it. */
  rule(title: string): void;
  event(event: Event): void;
  /** A name of at most `width` columns, and what there is to say of it. */
  row(name: string, text: string, width?: number): void;
}

type Colours = ReturnType<typeof pc.createColors>;

const paints = {
  spent: (c) => c.dim,
  people: (c) => c.cyan,
  alert: (c) => c.yellow,
  notice: (c) => c.magenta,
  deleted: (c) => c.red,
  renamed: (c) => c.blue,
  restored: (c) => c.green,
  spared: (c) => c.green,
  held: (c) => c.green,
  over: (c) => c.dim,
  unsure: (c) => c.dim,
  failed: (c) => c.red,
  digest: (c) => c.dim,
} as const satisfies Record<Tag, (c: Colours) => (text: string) => string>;

/** "Wed 21 12:02  renamed   " */
const dayWidth = 6;
const tagWidth = 8;
const indent = ' '.repeat(dayWidth + 1 + 5 + 2 + tagWidth + 2);
const widest = 100;

export function createPage(screen: Screen, timeZone: string): Page {
  const colours = pc.createColors(screen.colour);
  const width = Math.max(60, Math.min(widest, screen.columns ?? widest));
  const times = clockFace(timeZone);
  let lastDay = '';
  const write = (line: string): void => screen.write(`${line.trimEnd()}\n`);

  return {
    line: (text) => wrap(text, width).forEach(write),
    rule: (title) => {
      lastDay = '';
      write('');
      write(colours.bold(`── ${title} ${'─'.repeat(Math.max(2, width - 4 - stringWidth(title)))}`));
    },
    event: ({ at, tag, text, detail }) => {
      const { day, time } = times(at);
      const shownDay = day === lastDay ? '' : day;
      lastDay = day;
      const [first = '', ...rest] = wrap(text, width - indent.length);
      const paint = paints[tag](colours);
      const head = `${shownDay.padEnd(dayWidth)} ${colours.dim(time)}  ${paint(tag.padEnd(tagWidth))}  `;
      write(head + first);
      for (const line of rest) write(indent + line);
      if (detail === undefined || detail === '') return;
      for (const line of wrap(detail, width - indent.length)) write(indent + colours.dim(line));
    },
    row: (name, text, nameWidth = 13) => {
      const rowIndent = ' '.repeat(2 + nameWidth + 2);
      const [first = '', ...rest] = wrap(text, width - rowIndent.length);
      const shown = fit(clean(name), nameWidth);
      write(`  ${colours.bold(shown)}${' '.repeat(nameWidth - stringWidth(shown))}  ${first}`);
      for (const line of rest) write(rowIndent + line);
    },
  };
}

/** What strangers wrote only shows itself, and no secret is in it. */
const clean = (text: string): string => visible(redact(text));

/** Lines no wider than `width`, broken at blanks that are not no-break spaces; a wider word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of clean(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = fit(word, width);
  }
  return [...lines, line].map((one) => one.replaceAll('\u00A0', ' '));
}

function clockFace(timeZone: string): (at: EpochMs) => { day: string; time: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    return {
      day: `${part('weekday')} ${part('day').replace(/^0/, ' ')}`,
      time: `${part('hour')}:${part('minute')}`,
    };
  };
}
