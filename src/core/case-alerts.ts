/** What is told of a case: its steps and notices, what ended a deletion, and that nothing can be told. */
import type { CaseAlert, CaseEvent, Figures, Next } from './alert.ts';
import { modeOf, subjectOf, templateVariables } from './court.ts';
import type { Court } from './court.ts';
import { deletionDueAt } from './deletions.ts';
import { figuresAt } from './judgement.ts';
import type { KeyId } from './key.ts';
import type { Held } from './plan.ts';
import type { Policy } from './policy.ts';
import type { Finding, PendingDeletion } from './state.ts';
import type { Wanted } from './wanted.ts';
import type { Case } from './wish.ts';
import { instantWords, stepAtWords, stepDoesWords } from './words.ts';

/** The steps that are announced in this pass. */
export interface Due {
  /** Reached and never announced, ascending. */
  readonly fresh: readonly number[];
  /** The one whose `repeat` is due; null: none. */
  readonly repeated: number | null;
}

/** The channels of several steps, each once, in the file's order. */
export function stepChannels(policy: Policy, steps: readonly number[]): readonly string[] {
  return [...new Set(policy.steps.flatMap((step, index) => (steps.includes(index) ? step.alert : [])))];
}

/** Notices, or else one alert that names the highest new step, to the channels of all new ones. */
export function stepAlerts(one: Case, wanted: Wanted, due: Due): CaseAlert[] {
  if (wanted.announced.length > 0)
    return wanted.announced.map((notice) => noticeAlert(one, wanted, due, notice));
  const { policy } = one.judgement;
  const top = due.fresh.at(-1);
  const step = top ?? due.repeated;
  if (step === null) return [];
  const channels = stepChannels(policy, top === undefined ? [step] : due.fresh);
  if (channels.length === 0) return [];
  const repeated = top === undefined;
  const event: CaseEvent = { kind: 'step', step: step + 1, of: policy.steps.length, repeated };
  // With its time: after an edit of the file another step may have this one's number.
  const key = `step-${String(step + 1)}/${instantWords(one.court.now)}`;
  return [
    tell(one, key, event, channels, {
      next: [...upcoming(one, wanted)],
      figures: figuresAt(one.judgement, step),
    }),
  ];
}

function noticeAlert(one: Case, wanted: Wanted, due: Due, notice: PendingDeletion): CaseAlert {
  const { court, judgement } = one;
  const { step, noticeMs, keyId, noticeAlertId } = notice;
  const event: CaseEvent = { kind: 'notice', step: step + 1, of: judgement.policy.steps.length, noticeMs };
  const dueAt = deletionDueAt(notice, court.now, noticeMs);
  // It stands for all that is announced in this pass.
  const announced = due.repeated === null ? due.fresh : [...due.fresh, due.repeated];
  const channels = stepChannels(judgement.policy, [...announced, step]);
  const next: Next[] = [{ kind: 'delete', noticeMs, dueAt }, ...upcoming(one, wanted)];
  return { ...tell(one, '', event, channels, { next, keyId }), id: noticeAlertId };
}

function* upcoming({ court, judgement }: Case, wanted: Wanted): Generator<Next> {
  for (const change of wanted.changes.slice(0, 3)) {
    if (change.to !== null) yield { kind: 'rename', to: change.to };
  }
  for (const held of distinctHeld(wanted.held)) {
    if (held.kind !== 'rename' && held.kind !== 'delete') continue;
    if (held.because !== 'notice') yield { kind: 'would', change: held.kind, because: held.detail };
  }
  const { policy, reached } = judgement;
  const next = policy.steps[(reached.at(-1) ?? -1) + 1];
  if (next === undefined) return;
  const does =
    modeOf(court, policy) === 'enforce' || !(next.delete ?? next.rename)
      ? stepDoesWords(next)
      : `would be the step that ${stepDoesWords(next)}`;
  yield { kind: 'step', at: stepAtWords(policy, next), does };
}

function distinctHeld(held: readonly Held[]): readonly Held[] {
  return held.filter((one, index) => held.findIndex((other) => other.kind === one.kind) === index);
}

