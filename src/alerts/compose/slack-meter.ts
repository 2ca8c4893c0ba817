/** A level as a bar of text, of characters that have one width wherever Slack shows them. */
import type { Meter } from './message.ts';

const cells = 10;

/** `▓▓▓▓▓▓▓▓░░ 82%`; what is uncertain `▒`; past the limit all full and marked: `▓▓▓▓▓▓▓▓▓▓» 107%`. */
export function meterText({ lowShare, highShare }: Meter): string {
  const certain = within(Math.floor(tidy(lowShare * cells)));
  const possible = highShare === null ? cells : within(Math.ceil(tidy(highShare * cells)));
  const uncertain = highShare === lowShare ? 0 : possible - certain;
  const bar = '▓'.repeat(certain) + '▒'.repeat(uncertain) + '░'.repeat(cells - certain - uncertain);
  return `${bar}${lowShare > 1 ? '»' : ''} ${percentText(lowShare, highShare)}`;
}

function within(count: number): number {
  return Math.max(0, Math.min(cells, count));
}

function percentText(lowShare: number, highShare: number | null): string {
  const low = `${percent(Math.floor(tidy(lowShare * 100)))}%`;
  if (highShare === null) return `${low} or more`;
  const high = `${percent(Math.ceil(tidy(highShare * 100)))}%`;
  return highShare === lowShare ? low : `${low} to ${high}`;
}

function percent(share: number): string {
  return share.toLocaleString('en-US');
}

/** Without what a quotient of binary fractions adds in its last digits: 0.29 × 100 is 29. */
function tidy(value: number): number {
  return Number(value.toPrecision(15));
}
