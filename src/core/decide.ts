/**
 * The decision: from what is known to what is to be done. A pure function; the same input gives
 * the same plan, byte for byte.
 */
import type { CaseAlert } from './alert.ts';
import { advance, findingFor } from './cases.ts';
import { close, payOwed, whyOver, whyReplaced } from './closing.ts';
import type { Court } from './court.ts';
import { modeOf, subjectOf } from './court.ts';
import { isStopped } from './deletions.ts';
import { addQuestion, questionKey } from './evidence.ts';
import { judge } from './judge.ts';
import { caseKey, figuresAt } from './judgement.ts';
import type { Judgement } from './judgement.ts';
import { massIdleTrouble } from './mass-idle.ts';
import { tellHeld } from './held-deletions.ts';
import { notRefusedLately, withinLimits } from './limits.ts';
import type { Decision, FindingView, Held, PlannedChange } from './plan.ts';
import { wantedRestores } from './restores.ts';
import { countedAnew } from './same-steps.ts';
import type { Finding } from './state.ts';
import { wantedChanges } from './wanted.ts';
import type { Case } from './wish.ts';
import { figuresWords } from './words.ts';

export function decide(given: Court): Decision {
  const counted = countedAnew(given);
  const verdict = judge(counted.policy.policies, counted.bench);
  const court: Court = { ...counted, hold: counted.hold ?? verdict.massIdle };
  const stored = new Map(given.findings.map((finding) => [finding.id, finding]));
  const byId = new Map(court.findings.map((finding) => [finding.id, finding]));
  const findings = new Map<string, Finding>();
  const alerts: CaseAlert[] = [];
  const wanted: PlannedChange[] = [];
  const deleting: { readonly one: Case; readonly wanted: readonly PlannedChange[] }[] = [];
  const held: Held[] = [];
  const views: FindingView[] = [];
  const questions = new Map(verdict.questions.map((question) => [questionKey(question), question]));

  for (const judgement of verdict.judgements) {
    const finding = findingFor(court, judgement, byId);
    const one: Case = { court, judgement, finding };
    const wish = wantedChanges(one);
    const next = advance(one, wish);
    views.push(view(court, judgement));
    for (const question of wish.questions) addQuestion(questions, question);
    held.push(...wish.held);
    // A dry run says nothing and remembers nothing, so that the first real pass starts afresh.
    if (modeOf(court, judgement.policy) === 'dry-run') {
      held.push(...next.alerts.map((alert) => unsent(alert)));
      continue;
    }
    findings.set(next.finding.id, next.finding);
    alerts.push(...next.alerts);
    wanted.push(...wish.changes);
    const deletions = wish.changes.filter(({ kind }) => kind === 'delete');
    if (deletions.length > 0) deleting.push({ one, wanted: deletions });
  }

  for (const finding of unannounced(court)) findings.set(finding.id, finding);
  for (const over of ended(court, verdict.judgements, findings)) {
    findings.set(over.finding.id, over.finding);
    alerts.push(...over.alerts);
  }

  const isOpen = (id: string): boolean => (findings.get(id) ?? byId.get(id))?.closedAt === null;
  const restores = wantedRestores(court, isOpen);
  const ready = notRefusedLately(court, oneEach([...wanted, ...restores.changes]));
  const limited = withinLimits(court, ready.changes);
  const deleted = new Set(limited.changes.flatMap(({ kind, keyId }) => (kind === 'delete' ? [keyId] : [])));
  for (const { one, wanted: deletions } of deleting) {
    const finding = findings.get(one.finding.id) ?? one.finding;
    const told = tellHeld(one, finding, deletions, limited.deletionsHeld, (id) => deleted.has(id));
    findings.set(told.finding.id, told.finding);
    alerts.push(...told.alerts);
  }
  return {
    now: court.now,
    mode: court.mode,
    hold: court.hold,
    massIdle: verdict.massIdle !== null,
    findings: changed(findings, stored),
    alerts,
    changes: limited.changes,
    held: [...held, ...restores.held, ...ready.held, ...limited.held],
    views,
    questions: [...questions.values()],
    troubles: [...limited.troubles, ...massIdleTrouble(verdict.massIdle)],
  };
}

