/** The world's truth as the Admin API reports it: late, split by names, merged by names, as the variant is. */
import { windowMs, windows, type EpochMs, type Window } from '../core/key.ts';
import type { SeriesWindow } from '../ports.ts';
import { totalOf, type WorldKey } from './account-key.ts';
import { addUsage, noUsage, subtractUsage, type Usage } from './series.ts';
import type { Variants } from './variants.ts';
import type { World } from './world.ts';

export const seriesWindowMs: Readonly<Record<SeriesWindow, number>> = {
  '5m': 300_000,
  '15m': 900_000,
  '30m': 1_800_000,
  ...windowMs,
};

export function isWindow(text: string): text is Window {
  return (windows as readonly string[]).includes(text);
}

export function isSeriesWindow(text: string): text is SeriesWindow {
  return Object.hasOwn(seriesWindowMs, text);
}

type ByModel = ReadonlyMap<string, Usage>;

/** Micro-dollars as the decimal number JSON is to show: the shortest that means the same. */
const dollars = (microUsd: number): number => microUsd / 1_000_000;
const tokens = (usage: Usage): number => usage.promptTokens + usage.completionTokens;

/** What is reported as used by a key after `from` and up to `to`. */
function reported(world: World, variants: Variants, key: WorldKey, from: EpochMs, to: EpochMs): ByModel {
  const { freshness } = variants;
  if (freshness === 'immediate') return world.usage(key.secret, from, to);
  if ('lateMs' in freshness) return world.usage(key.secret, from, Math.min(to, world.now - freshness.lateMs));
  const used = world.usage(key.secret, from, to);
  const lostFrom = Math.max(from, freshness.fallsAt - freshness.lostMs);
  const lostTo = Math.min(to, freshness.fallsAt);
  if (world.now < freshness.fallsAt || lostTo <= lostFrom) return used;
  return without(used, world.usage(key.secret, lostFrom, lostTo));
}

function without(used: ByModel, lost: ByModel): ByModel {
  const left = [...used].map(
    ([model, usage]) => [model, subtractUsage(usage, lost.get(model) ?? noUsage)] as const,
  );
  return new Map(left.filter(([, usage]) => usage.requests > 0 || usage.costMicroUsd > 0));
}

const windowStart = (world: World, window: SeriesWindow | null): EpochMs =>
  window === null ? -Infinity : world.now - seriesWindowMs[window];

/** The answer of `POST /api/billing/usage/key`. `window` null: all time. */
export function keyUsage(world: World, variants: Variants, key: WorldKey, window: Window | null): object {
  const total = totalOf(reported(world, variants, key, windowStart(world, window), world.now));
  return {
    prompt_tokens: total.promptTokens,
    completion_tokens: total.completionTokens,
    requests: total.requests,
    cost: dollars(total.costMicroUsd),
  };
}

/** The answer of `GET /api/billing/usage`. */
export function aggregate(world: World, variants: Variants, window: Window | null): object {
  const start = windowStart(world, window);
  const rows = new Map<string, ByModel>();
  let total = noUsage;
  for (const key of world.everyKey()) {
    for (const { name, from, to } of spans(key, variants.renameHistory, start, world.now)) {
      const used = reported(world, variants, key, from, to);
      total = addUsage(total, totalOf(used));
      if (key.deletedAt !== null && variants.deletedInAggregate === 'gone') continue;
      if (used.size === 0 && variants.noUsageRows === 'absent') continue;
      const before = variants.sharedNames === 'merged' ? rows.get(name) : undefined;
      rows.set(name, before === undefined ? used : merged(before, used));
    }
  }
  return {
    tokens: tokens(total),
    requests: total.requests,
    cost: dollars(total.costMicroUsd),
    // fromEntries defines each name as a property of its own, `__proto__` too.
    keys: Object.fromEntries([...rows].map(([name, used]) => [name, row(used)])),
  };
}

