import { alertsThen, namesOf } from '../alerts-then.ts';
import type { AlertFact } from '../chronicle.ts';
import type { History } from '../history.ts';
import { selects } from '../policies.ts';
import type { FileShape, QuietShape } from '../policies.ts';
import { epoch } from '../setting.ts';
import { aboutOf } from '../truth.ts';
import { dayMs, hourMs, minuteMs } from '../units.ts';
import { dayOf, instantOf } from '../zones.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 11: a key's owner hears of that key alone, and only in the domains that the file allows. */
export const owners: Witness = (history) => {
  const breaches: Breach[] = [];
  for (const { at, channel, recipient, alerts } of history.accepted) {
    if (channel !== 'owner') continue;
    for (const { key: id, id: alert } of alerts) {
      const email = id === null ? undefined : history.key(id)?.metadata?.email;
      if (typeof email !== 'string' || email.trim().toLowerCase() !== recipient.toLowerCase())
        breaches.push(breach(11, 'told of another’s key', at, `${recipient} of ${alert}`));
    }
  }
  for (const { alert, accepted, files } of alertsThen(history)) {
    if (accepted.channel !== 'owner') continue;
    const domain = accepted.recipient.toLowerCase().split('@').at(-1) ?? '';
    if (files.every(({ allowDomains }) => allowDomains !== null && !allowDomains.includes(domain)))
      breaches.push(
        breach(19, 'a domain that is not allowed', accepted.at, `${accepted.recipient} of ${alert.id}`),
      );
  }
  return breaches;
};

/** 12: in a channel's quiet hours it gets nothing that was decided in them but what the file excepts. */
export const quietHours: Witness = (history) =>
  alertsThen(history).flatMap(({ alert, accepted: { channel, sentAt, at }, files }): Breach[] => {
    const held = files.every(({ quiet, timeZone }) => {
      const hours = quiet[channel];
      if (hours === undefined || isExcepted(hours, alert)) return false;
      const end = quietEnd(hours, timeZone, alert.at);
      return end !== null && sentAt < end;
    });
    return held && files.length > 0
      ? [breach(12, 'told in quiet hours', at, `${alert.id} by ${channel}`)]
      : [];
  });

/** A failure may be that of a deletion. */
export function isExcepted({ except }: QuietShape, { event }: AlertFact): boolean {
  return event === 'notice'
    ? except.includes('notice')
    : ['deleted', 'failed'].includes(event) && except.includes('delete');
}

/** When the quiet hours that hold the instant end; null: none do. */
export function quietEnd({ from, to }: QuietShape, timeZone: string, at: number): number | null {
  const today = dayOf(timeZone, epoch + at);
  const clock = (day: number, hour: number): number =>
    instantOf(timeZone, day * dayMs + hour * hourMs) - epoch;
  for (const day of [today - 1, today]) {
    const end = clock(day, to > from ? to : to + 24);
    if (clock(day, from) <= at && at < end) return end;
  }
  return null;
}

const ofSteps = ['step', 'notice', 'uncertain'];

/** 12: what is silenced for alerts is not told of a key, nor of a group whose keys all are. */
export const silencedAlerts: Witness = (history) =>
  alertsThen(history).flatMap(({ alert, accepted, files }): Breach[] => {
    if (!ofSteps.includes(alert.event) || files.length === 0) return [];
    return files.every((file) => isSilenced(history, alert, file))
      ? [breach(12, 'told of what is silenced', accepted.at, alert.id)]
      : [];
  });

function isSilenced(history: History, { key: id, at }: AlertFact, { silences }: FileShape): boolean {
  const key = id === null ? null : history.key(id);
  return silences.some(({ select, until, suppress }) => {
    if (suppress === 'actions' || Date.parse(until) < epoch + at + 6 * minuteMs) return false;
    if (key === null) return Object.keys(select).length === 0;
    return namesOf(history, key.id).every((originalName) =>
      selects(select, { ...aboutOf(key), originalName }),
    );
  });
}
