import { aboutOf, groundsOf } from '../truth.ts';
import { protects, selects } from '../policies.ts';
import { epoch } from '../setting.ts';
import { isMisnamed } from './figures.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 3 and 16: nothing is changed that the truth does not ask for, whatever the readings and the clock said. */
export const grounds: Witness = (history) => {
  const breaches: Breach[] = [];
  for (const one of history.asked) {
    if (one.kind === 'create' || one.key === null) continue;
    if (
      one.kind === 'delete' &&
      groundsOf(history, one, (step) => step.deleteNoticeMs !== undefined).length === 0
    )
      breaches.push(breach(3, 'deletion without grounds', one.at, `${one.key.id} “${one.key.name}”`));
    const prefixed = (prefix: string | undefined): boolean =>
      prefix !== undefined && one.to?.startsWith(`${prefix} `) === true;
    const isRename = one.files.some((file) =>
      file.policies.some(({ steps }) => steps.some((step) => prefixed(step.renamePrefix))),
    );
    const isRestore = history.names(one.key.id).some(({ from, at }) => from === one.to && at <= one.at);
    if (one.kind === 'rename' && isRename && !isRestore) {
      if (groundsOf(history, one, (step) => prefixed(step.renamePrefix)).length === 0)
        breaches.push(breach(3, 'rename without grounds', one.at, `${one.key.id} to “${one.to ?? ''}”`));
    }
  }
  return breaches;
};

/** 4: what is protected, or cannot be judged, and admin keys, are never touched. */
export const protection: Witness = (history) =>
  history.asked.flatMap(({ key, kind, at, files, listAsOf }) => {
    if (key === null) return [];
    // A list that was falsified may have shown a later name all the same.
    const instants = [listAsOf, at];
    const isProtected = files.every((file) =>
      file.protect.some((selector) =>
        instants.every((instant) =>
          history
            .originalNamesAt(key.id, instant)
            .every((name) =>
              [name, history.nameAt(key.id, instant)].some((originalName) =>
                protects(selector, { ...aboutOf(key), originalName }),
              ),
            ),
        ),
      ),
    );
    return (isProtected && !isMisnamed(history)) || key.isAdmin
      ? [breach(4, 'protected', at, `${kind} of ${key.id} “${key.name}”`)]
      : [];
  });

/** 7: also silences are looked at afresh. */
export const silences: Witness = (history) =>
  history.asked.flatMap(({ key, kind, at, files, listAsOf }) => {
    if (key === null) return [];
    const names = history.originalNamesAt(key.id, listAsOf);
    const silenced = files.every((file) =>
      file.silences.some(
        ({ select, until, suppress }) =>
          suppress !== 'alerts' &&
          Date.parse(until) > epoch + at + 6 * 60_000 &&
          names.every((originalName) => selects(select, { ...aboutOf(key), originalName })),
      ),
    );
    return silenced && !isMisnamed(history) ? [breach(7, 'silenced', at, `${kind} of ${key.id}`)] : [];
  });

/** A list that stayed so for longer is believed. */
const shrunkBelievedAfterMs = 3_600_000;
/** A little more than the fifth, for the program knows some keys that are gone, and some not yet. */
const muchOfIt = 0.34;

/** 3: a list that has just shrunk by more than a fifth leads to no change. */
export const shrunkLists: Witness = ({ asked, entries }) => {
  const lists = entries.flatMap((one, index) =>
    one.kind === 'answered' && one.path === '/api/keys' && one.status === 200 ? [{ ...one, index }] : [],
  );
  return asked.flatMap(({ index, at, kind, key }) => {
    const before = lists.filter((one) => one.index < index);
    const whole = before.findLast(({ lacking }) => lacking <= muchOfIt);
    const last = before.at(-1);
    const isNews = whole !== undefined && at - whole.at < shrunkBelievedAfterMs;
    return last !== undefined && last.lacking > muchOfIt && isNews
      ? [breach(3, 'changed by a list that shrank', at, `${kind} of ${key?.id ?? '?'}`)]
      : [];
  });
};
