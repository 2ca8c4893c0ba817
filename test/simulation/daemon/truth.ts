/** Whether a policy, as its page describes it, truly asks for a change: by what the account's keys used and are. */
import { epoch } from './setting.ts';
import type { Asked, History } from './history.ts';
import { selects, valueOf } from './policies.ts';
import type { ExpiryShape, FileShape, ModeShape, PolicyShape, SpendShape, StepShape } from './policies.ts';
import type { WorldKey } from '../../../src/sandbox/account-key.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';
import { dayOf, instantOf, offsetMs } from './zones.ts';

/** Clocks that differ by less are believed. */
const clockToleranceMs = 6 * minuteMs;
const usageLagMs = 2 * minuteMs;

export interface Ground {
  readonly policy: PolicyShape;
  readonly step: StepShape;
  readonly index: number;
}

const caution: readonly ModeShape[] = ['dry-run', 'alert', 'enforce'];

export function modeOf(file: FileShape, policy: PolicyShape | null): ModeShape {
  const modes = [file.mode, ...(policy?.mode === undefined ? [] : [policy.mode])];
  return caution[Math.min(...modes.map((mode) => caution.indexOf(mode)))] ?? 'dry-run';
}

/** Steps that truly ask for such a change, at any of the instants that it can have been decided by. */
export function groundsOf(history: History, asked: Asked, does: (step: StepShape) => boolean): Ground[] {
  const { key, files } = asked;
  if (key === null) return [];
  const instants = [...new Set([asked.at, asked.listAsOf, ...asked.knownAsOf])].filter((at) => at >= 0);
  return files.flatMap((file) =>
    file.policies.flatMap((policy) =>
      policy.steps.flatMap((step, index) => {
        if (!does(step) || modeOf(file, policy) !== 'enforce') return [];
        const asks = instants.some(
          (at) => isSelected(history, policy, key, at) && isReached(history, policy, step, key, at),
        );
        return asks ? [{ policy, step, index }] : [];
      }),
    ),
  );
}

function isSelected(history: History, policy: PolicyShape, key: WorldKey, at: number): boolean {
  if (key.isAdmin) return false;
  return history
    .originalNamesAt(key.id, at)
    .some((originalName) => selects(policy.select, { ...aboutOf(key), originalName }));
}

/** What a selector looks at, but for the name. */
export function aboutOf({ metadata, maxTokens }: WorldKey): Pick<WorldKey, 'metadata' | 'maxTokens'> {
  return { metadata, maxTokens };
}

function isReached(
  history: History,
  policy: PolicyShape,
  step: StepShape,
  key: WorldKey,
  at: number,
): boolean {
  const { rule } = policy;
  const { world } = history.stage;
  const now = epoch + at;
  switch (rule.kind) {
    case 'spend': {
      const limit = rule.limit === 'max_tokens' ? (key.maxTokens ?? Infinity) : rule.limit;
      const isOver = (clockOffMs: number): boolean =>
        levelOf(history, policy, rule, groupOf(rule, key), at, clockOffMs) * 100 >=
        limit * unitsOf(rule) * step.at;
      // By a clock that is behind a little, the period before goes on.
      return step.basis === undefined && (isOver(0) || (isClockSet(history) && isOver(-clockToleranceMs)));
    }
    case 'expiry': {
      const deadline = expiryOf(rule, key);
      return Number.isFinite(deadline) && now + clockToleranceMs >= deadline + step.at * hourMs;
    }
    case 'idle': {
      const unusedFor = rule.forDays * dayMs + step.at * hourMs - clockToleranceMs;
      const late = world.consumed(key.secret, now - unusedFor, now - usageLagMs);
      return key.createdAt <= now - unusedFor && late.requests === 0;
    }
    default:
      return rule satisfies never;
  }
}

function isClockSet({ stage: { plan } }: History): boolean {
  return plan.acts.some(({ kind }) => kind === 'clock');
}

