/** Expiry and idleness: a deadline, and steps before and after it. */
import type { DeadlineFigures } from './alert.ts';
import {
  expiryDeadline,
  idleQuestions,
  lastUse,
  readAgainAfterMs,
  surelyUsedWithin,
  usedAtEarliest,
} from './deadlines.ts';
import type { KeyEvidence } from './evidence.ts';
import { keySubject, noPeriod, openCases, selectionChanges } from './judgement.ts';
import type { Bench, Judged, Judgement, KeyJudge, Selects } from './judgement.ts';
import type { EpochMs } from './key.ts';
import type { ExpiryRule, IdleRule, Policy } from './policy.ts';
import { asked, ownReading } from './questions.ts';
import type { Finding, KeyRecord } from './state.ts';

export function expiryJudge(policy: Policy, rule: ExpiryRule, bench: Bench, selects: Selects): KeyJudge {
  const first = Math.min(...policy.steps.map((step) => step.offsetMs));
  return (record) => {
    const deadline = expiryDeadline(rule, record);
    if (deadline === null) return Infinity;
    if (bench.now < deadline.at + first) return deadline.at + first;
    if (!selects(record)) return selectionChanges(policy, record, bench.now);
    const figures: DeadlineFigures = { kind: 'expiry', deadline: deadline.at, why: deadline.why };
    return [deadlineJudgement(policy, record, figures, null, bench.now), []];
  };
}

export function idleJudge(policy: Policy, rule: IdleRule, bench: Bench, selects: Selects): KeyJudge {
  const cases = openCases(policy.name, bench);
  const earliest = Math.min(...policy.steps.map((step) => rule.forMs + step.offsetMs));
  return (record, known) => {
    if (!selects(record)) return selectionChanges(policy, record, bench.now);
    if (bench.now - usedAtEarliest(record) < earliest) return usedAtEarliest(record) + earliest;
    if (surelyUsedWithin(earliest, record, known, bench.evidence)) return bench.now;
    return judgeIdle(policy, rule, record, known, bench, cases(record));
  };
}

function deadlineJudgement(
  policy: Policy,
  record: KeyRecord,
  figures: DeadlineFigures,
  idle: Finding['idle'],
  now: EpochMs,
): Judgement {
  const reached = policy.steps.flatMap((step, index) =>
    now >= figures.deadline + step.offsetMs ? [index] : [],
  );
  return {
    policy,
    subject: keySubject(record),
    members: [record],
    period: noPeriod,
    figures,
    expected: null,
    reached,
    sure: reached,
    doubts: [],
    open: [],
    because: null,
    idle,
    proven: null,
  };
}

function judgeIdle(
  policy: Policy,
  rule: IdleRule,
  record: KeyRecord,
  known: KeyEvidence,
  bench: Bench,
  existing: Finding | undefined,
): Judged {
  const { now, evidence } = bench;
  const offsets = policy.steps.map((step) => rule.forMs + step.offsetMs);
  const earliest = Math.min(...offsets);
  const remembered = existing?.idle ?? null;
  if (existing !== undefined && remembered !== null && isKnownFromLately(rule, record, known, now))
    return idleAsBefore(policy, rule, record, known, existing, remembered, bench);
  const use = lastUse(record, known, evidence.at, remembered);
  const unused = use.latest === null ? 0 : now - use.latest;
  const pending = offsets.filter(
    (offset) => unused < offset && !surelyUsedWithin(offset, record, known, evidence),
  );
  const proved = { unusedMs: unused, before: remembered !== null };
  const why = `${policy.name}: “${record.facts.name}” may be idle`;
  const questions =
    pending.length === 0 ? [] : idleQuestions(Math.min(...pending), record, known, evidence, proved, why);
  if (use.latest === null || unused < earliest)
    return [idleUncertain(policy, record, known, existing, use.why), questions];
  const figures = { kind: 'idle', deadline: use.latest + rule.forMs, why: use.why } as const;
  return [
    deadlineJudgement(
      policy,
      record,
      figures,
      idleProof(use.latest, use.ownLatest !== null && now - use.ownLatest >= earliest, remembered, now),
      now,
    ),
    questions,
  ];
}

/** It has to be read by itself, and was a short while ago. */
function isKnownFromLately(rule: IdleRule, record: KeyRecord, known: KeyEvidence, now: EpochMs): boolean {
  if (known.because === null || known.individual.size > 0) return false;
  if (record.conflict !== null || record.check === null) return false;
  return now - record.check.at < 2 * readAgainAfterMs(rule.forMs);
}

/** The case as it stands. It goes on, and is over, by the key's next reading: that is due with its next step, or after a while. */
function idleAsBefore(
  policy: Policy,
  rule: IdleRule,
  record: KeyRecord,
  known: KeyEvidence,
  existing: Finding,
  remembered: NonNullable<Finding['idle']>,
  { now, evidence }: Bench,
): Judged {
  const fired = existing.fired.map(({ step }) => step).filter((step) => step < policy.steps.length);
  const deadline = remembered.unusedSince + rule.forMs;
  const goesOn = policy.steps.some(
    (step, index) => !fired.includes(index) && now >= deadline + step.offsetMs,
  );
  const stale = now - (record.check?.at ?? 0) >= readAgainAfterMs(rule.forMs);
  const why = `${policy.name}: whether “${record.facts.name}” is still idle`;
  const targets = goesOn || stale ? ownReading(record.id, null, known, evidence) : [];
  const judgement: Judgement = {
    policy,
    subject: keySubject(record),
    members: [record],
    period: noPeriod,
    figures: { kind: 'idle', deadline, why: existing.figures.kind === 'idle' ? existing.figures.why : '' },
    expected: null,
    reached: fired.sort((a, b) => a - b),
    sure: [],
    doubts: [],
    open: [],
    because: null,
    idle: remembered,
    proven: null,
  };
  return [judgement, asked(targets, { why, excess: goesOn ? Infinity : 0 })];
}

/** Two individual readings, on two passes, are what a rename or a deletion of an idle key needs. */
function idleProof(
  unusedSince: EpochMs,
  byItself: boolean,
  before: Finding['idle'],
  now: EpochMs,
): Finding['idle'] {
  return {
    unusedSince,
    provedAt: now,
    confirmedFirstAt: before?.confirmedFirstAt ?? (byItself ? now : null),
    confirmedLastAt: byItself ? now : (before?.confirmedLastAt ?? null),
  };
}

/**
 * Not provably idle and not provably used. That is the usual state of a key in an account that has
 * not been watched for long, so it is a case only if one is open already.
 */
function idleUncertain(
  policy: Policy,
  record: KeyRecord,
  known: KeyEvidence,
  existing: Finding | undefined,
  why: string,
): Judgement | null {
  if (!existing || existing.figures.kind !== 'idle') return null;
  const readable = (known.credited || known.individual.size > 0) && known.because === null;
  if (readable) return null;
  return {
    policy,
    subject: keySubject(record),
    members: [record],
    period: noPeriod,
    figures: { kind: 'idle', deadline: existing.figures.deadline, why },
    expected: null,
    reached: [],
    sure: [],
    doubts: [],
    open: policy.steps.map((_step, index) => index),
    because: known.because ?? 'its usage could not be read',
    idle: existing.idle,
    proven: null,
  };
}
