/** What a change that was carried out, or was not, means for the documents; and what is told of it. */
import { caseAlert } from './case-alerts.ts';
import type { CaseAlert, CaseEvent } from './alert.ts';
import { firstAccepted, silenced } from './court.ts';
import type { Court } from './court.ts';
import { noticeChannels } from './deletions.ts';
import { namedByHand } from './hand.ts';
import type { Step } from './policy.ts';
import { placeNow } from './same-steps.ts';
import type { Change, Finding, KeyRecord } from './state.ts';

/** The documents that differ afterwards. */
export interface Settlement {
  readonly records: readonly KeyRecord[];
  readonly findings: readonly Finding[];
  readonly alerts: readonly CaseAlert[];
}

const failureRepeatMs = 24 * 3_600_000;

/** `change` is settled: its outcome is known. `court` is as before it. */
export function settle(court: Court, change: Change): Settlement {
  const record = court.records.get(change.keyId);
  const finding = court.findings.find((one) => one.id === change.findingId);
  const none: Settlement = { records: [], findings: [], alerts: [] };
  if (record === undefined || record.createdAt !== change.keyCreatedAt) return none;
  if (change.outcome === 'failed')
    return finding === undefined ? none : failed(court, change, finding, record);
  if (change.outcome === 'overtaken') return { ...none, ...overtaken(court, change, record, finding) };
  if (change.outcome !== 'done') return none;
  switch (change.kind) {
    case 'delete':
      return {
        ...none,
        records: [{ ...record, goneAt: court.now, standing: [] }],
        ...(finding ? deleted(court, change, finding) : {}),
      };
    case 'rename':
      return renamed(court, change, record);
    case 'restore':
      return {
        ...none,
        records: [withName(record, change.to ?? record.facts.name, record.standing.slice(0, -1))],
        findings: followed(court, change),
      };
    default:
      return change.kind satisfies never;
  }
}

function deleted(court: Court, change: Change, finding: Finding): Pick<Settlement, 'findings' | 'alerts'> {
  const pending = finding.deletions.find((one) => one.keyId === change.keyId);
  const deletions = finding.deletions.filter((one) => one.keyId !== change.keyId);
  const over = finding.subject.kind === 'key';
  const closed: Finding = {
    ...finding,
    deletions,
    renamed: [...finding.renamed, ...settledStep(change)],
    ...(over ? { closedAt: court.now, closedBecause: 'the key was deleted' } : {}),
  };
  const policy = court.policy.policies.find((one) => one.name === change.policy);
  const channels = policy && pending ? noticeChannels(policy, pending) : [];
  const acceptedAt =
    firstAccepted(court.acceptances, pending?.noticeAlertId ?? '', channels) ?? change.intentAt;
  const event: CaseEvent = { kind: 'deleted', noticeAcceptedAt: acceptedAt };
  return { findings: [closed], alerts: [alertOf(court, closed, change, `deleted/${change.keyId}`, event)] };
}

/** A person's hand counts, though the next list may no longer show it; nor is the rename tried again in this case. */
function overtaken(
  court: Court,
  change: Change,
  record: KeyRecord,
  finding: Finding | undefined,
): Pick<Settlement, 'records' | 'findings'> {
  const settled = change.kind === 'rename' ? settledStep(change) : [];
  return {
    records: [namedByHand(record, record.facts.name, court.now)],
    findings:
      finding && settled.length > 0 ? [{ ...finding, renamed: [...finding.renamed, ...settled] }] : [],
  };
}

function renamed(court: Court, change: Change, record: KeyRecord): Settlement {
  const to = change.to ?? record.facts.name;
  const restore = stepOf(court, change)?.rename?.restore ?? true;
  const standing = [
    ...record.standing,
    { findingId: change.findingId, from: change.from, to, at: court.now, restore },
  ];
  return { records: [withName(record, to, standing)], findings: followed(court, change), alerts: [] };
}

function withName(record: KeyRecord, name: string, standing: KeyRecord['standing']): KeyRecord {
  return { ...record, facts: { ...record.facts, name }, nameChanged: true, standing };
}

/** Keywarden's own rename is no veto: every pending deletion of the key expects the new name. */
function followed(court: Court, change: Change): readonly Finding[] {
  const to = change.to;
  if (to === null) return [];
  return court.findings.flatMap((finding): Finding[] => {
    const concerned = finding.deletions.some((one) => one.keyId === change.keyId && one.vetoedAt === null);
    const settled = finding.id === change.findingId ? settledStep(change) : [];
    if (!concerned && settled.length === 0) return [];
    const deletions = finding.deletions.map((one) =>
      one.keyId === change.keyId ? { ...one, expectedName: to } : one,
    );
    return [{ ...finding, deletions, renamed: [...finding.renamed, ...settled] }];
  });
}

/** The step that asked for the change, as the file has it now: another may have come since, before a restart. */
function stepOf(court: Court, { policy: name, step, findingId }: Change): Step | undefined {
  const policy = court.policy.policies.find((one) => one.name === name);
  if (policy === undefined || step === null) return undefined;
  const finding = court.findings.find((one) => one.id === findingId);
  return policy.steps[placeNow(finding, policy, step) ?? -1];
}

function settledStep({ step, keyId }: Change): Finding['renamed'] {
  return step === null ? [] : [{ step, keyId }];
}

/** Said once a day at most, however often it is tried. */
function failed(court: Court, change: Change, finding: Finding, record: KeyRecord): Settlement {
  const none: Settlement = { records: [], findings: [], alerts: [] };
  const told = finding.failureToldAt;
  if (told !== null && court.now - told < failureRepeatMs) return none;
  if (silenced(court, record, 'alerts') !== null) return none;
  const event: CaseEvent = {
    kind: 'failed',
    change: change.kind,
    because: change.detail ?? 'no reason was given',
  };
  const next: Finding = { ...finding, failureToldAt: court.now };
  return {
    records: [],
    findings: [next],
    alerts: [alertOf(court, next, change, `failed/${change.id}`, event)],
  };
}

function alertOf(court: Court, finding: Finding, change: Change, key: string, event: CaseEvent): CaseAlert {
  const policy = court.policy.policies.find((one) => one.name === finding.policy);
  const own = stepOf(court, change)?.alert ?? [];
  const heard = finding.heardBy.filter((channel) => court.policy.channels.has(channel));
  const channels = [...new Set([...own, ...heard])];
  return caseAlert(court, finding, policy, { key, event, channels, keyId: change.keyId });
}
