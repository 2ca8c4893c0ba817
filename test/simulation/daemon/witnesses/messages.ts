import type { History, Of } from '../history.ts';
import type { FileShape } from '../policies.ts';
import { isExcepted, quietEnd } from './channels.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/**
 * 12: what one pass tells goes to each channel and recipient as one message, however many keys it is of. Not looked
 * at: channels with quiet hours, by which a pass's alerts may go in two, and passes that came to no good end.
 * Receivers here have room for whatever they are sent, and take it whole; a retry is the same message.
 */
export const oneMessage: Witness = (history) => {
  // By a clock that is wrong it cannot be told which pass an alert is of.
  if (history.stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const quiet = new Set(history.stage.files.flatMap((file) => Object.keys(file.quiet)));
  const passOf = passFinder(history);
  const messages = new Map<string, Set<string>>();
  return history.accepted.flatMap(({ at, channel, recipient, message, alerts }): Breach[] => {
    if (quiet.has(channel)) return [];
    const passes = new Set(alerts.flatMap((alert) => passOf(alert.at) ?? []));
    return [...passes].flatMap((pass): Breach[] => {
      const name = `pass ${String(pass)} to ${channel} ${recipient}`;
      const seen = (messages.get(name) ?? new Set()).add(message);
      messages.set(name, seen);
      return seen.size === 2 ? [breach(12, 'a pass in several messages', at, name)] : [];
    });
  });
};

/**
 * The place of the pass that was under way at an instant; null: it failed or was broken off, or there were two. In the
 * instant of its end what made it fail is told, and another one may begin.
 */
function passFinder({ entries }: History): (at: number) => number | null {
  const ends = entries.filter(
    (one): one is Of<'pass'> | Of<'ended'> => one.kind === 'pass' || one.kind === 'ended',
  );
  return (at) => {
    const place = ends.findIndex((one) => one.at >= at);
    const end = ends[place];
    return end?.kind === 'pass' && end.ok && end.at > at ? place : null;
  };
}

/** 12: what a channel's quiet hours hold back goes as one message. Not looked at: files that change them, and a channel that fails. */
export const oneDigest: Witness = (history) => {
  const { stage } = history;
  if (stage.plan.acts.some(({ kind }) => kind === 'clock' || kind === 'disk full')) return [];
  const messages = new Map<string, Set<string>>();
  return history.accepted.flatMap(({ at, channel, recipient, message, alerts }): Breach[] => {
    const [first, ...others] = stage.files;
    const nightsOf = ({ quiet, timeZone }: FileShape): string => JSON.stringify([quiet[channel], timeZone]);
    const hours = first?.quiet[channel];
    if (first === undefined || hours === undefined) return [];
    if (others.some((one) => nightsOf(one) !== nightsOf(first))) return [];
    if (stage.plan.acts.some((act) => act.kind === 'receiver' && act.channel === channel)) return [];
    const nights = new Set(
      alerts
        .filter((one) => !isExcepted(hours, one))
        .flatMap((one) => quietEnd(hours, first.timeZone, one.at) ?? []),
    );
    return [...nights].flatMap((night): Breach[] => {
      const name = `the night until ${String(night)} to ${channel} ${recipient}`;
      const seen = (messages.get(name) ?? new Set()).add(message);
      messages.set(name, seen);
      return seen.size === 2 ? [breach(12, 'a night in several messages', at, name)] : [];
    });
  });
};
