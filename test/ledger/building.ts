/** Records, runs and readings of small keys, for the tests of the ledger. */
import type { Counters, EpochMs, Key, KeyId } from '../../src/core/key.ts';
import type { KeyRecord, SampleRun } from '../../src/core/state.ts';
import type { KeyReading } from '../../src/ports.ts';
import { monday } from '../core/story.ts';

/** Three counters that differ, so that none can be taken for another. */
export function counters(amount: number): Counters {
  return { costMicroUsd: amount * 3, tokens: amount * 2, requests: amount };
}

export function reading(amount: number, at: EpochMs = monday): KeyReading {
  return { ...counters(amount), at, promptTokens: amount, completionTokens: amount };
}

export function recordOf(one: Key, more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: one.id,
    createdAt: one.createdAt,
    firstSeenAt: one.createdAt,
    facts: one,
    originalName: one.name,
    nameChanged: false,
    standing: [],
    renamedByPersonAt: null,
    goneAt: null,
    check: null,
    conflict: null,
    ...more,
  };
}

export function runOf(
  key: KeyId | 'account',
  amount: number,
  [firstAt, lastAt]: readonly [EpochMs, EpochMs],
  createdAt: EpochMs = 0,
): SampleRun {
  return { key, createdAt, firstAt, lastAt, counters: counters(amount) };
}
