/**
 * A message as a Slack payload: blocks, and a text for where blocks are not shown, such as a
 * phone's lock screen. The text's formatting is switched off.
 */
import { fitLines } from './display.ts';
import { toneOf } from './gravity.ts';
import type { CasePart, Message } from './message.ts';
import { blocksOf } from './slack-blocks.ts';
import { escapeSlack, header, slackLimits } from './slack-text.ts';
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

export function toSlack(message: Message): SlackPayload {
  const blocks = blocksOf(header(headline(message)), message.parts);
  return { text: fallbackText(message), blocks, ...inert };
}

/** Without blocks: for a receiver that refuses them. */
export function toPlainSlack(message: Message): SlackPayload {
  return { text: fallbackText(message), ...inert };
}

const cues = { critical: '🟥 Critical:', warning: '🟧 Warning:', info: '🟦 Info:', resolved: '🟩' } as const;

/** With how bad it is before it, in a colour and in a word; an end says so itself. */
function headline({ headline: words, alerts }: Message): string {
  return `${cues[toneOf(alerts)]} ${words}`;
}

/** A lock screen shows about 150 characters: what comes next and when is directly behind the headline. */
function fallbackText(message: Message): string {
  const lines = toText({ ...nextFirst(message), headline: headline(message) }, { maxListLines: 20 });
  const { text, left } = fitLines(lines.trimEnd().split('\n').map(escapeSlack), slackLimits.text - 2);
  return left === 0 ? text : `${text}\n…`;
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