interface Span {
  readonly name: string;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** Which name the key's usage after `start` and up to `end` goes to. */
function spans(
  key: WorldKey,
  history: Variants['renameHistory'],
  start: EpochMs,
  end: EpochMs,
): readonly Span[] {
  switch (history) {
    case 'follows':
      return [{ name: key.name, from: start, to: end }];
    case 'stays':
      return [{ name: key.names[0]?.name ?? key.name, from: start, to: end }];
    case 'splits':
      return key.names
        .map(({ name, from }, index) => ({
          name,
          from: index === 0 ? start : Math.max(start, from),
          to: key.names[index + 1]?.from ?? end,
        }))
        .filter(({ from, to }) => from < to || to === end);
    default:
      return history satisfies never;
  }
}

function merged(a: ByModel, b: ByModel): ByModel {
  const all = new Map(a);
  for (const [model, usage] of b) all.set(model, addUsage(all.get(model) ?? noUsage, usage));
  return all;
}

function row(used: ByModel): object {
  const total = totalOf(used);
  const models = [...used].map(([model, usage]) => [
    model,
    { tokens: tokens(usage), requests: usage.requests, cost: dollars(usage.costMicroUsd) },
  ]);
  return {
    total_tokens: tokens(total),
    total_requests: total.requests,
    cost: dollars(total.costMicroUsd),
    models: Object.fromEntries(models) as object,
  };
}

const pointsPerSeries = 10;

/** The answer of `GET /api/billing/time-series`: ten points, each of what was used from its time on. */
export function timeSeries(
  world: World,
  variants: Variants,
  window: SeriesWindow,
  rfc3339: (at: EpochMs) => string,
): object {
  const intervalMs = seriesWindowMs[window] / pointsPerSeries;
  const points = Array.from({ length: pointsPerSeries }, (_, index) => {
    const from = world.now - seriesWindowMs[window] + index * intervalMs;
    const used = world
      .everyKey()
      .map((key) => reported(world, variants, key, from, from + intervalMs))
      .reduce(merged, new Map());
    const total = totalOf(used);
    const models = [...used].map(([model, usage]) => [
      model,
      { tokens: tokens(usage), requests: usage.requests },
    ]);
    return {
      time: rfc3339(from),
      tokens: tokens(total),
      requests: total.requests,
      models: Object.fromEntries(models) as object,
    };
  });
  return { data_points: points, interval: goDuration(intervalMs) };
}

/** As Go prints a duration of whole seconds: `2h24m0s`, `1m30s`, `30s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  return `${h > 0 ? `${h}h` : ''}${seconds >= 60 ? `${m}m` : ''}${s}s`;
}

/** The answer of `GET /api/billing/transactions`: on each first of a month a fee, and the month before's usage. */
export function transactions(world: World, rfc3339: (at: EpochMs) => string): readonly object[] {
  const from = world.start - windowMs['90d'];
  return monthsBetween(from, world.now).flatMap((month) => {
    const before = previousMonth(month);
    const spent = world
      .everyKey()
      .reduce((sum, key) => sum + world.consumed(key.secret, before - 1, month - 1).costMicroUsd, 0);
    const entry = { date: rfc3339(month), status: 'completed' };
    const number = new Date(month).toISOString().slice(0, 7).replace('-', '');
    return [
      { id: `in_${number}`, ...entry, type: 'Invoice', description: 'Monthly subscription', amount: 99 },
      {
        id: `ch_${number}`,
        ...entry,
        type: 'Charge',
        description: 'API Usage',
        amount: Math.round(spent / 10_000) / 100,
      },
    ];
  });
}

function monthsBetween(from: EpochMs, to: EpochMs): readonly EpochMs[] {
  const months: EpochMs[] = [];
  for (let month = nextMonth(from); month <= to; month = nextMonth(month)) months.push(month);
  return months;
}

/** The first instant of the following calendar month (UTC). */
function nextMonth(at: EpochMs): EpochMs {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

function previousMonth(monthStart: EpochMs): EpochMs {
  const date = new Date(monthStart);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1);
}
