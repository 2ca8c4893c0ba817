/**
 * A message as an e-mail: a subject, the text, and the same as HTML for whatever client there is: plain
 * tables, colours in each element, nothing fetched from anywhere.
 */
import { meterHtml } from './email-meter.ts';
import { bgcolor, look, toneColours, styleSheet } from './email-style.ts';
import { toneOf } from './gravity.ts';
import type { Tone } from './gravity.ts';
import type { CasePart, Chart, Fact, Message, Part } from './message.ts';
import { toText } from './text.ts';

export interface EmailContent {
  readonly subject: string;
  readonly text: string;
  /** Names its pictures `cid:…`. */
  readonly html: string;
  readonly pictures: readonly Picture[];
}

export interface Picture {
  /** Content-ID, without brackets. */
  readonly cid: string;
  readonly png: Uint8Array;
}

export function toEmail(message: Message): EmailContent {
  const charts = message.parts.flatMap((part) => (part.kind === 'chart' ? [part.chart] : []));
  return {
    subject: message.headline,
    text: toText(message),
    html: toHtml(message),
    pictures: charts.map(({ png }) => ({ cid: cidOf(message.id), png })),
  };
}

/** There is one picture at most in a message. */
function cidOf(messageId: string): string {
  return `days.${messageId.replace(/[^\w-]/g, '_')}@keywarden.invalid`;
}

const font = 'font-family:-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif';
const table = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"';
/** Word knows no greatest width. */
const wordOpens = '<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->';
const wordCloses = '<!--[if mso]></td></tr></table><![endif]-->';

function toHtml(message: Message): string {
  const tone = toneOf(message.alerts);
  return [
    '<!doctype html>',
    '<html lang="en" dir="ltr"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="supported-color-schemes" content="light dark">',
    '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">',
    '<meta name="x-apple-disable-message-reformatting">',
    `<title>${escapeHtml(message.headline)}</title>`,
    `<style>\n${styleSheet}\n</style></head>`,
    `<body ${look(['page', 'text'], `margin:0;padding:0;${font};font-size:16px;line-height:1.45`)}>`,
    preheader(message),
    `${table} ${bgcolor('page')} ${look(['page'], '')}><tr><td class="outset" align="center" style="padding:24px 12px">`,
    wordOpens,
    `${table} ${bgcolor('card')} ${look(['card'], 'max-width:600px')}>`,
    `<tr><td height="6" bgcolor="${toneColours[tone]}" style="height:6px;font-size:1px;line-height:6px;background-color:${toneColours[tone]}">&nbsp;</td></tr>`,
    `<tr><td align="left" class="inset text" style="padding:24px;color:#1f2328;${font};font-size:16px;line-height:1.45;overflow-wrap:anywhere;word-break:break-word">`,
    badge(tone, 0),
    `<h1 ${look(['text'], 'margin:8px 0 12px;font-size:22px;line-height:1.3')}>${inline(message.headline)}</h1>`,
    ...message.parts.map((part) => partHtml(part, message.id)),
    '</td></tr></table>',
    wordCloses,
    '</td></tr></table>',
    '</body></html>',
    '',
  ].join('\n');
}

/** What a list of mails shows beside the subject: what comes next, or else how things stand. */
function preheader({ parts }: Message): string {
  const cases = parts.filter((part) => part.kind === 'case');
  const facts = cases.flatMap((part) => part.facts).map(({ label, value }) => `${label}: ${value}`);
  const [line = ''] = [...cases.flatMap(({ next }) => next), ...facts, ...cases.flatMap(({ lead }) => lead)];
  const hidden =
    'display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all';
  // Blanks, so that what follows is not shown after it.
  return `<div class="preheader" ${look([], hidden)}>${inline(line)}${' &#8199;&#847;'.repeat(60)}</div>`;
}

const toneWords: Readonly<Record<Tone, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'For information',
  resolved: 'Resolved',
};

function badge(tone: Tone, marginAbove: number): string {
  const colour = toneColours[tone];
  return (
    `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:${String(marginAbove)}px 0 0"><tr><td bgcolor="${colour}" ` +
    `style="padding:2px 10px;background-color:${colour};color:#ffffff;border-radius:4px;font-size:13px;line-height:20px;font-weight:bold">` +
    `${toneWords[tone]}</td></tr></table>`
  );
}

