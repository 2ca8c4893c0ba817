import type { Asked, History } from '../history.ts';
import type { LimitShape } from '../policies.ts';
import { dayMs } from '../units.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 5: limits hold over sliding windows of true time, whatever was restarted or reloaded meanwhile. */
export const limits: Witness = (history) => {
  const breaches: Breach[] = [];
  for (const kind of ['delete', 'rename'] as const) {
    const effects = history.asked.filter((one) => one.kind === kind && one.effectAt !== null);
    for (const one of effects) {
      // Those that were made by other memories, which are lost, nobody can count.
      const since = Math.max(one.at - dayMs, history.statesSince.findLast((at) => at <= one.at) ?? 0);
      const done = effects.filter((other) => other.index < one.index && other.at > since);
      const allowed = Math.max(...one.files.map((file) => perDay(history, one, file.limits[kind])));
      if (done.length + 1 > allowed)
        breaches.push(
          breach(
            5,
            `${kind} over the day's limit`,
            one.at,
            `${String(done.length + 1)} within 24 hours, ${String(allowed)} allowed`,
          ),
        );
      const pass = passOf(history, one);
      const inPass = effects.filter(
        (other) => other.run === one.run && passOf(history, other) === pass && other.index <= one.index,
      );
      const perRun = Math.max(...one.files.map((file) => file.limits[kind].perRun));
      if (inPass.length > perRun)
        breaches.push(
          breach(
            5,
            `${kind} over the run's limit`,
            one.at,
            `${String(inPass.length)} in one pass, ${String(perRun)} allowed`,
          ),
        );
    }
  }
  return breaches;
};

/** In percent of the keys that there are, and that were in the day before. */
function perDay(history: History, { at }: Asked, limit: LimitShape): number {
  if (limit.percent === null) return limit.perDay;
  const living = history.stage.world
    .everyKey()
    .filter(
      (key) =>
        key.createdAt - start(history) <= at &&
        (key.deletedAt === null || key.deletedAt - start(history) > at - dayMs),
    );
  const share = limit.percent === 0 ? 0 : Math.max(1, Math.floor((living.length * limit.percent) / 100));
  return Math.min(limit.perDay, share);
}

const start = ({ stage }: History): number => stage.world.start;

/** How many passes of that run had ended by then. */
function passOf({ entries }: History, { index, run }: Asked): number {
  return entries.reduce(
    (count, one, place) => count + (place < index && one.kind === 'pass' && one.run === run ? 1 : 0),
    0,
  );
}

/** 5: over a limit nothing of that kind is done in that pass. */
export const noneOverLimit: Witness = ({ stage }) =>
  stage.decisions.flatMap(({ at, held, changes }): Breach[] => {
    const isDeletion = ({ kind }: { readonly kind: string }): boolean => kind === 'delete';
    const limited = held.filter(({ because }) => because === 'limit');
    const both = limited.some((one) => changes.some((other) => isDeletion(one) === isDeletion(other)));
    return both ? [breach(5, 'some of what a limit holds', at, `${String(limited.length)} held`)] : [];
  });
