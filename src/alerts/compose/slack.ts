/**
 * A message as a Slack payload. Whatever may hold a stranger's words is `plain_text`, which Slack
 * neither formats nor links nor searches for mentions; `mrkdwn` holds this program's own labels
 * only. Text objects still decode the three entities, so `&`, `<` and `>` are escaped everywhere,
 * the fallback `text` included, whose formatting is switched off besides.
 */
import { fitLines, shorten } from './display.ts';
import type { CasePart, Message, Part } from './message.ts';
import { toText } from './text.ts';

/** https://docs.slack.dev/reference/block-kit/blocks, in characters as sent. */
export const slackLimits = { blocks: 50, header: 150, text: 3000, fields: 10, field: 2000 } as const;
/** Slack refuses messages whose blocks are long together; the limit is not documented. */
const blocksTotal = 12_000;
/** Of one line within a section, so that no line crowds out the others. */
const lineMax = 1000;

export interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: false;
}

export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

export type SlackBlock =
  | { readonly type: 'header'; readonly text: PlainText }
  | { readonly type: 'section'; readonly text: PlainText }
  | { readonly type: 'section'; readonly fields: readonly (PlainText | Mrkdwn)[] }
  | { readonly type: 'context'; readonly elements: readonly PlainText[] }
  | { readonly type: 'divider' };

export interface SlackPayload {
  readonly text: string;
  readonly blocks?: readonly SlackBlock[];
  readonly mrkdwn: false;
  readonly parse: 'none';
  readonly link_names: false;
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

const inert = {
  mrkdwn: false,
  parse: 'none',
  link_names: false,
  unfurl_links: false,
  unfurl_media: false,
} as const;

export function toSlack(message: Message): SlackPayload {
  return { text: fallbackText(message), blocks: blocksOf(message), ...inert };
}

/** Without blocks: for a receiver that refuses them. */
export function toPlainSlack(message: Message): SlackPayload {
  return { text: fallbackText(message), ...inert };
}

function fallbackText(message: Message): string {
  const lines = toText(message, { maxListLines: 20 }).trimEnd().split('\n').map(escapeSlack);
  const { text, left } = fitLines(lines, slackLimits.text - 1);
  return left === 0 ? text : `${text}\n…`;
}

export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Blocks in order for as long as there is room; advice and remarks always have theirs. */
function blocksOf(message: Message): SlackBlock[] {
  const header: SlackBlock = { type: 'header', text: plain(message.headline, slackLimits.header) };
  const kept = message.parts.filter(isKept).flatMap(partBlocks);
  // One for the header, one for saying how much is missing.
  const room = { blocks: slackLimits.blocks - 2 - kept.length, units: blocksTotal - sizeOf(kept) };
  const blocks: SlackBlock[] = [header];
  let unsaid = 0;
  for (const part of message.parts) {
    const next = partBlocks(part);
    const fits = unsaid === 0 && next.length <= room.blocks && sizeOf(next) <= room.units;
    if (isKept(part)) {
      if (unsaid > 0) blocks.push(more(unsaid));
      unsaid = 0;
    } else if (fits) {
      room.blocks -= next.length;
      room.units -= sizeOf(next);
    } else {
      // Nothing after the first gap: what is shown is a beginning.
      unsaid += countOf(part);
      room.blocks = 0;
      continue;
    }
    blocks.push(...next);
  }
  return unsaid > 0 ? [...blocks, more(unsaid)] : blocks;
}

function sizeOf(blocks: readonly SlackBlock[]): number {
  return JSON.stringify(blocks).length;
}

function countOf(part: Part): number {
  if (part.kind === 'list') return part.lines.length;
  return part.kind === 'case' ? 1 : 0;
}

function isKept(part: Part): boolean {
  return part.kind === 'advice' || part.kind === 'remark';
}

function more(count: number): SlackBlock {
  return {
    type: 'context',
    elements: [plain(`… and ${count.toLocaleString('en-US')} more, not shown here`, 200)],
  };
}

function partBlocks(part: Part): SlackBlock[] {
  switch (part.kind) {
    case 'heading':
      return [{ type: 'divider' }, section([part.text])];
    case 'case':
      return part.title === null
        ? singleBlocks(part)
        : [section([part.title, ...part.lead, ...factLines(part), ...part.next])];
    case 'list':
      return [section(part.lines.map((line) => `• ${line}`))];
    case 'advice':
      return [section([part.title, ...part.lines.map((line) => `• ${line}`)])];
    case 'remark':
    case 'small':
      return [{ type: 'context', elements: [plain(part.text, slackLimits.field)] }];
    default:
      return part satisfies never;
  }
}

function singleBlocks({ lead, facts, next }: CasePart): SlackBlock[] {
  const pairs = facts.slice(0, slackLimits.fields / 2);
  const fields = pairs.flatMap(({ label, value }) => [
    { type: 'mrkdwn', text: `*${label}*`, verbatim: true } as const,
    plain(value, slackLimits.field),
  ]);
  return [
    ...(lead.length > 0 ? [section(lead)] : []),
    ...(fields.length > 0 ? [{ type: 'section', fields } as const] : []),
    ...(next.length > 0 ? [section(next)] : []),
  ];
}

function factLines({ facts }: CasePart): string[] {
  return facts.map(({ label, value }) => `${label}: ${value}`);
}

/** Whole lines that fit; how many did not is said. */
function section(lines: readonly string[]): SlackBlock {
  const escaped = lines.map((line) => escapeFitting(line, lineMax));
  const { text, left } = fitLines(escaped, slackLimits.text - 60);
  const tail = left === 0 ? '' : `\n… and ${left.toLocaleString('en-US')} more, not shown here`;
  return { type: 'section', text: { type: 'plain_text', text: `${text}${tail}`, emoji: false } };
}

function plain(text: string, max: number): PlainText {
  return { type: 'plain_text', text: escapeFitting(text, max), emoji: false };
}

/** Escaped, and cut before escaping so that no entity is: at most `max` characters as sent. */
function escapeFitting(text: string, max: number): string {
  for (let units = max; ; units -= Math.max(1, escapeSlack(shorten(text, units, units)).length - max)) {
    const escaped = escapeSlack(shorten(text, units, units));
    if (escaped.length <= max) return escaped;
  }
}
