import type { Books } from '../books.ts';
import type { AlertFact } from '../chronicle.ts';
import { hourMs } from '../units.ts';
import { isMisled } from './figures.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 18: nobody is told of a deletion that was not. */
export const trueDeletions: Witness = (history) => {
  if (isMisled(history)) return [];
  const { accepted, stage } = history;
  return accepted.flatMap(({ at, alerts }) =>
    alerts.flatMap(({ event, key }): Breach[] => {
      const deletedAt = key === null ? null : (history.key(key)?.deletedAt ?? null);
      const isGone = deletedAt !== null && deletedAt - stage.world.start <= at;
      return event !== 'deleted' || isGone ? [] : [breach(18, 'told of no deletion', at, key ?? '?')];
    }),
  );
};

/** How a case, or a deletion that was announced in it, can have come to its end. */
const ends = ['resolved', 'deleted', 'overtaken'];
const endsOfNotices = [...ends, 'cancelled', 'vetoed', 'notice'];

/** 11: whoever heard of a case hears of its end, and whoever heard that a key will be deleted what became of it. */
export const endings: Witness = (history) => {
  const { accepted, books, stage, statesSince } = history;
  // What a dry run or a silence keeps back is not told at all, or long after.
  if (
    stage.files.some(
      ({ mode, silences, policies }) =>
        mode === 'dry-run' || silences.length > 0 || policies.some((one) => one.mode === 'dry-run'),
    )
  )
    return [];
  const since = statesSince.at(-1) ?? 0;
  const listsShrank = stage.plan.acts.some(
    (act) =>
      (act.kind === 'fault' && act.fault.kind === 'shrunk-list') ||
      (act.kind === 'ambush' && act.by === 'shrunk list'),
  );
  const cases = new Map(books.findings.map((one) => [one.id, one]));
  return accepted.flatMap(({ channel, recipient, alerts, at }): Breach[] => {
    if (at <= since || channel === 'owner') return [];
    return alerts.flatMap((alert): Breach[] => {
      const found = cases.get(alert.finding ?? '');
      if (found === undefined || !isOver(found, alert, stage.world.start + stage.endedAt)) return [];
      // That a key of a group is gone is not told of the group.
      const isGone = alert.key !== null && history.key(alert.key)?.deletedAt !== null;
      if (found.subject.kind === 'group' && alert.key !== null && (isGone || listsShrank)) return [];
      const by = alert.event === 'notice' ? endsOfNotices : ends;
      const hears =
        accepted.some(
          (other) =>
            other.channel === channel &&
            other.recipient === recipient &&
            other.alerts.some((one) => by.includes(one.event) && isAbout(one, alert)),
        ) || isOnItsWay(books, channel, alert);
      return hears ? [] : [breach(11, 'heard of no end', at, `${alert.id} by ${channel}`)];
    });
  });
};

function isAbout(one: AlertFact, alert: AlertFact): boolean {
  const isSameKey = alert.event !== 'notice' || one.key === null || one.key === alert.key;
  return one.id !== alert.id && one.at >= alert.at && one.finding === alert.finding && isSameKey;
}

/** The case is, or the deletion of which that was the notice. What ended just now is told soon. */
function isOver(
  { closedAt, deletions }: Books['findings'][number],
  { event, key }: AlertFact,
  end: number,
): boolean {
  if (closedAt !== null && closedAt > end - hourMs) return false;
  if (event === 'step') return closedAt !== null;
  if (event !== 'notice') return false;
  return !deletions.some((one) => one.keyId === key && one.vetoedAt === null);
}

function isOnItsWay({ outbox }: Books, channel: string, { finding }: AlertFact): boolean {
  return outbox.some(
    (one) =>
      one.channel === channel && one.state !== 'delivered' && one.alert.startsWith(`${finding ?? ''}/`),
  );
}
