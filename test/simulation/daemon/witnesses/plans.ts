import type { RecordRow } from '../books.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 2: what was decided is decided again, byte for byte, by whatever it was decided with. */
export const sameAgain: Witness = ({ stage }) =>
  stage.decisions
    .filter(({ isSameAgain }) => !isSameAgain)
    .map(({ at, now }) => breach(2, 'decided otherwise', at, `at ${String(now)}`));

/** 2 and 18: each change that was begun stood in a plan that was written down before, with what it was judged by. */
export const planned: Witness = ({ books, stage }) => {
  const plans = new Set<string>();
  return books.record.flatMap(({ at, kind, facts }): Breach[] => {
    if (kind === 'change-planned' && isSaid(facts['figures'])) plans.add(nameOf(facts));
    if (kind !== 'change-intent') return [];
    const when = at - stage.world.start;
    return [
      ...(plans.has(nameOf(facts)) ? [] : [breach(2, 'begun without a plan', when, nameOf(facts))]),
      ...(isSaid(facts['detail']) ? [] : [breach(18, 'begun without its reason', when, nameOf(facts))]),
    ];
  });
};

function isSaid(text: unknown): boolean {
  return typeof text === 'string' && text !== '';
}

function nameOf({ change, keyId, findingId, from, to }: RecordRow['facts']): string {
  return JSON.stringify([change, keyId, findingId, from, to]);
}
