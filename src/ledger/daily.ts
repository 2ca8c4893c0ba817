/**
 * What was used in each of the last days, for people to look at. By days of UTC, for so the ledger thins
 * its samples: of an older day it keeps the last.
 */
import type { CaseAlert } from '../core/alert.ts';
import { measured } from '../core/evidence.ts';
import { groupsOf, isWholeAccount } from '../core/judge-groups.ts';
import type { EpochMs, KeyId, Measure } from '../core/key.ts';
import type { Policy } from '../core/policy.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import type { DailyUse } from '../ports.ts';
import type { Store } from '../store/store.ts';

const dayMs = 86_400_000;
/** Days that are looked back on, the running one among them. */
const daysBack = 30;
/** A sample this long before midnight stands for midnight: a run's end is written once an hour, if nothing changed. */
const nearMs = 90 * 60_000;
/** Of groups with more keys than this nothing is drawn: to read them takes a while. */
const mostMembers = 50;

export interface DailyFrom {
  readonly store: Pick<Store, 'lastRuns'>;
  readonly records: ReadonlyMap<KeyId, KeyRecord>;
  readonly policies: readonly Policy[];
}

/** Null where the samples do not say what the case counts: some models only, a policy that is gone. */
export async function dailyUse(
  alert: Pick<CaseAlert, 'policy' | 'subject' | 'figures'>,
  now: EpochMs,
  { store, records, policies }: DailyFrom,
): Promise<readonly DailyUse[] | null> {
  const policy = policies.find(({ name }) => name === alert.policy);
  if (alert.figures.kind !== 'spend' || policy?.rule.kind !== 'spend' || policy.rule.models !== null)
    return null;
  const members = membersOf(alert.subject, policy, records, now);
  if (members.length === 0 || members.length > mostMembers) return null;
  const instants = instantsUntil(now);
  const { measure } = alert.figures;
  const levels: (number | null)[][] = [];
  for (const member of members) {
    const runs = await store.lastRuns(member === 'account' ? member : member.id, instants);
    levels.push(instants.map((at, index) => levelAt(at, runs[index] ?? null, member, measure)));
  }
  const days = instants.slice(0, -1).map((day, index) => {
    return { day, used: sum(levels.map((of) => difference(of[index + 1] ?? null, of[index] ?? null))) };
  });
  return days.some(({ used }) => used !== null) ? days : null;
}

type Member = KeyRecord | 'account';

function membersOf(
  subject: CaseAlert['subject'],
  policy: Policy,
  records: ReadonlyMap<KeyId, KeyRecord>,
  now: EpochMs,
): readonly Member[] {
  if (subject.kind === 'key') {
    const record = records.get(subject.id);
    return record === undefined ? [] : [record];
  }
  const { rule } = policy;
  if (rule.kind !== 'spend') return [];
  if (isWholeAccount(rule)) return ['account'];
  const ordinary = [...records.values()].filter(({ facts }) => !facts.isAdmin);
  const bench = {
    live: ordinary.filter(({ goneAt }) => goneAt === null),
    gone: ordinary.filter(({ goneAt }) => goneAt !== null),
  };
  const groups = groupsOf(rule, bench, (record) =>
    policy.select({ key: record.facts, originalName: record.originalName }, now),
  );
  const group = groups.find(({ name }) => name === subject.group);
  return group === undefined ? [] : [...group.live, ...group.gone];
}

/** The midnights that the days begin with, and now. */
function instantsUntil(now: EpochMs): EpochMs[] {
  const today = Math.floor(now / dayMs) * dayMs;
  return [...Array.from({ length: daysBack }, (_, index) => today - (daysBack - 1 - index) * dayMs), now];
}

/** The lifetime counter at an instant; null: nobody looked about then, or what was seen may be somebody else's. */
function levelAt(at: EpochMs, run: SampleRun | null, member: Member, measure: Measure): number | null {
  const record = member === 'account' ? null : member;
  if (record !== null && at <= record.createdAt) return 0;
  if (run === null || (record !== null && isDoubted(run, record))) return null;
  const isOver = record !== null && record.goneAt !== null && record.goneAt <= at;
  return isOver || at - run.lastAt <= nearMs ? measured(run.counters, measure) : null;
}

function isDoubted({ createdAt, firstAt }: SampleRun, record: KeyRecord): boolean {
  const { doubt } = record;
  if (createdAt !== record.createdAt) return true;
  return doubt !== undefined && firstAt > doubt.from && (doubt.until === null || firstAt < doubt.until);
}

/** A counter that fell says nothing. */
function difference(after: number | null, before: number | null): number | null {
  if (after === null || before === null || after < before) return null;
  return after - before;
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
}
