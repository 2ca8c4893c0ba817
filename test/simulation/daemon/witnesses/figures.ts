import { groupOf, unitsOf, membersOf, periodStart, usedBy } from '../truth.ts';
import type { GroupName } from '../truth.ts';
import type { WorldKey } from '../../../../src/sandbox/account-key.ts';
import { alertsThen, passLimitMs } from '../alerts-then.ts';
import type { AlertFact } from '../chronicle.ts';
import type { History } from '../history.ts';
import type { FileShape, PolicyShape, SpendShape } from '../policies.ts';
import { epoch } from '../setting.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** How late usage may be reported, and a little. */
export const lateMs = 130_000;
const told = ['step', 'notice', 'uncertain'];

/** 3: a level that people are told of holds what was truly used: dollars, tokens or requests, of a key or a group. */
export const figures: Witness = (history) =>
  alertsThen(history).flatMap(({ alert, files }): Breach[] => {
    if (alert.figures?.kind !== 'spend' || !told.includes(alert.event)) return [];
    const faults = files.map((file) => faultOf(history, alert, file));
    const [first] = faults;
    return first === undefined || first === null || faults.includes(null)
      ? []
      : [breach(3, first.code, alert.at, `${alert.id}: ${first.what}`)];
  });

/** Null: by this file it is right. */
function faultOf(
  history: History,
  alert: AlertFact,
  file: FileShape,
): { readonly code: string; readonly what: string } | null {
  const policy = file.policies.find(({ name }) => name === alert.policy);
  const { figures: said } = alert;
  if (policy?.rule.kind !== 'spend' || said?.kind !== 'spend') return null;
  const { rule } = policy;
  const basis = alert.step === null ? said.basis : (policy.steps[alert.step - 1]?.basis ?? 'level');
  if (said.basis !== basis) return { code: 'another basis', what: `${said.basis} for ${basis}` };
  if (said.measure !== rule.measure) return { code: 'another measure', what: said.measure };
  if (rule.limit !== 'max_tokens' && said.limit !== rule.limit * unitsOf(rule))
    return { code: 'another limit', what: String(said.limit) };
  if (basis === 'forecast') return null;
  const group = groupIn(history, alert, rule);
  if (group === null) return { code: 'no such group', what: String(alert.group) };
  const { most, least } = bounds(history, policy, rule, group, alert.at);
  if (said.level.low > most && !isTakenForNew(history))
    return { code: 'a level too high', what: `at least ${String(said.level.low)}, truly ${String(most)}` };
  if (said.level.high !== null && said.level.high < least && !isMisled(history) && !isHidden(history))
    return { code: 'a level too low', what: `at most ${String(said.level.high)}, truly ${String(least)}` };
  return null;
}

function groupIn(history: History, { key: id, group }: AlertFact, rule: SpendShape): GroupName | null {
  const key = id === null ? null : history.key(id);
  if (key !== null) return groupOf(rule, key);
  if (group === 'account' || group === 'selected') return group;
  const team = /^metadata\.team=(.*)$/s.exec(group ?? '')?.[1];
  return team === undefined ? null : { team };
}

/** What was used of the period as of the first and as of the last reading that the level can be made of. */
function bounds(
  history: History,
  policy: PolicyShape,
  rule: SpendShape,
  group: GroupName,
  at: number,
): { most: number; least: number } {
  const now = epoch + at;
  const from = periodStart(rule, now);
  const members = membersOf(history, policy, group, at);
  // Those that are gone may have been so before the program ever saw them.
  const living = members.filter(({ deletedAt }) => deletedAt === null || deletedAt > now + passLimitMs);
  const sum = (keys: readonly WorldKey[], start: number, end: number): number =>
    keys.reduce((all, key) => all + usedBy(history, rule, key, start, end), 0);
  const end = now - lateMs;
  const start = isRolling(rule) ? Math.min(end, from + passLimitMs) : Math.min(end, from);
  return { most: sum(members, from, now + passLimitMs), least: sum(living, start, end) };
}

export function isRolling({ per }: SpendShape): boolean {
  return ['1h', '24h', '7d'].includes(per);
}

/** What a key used under a name that no list had, or that was forgotten, where the account knows it by its present name alone. */
function isHidden(history: History): boolean {
  const { plan, keys } = history.stage;
  const wasLost = history.statesSince.length > 1;
  return (
    plan.variants.renameHistory !== 'follows' &&
    keys.some(({ id }) =>
      history.names(id).some(({ by, wasSeen }) => wasLost || (by === 'person' && !wasSeen)),
    )
  );
}

/** The account said what was not so: of usage, or of which keys there are. */
export function isMisled({ stage: { plan } }: History): boolean {
  return plan.acts.some(
    (act) =>
      (act.kind === 'fault' && !['status', 'cut', 'malformed', 'html', 'empty'].includes(act.fault.kind)) ||
      (act.kind === 'network' && act.trouble === 'stale') ||
      (act.kind === 'ambush' && act.by === 'shrunk list'),
  );
}

/** Lists gave every key one name that none of them bears. */
export function isMisnamed({ stage: { plan } }: History): boolean {
  return plan.acts.some(
    (act) => act.kind === 'fault' && act.fault.kind === 'set-field' && act.fault.field === 'name',
  );
}

/** Lists said of keys that they were created only now: what they used before counts as used since. */
export function isTakenForNew({ stage: { plan } }: History): boolean {
  return plan.acts.some((act) => act.kind === 'ambush' && act.by === 'reborn');
}
