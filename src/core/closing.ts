/** The end of a finding. */
import type { CaseAlert, CaseEvent } from './alert.ts';
import { caseAlert } from './case-alerts.ts';
import type { Tidings } from './case-alerts.ts';
import { alertsSilenced, isAddressedByKey } from './court.ts';
import type { Court } from './court.ts';
import { groupsOf } from './judge-groups.ts';
import type { Selects } from './judgement.ts';
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
  const channels = finding.heardBy.filter((channel) => court.policy.channels.has(channel));
  if (channels.length === 0 || isSilenced(court, finding)) return { finding: closed, alerts: [] };
  const event: CaseEvent = { kind: 'resolved', because: because + whatEndsWithIt(court, finding) };
  const key = `resolved/${instantWords(court.now)}`;
  const tidings = [{ key, event, channels }, ...calledOff(court, finding, because, channels)];
  const policy = policyOf(court, finding);
  return { finding: closed, alerts: tidings.map((one) => caseAlert(court, closed, policy, one)) };
}

/** What is said of a group goes to nobody by a key's metadata: who was told of one of its keys is told of that. */
function calledOff(court: Court, finding: Finding, because: string, heardBy: readonly string[]): Tidings[] {
  if (finding.subject.kind === 'key') return [];
  const channels = heardBy.filter((name) => {
    const channel = court.policy.channels.get(name);
    return channel !== undefined && isAddressedByKey(channel);
  });
  if (channels.length === 0) return [];
  return spared(court, finding).flatMap(({ keyId, createdAt, noticeAlertId }) => {
    if (isSilenced(court, { ...finding, subject: { kind: 'key', id: keyId, createdAt } })) return [];
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

function policyOf(court: Court, finding: Finding): Policy | undefined {
  return court.policy.policies.find((one) => one.name === finding.policy);
}

function isSilenced(court: Court, { subject, policy }: Pick<Finding, 'subject' | 'policy'>): boolean {
  if (subject.kind === 'group') return alertsSilenced(court, membersOf(court, policy, subject.group));
  const record = court.records.get(subject.id);
  return record !== undefined && alertsSilenced(court, [record]);
}

function membersOf(court: Court, name: string, group: string): readonly KeyRecord[] {
  const policy = court.policy.policies.find((one) => one.name === name);
  if (policy?.rule.kind !== 'spend') return [];
  const selects: Selects = (record) =>
    policy.select({ key: record.facts, originalName: record.originalName }, court.now);
  return groupsOf(policy.rule, court.bench, selects).find((one) => one.name === group)?.members ?? [];
}

/** Why a finding with no judgement has ended; null: it has not, for its end cannot be told. */
export function whyOver(court: Court, finding: Finding): string | null {
  const policy = policyOf(court, finding);
  if (policy === undefined) return 'the policy is gone';
  const { subject } = finding;
  if (subject.kind === 'key') {
    const record = court.records.get(subject.id);
    if (record === undefined || record.createdAt !== subject.createdAt || record.goneAt !== null)
      return court.listTrusted && !mayComeBack(court, finding, record) ? 'the key is gone' : null;
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
const missedMs = 3_600_000;

function mayComeBack({ now }: Court, { deletions }: Finding, record: KeyRecord | undefined): boolean {
  const goneAt = record?.goneAt ?? null;
  return goneAt !== null && now - goneAt < missedMs && deletions.some(({ vetoedAt }) => vetoedAt !== null);
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
