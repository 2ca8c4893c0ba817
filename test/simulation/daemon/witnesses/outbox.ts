import type { Books } from '../books.ts';
import { dayMs, hourMs } from '../units.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** What was delivered is forgotten later than that. */
const keptMs = 25 * dayMs;

/** 11: whatever channel an alert is for has it, or it is on record or told that it cannot. */
export const everyChannel: Witness = ({ stage, books }) => {
  // By whatever clock, what is older than it lets know may be forgotten.
  if (stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const isDry = stage.files.some(({ mode }) => mode === 'dry-run');
  const shown = shownOf(books);
  const end = stage.world.start + stage.endedAt;
  return wantedOf(books).flatMap(({ alert, channels, at }): Breach[] => {
    if (at < end - keptMs) return [];
    const lacking = channels.filter((channel) => !shown(alert, channel));
    // A dry run tells nobody anything.
    if (lacking.length === 0 || (isDry && lacking.length === channels.length)) return [];
    return [breach(11, 'a channel left out', stage.endedAt, `${alert} for ${lacking.join()}`)];
  });
};

interface Wanted {
  readonly alert: string;
  readonly channels: readonly string[];
  readonly at: number;
}

/** As each alert has it that is on its way, and as the decision was recorded. */
function wantedOf({ outbox, record }: Books): Wanted[] {
  const decided = record.flatMap(({ kind, at, facts: { alert, channels } }) =>
    kind.startsWith('alert-') && Array.isArray(channels)
      ? [{ alert: String(alert), channels: channels as string[], at }]
      : [],
  );
  return [
    ...outbox.map(({ alert, channels, notBefore }) => ({ alert, channels, at: notBefore })),
    ...decided,
  ];
}

function shownOf({ outbox, record }: Books): (alert: string, channel: string) => boolean {
  const queued = new Set(outbox.map(({ alert, channel }) => `${alert} ${channel}`));
  const given = record.filter(({ kind }) => kind === 'alert-undeliverable' || kind === 'alert-undelivered');
  const lost = new Set(given.map(({ facts }) => `${String(facts['alert'])} ${String(facts['channel'])}`));
  const remarks = new Map(outbox.map(({ alert, remark }) => [alert, remark ?? '']));
  return (alert, channel) =>
    queued.has(`${alert} ${channel}`) ||
    lost.has(`${alert} ${channel}`) ||
    remarks.get(alert)?.includes(`could not be sent to ${channel}:`) === true;
}

/** 11: what was given up on is on record, and that a channel takes nothing is told by others. */
export const shownUndelivered: Witness = ({ books, stage, statesSince, accepted }) => {
  const { outbox, record } = books;
  const shown = new Set(
    record
      .filter(({ kind }) => kind === 'alert-undelivered')
      .map(({ facts }) => `${String(facts['alert'])} ${String(facts['channel'])}`),
  );
  const end = stage.world.start + stage.endedAt;
  const isQuiet = stage.files.some(({ mode, quiet }) => mode === 'dry-run' || Object.keys(quiet).length > 0);
  const isCalm = stage.plan.acts.every(({ kind }) => kind !== 'clock') && statesSince.length === 1;
  return outbox.flatMap(({ alert, channel, state, settledAt }): Breach[] => {
    if (state !== 'dead') return [];
    if (!shown.has(`${alert} ${channel}`))
      return [breach(11, 'undelivered and not on record', stage.endedAt, `${alert} by ${channel}`)];
    const toldWithinMs = 3 * stage.plan.intervalMs + hourMs;
    const isLong = settledAt !== null && settledAt < end - toldWithinMs;
    const diedAt = (settledAt ?? end) - stage.world.start;
    // A channel that takes something again before the next pass is none that people have to be told of.
    const tookAgain = accepted.some(
      (one) => one.channel === channel && one.at >= diedAt && one.at <= diedAt + toldWithinMs,
    );
    const title = `Alerts do not reach the channel ${channel}`;
    const isTold =
      accepted.some(({ alerts }) => alerts.some((one) => one.title === title)) ||
      outbox.some((one) => one.alert.startsWith(`system/undelivered:${channel}/`));
    return isQuiet || !isCalm || !isLong || isTold || tookAgain
      ? []
      : [breach(11, 'undelivered and not told', stage.endedAt, `${alert} by ${channel}`)];
  });
};
