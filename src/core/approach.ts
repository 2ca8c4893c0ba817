/** Which level reaches its next threshold first, if it goes on as fast as it went of late. */
import { keyAsSubject } from './court.ts';
import { addCounters, measured, mostUsed } from './evidence.ts';
import type { Estimate, KeyEvidence, Pace } from './evidence.ts';
import { groupsOf, isWholeAccount, levelOfGroup } from './judge-groups.ts';
import type { Bench, Selects } from './judgement.ts';
import type { Counters, Measure } from './key.ts';
import { keyLevel, spanOf } from './levels.ts';
import type { Approach } from './plan.ts';
import type { Policy, SpendRule } from './policy.ts';
import { lowestThreshold, lowestThresholds, stepThreshold } from './spend-case.ts';
import type { FindingSubject, KeyRecord } from './state.ts';
import type { Subject } from './alert.ts';
import { keySubject } from './judgement.ts';

interface Moving {
  readonly policy: Policy;
  readonly rule: SpendRule;
  readonly subject: FindingSubject;
  readonly limit: number;
  readonly pace: Pace;
  readonly level: () => Estimate;
}

export function nearestApproach(policies: readonly Policy[], bench: Bench): Approach | null {
  const moving = movingOf(policies, bench);
  let nearest: (Moving & Pick<Approach, 'inMs' | 'sharePerMs'>) | null = null;
  for (const one of everythingMoving(policies, bench, moving)) {
    const found = reach(one);
    if (found !== null && (nearest === null || found.inMs < nearest.inMs)) nearest = { ...one, ...found };
  }
  if (nearest === null) return null;
  const { policy, subject, inMs, sharePerMs } = nearest;
  return { policy: policy.name, subject: subjectWords(subject, bench), inMs, sharePerMs };
}

/**
 * Tells of keys that are so far from every threshold that it does not matter how fast they are used, by their
 * counters and their pace. Where a policy is about several keys together, it matters for all.
 */
export function farFromAll(policies: readonly Policy[]): (counters: Counters, pace: Pace) => boolean {
  const together = policies.some(({ rule }) => rule.kind === 'spend' && rule.across.kind !== 'key');
  const lowest = lowestThresholds(policies);
  return (most, pace) => !together && lowest.every(([measure, least]) => isFar(measure, least, most, pace));
}

/** In the order of their ids, so that of two that are equally near always the same is named. */
function movingOf(policies: readonly Policy[], { evidence, record }: Bench): MovingKey[] {
  const lowest = lowestThresholds(policies);
  const moving: MovingKey[] = [];
  for (const [id, pace] of evidence.paces) {
    if (id === 'account') continue;
    const known = evidence.keys.get(id);
    if (known === undefined) continue;
    const most = mostUsed(known);
    if (lowest.every(([measure, least]) => isFar(measure, least, most, pace))) continue;
    const of = record(id);
    if (of !== undefined && !of.facts.isAdmin) moving.push({ record: of, known, pace });
  }
  return moving.sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
}

type MovingKey = { readonly record: KeyRecord; readonly known: KeyEvidence; readonly pace: Pace };

function* everythingMoving(
  policies: readonly Policy[],
  bench: Bench,
  keys: readonly MovingKey[],
): Generator<Moving> {
  for (const policy of policies) {
    const { rule } = policy;
    if (rule.kind !== 'spend') continue;
    const selects: Selects = (record) =>
      policy.select({ key: record.facts, originalName: record.originalName }, bench.now);
    if (rule.across.kind === 'key') yield* movingKeys(policy, rule, bench, keys, selects);
    else yield* movingGroups(policy, rule, bench, selects);
  }
}

function* movingKeys(
  policy: Policy,
  rule: SpendRule,
  bench: Bench,
  keys: readonly MovingKey[],
  selects: Selects,
): Generator<Moving> {
  const span = spanOf(rule.period, bench.now, bench.evidence);
  const lowest = rule.limit === 'max_tokens' ? 0 : lowestThreshold(policy, rule.limit);
  for (const { record, known, pace } of keys) {
    const limit = rule.limit === 'max_tokens' ? record.facts.maxTokens : rule.limit;
    if (limit === null || isFar(rule.measure, lowest, mostUsed(known), pace) || !selects(record)) continue;
    const level = (): Estimate => keyLevel(rule, span, record, known, bench.evidence);
    yield { policy, rule, subject: keySubject(record), limit, pace, level };
  }
}

/** Within so long a key is looked at again in any case. */
const horizonMs = 10 * 60_000;

/** Even if all that it ever used counted, it would not be at its first threshold by then. */
function isFar(measure: Measure, lowest: number, most: Counters | undefined, pace: Pace): boolean {
  const perMs = measured(pace, measure);
  if (perMs === 0) return true;
  if (most === undefined) return false;
  return measured(most, measure) + perMs * horizonMs < lowest;
}

function* movingGroups(policy: Policy, rule: SpendRule, bench: Bench, selects: Selects): Generator<Moving> {
  if (rule.limit === 'max_tokens') return;
  const span = spanOf(rule.period, bench.now, bench.evidence);
  const { paces } = bench.evidence;
  for (const group of groupsOf(rule, bench, selects)) {
    const moving = isWholeAccount(rule) ? ['account' as const] : group.live.map(({ id }) => id);
    const pace = moving.reduce<Pace | null>((sum, id) => {
      const one = paces.get(id);
      return one === undefined ? sum : sum === null ? one : addCounters(sum, one);
    }, null);
    if (pace === null) continue;
    const level = levelOfGroup(rule, group, bench);
    const subject: FindingSubject = { kind: 'group', group: group.name };
    yield { policy, rule, subject, limit: rule.limit, pace, level: () => level(span) };
  }
}

/** Null: it does not move, or no threshold is left above it (none is where the limit is nothing), or where it is cannot be told. */
function reach({ policy, rule, limit, pace, level }: Moving): Pick<Approach, 'inMs' | 'sharePerMs'> | null {
  const perMs = measured(pace, rule.measure);
  if (perMs === 0) return null;
  const { low, likely } = level();
  if (likely === null) return null;
  let left = Infinity;
  for (const step of policy.steps) {
    if (step.basis !== 'level') continue;
    const at = stepThreshold(limit, step);
    // A threshold between the two ends fires once the lower one is there.
    left = Math.min(left, at > likely ? at - likely : at > low ? at - low : Infinity);
  }
  return left === Infinity ? null : { inMs: left / perMs, sharePerMs: perMs / limit };
}

function subjectWords(subject: FindingSubject, { record }: Bench): Subject {
  return subject.kind === 'group' ? subject : keyAsSubject(subject.id, record(subject.id));
}
