/** The end of a finding. */
import type { CaseAlert, CaseEvent } from './alert.ts';
import { caseAlert } from './case-alerts.ts';
import type { Tidings } from './case-alerts.ts';
import { alertsSilenced, isAddressedByKey, mayComeBack, templateVariables } from './court.ts';
import type { Court } from './court.ts';
import { groupsOf } from './judge-groups.ts';
import type { Policy } from './policy.ts';
import type { Finding, KeyRecord, PendingDeletion } from './state.ts';
import { instantWords } from './words.ts';

/**
 * A finding whose reason is gone: its pending deletions end with it, and those who heard of it
 * hear that it is over. Standing renames are undone by `restores`, which see that it is closed.
 */
export function close(
  court: Court,
  finding: Finding,
  because: string,
): { finding: Finding; alerts: CaseAlert[] } {
  const closed: Finding = {
    ...finding,
    closedAt: court.now,
    closedBecause: because,
    deletions: [],
    uncertainSince: null,
  };
  if (!finding.heardBy.some((channel) => court.policy.channels.has(channel)))
    return { finding: closed, alerts: [] };
  const { deletions } = finding;
  if (isSilenced(court, finding)) return { finding: { ...closed, owed: { because, deletions } }, alerts: [] };
  return { finding: closed, alerts: endAlerts(court, finding, because) };
}

/**
 * A finding that ended within a silence, once that is over: those who heard of it hear so now. `goesOn`: its
 * case is open again, and they hear of that. Null: the silence lasts.
 */
export function payOwed(
  court: Court,
  finding: Finding,
  goesOn: boolean,
): { finding: Finding; alerts: CaseAlert[] } | null {
  const { owed, ...paid } = finding;
  if (owed === undefined || isSilenced(court, finding)) return null;
  if (goesOn) return { finding: paid, alerts: [] };
  const { because, deletions } = owed;
  return { finding: paid, alerts: endAlerts(court, { ...paid, deletions }, because) };
}

/** To those who heard of it. `finding` has the deletions that end with it. */
function endAlerts(court: Court, finding: Finding, because: string): CaseAlert[] {
  const event: CaseEvent = { kind: 'resolved', because: because + whatEndsWithIt(court, finding) };
  const key = `resolved/${instantWords(court.now)}`;
  const channels = reachable(court, finding);
  const tidings = [
    ...(channels.length === 0 ? [] : [{ key, event, channels }]),
    ...calledOff(court, finding, because),
  ];
  const policy = policyOf(court, finding);
  return tidings.map((one) => caseAlert(court, finding, policy, one));
}

/**
 * The channels that heard of it. What was said of a group cannot have reached one that goes to an address in a
 * key's metadata; that it could not was said with it.
 */
function reachable(court: Court, { policy, subject, figures, heardBy }: Finding): readonly string[] {
  const heard = heardBy.filter((name) => court.policy.channels.has(name));
  if (subject.kind === 'key') return heard;
  const variables = templateVariables(policy, figures, undefined, subject.group);
  return heard.filter((name) => {
    const channel = court.policy.channels.get(name);
    return channel?.kind !== 'email' || channel.to.some((to) => to.render(variables).ok);
  });
}

/** What is said of a group goes to nobody by a key's metadata: who was told of one of its keys is told of that. */
function calledOff(court: Court, finding: Finding, because: string): Tidings[] {
  if (finding.subject.kind === 'key') return [];
  const channels = finding.heardBy.filter((name) => {
    const channel = court.policy.channels.get(name);
    return channel !== undefined && isAddressedByKey(channel);
  });
  if (channels.length === 0) return [];
  return spared(court, finding).flatMap(({ keyId, createdAt, noticeAlertId }) => {
    if (isSilenced(court, { policy: finding.policy, subject: { kind: 'key', id: keyId, createdAt } }))
      return [];
    const event: CaseEvent = { kind: 'cancelled', because };
    return { key: `cancelled/${noticeAlertId}`, event, channels, keyId };
  });
}

/** Whoever was told that a key would be deleted hears that it will not be. */
function whatEndsWithIt(court: Court, finding: Finding): string {
  const { length } = spared(court, finding);
  if (length === 0) return '';
  return length === 1 ? '; its deletion is called off' : '; their deletions are called off';
}

function spared(court: Court, { deletions }: Finding): readonly PendingDeletion[] {
  return deletions.filter(({ keyId, vetoedAt }) => {
    const record = court.records.get(keyId);
    return vetoedAt === null && record !== undefined && record.goneAt === null;
  });
}

function policyOf(court: Court, finding: Pick<Finding, 'policy'>): Policy | undefined {
  return court.policy.policies.find((one) => one.name === finding.policy);
}

/** Its alerts are: those of all its keys. */
export function isSilenced(court: Court, finding: Pick<Finding, 'subject' | 'policy'>): boolean {
  return alertsSilenced(court, keysOf(court, finding));
}

/** The key, or the group's as they are now; of one that has none any more those that it had. */
function keysOf(court: Court, finding: Pick<Finding, 'subject' | 'policy'>): readonly KeyRecord[] {
  const { subject } = finding;
  if (subject.kind === 'key') return [court.records.get(subject.id) ?? []].flat();
  const policy = policyOf(court, finding);
  if (policy?.rule.kind !== 'spend') return [];
  const groups = groupsOf(policy.rule, court.bench, ({ facts, originalName }) =>
    policy.select({ key: facts, originalName }, court.now),
  );
  const group = groups.find(({ name }) => name === subject.group);
  return group === undefined ? [] : group.members.length > 0 ? group.members : group.gone;
}

/** Why a finding with no judgement has ended; null: it has not, for its end cannot be told. */
export function whyOver(court: Court, finding: Finding): string | null {
  const policy = policyOf(court, finding);
  if (policy === undefined) return 'the policy is gone';
  const { subject } = finding;
  if (subject.kind === 'key') {
    const record = court.records.get(subject.id);
    if (record === undefined || record.createdAt !== subject.createdAt || record.goneAt !== null)
      return court.listTrusted && !mayComeBackVetoed(court, finding, record) ? 'the key is gone' : null;
    if (!policy.select({ key: record.facts, originalName: record.originalName }, court.now))
      return 'the policy no longer covers it';
  }
  if (finding.periodEnd !== null && finding.periodEnd <= court.now) return 'its period is over';
  // A list that cannot be trusted may lack the key, or keys of the group.
  if (
    !court.listTrusted &&
    (subject.kind === 'group' || court.bench.evidence.keys.get(subject.id) === undefined)
  )
    return null;
  return quietReason(finding);
}

/** A list that lacks a key for a moment does not undo what a person did to save it. */
function mayComeBackVetoed(court: Court, { deletions }: Finding, record: KeyRecord | undefined): boolean {
  return mayComeBack(court, record) && deletions.some(({ vetoedAt }) => vetoedAt !== null);
}

/** Why a finding has ended of whose case there is another. */
export function whyReplaced({ figures }: Finding): string {
  return figures.kind === 'expiry' ? 'its deadline has moved' : 'its period is over';
}

function quietReason({ figures }: Finding): string {
  switch (figures.kind) {
    case 'spend':
      return 'the level is below its first step again';
    case 'expiry':
      return 'its deadline has moved';
    case 'idle':
      return 'the key was used again';
    default:
      return figures satisfies never;
  }
}
