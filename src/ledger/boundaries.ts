/**
 * Readings that are worth more now than they will ever be: a key that no row is credited to is read on both
 * sides of a period's beginning, or what it used in the period would stay a guess until its end.
 */
import type { Question } from '../core/evidence.ts';
import type { Bench } from '../core/judgement.ts';
import type { EpochMs } from '../core/key.ts';
import { periodAt } from '../core/periods.ts';
import type { Policy } from '../core/policy.ts';
import { eveOf } from '../core/schedule.ts';
import type { Pace } from '../core/schedule.ts';
import type { KeyRecord } from '../core/state.ts';

/** Later, a reading tells less than the windows do. */
const lateMs = 10 * 60_000;
/** Of the calls of a minute, those that the pass just before the end may make for this. */
const atOncePart = 0.8;

type Tempo = Pick<Pace, 'intervalMs' | 'usageLagMs' | 'maxCallsPerMinute'>;

export function boundaryQuestions(policies: readonly Policy[], bench: Bench, pace: Tempo): Question[] {
  const unread = bench.evidence.unread.filter((record) => isUnread(record, bench));
  if (unread.length === 0) return [];
  const tooMany = unread.length > pace.maxCallsPerMinute * atOncePart;
  const eveMs = tooMany ? pace.intervalMs : eveOf(pace);
  return policies.flatMap((policy) => {
    const due = readSince(policy, bench.now, eveMs, pace);
    if (due === null) return [];
    const keys = unread.filter(
      (record) =>
        (record.check?.at ?? 0) < due &&
        policy.select({ key: record.facts, originalName: record.originalName }, bench.now),
    );
    const why = `${policy.name}: one period ends and the next begins`;
    return keys.map(({ id }): Question => {
      return { kind: 'key', id, window: null, why, excess: Infinity, nowOrNever: true };
    });
  });
}

/** Whether a period begins about now, so that calls are wanted for that. */
export function isNearBoundary(policies: readonly Policy[], now: EpochMs, pace: Tempo): boolean {
  return policies.some((policy) => readSince(policy, now, eveOf(pace), pace) !== null);
}

function isUnread({ id, facts }: KeyRecord, { evidence }: Bench): boolean {
  if (facts.isAdmin || evidence.keys.get(id)?.individual.has('lifetime')) return false;
  return !evidence.unanswered.has(`key ${id} lifetime`);
}

/** The instant since which a key must have been read; null: no period begins about now. */
function readSince({ rule }: Policy, now: EpochMs, eveMs: number, { usageLagMs }: Tempo): EpochMs | null {
  if (rule.kind !== 'spend' || rule.period.kind !== 'calendar') return null;
  const { start, end } = periodAt(rule.period, now);
  if (end !== null && now >= end - eveMs) return end - eveMs;
  if (start === null) return null;
  const settled = start + usageLagMs;
  return now >= settled && now < settled + lateMs ? settled : null;
}