/** Deletions that a person stopped, and those that are asked for no more. */
export function endedDeletions(one: Case, { vetoed, cancelled }: Wanted): CaseAlert[] {
  const ended = (pending: PendingDeletion, key: string, event: CaseEvent): CaseAlert =>
    tell(one, key, event, endChannels(one, pending), { keyId: pending.keyId });
  return [
    ...vetoed.map(({ deletion, by }) =>
      ended(deletion, `vetoed/${deletion.noticeAlertId}`, { kind: 'vetoed', by }),
    ),
    ...cancelled.map(({ deletion, because }) =>
      ended(deletion, `cancelled/${deletion.noticeAlertId}`, { kind: 'cancelled', because }),
    ),
  ];
}

/** That a limit holds a deletion whose notice has run out, for whoever was told of it. */
export function heldAlert(
  one: Case,
  pending: PendingDeletion,
  event: CaseEvent & { readonly kind: 'held' },
): CaseAlert {
  const { keyId, noticeAlertId } = pending;
  const key = `held/${noticeAlertId}/${instantWords(one.court.now)}`;
  return tell(one, key, event, endChannels(one, pending), { keyId });
}

/** Whoever was told that it comes, and the step’s own; of a step that is gone from the file, all who were told of the case. */
function endChannels(
  { court, judgement, finding }: Case,
  { step, toldTo = [] }: PendingDeletion,
): readonly string[] {
  const own = stepChannels(judgement.policy, [step]);
  const heard = own.length > 0 ? toldTo : finding.heardBy;
  return [...new Set([...own, ...heard.filter((channel) => court.policy.channels.has(channel))])];
}

/** The deletions, with the channels that their notices among `alerts` went to. `before`: as they were. */
export function withTold(
  deletions: readonly PendingDeletion[],
  alerts: readonly CaseAlert[],
  before: readonly PendingDeletion[],
): readonly PendingDeletion[] {
  return deletions.map((pending) => {
    const notice = alerts.find(({ id }) => id === pending.noticeAlertId);
    if (notice === undefined) return pending;
    const { toldTo: earlier = [] } = before.find(({ keyId }) => keyId === pending.keyId) ?? {};
    return { ...pending, toldTo: [...new Set([...earlier, ...notice.channels])] };
  });
}

export function uncertainAlert(one: Case): CaseAlert {
  const { policy, because, open } = one.judgement;
  const event: CaseEvent = { kind: 'uncertain', because: because ?? 'its usage is not certain' };
  return tell(one, `uncertain/${instantWords(one.court.now)}`, event, stepChannels(policy, open));
}

function tell(
  { court, judgement, finding }: Case,
  key: string,
  event: CaseEvent,
  channels: readonly string[],
  more: Pick<Tidings, 'next' | 'keyId' | 'figures'> = {},
): CaseAlert {
  return caseAlert(court, finding, judgement.policy, { key, event, channels, ...more });
}

/** What makes one alert about a finding different from another. */
export interface Tidings {
  /** Makes the alert's id unique within the finding. */
  readonly key: string;
  readonly event: CaseEvent;
  readonly channels: readonly string[];
  readonly next?: readonly Next[];
  /** The key that it is about, where that is one of a group's. */
  readonly keyId?: KeyId;
  /** Left out: the finding's. */
  readonly figures?: Figures;
}

/** `policy` undefined: it is gone from the file. */
export function caseAlert(
  court: Court,
  finding: Finding,
  policy: Policy | undefined,
  { key, event, channels, next = [], keyId, figures = finding.figures }: Tidings,
): CaseAlert {
  const { subject } = finding;
  const about = keyId === undefined ? subject : ({ kind: 'key', id: keyId, createdAt: 0 } as const);
  const record = about.kind === 'key' ? court.records.get(about.id) : undefined;
  const group = about.kind === 'group' ? about.group : '';
  const whose = subject.kind === 'group' && about.kind === 'key' ? { group: subject.group } : {};
  return {
    topic: 'case',
    id: `${finding.id}/${key}`,
    at: court.now,
    findingId: finding.id,
    policy: finding.policy,
    description: policy?.description ?? null,
    subject: subjectOf(court, about),
    figures,
    ...whose,
    event,
    next,
    timeZone: zoneOf(court, policy),
    channels,
    variables: templateVariables(finding.policy, figures, record, group),
  };
}

function zoneOf(court: Court, policy: Policy | undefined): string {
  return policy?.rule.kind === 'spend' && policy.rule.period.kind === 'calendar'
    ? policy.rule.period.timeZone
    : court.policy.timeZone;
}
