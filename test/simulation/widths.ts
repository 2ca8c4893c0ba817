/**
 * How wide the interval of a calendar period is once its start lies behind. A daemon that was up then
 * knows a key's level to within what the key used around that instant: between the last pass that was
 * done before the start and the first one at or after the start plus the lag. Where more keys have to be read by
 * themselves than a minute has calls for, that takes several passes on each side: then it is what the key used
 * within one pause plus the lag. After an outage every row has to be proved anew by a reading: a period that
 * begins before there were calls for that begins, for the keys not read yet, as if the daemon had been down.
 */
import { measured } from '../../src/core/evidence.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import { keyLevel, spanOf } from '../../src/core/levels.ts';
import { periodAt } from '../../src/core/periods.ts';
import type { Period } from '../../src/core/periods.ts';
import type { KeyRecord } from '../../src/core/state.ts';
import type { PassReport } from '../../src/pass.ts';
import type { World } from '../../src/sandbox/world.ts';
import { causeOf } from './causes.ts';
import type { Cause } from './causes.ts';
import type { KeyBudget } from './rules.ts';

type PassTimes = Pick<Evidence, 'at' | 'doneAt'>;

export interface Spread {
  readonly count: number;
  /** Median, 99th percentile and maximum, as shares of the limit. */
  readonly share: readonly [number, number, number];
  /** The same in dollars, of the policies that measure cost. */
  readonly usd: readonly [number, number, number];
}

export interface TooWide {
  readonly id: KeyId;
  readonly policy: string;
  readonly start: EpochMs;
  readonly measuredAt: EpochMs;
  readonly cause: Cause;
  readonly width: number;
  /** What the key used between the two passes around the start. */
  readonly between: number;
  /** The most that it used within one pause plus the lag, around the start. */
  readonly withinPause: number;
}

export interface WidthFigures {
  /** The daemon was up over the period's start. */
  readonly up: Spread;
  /** It was back from an outage then, but not for as long as it takes to read every key. */
  readonly back: Spread;
  /** It was not. */
  readonly down: Spread;
  /** Wider than what was used between the two passes. */
  readonly wide: readonly TooWide[];
  /** Of these, those that are wider than what was used within one pause plus the lag, too. */
  readonly tooWide: readonly TooWide[];
  /** Keys not read in any pass of their period, for nothing depended on it, although the daemon was up over its start. */
  readonly unread: readonly { readonly cause: Cause }[];
}

export interface WidthOptions {
  readonly world: World;
  readonly budgets: readonly KeyBudget[];
  readonly lateMs: number;
  readonly usageLagMs: number;
  readonly pauseMs: number;
  readonly callsPerMinute: number;
  readonly secretOf: (id: KeyId) => string;
}

/** Widths, by where the daemon was when the period began. */
type Sides = Record<'up' | 'back' | 'down', number[]>;

interface Watch {
  readonly period: Period & { readonly start: EpochMs };
  readonly before: PassTimes;
  /** Since the last outage there were calls to read every key. */
  readonly caughtUp: boolean;
  /** The passes of the last pause before the start. */
  readonly eve: readonly PassTimes[];
  after: PassTimes | null;
  /** Whose width is still to be measured; with their records as of the last pass that did not read them. */
  readonly pending: Map<KeyId, KeyRecord | null>;
}

/** How much later than asked for a pass may begin or end. */
const slackMs = 120_000;
/** After an outage as long as this, rows are not believed until they are proved again (`ledger/look.ts`). */
const outageMs = 3_600_000;
/** Of the calls of a minute, what is there for reading keys (`core/schedule.ts`). */
const readingPart = 0.8;

