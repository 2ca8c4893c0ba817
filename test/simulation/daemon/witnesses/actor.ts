import type { History, Of } from '../history.ts';
import { isChange } from '../history.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 13: of several programs on one state one acts: who has not the state asks for nothing and tells nobody. */
export const oneActor: Witness = ({ entries }) => {
  const breaches: Breach[] = [];
  let holder: number | null = null;
  for (const one of entries) {
    if (one.kind === 'opened') {
      if (holder !== null)
        breaches.push(
          breach(13, 'two have the state', one.at, `${String(one.run)} beside ${String(holder)}`),
        );
      holder = one.run;
    }
    if (one.kind === 'ended' && one.run === holder) holder = null;
    if ((one.kind === 'asked' || one.kind === 'accepted') && one.run !== holder)
      breaches.push(breach(13, 'a second one acts', one.at, `${one.kind} by ${String(one.run)}`));
  }
  return breaches;
};

/** 14: a new file takes effect between passes: the pass under way begins no change any more. */
export const wholeReloads: Witness = (history) =>
  history.asked.flatMap((one): Breach[] => {
    const { entries } = history;
    const since = passStart(history, one.index, one.run);
    const read = entries
      .slice(since, one.index)
      .find((entry) => entry.kind === 'file read' && entry.run === one.run && entry.ok && entry.at < one.at);
    if (read === undefined) return [];
    const begun = history.asked.some(
      (other) =>
        other.run === one.run &&
        other.key === one.key &&
        other.to === one.to &&
        other.index < one.index &&
        other.at <= read.at,
    );
    return begun
      ? []
      : [breach(14, 'changed after a reload', one.at, `${one.kind} of ${one.key?.id ?? '?'}`)];
  });

/** The place of the first request of the pass that is under way there. */
function passStart({ entries }: History, index: number, run: number): number {
  const over = entries.findLastIndex(
    (one, place) => place < index && (one.kind === 'pass' || one.kind === 'started') && one.run === run,
  );
  const first = entries.findIndex(
    (one, place) => place > over && one.kind === 'asked' && one.run === run && isList(one),
  );
  return first === -1 ? index : first;
}

function isList(one: Of<'asked'>): boolean {
  return !isChange(one) && one.path === '/api/keys';
}