function partHtml(part: Part, messageId: string): string {
  switch (part.kind) {
    case 'heading':
      return `<h2 ${look(['text', 'rule'], 'font-size:18px;line-height:1.35;margin:20px 0 14px;padding-top:18px;border-top:1px solid')}>${inline(part.text)}</h2>`;
    case 'case':
      return caseHtml(part);
    case 'list':
      return bullets(part.lines.map(({ text }) => text));
    case 'advice':
      return `<p ${look(['text'], 'margin:0 0 4px;font-weight:bold')}>${inline(part.title)}</p>\n${bullets(part.lines)}`;
    case 'chart':
      return chartHtml(part.chart, cidOf(messageId));
    case 'remark':
      return `<p ${look(['text'], 'margin:12px 0')}>${inline(part.text)}</p>`;
    case 'small':
      return `<p ${look(['muted'], 'margin:8px 0 16px;font-size:13px')}>${inline(part.text)}</p>`;
    default:
      return part satisfies never;
  }
}

/** The bar draws what the first fact says. */
function caseHtml({ title, tone, lead, meter, facts, next }: CasePart): string {
  const [level] = meter === null ? [] : facts;
  return [
    title === null
      ? ''
      : `${badge(tone, 16)}\n<h3 ${look(['text'], 'font-size:17px;line-height:1.35;margin:6px 0 8px')}>${inline(title)}</h3>`,
    ...lead.map((line) => `<p ${look(['text'], 'margin:0 0 8px')}>${inline(line)}</p>`),
    level === undefined ? '' : levelHtml(level),
    meter === null ? '' : meterHtml(meter),
    factsTable(level === undefined ? facts : facts.slice(1)),
    nextHtml(next),
  ]
    .filter((html) => html !== '')
    .join('\n');
}

function levelHtml({ label, value }: Fact): string {
  return `<p ${look(['text'], 'margin:12px 0 6px')}><span ${look(['muted'], 'font-size:13px')}>${inline(label)}</span><br><b style="font-size:18px">${inline(value)}</b></p>`;
}

function nextHtml(next: readonly string[]): string {
  if (next.length === 0) return '';
  const lines = next.map((line) => `<p ${look(['text'], 'margin:0 0 4px')}>${inline(line)}</p>`);
  return [
    `${table} style="margin:8px 0 12px"><tr><td ${bgcolor('box')} ${look(['box', 'text'], 'padding:12px 14px 8px;border-left:4px solid #57606a')}>`,
    `<p ${look(['muted'], 'margin:0 0 2px;font-size:13px')}>What happens next</p>`,
    ...lines,
    '</td></tr></table>',
  ].join('\n');
}

function chartHtml({ title, summary, from, width, height }: Chart, cid: string): string {
  const small = 'font-size:13px;line-height:18px';
  return [
    `<p ${look(['text'], 'margin:16px 0 8px;font-weight:bold')}>${inline(title)}</p>`,
    `<img src="cid:${cid}" width="${String(width)}" height="${String(height)}" alt="${escapeHtml(`${title}: ${summary}`)}" ${look(['muted'], `display:block;width:100%;max-width:${String(width)}px;height:auto;border:0;font-size:13px`)}>`,
    `${table} style="max-width:${String(width)}px"><tr><td ${look(['muted'], small)}>${inline(from)}</td><td align="right" ${look(['muted'], small)}>today</td></tr></table>`,
    `<p ${look(['text'], 'margin:4px 0 16px')}>${inline(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)}</p>`,
  ].join('\n');
}

function bullets(lines: readonly string[]): string {
  const items = lines.map((line) => `<li style="margin:0 0 4px">${inline(line)}</li>`);
  return `<ul ${look(['text'], 'margin:0 0 16px;padding-left:22px')}>\n${items.join('\n')}\n</ul>`;
}

function factsTable(facts: readonly Fact[]): string {
  if (facts.length === 0) return '';
  const rows = facts.map(
    ({ label, value }) =>
      `<tr><td ${look(['muted'], 'padding:2px 12px 2px 0;font-size:13px;line-height:23px;vertical-align:top;white-space:nowrap')}>${inline(label)}</td>` +
      `<td ${look(['text'], 'padding:2px 0;vertical-align:top')}>${inline(value)}</td></tr>`,
  );
  return `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 12px">\n${rows.join('\n')}\n</table>`;
}

/** Escaped; each quoted name keeps its own writing direction to itself. */
function inline(text: string): string {
  return escapeHtml(text).replace(/“[^“”]*”/g, '<bdi>$&</bdi>');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