export function createWidths(options: WidthOptions) {
  const { world, lateMs, usageLagMs, pauseMs, callsPerMinute, secretOf } = options;
  const budgets = options.budgets.filter(({ rule }) => rule.period.kind === 'calendar');
  const watches = new Map<KeyBudget, Watch | { readonly period: Period; readonly before: null }>();
  const shares: Sides = { up: [], back: [], down: [] };
  const usd: Sides = { up: [], back: [], down: [] };
  const wide: TooWide[] = [];
  const unread: { cause: Cause }[] = [];
  let passes: PassTimes[] = [];
  let backAt = -Infinity;

  function isUp({ period, before, after }: Watch): boolean {
    // A daemon that is up makes a pass as soon as all of the period before is reported.
    const latest = period.start + usageLagMs + slackMs;
    return period.start - before.at <= pauseMs + slackMs && after !== null && after.at <= latest;
  }

  function begin(budget: KeyBudget, period: Period): void {
    const { start } = period;
    const before = passes.findLast(({ doneAt }) => start !== null && doneAt <= start);
    if (start === null || before === undefined) watches.set(budget, { period, before: null });
    else {
      const eve = passes.filter(({ at }) => at >= start - pauseMs && at <= start);
      const readingMs = (60_000 * world.keys().length) / (callsPerMinute * readingPart);
      const caughtUp = start - backAt >= readingMs;
      watches.set(budget, {
        ...{ period: { ...period, start }, before, caughtUp, eve },
        ...{ after: null, pending: new Map() },
      });
    }
  }

  function end(watch: Watch): void {
    if (!isUp(watch)) return;
    for (const record of watch.pending.values())
      if (record !== null) unread.push({ cause: causeOf(world, record) });
  }

  function measure(report: PassReport, budget: KeyBudget, watch: Watch, after: PassTimes): void {
    const { evidence, live } = report.court.bench;
    const up = isUp(watch);
    const span = spanOf(budget.rule.period, report.court.now, evidence);
    for (const record of live) {
      if (!watch.pending.has(record.id)) continue;
      const known = evidence.keys.get(record.id);
      if (known === undefined) continue;
      const { low, high } = keyLevel(budget.rule, span, record, known, evidence);
      // A key that is not read because nothing depends on it is as uncertain as its last reading is old: that
      // says nothing of the period's start.
      if (high === null || known.because !== null) {
        watch.pending.set(record.id, record);
        continue;
      }
      watch.pending.delete(record.id);
      const width = high - low;
      const side = !up ? 'down' : watch.caughtUp ? 'up' : 'back';
      shares[side].push(width / budget.rule.limit);
      if (budget.rule.measure === 'cost') usd[side].push(width / 1e6);
      if (side === 'up' && width > 0) compare(budget, watch, after, record, width, evidence.at);
    }
  }

  function compare(
    { policy, rule }: KeyBudget,
    { period: { start }, before, eve }: Watch,
    after: PassTimes,
    record: KeyRecord,
    width: number,
    measuredAt: EpochMs,
  ): void {
    const { id } = record;
    const used = (from: EpochMs, to: EpochMs): number =>
      measured(world.consumed(secretOf(id), from - lateMs, to - lateMs), rule.measure);
    const between = used(before.at, after.doneAt);
    if (width <= between) return;
    const withinPause = Math.max(0, ...eve.map(({ at }) => used(at, at + pauseMs + usageLagMs)));
    const cause = causeOf(world, record);
    wide.push({ id, policy: policy.name, start, measuredAt, cause, width, between, withinPause });
  }

  function follow(report: PassReport, budget: KeyBudget): void {
    const { now, evidence, live } = { ...report.court, ...report.court.bench };
    const period = periodAt(budget.rule.period, now);
    const last = watches.get(budget);
    if (last?.period.start !== period.start) {
      if (last !== undefined && last.before !== null) end(last);
      begin(budget, period);
    }
    const watch = watches.get(budget);
    if (watch === undefined || watch.before === null) return;
    // What this pass reads is a sample from the next pass on.
    if (watch.after !== null) measure(report, budget, watch, watch.after);
    else if (now >= watch.period.start + usageLagMs) {
      watch.after = { at: evidence.at, doneAt: evidence.doneAt };
      for (const { id, createdAt } of live) if (createdAt < watch.period.start) watch.pending.set(id, null);
    }
  }

  return {
    passed(report: PassReport): void {
      for (const budget of budgets) follow(report, budget);
      const { at, doneAt } = report.court.bench.evidence;
      const last = passes.at(-1);
      if (last !== undefined && at - last.at > outageMs) backAt = at;
      const recent = passes.filter((one) => one.at >= at - pauseMs);
      passes = [...(recent.length < 3 ? passes.slice(-3) : recent), { at, doneAt }];
    },
    figures(): WidthFigures {
      const up = { count: shares.up.length, share: spread(shares.up), usd: spread(usd.up) };
      const back = { count: shares.back.length, share: spread(shares.back), usd: spread(usd.back) };
      const down = { count: shares.down.length, share: spread(shares.down), usd: spread(usd.down) };
      const tooWide = wide.filter(({ width, withinPause }) => width > withinPause);
      return { up, back, down, wide, tooWide, unread };
    },
  };
}

function spread(values: readonly number[]): [number, number, number] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return [at(0.5), at(0.99), at(1)];
}
