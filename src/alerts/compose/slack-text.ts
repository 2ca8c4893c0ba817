/**
 * Texts as Slack takes them. Whatever may hold a stranger's words is `plain_text`, which Slack
 * neither formats nor links nor searches for mentions; `mrkdwn` holds this program's own labels
 * only. Text objects still decode the three entities, so `&`, `<` and `>` are escaped everywhere.
 */
import { fitLines, graphemes } from './display.ts';

/** https://docs.slack.dev/reference/block-kit/blocks, in characters as sent. */
export const slackLimits = { blocks: 50, header: 150, text: 3000, fields: 10, field: 2000 } as const;
/** Of one line, so that no line crowds out the others: a case has ten at most. */
const lineMax = 600;

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
  | { readonly type: 'context'; readonly elements: readonly PlainText[] };

export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function header(text: string): SlackBlock {
  return { type: 'header', text: plain(text, slackLimits.header) };
}

/** What happened stands behind the name, which gives way where there is no room for both. */
export function headlineHeader(text: string): SlackBlock {
  const end = text.lastIndexOf('”');
  const whole = escapeSlack(text);
  if (end < 0 || whole.length <= slackLimits.header) return header(text);
  const behind = escapeSlack(text.slice(end));
  const before = escapeFitting(text.slice(0, end), slackLimits.header - behind.length);
  return { type: 'header', text: { type: 'plain_text', text: `${before}${behind}`, emoji: false } };
}

export function context(text: string): SlackBlock {
  return { type: 'context', elements: [plain(text, lineMax)] };
}

/** Names and values side by side; on a phone one below the other. */
export function fields(facts: readonly { readonly label: string; readonly value: string }[]): SlackBlock[] {
  if (facts.length === 0) return [];
  const pairs = facts
    .slice(0, slackLimits.fields / 2)
    .flatMap(({ label, value }) => [
      { type: 'mrkdwn', text: `*${label}*`, verbatim: true } as const,
      plain(value, lineMax),
    ]);
  return [{ type: 'section', fields: pairs }];
}

/** A line as a section holds it. */
export function asSent(line: string): string {
  return escapeFitting(line, lineMax);
}

/** Whole lines in as many sections as they need. */
export function sections(lines: readonly string[]): SlackBlock[] {
  return paged(lines, slackLimits.text).map(({ block }) => block);
}

/** The same in sections of at most `max` characters, with how many lines are in each. */
export function paged(
  lines: readonly string[],
  max: number,
): { readonly block: SlackBlock; readonly count: number }[] {
  const pages = [];
  let rest = lines.map(asSent);
  while (rest.length > 0) {
    const { text, left } = fitLines(rest, max);
    const count = rest.length - left;
    pages.push({
      block: { type: 'section', text: { type: 'plain_text', text, emoji: false } } as const,
      count,
    });
    rest = rest.slice(count);
  }
  return pages;
}

/** Slack refuses an empty text. */
function plain(text: string, max: number): PlainText {
  return { type: 'plain_text', text: escapeFitting(text === '' ? '–' : text, max), emoji: false };
}

/** Escaped, and cut between graphemes rather than within an entity: at most `max` characters as sent. */
function escapeFitting(text: string, max: number): string {
  const whole = escapeSlack(text);
  if (whole.length <= max) return whole;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    const more = escapeSlack(segment);
    if (kept.length + more.length >= max) break;
    kept += more;
  }
  return `${kept}…`;
}
