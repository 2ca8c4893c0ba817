/**
 * The life of a finding: it opens when a step is reached, remembers what was said, and closes
 * (`closing.ts`) when its reason is gone.
 */
import type { CaseAlert } from './alert.ts';
import { endedDeletions, stepAlerts, uncertainAlert, withTold } from './case-alerts.ts';
import type { Due } from './case-alerts.ts';
import { isSilenced } from './closing.ts';
import { alertsSilenced } from './court.ts';
import type { Court } from './court.ts';
import { caseKey } from './judgement.ts';
import type { Judgement } from './judgement.ts';
import { fellOnAll } from './grounds.ts';
import type { Policy } from './policy.ts';
import { stepMarks } from './same-steps.ts';
import type { Finding, FindingSubject, FiredStep } from './state.ts';
import type { Wanted } from './wanted.ts';
import type { Case } from './wish.ts';
import { instantWords } from './words.ts';

const uncertainToldAfterMs = 3_600_000;

/** The finding that a judgement continues: the open one, a closed one of the same period, or a new one. */
export function findingFor(court: Court, judgement: Judgement, byId: ReadonlyMap<string, Finding>): Finding {
  const { policy, subject, period, figures } = judgement;
  const open = court.bench.open.get(caseKey(policy.name, subject));
  if (open !== undefined && open.periodStart === period.start && !hasMovedAway(open, judgement))
    return { ...open, figures };
  const name = subject.kind === 'key' ? subject.id : subject.group;
  const usual = `${policy.name}/${name}/${instantWords(period.start ?? court.now)}`;
  const again = subject.kind === 'key' && isOthers(byId.get(usual), subject);
  const id = again ? `${usual}/${instantWords(subject.createdAt)}` : usual;
  const earlier = byId.get(id);
  // What was said in this period stays said, also when a limit was raised and lowered again;
  // those who heard of it have heard that it was over, unless it was silenced then.
  if (earlier !== undefined) {
    // One of the period before may be open still, until it is known what became of a change of its.
    if (earlier.closedAt === null) return { ...earlier, figures };
    const { owed, ...before } = earlier;
    const heardBy = owed === undefined ? [] : before.heardBy;
    const renamed = undone(court, policy, before);
    return { ...before, figures, closedAt: null, closedBecause: null, heardBy, renamed };
  }
  return newFinding(court, judgement, id);
}

/** Its renames were undone when it ended, and are wanted again; but not over a person's hand. */
function undone(court: Court, { steps }: Policy, { renamed, openedAt }: Finding): Finding['renamed'] {
  return renamed.map((one) => {
    const byHand = (court.records.get(one.keyId)?.renamedByPersonAt ?? 0) >= openedAt;
    return byHand || !steps[one.step]?.rename ? one : { ...one, undone: true };
  });
}

/** Its deadline is another, before which what was said or done of it is no longer so: that case is over. */
function hasMovedAway({ figures, fired, renamed }: Finding, judgement: Judgement): boolean {
  const now = judgement.figures;
  if (now.kind !== 'expiry' || figures.kind !== 'expiry' || now.deadline === figures.deadline) return false;
  const { policy, reached } = judgement;
  return [...fired, ...renamed].some(({ step }) => step < policy.steps.length && !reached.includes(step));
}

/** A fingerprint that came back under another creation time is another key, with findings of its own. */
function isOthers(finding: Finding | undefined, subject: FindingSubject): boolean {
  return finding !== undefined && caseKey('', finding.subject) !== caseKey('', subject);
}

function newFinding(
  court: Court,
  { policy, subject, period, figures, idle }: Judgement,
  id: string,
): Finding {
  return {
    id,
    policy: policy.name,
    subject,
    periodStart: period.start,
    periodEnd: period.end,
    openedAt: court.now,
    closedAt: null,
    closedBecause: null,
    steps: stepMarks(policy),
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
export function advance(one: Case, wanted: Wanted): { finding: Finding; alerts: CaseAlert[] } {
  const { court, judgement, finding } = one;
  const { members } = judgement;
  const quiet = members.length > 0 ? alertsSilenced(court, members) : isSilenced(court, finding);
  const due: Due = quiet ? { fresh: [], repeated: null } : stepsDue(one);
  const uncertainSince = judgement.open.length === 0 ? null : (finding.uncertainSince ?? court.now);
  const doubt = uncertainSince !== null && !quiet && isDoubtDue(court, finding, uncertainSince);
  const alerts = [
    ...endedDeletions(one, wanted),
    ...(quiet ? [] : stepAlerts(one, wanted, due)),
    ...(doubt ? [uncertainAlert(one)] : []),
  ];
  const { proven: _, ...remembered } = finding;
  const next: Finding = {
    ...remembered,
    fired: fire(finding, due, court.now),
    uncertainSince,
    uncertainToldAt: uncertainSince === null ? null : doubt ? court.now : finding.uncertainToldAt,
    deletions: withTold(wanted.deletions, alerts, finding.deletions),
    ...fallen(finding, wanted),
    idle: judgement.idle,
    ...(judgement.proven && { proven: judgement.proven }),
    heardBy: [...new Set([...finding.heardBy, ...alerts.flatMap((alert) => alert.channels)])],
  };
  return { finding: next, alerts };
}

function fallen({ subject, fellOn = [] }: Finding, { gone }: Wanted): Pick<Finding, 'fellOn'> {
  const chosen = subject.kind === 'group' ? gone.filter((one) => !fellOnAll(one)) : [];
  if (chosen.length === 0) return {};
  return { fellOn: [...fellOn, ...chosen.map(({ step, keyId }) => ({ step, keyId }))] };
}

function isDoubtDue(court: Court, finding: Finding, since: number): boolean {
  return finding.uncertainToldAt === null && court.now - since >= uncertainToldAfterMs;
}

function stepsDue({ court, judgement, finding }: Case): Due {
  const fresh = judgement.reached.filter((step) => !finding.fired.some((one) => one.step === step));
  const top = judgement.reached.at(-1);
  // Only the highest reached repeats.
  const repeatMs = top === undefined ? null : (judgement.policy.steps[top]?.repeatMs ?? null);
  const last = finding.fired.find((one) => one.step === top);
  const again = repeatMs !== null && last !== undefined && court.now - last.alertedAt >= repeatMs;
  return { fresh, repeated: again ? last.step : null };
}

function fire(finding: Finding, { fresh, repeated }: Due, now: number): readonly FiredStep[] {
  if (fresh.length === 0 && repeated === null) return finding.fired;
  const before = finding.fired.map((one) => (one.step === repeated ? { ...one, alertedAt: now } : one));
  return [...before, ...fresh.map((step): FiredStep => ({ step, at: now, alertedAt: now }))];
}
