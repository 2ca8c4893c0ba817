import type { WorldKey } from '../../../../src/sandbox/account-key.ts';
import type { KeyId } from '../../../../src/core/key.ts';
import { alertsThen, passLimitMs } from '../alerts-then.ts';
import type { History } from '../history.ts';
import type { PolicyShape, SpendShape } from '../policies.ts';
import { epoch } from '../setting.ts';
import { groundsOf, groupOf, membersOf, periodStart, usedBy } from '../truth.ts';
import { dayMs } from '../units.ts';
import { isMisled, isRolling, isTakenForNew, lateMs } from './figures.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** A group's key was its largest at some look of so long before. */
const fellWithinMs = 40 * dayMs;

/** 9: of a group, `pick: highest` falls on the key that had used most of its period when it fell on it. */
export const highest: Witness = (history) =>
  history.asked.flatMap((one): Breach[] => {
    const { key, kind } = one;
    if (key === null || kind === 'create') return [];
    if (isMisled(history) || isTakenForNew(history)) return [];
    const grounds = groundsOf(history, one, ({ deleteNoticeMs, renamePrefix }) =>
      kind === 'delete'
        ? deleteNoticeMs !== undefined
        : renamePrefix !== undefined && one.to?.startsWith(`${renamePrefix} `) === true,
    );
    const may = grounds.some(({ policy, step }) => {
      const { rule } = policy;
      if (rule.kind !== 'spend' || step.pick !== 'highest') return true;
      return looksBefore(history, one.at).some((at) => isHighest(history, policy, rule, key, at));
    });
    return grounds.length === 0 || may
      ? []
      : [breach(9, 'not the highest of its group', one.at, `${kind} of ${key.id} “${key.name}”`)];
  });

function looksBefore({ entries }: History, before: number): number[] {
  return entries.flatMap((one) =>
    one.kind === 'answered' && one.at <= before && one.at > before - fellWithinMs && one.asOf !== null
      ? [one.asOf]
      : [],
  );
}

function isHighest(
  history: History,
  policy: PolicyShape,
  rule: SpendShape,
  key: WorldKey,
  at: number,
): boolean {
  const now = epoch + at;
  const group = groupOf(rule, key);
  if (group === null) return false;
  const from = periodStart(rule, now);
  const mine = usedBy(history, rule, key, from, now + passLimitMs);
  const surelyFrom = isRolling(rule) ? from + passLimitMs : from;
  return (
    mine > 0 &&
    membersOf(history, policy, group === 'account' ? 'selected' : group, at).every(
      (other) =>
        (other.deletedAt !== null && other.deletedAt <= now) ||
        usedBy(history, rule, other, surelyFrom, now - lateMs) <= mine,
    )
  );
}

/** 9: what a group's step falls on is its highest key alone: where that one goes, no other is given notice for it. */
export const oneAlone: Witness = (history) => {
  const { stage, statesSince } = history;
  // By one file, lest the step is another one; and nothing but the end of the key ends its notice.
  const [file] = stage.files;
  if (file === undefined || stage.files.length > 1 || file.silences.length > 0) return [];
  const fell = new Map<string, { readonly key: KeyId; readonly at: number }>();
  return alertsThen(history).flatMap(({ alert }): Breach[] => {
    const { event, finding, step, key, at } = alert;
    const policy = file.policies.find(({ name }) => name === alert.policy);
    if (event !== 'notice' || finding === null || step === null || key === null) return [];
    if (policy?.rule.kind !== 'spend' || policy.steps[step - 1]?.pick !== 'highest') return [];
    const place = `${finding} ${String(step)}`;
    const before = fell.get(place);
    if (before === undefined || before.at > at) fell.set(place, { key, at });
    if (before === undefined || before.key === key || isRolling(policy.rule)) return [];
    const goneAt = history.key(before.key)?.deletedAt ?? null;
    const isGone = goneAt !== null && goneAt <= epoch + at;
    const isRemembered = !statesSince.some((since) => since > before.at && since <= at);
    return isGone && isRemembered
      ? [breach(9, 'another in place of one that is gone', at, `${key} for ${before.key} of ${finding}`)]
      : [];
  });
};
