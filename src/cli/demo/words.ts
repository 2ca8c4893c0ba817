/** What is said of an alert, a figure or an instant, in few words. The headlines are those that were sent. */
import { headline, subjectName } from '../../alerts/compose/headline.ts';
import { duration, levelOfLimit, money, plural } from '../../alerts/compose/words.ts';
import type { Alert, Figures, Next, SpendFigures } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import type { Channel } from '../../core/policy.ts';
import type { Letter, Round } from './rounds.ts';

export { duration, headline, money, plural, subjectName };

/** "Wed 21 Oct" */
export function dayWords(at: EpochMs, timeZone: string): string {
  return words(at, { timeZone, weekday: 'short', day: 'numeric', month: 'short' });
}

/** "Wed 21 Oct, 18:02", on one line. */
export function instantWords(at: EpochMs, timeZone: string): string {
  return together(`${dayWords(at, timeZone)}, ${timeWords(at, timeZone)}`);
}

/** Words that are not to be torn apart at the end of a line. */
const together = (text: string): string => text.replaceAll(' ', '\u00A0');

function timeWords(at: EpochMs, timeZone: string): string {
  return words(at, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

function words(at: EpochMs, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', options)
    .format(at)
    .replace('Sept', 'Sep')
    .replace(/^(\w+),/, '$1');
}

/** "$24.06 of $20.00", "expired on Fri 2 Oct", "idle since Tue 15 Sep" */
export function figuresWords(figures: Figures, at: EpochMs, timeZone: string): string {
  switch (figures.kind) {
    case 'spend':
      return spendWords(figures);
    case 'expiry': {
      const verb = figures.deadline <= at ? 'expired' : 'expires';
      return `${verb} on ${dayWords(figures.deadline, timeZone)}`;
    }
    case 'idle':
      return `idle since ${dayWords(figures.deadline, timeZone)}`;
    default:
      return figures satisfies never;
  }
}

/** Of an interval, what is certain. */
function spendWords({ level, limit, measure, basis }: SpendFigures): string {
  const certain = level.high === level.low ? level : { low: level.low, high: null };
  const known = levelOfLimit(certain, limit, measure);
  return basis === 'forecast' ? `${known} expected by the end of the period` : known;
}

/** What comes next and is not told otherwise. */
export function nextWords(next: readonly Next[], timeZone: string): string[] {
  const gravest = next.find((one) => one.kind === 'would');
  return next.flatMap((one) => {
    switch (one.kind) {
      case 'delete':
        return [`A rename by hand before ${instantWords(one.dueAt, timeZone)} stops it.`];
      case 'would':
        if (one !== gravest) return [];
        return [`It would be ${participles[one.change]}, but ${reasonWords(one.because, timeZone)}.`];
      case 'step':
        return stepWords(one.at, one.does);
      case 'rename':
        return [];
      default:
        return one satisfies never;
    }
  });
}

const participles = { delete: 'deleted', rename: 'renamed' } as const;

/** "At 120%: deletion after 1 d of notice.", "7 d later: a rename." */
function stepWords(at: string, does: string): string[] {
  if (does === 'alerts') return [];
  const what = does === 'renames it' ? 'a rename' : does.replace('deletes it', 'deletion');
  const later = / after the deadline$/;
  const when = later.test(at) ? at.replace(later, ' later') : `At ${at.replace(' %', '%')}`;
  return [`${when}: ${what}.`];
}

/** A reason that follows "but". */
export function reasonWords(because: string, timeZone: string): string {
  return because
    .replace(/^silenced/, 'it is silenced')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\dZ/, (text) => instantWords(Date.parse(text), timeZone));
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** "→ user7@example.com, ops (Slack from 07:00)": who was told, and who will be. */
export function toldWords(
  alert: Alert,
  { letters, waiting }: Pick<Round, 'letters' | 'waiting'>,
  channels: ReadonlyMap<string, Channel>,
  timeZone: string,
): string {
  const told = alert.channels.flatMap((name) => {
    const letter = letters.find((one) => one.channel === name && has(one, alert));
    if (letter !== undefined)
      return [together(letter.recipient || `${name} (${kindWords(channels.get(name))})`)];
    const later = waiting.find((one) => one.channel === name && one.alert.id === alert.id);
    if (later === undefined) return [];
    return [
      together(`${name} (${kindWords(channels.get(name))} from ${timeWords(later.notBefore, timeZone)})`),
    ];
  });
  return told.length === 0 ? '' : `→\u00A0${told.join(', ')}`;
}

function has(letter: Letter, alert: Alert): boolean {
  return letter.alerts.some((one) => one.id === alert.id);
}

export function kindWords(channel: Channel | undefined): string {
  if (channel === undefined) return 'gone';
  return { slack: 'Slack', email: 'e-mail', webhook: 'webhook' }[channel.kind];
}
