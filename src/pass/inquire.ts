/** What a pass asks for besides the list and the aggregate, though no decision needs it. */
import type { EpochMs } from '../core/key.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { Inquiry } from '../deliberate.ts';
import type { Sight } from '../ledger/look.ts';
import { isNearBoundary } from '../ledger/boundaries.ts';
import { crossCheck, firstChecks } from '../ledger/cross-checks.ts';
import type { Memory } from '../memory.ts';
import type { PassPorts } from './ports.ts';
import { lastClock } from './before.ts';

/** So many calls may be saved up for when more is to be asked. */
const mostSaved = 30;

/** Calls for what does not press: one a pass, and one a minute where passes are rarer. */
function spareCalls(memory: Memory, now: EpochMs): number {
  const last = lastClock(memory);
  const minutes = last === null ? mostSaved : Math.floor((now - last.at) / 60_000);
  return Math.min(mostSaved, memory.savedCalls + Math.max(1, minutes));
}

/**
 * So passes make three calls on average, unless something presses. Every second pass one is a key's own
 * reading, to find rows that are credited wrongly. Rows that were never checked have half of all calls.
 */
export function inquire(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
): Inquiry & { /** More rows were never checked. */ readonly waiting: boolean } {
  const spare = spareCalls(memory, sight.at);
  const busy = isNearBoundary(policy.policies, sight.at, ports.pace);
  const most = busy ? 0 : Math.floor(ports.callBudget() / 2);
  const bearers = memory.trail?.lineup.bearers ?? new Map<string, number>();
  const due = firstChecks(sight.registry.live, bearers, sight.at, most + 1);
  const unchecked = due.slice(0, most);
  const turn = unchecked.length > 0 || memory.checkedLast ? [] : crossCheck(sight.registry.live);
  memory.checkedLast = turn.length > 0;
  return {
    questions: [...unchecked, ...turn],
    alone: new Set(),
    spare: spare - turn.length,
    waiting: !busy && due.length > most,
  };
}
