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

type Tempo = Pick<Pace, 'intervalMs' | 'usageLagMs' | 'maxCallsPerMinute'>;

/** How many keys no row speaks for, also of those that are known now: the next use of any makes all of them unread. */
export function countRowless({ live, known }: Pick<Bench, 'live' | 'known'>): number {
  let count = 0;
  for (const [place, { check }] of live.entries())
    if (check?.agreed !== true || known[place]?.credited !== true) count += 1;
  return count;
}

/** `many`: how many keys no row speaks for. */
export function boundaryQuestions(
  policies: readonly Policy[],
  bench: Bench,
  pace: Tempo,
  many: number,
): Question[] {
  const unread = bench.evidence.unread.filter((record) => isUnread(record, bench));
  if (unread.length === 0) return [];
  return policies.flatMap((policy) => {
    const due = readSince(policy, bench.now, pace, many);
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
  return policies.some((policy) => readSince(policy, now, pace, 0) !== null);
}

function isUnread({ id, facts }: KeyRecord, { evidence }: Bench): boolean {
  if (facts.isAdmin || evidence.keys.get(id)?.individual.has('lifetime')) return false;
  return !evidence.unanswered.has(`key ${id} lifetime`);
}

/** The instant since which a key must have been read; null: no period begins about now. */
function readSince({ rule }: Policy, now: EpochMs, pace: Tempo, many: number): EpochMs | null {
  if (rule.kind !== 'spend' || rule.period.kind !== 'calendar') return null;
  const { start, end } = periodAt(rule.period, now);
  // What many keys were read for in time is read once more in the last minute, as far as its calls go.
  const eves = end === null ? [] : [end - eveOf(pace), end - eveOf(pace, many)];
  for (const eve of eves) if (now >= eve) return eve;
  if (start === null) return null;
  const settled = start + pace.usageLagMs;
  return now >= settled && now < settled + lateMs ? settled : null;
}
