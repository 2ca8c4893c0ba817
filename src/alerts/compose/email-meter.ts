/** A level as a bar made of a table's cells: what is used, what may be, where the limit is, what is beyond it. */
import { bgcolor, look } from './email-style.ts';
import type { PaintName } from './email-style.ts';
import type { Meter } from './message.ts';

/** A bar is drawn up to this share of the limit; what is more ends with it. The words beside it say how much. */
const longestShare = 3;
/** How much further than what is known a bar goes that has no upper end. */
const openFactor = 1.2;
/** Percent of the bar that anything beyond the limit takes at the least. */
const leastBeyond = 3;

interface Piece {
  readonly paint: PaintName;
  /** Percent of the bar. */
  readonly width: number;
  /** It ends at the limit, and something follows. */
  readonly atLimit: boolean;
}

/** It says nothing that the words beside it do not. */
export function meterHtml(meter: Meter): string {
  const pieces = piecesOf(meter);
  const certain = meter.highShare === meter.lowShare;
  return [
    '<table role="presentation" aria-hidden="true" width="100%" cellpadding="0" cellspacing="0" style="table-layout:fixed;margin:0 0 2px">',
    `<tr>${pieces.map(pieceHtml).join('')}</tr></table>`,
    limitRow(pieces, certain ? 4 : 0),
    certain
      ? ''
      : `<p ${look(['muted'], 'margin:0 0 6px;font-size:13px')}>The lighter part is not certain.</p>`,
  ]
    .filter((html) => html !== '')
    .join('\n');
}

function piecesOf({ lowShare, highShare }: Meter): Piece[] {
  const high = highShare ?? Math.max(1, lowShare * openFactor);
  const end = Math.max(1, Math.min(high, longestShare));
  const limit = end > 1 ? Math.min(Math.round(100 / end), 100 - leastBeyond) : 100;
  const place = (share: number): number => {
    if (share <= 1) return Math.min(Math.round(share * (100 / end)), limit);
    return Math.max(limit, Math.min(Math.round(share * (100 / end)), 100));
  };
  const cuts = [...new Set([0, place(lowShare), place(high), limit, 100])].sort((a, b) => a - b);
  return cuts.slice(1).map((until, index) => {
    const from = cuts[index] ?? 0;
    const beyond = from >= limit;
    const paint = until <= place(lowShare) ? 'used' : until <= place(high) ? 'unsure' : 'free';
    return {
      paint: beyond ? (paint === 'used' ? 'beyond' : 'beyond-unsure') : paint,
      width: until - from,
      atLimit: until === limit && limit < 100,
    };
  });
}

const hatch =
  'background-image:repeating-linear-gradient(135deg,transparent 0,transparent 4px,rgba(127,127,127,.35) 4px,rgba(127,127,127,.35) 6px)';

function pieceHtml({ paint, width, atLimit }: Piece): string {
  const unsure = paint === 'unsure' || paint === 'beyond-unsure';
  const css = [
    'height:14px;font-size:1px;line-height:14px',
    unsure ? hatch : '',
    atLimit ? 'border-right:2px solid' : '',
  ];
  const style = look(atLimit ? [paint, 'limit'] : [paint], css.filter((one) => one !== '').join(';'));
  return `<td width="${String(width)}%" height="14" ${bgcolor(paint)} ${style}>&nbsp;</td>`;
}

/** "limit", right where it is. */
function limitRow(pieces: readonly Piece[], marginBelow: number): string {
  const at = pieces.findIndex(({ atLimit }) => atLimit);
  const before = at < 0 ? pieces : pieces.slice(0, at + 1);
  const width = before.reduce((sum, piece) => sum + piece.width, 0);
  const cell = `<td width="${String(width)}%" align="right" ${look(['muted'], 'font-size:13px;line-height:18px')}>limit</td>`;
  const rest = width < 100 ? `<td width="${String(100 - width)}%"></td>` : '';
  return `<table role="presentation" aria-hidden="true" width="100%" cellpadding="0" cellspacing="0" style="table-layout:fixed;margin:0 0 ${String(marginBelow)}px"><tr>${cell}${rest}</tr></table>`;
}
