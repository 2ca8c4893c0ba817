/** Whether a policy, as its page describes it, truly asks for a change: by what the account's keys used and are. */
import { epoch } from './setting.ts';
import type { Asked, History } from './history.ts';
import { selects } from './policies.ts';
import type { FileShape, ModeShape, PolicyShape, StepShape } from './policies.ts';
import type { WorldKey } from '../../../src/sandbox/account-key.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';

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
  const { metadata, id, isAdmin } = key;
  if (isAdmin) return false;
  return selects(policy.select, { originalName: history.originalNameAt(id, at), metadata });
}

function isReached(
  { stage: { world } }: History,
  { rule }: PolicyShape,
  step: StepShape,
  key: WorldKey,
  at: number,
): boolean {
  const now = epoch + at;
  switch (rule.kind) {
    case 'spend': {
      const from = periodStart(rule.per, now);
      const used = world.consumed(key.secret, from, now).costMicroUsd;
      return used * 100 >= rule.usd * 1_000_000 * step.at;
    }
    case 'expiry': {
      const ends = [
        key.expiresAt,
        rule.maxAgeDays === undefined ? null : key.createdAt + rule.maxAgeDays * dayMs,
      ];
      const deadline = Math.min(...ends.filter((one) => one !== null));
      return Number.isFinite(deadline) && now + clockToleranceMs >= deadline + step.at * hourMs;
    }
    case 'idle': {
      const unusedFor = rule.forDays * dayMs + step.at * hourMs - clockToleranceMs;
      const late = world.consumed(key.secret, now - unusedFor, now - lateMs(world, key, now));
      return key.createdAt <= now - unusedFor && late.requests === 0;
    }
    default:
      return rule satisfies never;
  }

  function lateMs(_world: unknown, _key: WorldKey, _now: number): number {
    return usageLagMs;
  }
}

/** Usage is counted after the instant. */
function periodStart(per: 'day' | 'month' | '24h' | '7d' | 'lifetime', now: number): number {
  const date = new Date(now);
  switch (per) {
    case 'day':
      return Math.floor(now / dayMs) * dayMs - 1;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) - 1;
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
