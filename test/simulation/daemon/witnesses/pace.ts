import type { History, Of } from '../history.ts';
import type { Act } from '../plan.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../units.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** A message takes a second or two, and Slack takes one a second. */
const promptMs = 20 * secondMs;
/** So long after its trouble a message may be tried again. */
const aftermathMs = 70 * minuteMs;

/** 11: a channel that takes messages has what a pass told as soon as that is over, whatever other channels do. */
export const prompt: Witness = (history) => {
  const { stage, accepted, entries } = history;
  const { acts } = stage.plan;
  if (acts.some(({ kind }) => kind === 'clock')) return [];
  const passes = entries.filter((one): one is Of<'pass'> & { at: number } => one.kind === 'pass');
  const known = new Set<string>();
  return accepted.flatMap(({ channel, recipient, run, sentAt, alerts }): Breach[] => {
    if (stage.files.some(({ quiet, mode }) => quiet[channel] !== undefined || mode === 'dry-run')) return [];
    return alerts.flatMap((alert): Breach[] => {
      const name = `${channel} ${recipient} ${alert.id}`;
      const isNew = !known.has(name);
      known.add(name);
      const over = passes.find((one) => one.run === run && one.at > alert.at);
      if (!isNew || over === undefined || sentAt <= over.at + promptMs) return [];
      return acts.some((act) => delays(act, channel, alert.at, sentAt)) || wasDown(history, alert.at, sentAt)
        ? []
        : [breach(11, 'a channel waited', sentAt, `${alert.id} by ${channel}`)];
    });
  });
};

function delays(act: Act, channel: string, from: number, to: number): boolean {
  const concerns = act.kind === 'disk full' || (act.kind === 'receiver' && act.channel === channel);
  return concerns && act.atMs <= to && act.atMs + act.forMs + aftermathMs >= from;
}

function wasDown({ entries }: History, from: number, to: number): boolean {
  return entries.some(({ kind, at }) => kind === 'ended' && at >= from && at <= to);
}

/** How long nothing of that kind is told of one case, or of one key of it, after it was told. */
const pausesMs: Readonly<Record<string, number>> = { failed: dayMs, uncertain: hourMs };

/** 12: what is told of one case again is told after a while. */
export const pauses: Witness = ({ accepted, statesSince, stage }) => {
  if (stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const last = new Map<string, { readonly id: string; readonly at: number }>();
  return accepted.flatMap(({ channel, recipient, at, alerts }) =>
    alerts.flatMap((alert): Breach[] => {
      const pause = pausesMs[alert.event];
      if (pause === undefined) return [];
      const name = [channel, recipient, alert.event, alert.finding].join(' ');
      const before = last.get(name);
      last.set(name, { id: alert.id, at: alert.at });
      const isAgain =
        before !== undefined && before.id !== alert.id && Math.abs(alert.at - before.at) < pause;
      return isAgain && !statesSince.some((lost) => lost > before.at && lost <= alert.at)
        ? [breach(12, 'told again too soon', at, `${alert.id}, after ${before.id}`)]
        : [];
    }),
  );
};

const heldNotice = /^(.*)\/held\/(.*)\/[^/]*$/s;

/** 12: that a limit holds a deletion is told once of a notice, unless it went ahead meanwhile. */
export const heldOnce: Witness = ({ accepted, stage }) => {
  if (stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const last = new Map<string, { readonly id: string; readonly at: number }>();
  return accepted.flatMap(({ channel, recipient, at, alerts }) =>
    alerts.flatMap((alert): Breach[] => {
      const of = alert.event === 'held' ? heldNotice.exec(alert.id)?.[2] : undefined;
      if (of === undefined) return [];
      const name = [channel, recipient, of].join(' ');
      const before = last.get(name);
      last.set(name, { id: alert.id, at: alert.at });
      if (before === undefined || before.id === alert.id) return [];
      const start = stage.world.start;
      const wentAhead = stage.decisions.some(
        ({ now, changes }) =>
          now >= start + before.at &&
          now <= start + alert.at &&
          changes.some(({ kind, keyId }) => kind === 'delete' && keyId === alert.key),
      );
      return wentAhead ? [] : [breach(12, 'held, told twice', at, `${alert.id}, after ${before.id}`)];
    }),
  );
};

const troubleName = /^system\/(.*)\/\d+(\/over)?$/s;

/** 12: a trouble of the program is told once, until it is over. */
export const troublesOnce: Witness = ({ accepted, statesSince, stage }) => {
  if (stage.files.some(({ mode }) => mode === 'dry-run')) return [];
  // In quiet hours its end may wait for longer than its beginning.
  const quiet = new Set(stage.files.flatMap((file) => Object.keys(file.quiet)));
  const open = new Map<string, { readonly id: string; readonly at: number }>();
  return accepted.flatMap(({ channel, recipient, at, alerts }) =>
    alerts.flatMap((alert): Breach[] => {
      const [, code, over] = troubleName.exec(alert.id) ?? [];
      if (code === undefined || quiet.has(channel)) return [];
      const name = [channel, recipient, code].join(' ');
      if (over !== undefined) {
        open.delete(name);
        return [];
      }
      const before = open.get(name);
      open.set(name, { id: alert.id, at });
      if (before === undefined || before.id === alert.id) return [];
      return statesSince.some((lost) => lost > before.at && lost <= at) ||
        wasRefused(stage.plan.acts, channel)
        ? []
        : [breach(12, 'a trouble told twice', at, `${alert.id}, after ${before.id}`)];
    }),
  );
};

/** 11: that the API can be read again is told only once it was. */
export const trueEnds: Witness = ({ accepted, entries, stage }) => {
  // By a clock that was set nobody sees what was before what.
  if (stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const begun = new Map(accepted.flatMap(({ alerts }) => alerts.map(({ id, at }) => [id, at] as const)));
  return accepted.flatMap(({ at, alerts }) =>
    alerts.flatMap(({ id }): Breach[] => {
      const since = /^system\/api\/\d+\/over$/.test(id) ? begun.get(id.replace(/\/over$/, '')) : undefined;
      const wasRead = entries.some(
        (one) =>
          one.kind === 'answered' &&
          one.path === '/api/keys' &&
          one.status === 200 &&
          one.at >= (since ?? 0) &&
          one.at <= at,
      );
      return since === undefined || wasRead ? [] : [breach(11, 'an end that is none', at, id)];
    }),
  );
};

/** Its end may be what the channel did not take. */
function wasRefused(acts: readonly Act[], channel: string): boolean {
  return acts.some((act) => act.kind === 'receiver' && act.channel === channel);
}
