/** A message as an e-mail: a subject, the text, and the same in plain tables that every client shows. */
import type { Message, Part } from './message.ts';
import { toText } from './text.ts';

export interface EmailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function toEmail(message: Message): EmailContent {
  return { subject: message.headline, text: toText(message), html: toHtml(message) };
}

const font =
  'font-family:-apple-system,Segoe UI,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.45;color:#1f2328';
const muted = 'color:#59636e;font-size:13px';

function toHtml(message: Message): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(message.headline)}</title></head>`,
    `<body style="margin:0;padding:16px;background:#ffffff;${font}">`,
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px"><tr><td>',
    `<h1 style="font-size:20px;line-height:1.3;margin:0 0 12px">${escapeHtml(message.headline)}</h1>`,
    ...message.parts.map(partHtml),
    '</td></tr></table></body></html>',
    '',
  ].join('\n');
}

function partHtml(part: Part): string {
  switch (part.kind) {
    case 'heading':
      return `<h2 style="font-size:16px;margin:24px 0 8px;padding-top:12px;border-top:1px solid #d1d9e0">${escapeHtml(part.text)}</h2>`;
    case 'case': {
      const title =
        part.title === null
          ? ''
          : `<h3 style="font-size:16px;margin:16px 0 4px">${escapeHtml(part.title)}</h3>`;
      return [title, paragraphs(part.lead), factsTable(part.facts), paragraphs(part.next)]
        .filter((html) => html !== '')
        .join('\n');
    }
    case 'list':
      return bullets(part.lines);
    case 'advice':
      return `${paragraphs([part.title])}\n${bullets(part.lines)}`;
    case 'remark':
      return `<p style="margin:12px 0">${escapeHtml(part.text)}</p>`;
    case 'small':
      return `<p style="margin:4px 0 12px;${muted};overflow-wrap:anywhere">${escapeHtml(part.text)}</p>`;
    default:
      return part satisfies never;
  }
}

function paragraphs(lines: readonly string[]): string {
  return lines.map((line) => `<p style="margin:0 0 8px">${escapeHtml(line)}</p>`).join('\n');
}

function bullets(lines: readonly string[]): string {
  const items = lines.map((line) => `<li style="margin:0 0 4px">${escapeHtml(line)}</li>`);
  return `<ul style="margin:0 0 12px;padding-left:20px">\n${items.join('\n')}\n</ul>`;
}

function factsTable(facts: readonly { readonly label: string; readonly value: string }[]): string {
  if (facts.length === 0) return '';
  const rows = facts.map(
    ({ label, value }) =>
      `<tr><td style="padding:2px 12px 2px 0;${muted};vertical-align:top">${escapeHtml(label)}</td>` +
      `<td style="padding:2px 0"><b>${escapeHtml(value)}</b></td></tr>`,
  );
  return `<table cellpadding="0" cellspacing="0" style="margin:0 0 12px">\n${rows.join('\n')}\n</table>`;
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
