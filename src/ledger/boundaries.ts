/**
 * Readings that are worth more now than they will ever be: a key that no row is credited to is read on both
 * sides of a period's beginning, or what it used in the period would stay a guess until its end.
 */
import type { Question } from '../core/evidence.ts';
import type { Bench } from '../core/judgement.ts';
import type { EpochMs } from '../core/key.ts';
import { periodAt } from '../core/periods.ts';
import type { Policy } from '../core/policy.ts';
import type { Pace } from '../core/schedule.ts';
import type { KeyRecord } from '../core/state.ts';

/** Later, a reading tells less than the windows do. */
const lateMs = 3_600_000;
/** More keys than this are not all read in the one pass just before the end. */
const atOnce = 40;

type Tempo = Pick<Pace, 'intervalMs' | 'minIntervalMs' | 'usageLagMs'>;

export function boundaryQuestions(policies: readonly Policy[], bench: Bench, pace: Tempo): Question[] {
  const unread = bench.evidence.unread.filter((record) => isUnread(record, bench));
  if (unread.length === 0) return [];
  const eveMs = unread.length > atOnce ? pace.intervalMs : 2 * pace.minIntervalMs;
  return policies.flatMap((policy) => {
    const due = readSince(policy, bench.now, eveMs, pace);
    if (due === null) return [];
    const keys = unread.filter(
      (record) =>
        (record.check?.at ?? 0) < due &&
        policy.select({ key: record.facts, originalName: record.originalName }, bench.now),
    );
    const why = `${policy.name}: one period ends and the next begins`;
    return keys.map(({ id }): Question => ({ kind: 'key', id, window: null, why, excess: Infinity }));
  });
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
