/**
 * The life of a finding: it opens when a step is reached, remembers what was said, and closes when
 * its reason is gone.
 */
import type { CaseAlert, CaseEvent, Next } from './alert.ts';
import { alertsSilenced, modeOf, subjectOf, templateVariables } from './court.ts';
import type { Court } from './court.ts';
import { caseKey } from './judgement.ts';
import type { Judgement } from './judgement.ts';
import type { EpochMs } from './key.ts';
import type { Held } from './plan.ts';
import type { Policy } from './policy.ts';
import type { Finding, FiredStep } from './state.ts';
import type { Wanted } from './wanted.ts';
import { deletionDueAt } from './wanted.ts';
import { instantWords, stepAtWords, stepDoesWords } from './words.ts';

const uncertainToldAfterMs = 3_600_000;

/** The finding that a judgement continues: the open one, a closed one of the same period, or a new one. */
export function findingFor(court: Court, judgement: Judgement, byId: ReadonlyMap<string, Finding>): Finding {
  const { policy, subject, period, figures, idle } = judgement;
  const open = court.bench.open.get(caseKey(policy.name, subject));
  if (open !== undefined && open.periodStart === period.start) return { ...open, figures };
  const name = subject.kind === 'key' ? subject.id : subject.group;
  const id = `${policy.name}/${name}/${instantWords(period.start ?? court.now)}`;
  const earlier = byId.get(id);
  // What was said in this period stays said, also when a limit was raised and lowered again.
  if (earlier !== undefined) return { ...earlier, figures, closedAt: null, closedBecause: null };
  return {
    id,
    policy: policy.name,
    subject,
    periodStart: period.start,
    periodEnd: period.end,
    openedAt: court.now,
    closedAt: null,
    closedBecause: null,
    fired: [],
    uncertainSince: null,
    uncertainToldAt: null,
    deletions: [],
    renamed: [],
    idle,
    figures,
    failureToldAt: null,
    heardBy: [],
  };
}

/** The finding after this pass, and what is told of it. */
export function advance(
  court: Court,
  judgement: Judgement,
  finding: Finding,
  wanted: Wanted,
): { finding: Finding; alerts: CaseAlert[] } {
  const quiet = alertsSilenced(court, judgement.members);
  const fired = quiet ? finding.fired : fire(judgement, finding, court.now);
  const uncertainSince = judgement.open.length === 0 ? null : (finding.uncertainSince ?? court.now);
  const tellUncertain =
    !quiet &&
    finding.uncertainToldAt === null &&
    uncertainSince !== null &&
    court.now - uncertainSince >= uncertainToldAfterMs;
  const alerts = [
    ...wanted.vetoed.map(({ deletion, by }) =>
      tell(
        court,
        judgement,
        finding,
        `vetoed/${deletion.keyId}`,
        { kind: 'vetoed', by },
        stepChannels(judgement.policy, [deletion.step]),
        [],
      ),
    ),
    ...wanted.cancelled.map(({ deletion, because }) =>
      tell(
        court,
        judgement,
        finding,
        `cancelled/${deletion.noticeAlertId}`,
        { kind: 'cancelled', because },
        stepChannels(judgement.policy, [deletion.step]),
        [],
      ),
    ),
    ...(quiet ? [] : stepAlerts(court, judgement, finding, wanted)),
    ...(tellUncertain ? [uncertainAlert(court, judgement, finding)] : []),
  ];
  const heardBy = [...new Set([...finding.heardBy, ...alerts.flatMap((alert) => alert.channels)])];
  const next: Finding = {
    ...finding,
    fired,
    uncertainSince,
    uncertainToldAt: uncertainSince === null ? null : tellUncertain ? court.now : finding.uncertainToldAt,
    deletions: wanted.deletions,
    idle: judgement.idle,
    heardBy,
  };
  return { finding: next, alerts };
}

function fire(judgement: Judgement, finding: Finding, now: EpochMs): readonly FiredStep[] {
  const repeated = repeatDue(judgement, finding, now);
  const before = finding.fired.map((one) => (one.step === repeated ? { ...one, alertedAt: now } : one));
  const fresh = newlyReached(judgement, finding).map((step): FiredStep => ({
    step,
    at: now,
    alertedAt: now,
  }));
  return [...before, ...fresh];
}

function newlyReached(judgement: Judgement, finding: Finding): readonly number[] {
  return judgement.reached.filter((step) => !finding.fired.some((one) => one.step === step));
}

/** The step whose `repeat` is due: only the highest reached repeats. */
function repeatDue(judgement: Judgement, finding: Finding, now: EpochMs): number | null {
  const top = judgement.reached.at(-1);
  const repeatMs = top === undefined ? null : (judgement.policy.steps[top]?.repeatMs ?? null);
  const last = finding.fired.find((one) => one.step === top);
  if (top === undefined || repeatMs === null || last === undefined) return null;
  return now - last.alertedAt >= repeatMs ? top : null;
}

