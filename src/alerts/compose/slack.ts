/**
 * A message as a Slack payload: blocks, and a text for where blocks are not shown, such as a
 * phone's lock screen. The text's formatting is switched off.
 */
import { fitLines } from './display.ts';
import { toneOf } from './gravity.ts';
import type { CasePart, Message, Part } from './message.ts';
import { blocksOf } from './slack-blocks.ts';
import { escapeSlack, headlineHeader, slackLimits } from './slack-text.ts';
import type { SlackBlock } from './slack-text.ts';
import { toText } from './text.ts';

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

export interface ForSlack {
  readonly payload: SlackPayload;
  /** Ids of the alerts that it shows; of others it says only how many there are. At least one. */
  readonly told: readonly string[];
}

export function toSlack(message: Message): ForSlack {
  const { blocks, told } = blocksOf(headlineHeader(headline(message)), message.parts);
  return { payload: { text: fallback(message).text, blocks, ...inert }, told };
}

/** Without blocks: for a receiver that refuses them. */
export function toPlainSlack(message: Message): ForSlack {
  const { text, told } = fallback(message);
  return { payload: { text, ...inert }, told };
}

const cues = { critical: '🟥 Critical:', warning: '🟧 Warning:', info: '🟦 Info:', resolved: '🟩' } as const;

/** With how bad it is before it, in a colour and in a word; an end says so itself. */
function headline({ headline: words, alerts }: Message): string {
  return `${cues[toneOf(alerts)]} ${words}`;
}

const maxListLines = 20;
const textMax = slackLimits.text - 2;

/** A lock screen shows about 150 characters: what comes next and when is directly behind the headline. */
function fallback(message: Message): { text: string; told: readonly string[] } {
  const arranged = { ...nextFirst(message), headline: headline(message) };
  const { text, left } = fitLines(sentText(arranged).split('\n'), textMax);
  return { text: left === 0 ? text : `${text}\n…`, told: toldOf(arranged) };
}

function sentText(message: Message): string {
  return escapeSlack(toText(message, { maxListLines }).trimEnd());
}

/** The gravest, which stands at the beginning, and what else is there up to the cut. */
function toldOf(message: Message): readonly string[] {
  const { parts } = message;
  const told = parts.flatMap((part, index) => {
    const ids = alertIdsOf(part).slice(0, maxListLines);
    if (ids.length === 0) return [];
    return sentText({ ...message, parts: parts.slice(0, index + 1) }).length <= textMax ? ids : [];
  });
  const gravest = parts.flatMap(alertIdsOf).slice(0, 1);
  return [...new Set([...gravest, ...told])];
}

function alertIdsOf(part: Part): readonly string[] {
  if (part.kind === 'case') return [part.alertId];
  return part.kind === 'list' ? part.lines.map(({ alertId }) => alertId) : [];
}

/** Of several cases the gravest is named first, which a heading with a description would push away. */
function nextFirst(message: Message): Message {
  const [first, ...others] = message.parts;
  if (first?.kind === 'case') {
    const part: CasePart = { ...first, lead: [...first.next, ...first.lead], next: [] };
    return { ...message, parts: [part, ...others] };
  }
  const gravest = message.parts.find((part) => part.kind === 'case')?.title ?? null;
  if (gravest === null) return message;
  return { ...message, parts: [{ kind: 'small', text: `Gravest: ${gravest}` }, ...message.parts] };
}
