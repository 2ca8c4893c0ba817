import { isMisnamed, isTakenForNew } from './figures.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 9: a rename's new name is made of that key's own name; a restore's is one that it bore. */
export const identity: Witness = (history) =>
  history.asked.flatMap((one): Breach[] => {
    if (one.kind === 'create') return [];
    if (one.key === null) return [breach(9, 'no such key', one.at, one.kind)];
    if (one.kind !== 'rename' || isMisnamed(history)) return [];
    const { id } = one.key;
    const bore = [...history.names(id).map(({ from }) => from), one.key.names[0]?.name ?? ''];
    const legal = (name: string): string => name.replace(/[^A-Za-z0-9 ._-]+/g, '-');
    const prefixes = one.files.flatMap((file) =>
      file.policies.flatMap(({ steps }) => steps.flatMap(({ renamePrefix }) => renamePrefix ?? [])),
    );
    const own =
      bore.includes(one.to ?? '') ||
      [...bore, one.key.name].some((name) =>
        prefixes.some(
          (prefix) =>
            `${prefix} ${legal(name)}`.slice(0, 90).trimEnd() === (one.to ?? '').slice(0, 90).trimEnd(),
        ),
      );
    return own
      ? []
      : [breach(9, "another key's name", one.at, `${id} “${one.key.name}” to “${one.to ?? ''}”`)];
  });

/** 2 and 10: the intent is on disk before the request; nothing is asked again that has taken effect; nothing is created. */
export const crashSafety: Witness = (history) => {
  const breaches: Breach[] = [];
  for (const one of history.asked) {
    if (one.kind === 'create') breaches.push(breach(10, 'a key created', one.at, ''));
    else if (!one.intended)
      breaches.push(breach(10, 'no intent on disk', one.at, `${one.kind} of ${one.key?.id ?? '?'}`));
    if (one.kind === 'create' || one.key === null) continue;
    const gone = one.key.deletedAt === null ? Infinity : one.key.deletedAt - history.stage.world.start;
    const mine = history.deletedByProgramAt(one.key.id);
    if (one.kind === 'delete' && mine !== null && mine < one.at)
      breaches.push(breach(10, 'asked again after its effect', one.at, `delete of ${one.key.id}`));
    if (gone <= one.listAsOf)
      breaches.push(breach(10, 'asked of a key that is gone', one.at, `${one.kind} of ${one.key.id}`));
    if (
      one.kind === 'rename' &&
      history.nameAt(one.key.id, one.at) === one.to &&
      history.asked.some(
        (other) =>
          other.index < one.index &&
          other.key === one.key &&
          other.to === one.to &&
          other.effectAt !== null &&
          // Where only replayed lists were answered since, nobody can know.
          other.effectAt <= one.listAsOf &&
          other.at > one.at - 10 * 60_000,
      )
    )
      breaches.push(breach(10, 'asked again after its effect', one.at, `rename of ${one.key.id}`));
  }
  return breaches;
};

/** 15: the first pass of a new policy or of a new state deletes nothing. */
export const gentleStart: Witness = (history) =>
  history.asked.flatMap((one): Breach[] => {
    if (one.kind !== 'delete') return [];
    const { entries, stage } = history;
    const before = entries.slice(0, one.index);
    const since = before.findLastIndex((entry) => entry.kind === 'state lost');
    const known = new Set<string>();
    let passes = 0;
    const judged = new Map<string, number>();
    let current: readonly string[] = [];
    for (const entry of before.slice(since + 1)) {
      if (entry.kind === 'file read' && entry.ok)
        current = (stage.files[entry.version]?.policies ?? []).map((policy) =>
          JSON.stringify([policy.rule, policy.select]),
        );
      if (entry.kind === 'pass' && entry.ok) {
        passes += 1;
        for (const text of current) judged.set(text, (judged.get(text) ?? 0) + 1);
      }
      current.forEach((text) => known.add(text));
    }
    // A pass that was broken off after its notice had arrived was a pass.
    const told = before.findIndex(
      (entry, index) =>
        index > since &&
        entry.kind === 'accepted' &&
        entry.alerts.some(({ event, key }) => event === 'notice' && key === one.key?.id),
    );
    if (told >= 0 && before.slice(told).some(({ kind }) => kind === 'ended')) return [];
    return passes === 0 || Math.max(0, ...current.map((text) => judged.get(text) ?? 0)) === 0
      ? [breach(15, 'deleted in the first pass', one.at, one.key?.id ?? '?')]
      : [];
  });

/** 9: nothing is deleted by a list in which the keys with notices were created at another instant. */
export const reborn: Witness = ({ asked, entries }) =>
  asked.flatMap(({ index, run, at, kind, key }): Breach[] => {
    const list = entries.findLast(
      (one, place) =>
        place < index &&
        one.kind === 'answered' &&
        one.run === run &&
        one.path === '/api/keys' &&
        one.status === 200,
    );
    return kind === 'delete' && list?.kind === 'answered' && list.isAltered
      ? [breach(9, 'another key deleted', at, key?.id ?? '?')]
      : [];
  });

/** 8: a rename's new name is made of the one that a person gave last, as far as lists told of it. */
export const lastNames: Witness = (history) =>
  history.asked.flatMap((one): Breach[] => {
    const { key, to } = one;
    // A key that is taken for another one has no other name than it bears.
    if (isTakenForNew(history) || isMisnamed(history)) return [];
    if (one.kind !== 'rename' || key === null || to === null || one.listAsOf < 0) return [];
    const given = history.names(key.id).filter(({ by, at }) => by === 'person' && at <= one.listAsOf);
    const prefixes = one.files.flatMap(({ policies }) =>
      policies.flatMap(({ steps }) => steps.flatMap(({ renamePrefix }) => renamePrefix ?? [])),
    );
    const prefix = prefixes.find((text) => to.startsWith(`${text} `));
    if (prefix === undefined || given.length === 0) return [];
    const instants = [one.listAsOf, one.at, ...one.knownAsOf];
    const names = instants.flatMap((at) => history.originalNamesAt(key.id, at));
    const own = names.some(
      // A restore gives it back as it was, whatever it begins with.
      (name) => name === to || asRenamed(prefix, name).slice(0, 90).trimEnd() === to.slice(0, 90).trimEnd(),
    );
    return own ? [] : [breach(8, 'made of an old name', one.at, `${key.id} “${key.name}” to “${to}”`)];
  });

function asRenamed(prefix: string, name: string): string {
  return `${prefix} ${name.replace(/[^A-Za-z0-9 ._-]+/g, '-')}`;
}
