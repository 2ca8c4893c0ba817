/** What is said of an alert, a figure or an instant, in few words. The headlines are those that were sent. */
import { headline, subjectName } from '../../alerts/compose/headline.ts';
import { duration, levelOfLimit, money } from '../../alerts/compose/words.ts';
import type { Alert, CaseAlert, Figures, Next } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import type { Channel } from '../../core/policy.ts';
import type { Letter, Round } from './rounds.ts';

export { duration, headline, money, subjectName };

/** "Wed 21 Oct" */
export function dayWords(at: EpochMs, timeZone: string): string {
  return words(at, { timeZone, weekday: 'short', day: 'numeric', month: 'short' });
}

/** "Wed 21 Oct, 18:02" */
export function instantWords(at: EpochMs, timeZone: string): string {
  const time = words(at, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${dayWords(at, timeZone)}, ${time}`;
}

function words(at: EpochMs, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', options)
    .format(at)
    .replace('Sept', 'Sep')
    .replace(/^(\w+),/, '$1');
}

/** "$24.06 of $20.00, October 2026", "unused since Tue 15 Sep" */
export function figuresWords(figures: Figures, timeZone: string): string {
  switch (figures.kind) {
    case 'spend': {
      const level = levelOfLimit(figures.level, figures.limit, figures.measure);
      return `${level}, ${figures.period}`;
    }
    case 'expiry':
      return `its time was up on ${dayWords(figures.deadline, timeZone)} (${figures.why})`;
    case 'idle':
      return `idle since ${dayWords(figures.deadline, timeZone)} (${figures.why})`;
    default:
      return figures satisfies never;
  }
}

/** As `figuresWords`; nothing where the headline has said it all. */
export function backgroundWords({ figures, timeZone, event }: CaseAlert): string[] {
  if (event.kind === 'vetoed') return [];
  if (figures.kind === 'spend' || event.kind === 'notice' || event.kind === 'deleted')
    return [sentence(figuresWords(figures, timeZone))];
  return figures.kind === 'expiry' && event.kind === 'step' ? [sentence(figures.why)] : [];
}

/** What comes next and is not told otherwise. */
export function nextWords(next: readonly Next[], timeZone: string): string[] {
  return next.flatMap((one) => {
    switch (one.kind) {
      case 'delete':
        return [
          `Anybody may stop it until ${instantWords(one.dueAt, timeZone)}: a rename by hand is enough.`,
        ];
      case 'would':
        return [
          `It would be ${one.change === 'delete' ? 'deleted' : 'renamed'}, but ${reasonWords(one.because)}.`,
        ];
      case 'step':
        return one.does === 'alerts' ? [] : [`Next, at ${one.at.replace(' %', '%')}: ${one.does}.`];
      case 'rename':
        return [];
      default:
        return one satisfies never;
    }
  });
}

/** A reason that follows "but". */
export function reasonWords(because: string): string {
  return because.replace(/^silenced/, 'it is silenced').replace(/(\d\d:\d\d)Z/, '$1 UTC');
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** "→ owner (user7@example.com), ops (Slack, at 07:00)": who was told, and who will be. */
export function toldWords(
  alert: Alert,
  { letters, waiting }: Pick<Round, 'letters' | 'waiting'>,
  channels: ReadonlyMap<string, Channel>,
  timeZone: string,
): string {
  const told = alert.channels.flatMap((name) => {
    const letter = letters.find((one) => one.channel === name && has(one, alert));
    if (letter !== undefined) return [`${name} (${letter.recipient || kindWords(channels.get(name))})`];
    const later = waiting.find((one) => one.channel === name && one.alert.id === alert.id);
    if (later === undefined) return [];
    const at = words(later.notBefore, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    return [`${name} (${kindWords(channels.get(name))}, not before ${at})`];
  });
  return told.length === 0 ? '' : `→ ${told.join(', ')}`;
}

export function has(letter: Letter, alert: Alert): boolean {
  return letter.alerts.some((one) => one.id === alert.id);
}

export function kindWords(channel: Channel | undefined): string {
  if (channel === undefined) return 'gone';
  return { slack: 'Slack', email: 'e-mail', webhook: 'webhook' }[channel.kind];
}
