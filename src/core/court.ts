/**
 * What deciding needs beside the judgements: the policy file, what is remembered, and what stands
 * in the way. One value is handed to every part of the decision.
 */
import type { Subject } from './alert.ts';
import type { EpochMs, KeyId } from './key.ts';
import type { Bench } from './judgement.ts';
import type { Judgement } from './judgement.ts';
import type { HeldBecause } from './plan.ts';
import type { Channel, Mode, Policy, PolicyFile, TemplateVariables } from './policy.ts';
import type { Change, Finding, FindingSubject, KeyRecord } from './state.ts';
import { amountText, instantWords, minuteWords } from './words.ts';

export interface Court {
  readonly now: EpochMs;
  readonly policy: PolicyFile;
  /** The most cautious of the command line's and the file's. */
  readonly mode: Mode;
  readonly bench: Bench;
  /** Every record, gone ones included, by fingerprint. */
  readonly records: { get(id: KeyId): KeyRecord | undefined };
  readonly findings: readonly Finding[];
  /** Of the last 24 hours and unsettled. */
  readonly changes: readonly Change[];
  /** When each notice was first known to be accepted, by `acceptanceKey`: no longer ago than has surely passed since. */
  readonly acceptances: ReadonlyMap<string, EpochMs>;
  /** Why nothing at all may be changed now; null: nothing stands in the way. */
  readonly hold: string | null;
  /** False when the list cannot be trusted: a key's absence then proves nothing. */
  readonly listTrusted: boolean;
  /** Live keys of the account, for limits in percent. */
  readonly accountKeys: number;
}

/** What one channel's acceptance of one alert is known by. */
export function acceptanceKey(alertId: string, channel: string): string {
  return `${alertId} ${channel}`;
}

/** When the first of these channels accepted the alert; null: none of them has. */
export function firstAccepted(
  acceptances: Court['acceptances'],
  alertId: string,
  channels: readonly string[],
): EpochMs | null {
  const times = channels.flatMap((channel) => acceptances.get(acceptanceKey(alertId, channel)) ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** By age, then by id. */
export function inOrder(records: readonly KeyRecord[]): KeyRecord[] {
  return [...records].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

const caution: Readonly<Record<Mode, number>> = { 'dry-run': 0, alert: 1, enforce: 2 };

/** The most cautious of several modes; null has no say. */
export function mostCautious(...modes: readonly (Mode | null)[]): Mode {
  let result: Mode = 'enforce';
  for (const mode of modes) if (mode !== null && caution[mode] < caution[result]) result = mode;
  return result;
}

export function modeOf(court: Court, policy: Policy): Mode {
  return mostCautious(court.mode, policy.mode);
}

export function isProtected(court: Court, record: KeyRecord): boolean {
  if (record.facts.isAdmin) return true;
  const subject = { key: record.facts, originalName: record.originalName };
  // What Keywarden wrote over a name must not hide it from a protection of the name it bears now.
  const asNamed = { key: record.facts, originalName: record.facts.name };
  return court.policy.protect.some(
    (protects) => protects(subject, court.now) || protects(asNamed, court.now),
  );
}

export function silenced(court: Court, record: KeyRecord, what: 'alerts' | 'actions'): string | null {
  const subject = { key: record.facts, originalName: record.originalName };
  // As of a protection: whoever saves a key may know it by the name that Keywarden gave it.
  const asNamed = { key: record.facts, originalName: record.facts.name };
  const subjects = what === 'actions' ? [subject, asNamed] : [subject];
  const silence = court.policy.silences.find(
    ({ until, suppress, select }) =>
      court.now < until && suppress.includes(what) && subjects.some((one) => select(one, court.now)),
  );
  return silence === undefined
    ? null
    : `silenced until ${minuteWords(silence.until)}${silence.reason ? `: ${silence.reason}` : ''}`;
}

/** A list may lack a key for a moment: what was said and done of one that it misses is not over at once. */
const missedMs = 3_600_000;

export function mayComeBack({ now }: Pick<Court, 'now'>, record: KeyRecord | undefined): boolean {
  const goneAt = record?.goneAt ?? null;
  return goneAt !== null && now - goneAt < missedMs;
}

/** What stands in the way of any change to a key, gravest first. `mode`: that of the policy that asks for it. */
export function obstacle(
  court: Court,
  record: KeyRecord,
  mode: Mode,
): { readonly because: HeldBecause; readonly detail: string } | null {
  if (isProtected(court, record)) return { because: 'protected', detail: 'the key is protected' };
  const silence = silenced(court, record, 'actions');
  if (silence !== null) return { because: 'silenced', detail: silence };
  if (mode !== 'enforce') return { because: 'mode', detail: `mode is ${mode}` };
  return court.hold === null ? null : { because: 'unknown', detail: court.hold };
}

/** It goes to an address in the key's metadata, and so not with what is about no one key. */
export function isAddressedByKey(channel: Channel): boolean {
  return channel.kind === 'email' && channel.to.some(({ variables }) => variables.length > 0);
}

/** A group's alerts are silenced when those of all its keys are. */
export function alertsSilenced(court: Court, members: readonly KeyRecord[]): boolean {
  return members.length > 0 && members.every((record) => silenced(court, record, 'alerts') !== null);
}

export function subjectOf(court: Court, subject: FindingSubject): Subject {
  if (subject.kind === 'group') return subject;
  const record = court.records.get(subject.id);
  return keyAsSubject(subject.id, record);
}

export function keyAsSubject(id: KeyId, record: KeyRecord | undefined): Subject {
  return { kind: 'key', id, name: record?.facts.name ?? '', originalName: record?.originalName ?? '' };
}

/** What templates may mention, for one key of a case (or the group itself). */
export function templateVariables(
  policy: string,
  figures: Judgement['figures'],
  record: KeyRecord | undefined,
  group: string,
): TemplateVariables {
  const spend = figures.kind === 'spend' ? figures : null;
  return {
    name: record?.originalName ?? group,
    metadata: record?.facts.metadata ?? {},
    policy,
    percent: spend === null ? '' : String(spend.percent),
    limit: spend === null ? '' : amountText(spend.limit, spend.measure),
    level: spend === null ? '' : amountText(spend.level.low, spend.measure),
    period: spend?.period ?? '',
    deadline: figures.kind === 'spend' ? '' : instantWords(figures.deadline),
    id: record?.id ?? group,
  };
}