function expiryOf({ maxAgeDays, requireExpiresAt = false }: ExpiryShape, key: WorldKey): number {
  const oldest = maxAgeDays === undefined ? null : key.createdAt + maxAgeDays * dayMs;
  const missing = requireExpiresAt && key.expiresAt === null && oldest === null ? key.createdAt : null;
  return Math.min(...[key.expiresAt, oldest, missing].filter((one) => one !== null));
}

/** Of the limit: micro-dollars in a dollar. */
export function unitsOf({ measure }: SpendShape): number {
  return measure === 'cost' ? 1_000_000 : 1;
}

/** Whose usage is added up with that key's: `key` alone, or a group by its name in alerts; null: nobody's. */
export function groupOf({ across }: SpendShape, key: WorldKey): GroupName | null {
  switch (across) {
    case 'key':
      return { key };
    case 'metadata.team': {
      const value = valueOf(key.metadata, 'team');
      return value === null ? null : { team: value };
    }
    case 'selected':
    case 'account':
      return across;
    default:
      return across satisfies never;
  }
}

export type GroupName = { readonly key: WorldKey } | { readonly team: string } | 'selected' | 'account';

/** The keys of a group, those that are gone included. */
export function membersOf(
  history: History,
  policy: PolicyShape,
  group: GroupName,
  at: number,
): readonly WorldKey[] {
  if (typeof group === 'object' && 'key' in group) return [group.key];
  const all = history.stage.world.everyKey().filter(({ createdAt }) => createdAt <= epoch + at);
  if (group === 'account') return all;
  const selected = all.filter((key) => isSelected(history, policy, key, at));
  return group === 'selected'
    ? selected
    : selected.filter(({ metadata }) => valueOf(metadata, 'team') === group.team);
}

/** What was truly used in the rule's period up to then, in micro-dollars, tokens or requests. */
export function levelOf(
  history: History,
  policy: PolicyShape,
  rule: SpendShape,
  group: GroupName | null,
  at: number,
  clockOffMs = 0,
): number {
  if (group === null) return 0;
  const now = epoch + at;
  const from = periodStart(rule, now + clockOffMs);
  return membersOf(history, policy, group, at).reduce(
    (sum, key) => sum + usedBy(history, rule, key, from, now),
    0,
  );
}

/** After `from` and up to `to`. */
export function usedBy(
  { stage: { world } }: History,
  { measure, models }: SpendShape,
  key: WorldKey,
  from: number,
  to: number,
): number {
  let sum = 0;
  for (const [model, usage] of world.usage(key.secret, from, to)) {
    if (models !== null && !models.some((one) => one === model)) continue;
    const { costMicroUsd, promptTokens, completionTokens, requests } = usage;
    sum += { cost: costMicroUsd, tokens: promptTokens + completionTokens, requests }[measure];
  }
  return sum;
}

/** Usage is counted after the instant. */
export function periodStart({ per, timeZone }: Pick<SpendShape, 'per' | 'timeZone'>, now: number): number {
  const day = dayOf(timeZone, now);
  const date = new Date(day * dayMs);
  const begin = (local: number): number => instantOf(timeZone, local) - 1;
  switch (per) {
    case 'hour': {
      const offset = offsetMs(timeZone, now);
      return Math.floor((now + offset) / hourMs) * hourMs - offset - 1;
    }
    case 'day':
      return begin(day * dayMs);
    case 'week':
      // The first of January 1970 was a Thursday.
      return begin((Math.floor((day + 3) / 7) * 7 - 3) * dayMs);
    case 'month':
      return begin(Date.UTC(date.getUTCFullYear(), date.getUTCMonth()));
    case '1h':
      return now - hourMs;
    case '24h':
      return now - dayMs;
    case '7d':
      return now - 7 * dayMs;
    case 'lifetime':
      return -Infinity;
    default:
      return per satisfies never;
  }
}