function stepAlerts(court: Court, judgement: Judgement, finding: Finding, wanted: Wanted): CaseAlert[] {
  const { policy } = judgement;
  const fresh = newlyReached(judgement, finding);
  const top = fresh.at(-1);
  const nexts = [...upcoming(court, judgement, wanted)];
  const notices = wanted.announced.map((deletion) => {
    const event: CaseEvent = {
      kind: 'notice',
      step: deletion.step + 1,
      of: policy.steps.length,
      noticeMs: deletion.noticeMs,
    };
    const due: Next = {
      kind: 'delete',
      noticeMs: deletion.noticeMs,
      dueAt: deletionDueAt(deletion, court.now, deletion.noticeMs),
    };
    const channels = stepChannels(policy, [...fresh, deletion.step]);
    const alert = tell(
      court,
      judgement,
      finding,
      deletion.noticeAlertId,
      event,
      channels,
      [due, ...nexts],
      deletion.keyId,
    );
    return { ...alert, id: deletion.noticeAlertId };
  });
  if (notices.length > 0) return notices;
  const repeated = repeatDue(judgement, finding, court.now);
  const step = top ?? repeated;
  if (step === null) return [];
  const channels = stepChannels(policy, top === undefined ? [step] : fresh);
  if (channels.length === 0) return [];
  const event: CaseEvent = {
    kind: 'step',
    step: step + 1,
    of: policy.steps.length,
    repeated: top === undefined,
  };
  const key =
    top === undefined ? `step-${String(step + 1)}/${instantWords(court.now)}` : `step-${String(step + 1)}`;
  return [tell(court, judgement, finding, key, event, channels, nexts)];
}

function* upcoming(court: Court, judgement: Judgement, wanted: Wanted): Generator<Next> {
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

function uncertainAlert(court: Court, judgement: Judgement, finding: Finding): CaseAlert {
  const event: CaseEvent = { kind: 'uncertain', because: judgement.because ?? 'its usage is not certain' };
  return tell(
    court,
    judgement,
    finding,
    `uncertain/${instantWords(court.now)}`,
    event,
    stepChannels(judgement.policy, judgement.open),
    [],
  );
}

/** The channels of several steps, each once, in the file's order. */
export function stepChannels(policy: Policy, steps: readonly number[]): readonly string[] {
  return [...new Set(policy.steps.flatMap((step, index) => (steps.includes(index) ? step.alert : [])))];
}

function tell(
  court: Court,
  judgement: Judgement,
  finding: Finding,
  key: string,
  event: CaseEvent,
  channels: readonly string[],
  next: readonly Next[],
  keyId?: Finding['deletions'][number]['keyId'],
): CaseAlert {
  return caseAlert(court, finding, judgement.policy, key, event, channels, next, keyId);
}

/** An alert about a finding; `key` makes its id unique within the finding. */
export function caseAlert(
  court: Court,
  finding: Finding,
  policy: Policy | undefined,
  key: string,
  event: CaseEvent,
  channels: readonly string[],
  next: readonly Next[],
  keyId?: Finding['deletions'][number]['keyId'],
): CaseAlert {
  const about = keyId === undefined ? finding.subject : ({ kind: 'key', id: keyId, createdAt: 0 } as const);
  const record = about.kind === 'key' ? court.records.get(about.id) : undefined;
  const zone =
    policy?.rule.kind === 'spend' && policy.rule.period.kind === 'calendar'
      ? policy.rule.period.timeZone
      : court.policy.timeZone;
  return {
    topic: 'case',
    id: `${finding.id}/${key}`,
    at: court.now,
    findingId: finding.id,
    policy: finding.policy,
    description: policy?.description ?? null,
    subject: subjectOf(court, about),
    figures: finding.figures,
    event,
    next,
    timeZone: zone,
    channels,
    variables: templateVariables(
      finding.policy,
      finding.figures,
      record,
      about.kind === 'group' ? about.group : '',
    ),
  };
}

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
  const policy = court.policy.policies.find((one) => one.name === finding.policy);
  const members =
    finding.subject.kind === 'key'
      ? [court.records.get(finding.subject.id)].filter((one) => one !== undefined)
      : [];
  if (channels.length === 0 || alertsSilenced(court, members)) return { finding: closed, alerts: [] };
  const event: CaseEvent = { kind: 'resolved', because };
  return {
    finding: closed,
    alerts: [caseAlert(court, closed, policy, `resolved/${instantWords(court.now)}`, event, channels, [])],
  };
}

/** Why a finding with no judgement has ended; null: it has not, for its end cannot be told. */
export function whyOver(court: Court, finding: Finding): string | null {
  const policy = court.policy.policies.find((one) => one.name === finding.policy);
  if (policy === undefined) return 'the policy is gone';
  if (finding.subject.kind === 'key') {
    const record = court.records.get(finding.subject.id);
    if (record === undefined || record.createdAt !== finding.subject.createdAt || record.goneAt !== null) {
      return court.listTrusted ? 'the key is gone' : null;
    }
    if (!policy.select({ key: record.facts, originalName: record.originalName }, court.now))
      return 'the policy no longer covers it';
  }
  if (finding.periodEnd !== null && finding.periodEnd <= court.now) return 'its period is over';
  switch (finding.figures.kind) {
    case 'spend':
      return 'the level is below its first step again';
    case 'expiry':
      return 'its deadline has moved';
    case 'idle':
      return 'the key was used again';
    default:
      return finding.figures satisfies never;
  }
}