/**
 * In a dry run nobody is told any more what comes: notices that were given before it are void after it. What a
 * person did while one ran still counts.
 */
function* unannounced(court: Court): Generator<Finding> {
  const modes = new Map(court.policy.policies.map((policy) => [policy.name, modeOf(court, policy)]));
  for (const finding of court.findings) {
    if (finding.closedAt !== null || (modes.get(finding.policy) ?? court.mode) !== 'dry-run') continue;
    const stopped = finding.deletions.filter((pending) => isStopped(court, pending));
    const vetoed = stopped.map((one) => ({ ...one, vetoedAt: one.vetoedAt ?? court.now }));
    if (finding.deletions.length > 0) yield { ...finding, deletions: vetoed };
  }
}

/** Findings that no judgement continues and that are over, and those that ended in a silence that is over now. */
function* ended(
  court: Court,
  judgements: readonly Judgement[],
  continued: ReadonlyMap<string, Finding>,
): Generator<{ finding: Finding; alerts: CaseAlert[] }> {
  // Most passes end nothing, and then nobody asks.
  let judged: ReadonlySet<string> | null = null;
  const modes = new Map(court.policy.policies.map((policy) => [policy.name, modeOf(court, policy)]));
  // Of a key that may be gone already nobody is told that its deletion is called off.
  const unsettled = new Set(
    court.changes.flatMap(({ settledAt, findingId }) => (settledAt === null ? [findingId] : [])),
  );
  for (const finding of court.findings) {
    const isClosed = finding.closedAt !== null;
    if ((isClosed && finding.owed === undefined) || continued.has(finding.id)) continue;
    if (unsettled.has(finding.id)) continue;
    if (modes.get(finding.policy) === 'dry-run' || court.mode === 'dry-run') continue;
    judged ??= new Set(judgements.map((one) => caseKey(one.policy.name, one.subject)));
    const goesOn = judged.has(caseKey(finding.policy, finding.subject));
    if (isClosed) {
      const paid = payOwed(court, finding, goesOn);
      if (paid !== null) yield paid;
      continue;
    }
    const because = goesOn ? whyReplaced(finding) : whyOver(court, finding);
    if (because !== null) yield close(court, finding, because);
  }
}

/** At most one change a key: the gravest, then the first in the order of the policies. */
function oneEach(wanted: readonly PlannedChange[]): PlannedChange[] {
  const gravity = { delete: 2, rename: 1, restore: 0 } as const;
  const chosen = new Map<string, PlannedChange>();
  for (const change of wanted) {
    const rival = chosen.get(change.keyId);
    if (rival === undefined || gravity[change.kind] > gravity[rival.kind]) chosen.set(change.keyId, change);
  }
  return [...chosen.values()];
}

/** Documents that differ from what is stored. */
function changed(findings: ReadonlyMap<string, Finding>, before: ReadonlyMap<string, Finding>): Finding[] {
  return [...findings.values()].filter((finding) => !sameDocument(finding, before.get(finding.id)));
}

/** Compared field by field, for there may be thousands, and most fields are the very same values as before. */
function sameDocument(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(other, name)) return false;
    if (!sameDocument(one[name as keyof typeof one], other[name as keyof typeof other])) return false;
  }
  return true;
}

/** In a dry run no notice is given, for no deletion is: these are of steps. */
function unsent(alert: CaseAlert): Held {
  return {
    kind: 'alert',
    policy: alert.policy,
    findingId: alert.findingId,
    subject: alert.subject,
    step: alert.event.kind === 'step' ? alert.event.step - 1 : null,
    because: 'mode',
    detail: `mode is dry-run; it would go to ${alert.channels.join(', ')}`,
    reason: figuresWords(alert.figures),
  };
}

function view(court: Court, judgement: Judgement): FindingView {
  const top = judgement.reached.at(-1);
  const { start, end } = judgement.period;
  return {
    policy: judgement.policy.name,
    subject: subjectOf(court, judgement.subject),
    state: top === undefined && judgement.open.length > 0 ? 'uncertain' : 'open',
    period: start === null && end === null ? null : { start, end },
    figures: top === undefined ? judgement.figures : figuresAt(judgement, top),
    step: top === undefined ? null : top + 1,
    because: judgement.because,
  };
}
