/**
 * Whether the truth lies in what the program claims. A reading is of some instant of its pass, so of
 * what was reported by the first request `low` may not claim more than by the last answer, nor `high`
 * less than by the first request.
 */
import { measured } from '../../src/core/evidence.ts';
import type { Level } from '../../src/core/alert.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import { keyLevel, spanOf } from '../../src/core/levels.ts';
import type { Span } from '../../src/core/levels.ts';
import { periodWords } from '../../src/core/periods.ts';
import type { Period } from '../../src/core/periods.ts';
import type { Finding, KeyRecord } from '../../src/core/state.ts';
import type { PassReport } from '../../src/pass.ts';
import type { World } from '../../src/sandbox/world.ts';
import { causeOf } from './causes.ts';
import type { Cause } from './causes.ts';
import type { KeyBudget } from './rules.ts';

export interface Miss {
  readonly at: EpochMs;
  readonly id: KeyId;
  readonly policy: string;
  readonly period: string;
  /** `low`, `high`: the end that is wrong. `proven`: what a finding holds for proven. */
  readonly side: 'low' | 'high' | 'proven';
  readonly level: Level;
  readonly truth: Truth;
  readonly cause: Cause;
  /** How the program came by it. */
  readonly record: KeyRecord;
  readonly credited: boolean;
  readonly because: string | null;
  /** What happened to the key and its names lately. */
  readonly history: readonly string[];
}

export interface Truth {
  /** Used and reported by the first request: at least this is in the readings. */
  readonly first: number;
  /** By the last answer: no more than this is. */
  readonly last: number;
}

export interface Containment {
  /** One pass. `every`: one of so many pairs of key and policy, in turn; 1 is all of them. */
  compare(report: PassReport, findings: readonly Finding[], every: number): void;
  readonly samples: number;
  /** How many of them had their truth outside. */
  readonly missed: number;
  /** The first of each key, policy and period. */
  readonly misses: readonly Miss[];
}

export function truthOf(world: World, lateMs: number): TruthOf {
  return (secret, { rule }, period, { at, doneAt }) => {
    const rolling = rule.period.kind === 'rolling' && period.start !== null;
    // Usage is counted after an instant, and a period begins with one; but a window does not.
    const from = period.start === null ? -Infinity : rolling ? period.start : period.start - 1;
    const movedFrom = rolling ? from + doneAt - at : from;
    const amount = (since: EpochMs, until: EpochMs): number =>
      measured(world.consumed(secret, since, until - lateMs), rule.measure);
    return { first: amount(movedFrom, at), last: amount(from, doneAt) };
  };
}

type TruthOf = (
  secret: string,
  budget: KeyBudget,
  period: Period,
  read: Pick<Evidence, 'at' | 'doneAt'>,
) => Truth;

export function createContainment(
  world: World,
  budgets: readonly KeyBudget[],
  lateMs: number,
  secretOf: (id: KeyId) => string,
): Containment {
  const truth = truthOf(world, lateMs);
  const seen = new Map<string, Miss>();
  const figures = { samples: 0, missed: 0 };
  let turn = 0;

  function check(report: PassReport, budget: KeyBudget, span: Span, record: KeyRecord): void {
    const { evidence } = report.court.bench;
    const { period } = span;
    figures.samples += 1;
    const known = evidence.keys.get(record.id);
    if (known === undefined) return;
    const level = keyLevel(budget.rule, span, record, known, evidence);
    // From nothing to no bound: the truth is in it.
    if (level.low === 0 && level.high === null) return;
    const { first, last } = truth(secretOf(record.id), budget, period, evidence);
    const high = level.high !== null && level.high < first;
    const low = level.low > last;
    if (low || high) note(report, budget, period, record, high ? 'high' : 'low', level, { first, last });
  }

  function note(
    { court }: PassReport,
    { policy, rule }: KeyBudget,
    period: Period,
    record: KeyRecord,
    side: Miss['side'],
    level: Level,
    found: Truth,
  ): void {
    figures.missed += 1;
    const start = rule.period.kind === 'rolling' ? '' : String(period.start);
    const name = `${side} ${record.id} ${policy.name} ${start}`;
    if (seen.has(name)) return;
    const known = court.bench.evidence.keys.get(record.id);
    seen.set(name, {
      at: court.now,
      id: record.id,
      policy: policy.name,
      period: periodWords(rule.period, period),
      side,
      level,
      truth: found,
      cause: causeOf(world, record),
      record,
      credited: known?.credited ?? false,
      because: known?.because ?? null,
      history: historyOf(world, record.id),
    });
  }

  function checkProven(
    report: PassReport,
    { proven, policy, subject, periodStart, periodEnd }: Finding,
  ): void {
    const budget = budgets.find((one) => one.policy.name === policy);
    if (proven === undefined || subject.kind !== 'key' || budget?.rule.signature !== proven.signature) return;
    const record = report.court.records.get(subject.id);
    if (record?.createdAt !== subject.createdAt) return;
    const period = { start: periodStart, end: periodEnd };
    const found = truth(secretOf(subject.id), budget, period, report.court.bench.evidence);
    figures.samples += 1;
    const level = { low: proven.low, high: null };
    if (proven.low > found.last) note(report, budget, period, record, 'proven', level, found);
  }

  return {
    compare(report, findings, every) {
      const { bench } = report.court;
      const spans = budgets.map(({ rule }) => spanOf(rule.period, bench.now, bench.evidence));
      for (const record of bench.live) {
        budgets.forEach((budget, index) => {
          turn += 1;
          if (turn % every === 0) check(report, budget, spans[index] as Span, record);
        });
      }
      if (every > 1) return;
      for (const finding of findings) if (finding.closedAt === null) checkProven(report, finding);
    },
    get samples() {
      return figures.samples;
    },
    get missed() {
      return figures.missed;
    },
    get misses() {
      return [...seen.values()];
    },
  };
}

const historyLength = 12;

/** What happened to a key and to those that ever bore one of its names, newest last. */
function historyOf(world: World, id: KeyId): string[] {
  const names = new Set(
    world
      .everyKey()
      .find((key) => key.id === id)
      ?.names.map(({ name }) => name),
  );
  const concerns = (name: string | null): boolean => name !== null && names.has(name);
  return world.log.items
    .filter((event) => event.id === id || concerns(event.from) || concerns(event.to))
    .slice(-historyLength)
    .map(({ at, kind, by, id: of, from, to }) => {
      const what = `${kind} by ${by}: ${from ?? ''} → ${to ?? ''}`;
      return `${new Date(at).toISOString()} ${of === id ? 'it' : of} ${what}`;
    });
}
