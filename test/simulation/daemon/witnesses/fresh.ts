import { isChange } from '../history.ts';
import type { Asked, History, Of } from '../history.ts';
import { minuteMs } from '../units.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** No attempt at a change follows the one before it later than that. */
const attemptsMs = 10 * minuteMs;

/**
 * 7: directly before a change the list and then the usage of a key were read, once more than the pass itself does.
 * Where the usage took long, the list follows once more.
 */
export const freshLooks: Witness = (history) =>
  history.asked.flatMap((one): Breach[] => {
    if (one.kind === 'create' || isTriedAgain(history, one)) return [];
    const reads = readsBefore(history, one);
    const ofPass = reads.findIndex(isList);
    const fresh = reads.findIndex((read, place) => place > ofPass && isList(read));
    const isUsage = ({ path }: Of<'answered'>): boolean => path.startsWith('/api/billing/usage/key');
    return fresh >= 0 && reads.slice(fresh).some(isUsage)
      ? []
      : [breach(7, 'not looked at afresh', one.at, `${one.kind} of ${one.key?.id ?? '?'}`)];
  });

function isTriedAgain({ asked }: History, { index, run, at, key, to }: Asked): boolean {
  return asked.some(
    (one) =>
      one.index < index && one.run === run && one.at > at - attemptsMs && one.key === key && one.to === to,
  );
}

/** What was read since the pass before, or since the change before that this pass made: the list that followed that one is not it. */
function readsBefore({ entries }: History, { index, run }: Asked): readonly Of<'answered'>[] {
  const since = entries.findLastIndex(
    (one, place) => place < index && 'run' in one && one.run === run && isEnd(one),
  );
  const reads = entries
    .slice(since + 1, index)
    .filter((one): one is Of<'answered'> & { at: number } => one.kind === 'answered' && one.run === run)
    .filter(({ status }) => status === 200);
  const before = entries[since];
  return before?.kind === 'asked' ? [...reads.filter(isList).slice(0, 1), ...reads] : reads;
}

function isEnd(one: History['entries'][number]): boolean {
  return one.kind === 'pass' || one.kind === 'started' || (one.kind === 'asked' && isChange(one));
}

function isList({ path }: Of<'answered'>): boolean {
  return path === '/api/keys';
}
