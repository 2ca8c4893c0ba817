/**
 * The blocks of a message's parts within what Slack takes. A case is shown whole or counted as not
 * shown; a list ends between two of its lines.
 */
import { fitLines } from './display.ts';
import type { CasePart, Line, Part } from './message.ts';
import { meterText } from './slack-meter.ts';
import { asSent, context, fields, header, paged, sections, slackLimits } from './slack-text.ts';
import type { SlackBlock } from './slack-text.ts';

/**
 * Of all blocks together, as JSON. Slack refuses more as `msg_blocks_too_long`; where that begins is
 * not documented, and was measured at about 13,200 (https://github.com/slackapi/bolt-js/issues/2509).
 */
const totalMax = 12_000;
/** Of the lines of a list that are shown together or not at all. */
const listPage = 800;
/** A long report about Keywarden itself, such as every fault of a policy file. */
const reportMax = 2900;
/** Different reasons why a channel stands in for others. */
const remarksMax = 5;

/** What is shown whole or not at all. */
interface Piece {
  readonly blocks: readonly SlackBlock[];
  /** Of the alerts in it. */
  readonly alertIds: readonly string[];
  /** A case in full, rather than lines of a list. */
  readonly isFull: boolean;
}

export interface Told {
  readonly blocks: readonly SlackBlock[];
  /** Of the alerts that are shown, by whatever blocks. */
  readonly told: readonly string[];
}

/** All of it in order, or else as much as has room: cases in full come before lists, advice and remarks always stay. */
export function blocksOf(head: SlackBlock, parts: readonly Part[]): Told {
  const pieces = piecesOf(parts);
  const all = idsOf(pieces);
  const whole = [head, ...parts.flatMap(partBlocks)];
  if (fits(whole)) return { blocks: whole, told: all };
  const tail = tailBlocks(parts);
  const shown = choose(pieces, [head, more(all.length), ...tail]);
  const told = idsOf(shown);
  const unsaid = all.length - told.length;
  const blocks = [
    head,
    ...shown.flatMap((piece) => piece.blocks),
    ...(unsaid > 0 ? [more(unsaid)] : []),
    ...tail,
  ];
  return { blocks, told };
}

function idsOf(pieces: readonly Piece[]): string[] {
  return pieces.flatMap(({ alertIds }) => alertIds);
}

function fits(blocks: readonly SlackBlock[]): boolean {
  return blocks.length <= slackLimits.blocks && sizeOf(blocks) <= totalMax;
}

function sizeOf(blocks: readonly SlackBlock[]): number {
  return JSON.stringify(blocks).length;
}

/** Those that have room beside what is there already. Nothing after the first gap: what is shown is a beginning. */
function choose(pieces: readonly Piece[], taken: readonly SlackBlock[]): Piece[] {
  const shown = new Set<Piece>();
  let count = taken.length;
  let size = sizeOf(taken);
  for (const piece of pieces.toSorted((a, b) => Number(b.isFull) - Number(a.isFull))) {
    count += piece.blocks.length;
    size += sizeOf(piece.blocks);
    if (count > slackLimits.blocks || size > totalMax) break;
    shown.add(piece);
  }
  return pieces.filter((piece) => shown.has(piece));
}

/** A heading goes with what follows it, small print with what it follows. */
function piecesOf(parts: readonly Part[]): Piece[] {
  const pieces: Piece[] = [];
  let heading: readonly SlackBlock[] = [];
  for (const part of parts) {
    const last = pieces.at(-1);
    if (part.kind === 'heading') {
      heading = partBlocks(part);
    } else if (part.kind === 'small' && last !== undefined) {
      pieces.splice(-1, 1, { ...last, blocks: [...last.blocks, ...partBlocks(part)] });
    } else if (part.kind === 'case') {
      pieces.push({ blocks: [...heading, ...partBlocks(part)], alertIds: [part.alertId], isFull: true });
      heading = [];
    } else if (part.kind === 'list') {
      let from = 0;
      for (const { block, count } of paged(part.lines.map(listed), listPage)) {
        const alertIds = part.lines.slice(from, from + count).map(({ alertId }) => alertId);
        pieces.push({ blocks: [...heading, block], alertIds, isFull: false });
        heading = [];
        from += count;
      }
    }
  }
  return pieces;
}

function tailBlocks(parts: readonly Part[]): SlackBlock[] {
  const remarks = parts.filter((part) => part.kind === 'remark');
  const left = remarks.length - remarksMax;
  return [
    ...parts.filter((part) => part.kind === 'advice').flatMap(partBlocks),
    ...remarks.slice(0, remarksMax).flatMap(partBlocks),
    ...(left > 0 ? [context(`… and ${left.toLocaleString('en-US')} more such remarks`)] : []),
  ];
}

function more(count: number): SlackBlock {
  return context(`… and ${count.toLocaleString('en-US')} more, not shown here`);
}

function partBlocks(part: Part): SlackBlock[] {
  switch (part.kind) {
    case 'heading':
      return [header(part.text)];
    case 'case':
      return part.title === null ? singleBlocks(part) : sections(entryLines(part));
    case 'list':
      return sections(part.lines.map(listed));
    case 'advice':
      return sections([part.title, ...part.lines.map(bullet)]);
    case 'chart':
      return [];
    case 'remark':
    case 'small':
      return [context(part.text)];
    default:
      return part satisfies never;
  }
}

function listed({ text }: Line): string {
  return bullet(text);
}

function bullet(line: string): string {
  return `• ${line}`;
}

/** How far, what and what next come before the details: a phone shows them without scrolling. */
function singleBlocks(part: CasePart): SlackBlock[] {
  return [
    ...sections(meterLines(part)),
    ...sections(leadLines(part)),
    ...sections(part.next),
    ...fields(part.facts),
  ];
}

function entryLines(part: CasePart): string[] {
  const facts = part.facts.map(({ label, value }) => `${label}: ${value}`);
  return [
    ...(part.title === null ? [] : [part.title]),
    ...meterLines(part),
    ...leadLines(part),
    ...facts,
    ...part.next,
  ];
}

function meterLines({ meter }: CasePart): string[] {
  return meter === null ? [] : [meterText(meter)];
}

/** A case has few; a report has as many as there are faults. */
function leadLines({ lead }: CasePart): readonly string[] {
  const { left } = fitLines(lead.map(asSent), reportMax);
  if (left === 0) return lead;
  return [...lead.slice(0, lead.length - left), `… and ${left.toLocaleString('en-US')} more lines`];
}
