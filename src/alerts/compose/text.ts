/** A message as plain text: for e-mail, for webhooks, and wherever a format cannot be had. */
import type { Line, Message, Part } from './message.ts';

export interface TextOptions {
  /** Lines of a list that are shown. */
  readonly maxListLines?: number;
}

export function toText(message: Message, options: TextOptions = {}): string {
  const blocks = [message.headline, ...message.parts.map((part) => partText(part, options))];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function partText(part: Part, { maxListLines = Infinity }: TextOptions): string {
  switch (part.kind) {
    case 'heading':
      return `== ${part.text} ==`;
    case 'case': {
      const facts = part.facts.map(({ label, value }) => `${label}: ${value}`);
      return [part.title ?? [], part.lead, facts, part.next].flat().join('\n');
    }
    case 'list':
      return listLines(part.lines, maxListLines).join('\n');
    case 'advice':
      return [part.title, ...part.lines.map((line) => `- ${line}`)].join('\n');
    case 'chart':
      return `${part.chart.title}: ${part.chart.summary}.`;
    case 'remark':
    case 'small':
      return part.text;
    default:
      return part satisfies never;
  }
}

function listLines(lines: readonly Line[], max: number): string[] {
  const shown = lines.slice(0, max).map(({ text }) => `- ${text}`);
  const left = lines.length - shown.length;
  return left === 0 ? shown : [...shown, `… and ${left.toLocaleString('en-US')} more`];
}
