import { groundsOf } from '../truth.ts';
import type { Asked, History } from '../history.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

interface Notice {
  readonly finding: string;
  readonly policy: string;
  readonly channel: string;
  readonly alert: string;
  readonly noticeMs: number;
  readonly at: number;
}

function noticesBefore({ accepted }: History, { key, index }: Asked): Notice[] {
  return accepted
    .filter((one) => one.index < index)
    .flatMap(({ alerts, at, channel }) =>
      alerts
        .filter((alert) => alert.event === 'notice' && alert.key === key?.id)
        .map(({ finding, policy, noticeMs, id }) => {
          return {
            finding: finding ?? '',
            policy: policy ?? '',
            noticeMs: noticeMs ?? 0,
            alert: id,
            at,
            channel,
          };
        }),
    );
}

/**
 * 6: between the first acceptance of a key's notice, by a channel of the step, and its deletion lies the
 * notice, in true time. 9: a key that got no notice is another key.
 */
export const notice: Witness = (history) => {
  const breaches: Breach[] = [];
  for (const one of history.asked) {
    if (one.kind !== 'delete' || one.key === null) continue;
    const notices = noticesBefore(history, one);
    if (notices.length === 0) {
      breaches.push(
        breach(6, 'no notice', one.at, `${one.key.id} “${one.key.name}” without an accepted notice`),
      );
      continue;
    }
    const grounds = groundsOf(history, one, (step) => step.deleteNoticeMs !== undefined);
    const ripe = grounds.some(({ policy, step }) =>
      firstOfEach(
        notices.filter((given) => given.policy === policy.name && !isVoid(history, given, one)),
      ).some(
        (given) =>
          one.at - given.at >= (step.deleteNoticeMs ?? Infinity) && one.at - given.at >= given.noticeMs,
      ),
    );
    if (grounds.length > 0 && !ripe)
      breaches.push(
        breach(6, 'notice cut short', one.at, `${one.key.id}: ${JSON.stringify(notices.at(-1))}`),
      );
    const onStep = grounds.some(({ policy, step }) =>
      notices.some((given) => given.policy === policy.name && isOfStep(step.alert, given.channel)),
    );
    if (ripe && !onStep)
      breaches.push(
        breach(6, 'notice by another channel', one.at, `${one.key.id}: ${JSON.stringify(notices)}`),
      );
  }
  return breaches;
};

/** While it ran, a decision was that the key is not to be deleted by that policy: a notice starts anew after that. */
function isVoid({ stage }: History, { finding, at }: Notice, { key, at: until }: Asked): boolean {
  return stage.decisions.some(
    (one) =>
      one.at > at &&
      one.at < until &&
      one.isTrusted &&
      one.held.some(
        ({ kind, findingId, because, subject }) =>
          kind === 'delete' &&
          findingId === finding &&
          ['mode', 'protected', 'silenced'].includes(because) &&
          subject.kind === 'key' &&
          subject.id === key?.id,
      ),
  );
}

function isOfStep(channels: readonly string[], channel: string): boolean {
  return channels.includes(channel);
}

/** Of each notice, when it was first accepted. */
function firstOfEach(notices: readonly Notice[]): Notice[] {
  const first = new Map<string, Notice>();
  for (const one of notices) if (!first.has(one.alert)) first.set(one.alert, one);
  return [...first.values()];
}

/** 8: a key that a person renamed during its notice is not deleted in that finding; a person's name stays. */
export const hands: Witness = (history) => {
  const breaches: Breach[] = [];
  for (const one of history.asked) {
    if (one.key === null) continue;
    const { id } = one.key;
    const byPeople = history.names(id).filter(({ by, at }) => by === 'person' && at <= one.listAsOf);
    if (one.kind === 'delete') {
      const notices = noticesBefore(history, one);
      const seen = byPeople.filter(({ isKept }) => isKept);
      // In each finding that gave notice, a person's hand came after the notice.
      const findings = new Map(firstOfEach(notices).map((given) => [given.finding, given.at]));
      const free = [...findings].some(([, since]) => !seen.some(({ at }) => at > since));
      if (findings.size > 0 && !free)
        breaches.push(
          breach(
            8,
            'veto overruled',
            one.at,
            `${id} “${one.key.name}” was renamed by a person at ${String(seen.at(-1)?.at)}`,
          ),
        );
    }
    if (one.kind === 'rename') {
      const last = history
        .names(id)
        .findLast(({ at, by, isNews }) => at <= one.listAsOf && (isNews || by === 'program'));
      const isRestore =
        history.names(id).some(({ from, by }) => by === 'program' && from === one.to) && !isMadeByRule(one);
      if (isRestore && last?.by === 'person')
        breaches.push(
          breach(8, "a person's name overwritten", one.at, `${id} “${last.to}” to “${one.to ?? ''}”`),
        );
    }
  }
  return breaches;
};

/** The name begins as a rule of the file has it, so that it may be given anew. */
function isMadeByRule({ files, to }: Asked): boolean {
  return files.some((file) =>
    file.policies.some(({ steps }) =>
      steps.some(({ renamePrefix }) => renamePrefix !== undefined && to?.startsWith(`${renamePrefix} `)),
    ),
  );
}
