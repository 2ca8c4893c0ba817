/** Which level is looked at next, and when it could be at its threshold. */
import { expect, test } from 'vitest';
import { nearestApproach } from '../../src/core/approach.ts';
import type { KeyEvidence } from '../../src/core/evidence.ts';
import type { Bench } from '../../src/core/judgement.ts';
import type { Counters } from '../../src/core/key.ts';
import { register } from '../../src/ledger/registry.ts';
import { file, id, key, monday, policy } from './story.ts';

const steps = ['{ at: 80%, alert: ops }', '{ at: 100%, alert: ops }'];
const { policies } = file(policy('spend: { cost: 20, per: lifetime }', ...steps));
const dollars = (amount: number): Counters => ({
  costMicroUsd: amount * 1e6,
  tokens: 0,
  requests: 0,
});

/** One key that has used between `low` and `high` dollars, and uses a cent a second. */
function bench(low: number, high: number | null): Bench {
  const listing = { at: monday, serverAt: null, keys: [key('User 1')], secrets: new Map() };
  const { live } = register(new Map(), listing, [], () => null);
  const known: KeyEvidence = {
    lifetime: { low: dollars(low), high: high === null ? null : dollars(high) },
    ...{ because: null, credited: true, checked: true, windows: new Map(), individual: new Set() },
    ...{ models: { lifetime: null, windows: new Map() }, unchangedSince: null },
    quiet: { of: null, epoch: '', record: null, until: 0 },
  };
  const account = { lifetime: null, windows: new Map(), because: null };
  return {
    ...{ now: monday, live, known: [known], record: () => live[0], gone: [], lastCounters: new Map() },
    ...{ epoch: '', open: new Map(), idleBefore: { judgedBy: new Set(), massSince: null } },
    evidence: {
      ...{ at: monday, doneAt: monday, keys: { get: () => known }, unread: [], account },
      paces: new Map([[id('User 1'), dollars(0.01 / 1000)]]),
      ...{ marks: new Map(), readAt: new Map(), unanswered: new Set() },
    },
  };
}

test.each([
  ['below its first threshold', 15, 15, 100_000],
  ['surely past that, on to the next', 16, 16, 400_000],
  ['past all: nowhere', 20, 20, null],
  ['below a threshold by its upper end', 14, 15, 100_000],
  ['at a threshold by its upper end alone: that fires once the lower one is there', 15.5, 16.5, 50_000],
  ['between two thresholds, to the nearer', 19.5, 19.9, 10_000],
  ['not known', 15, null, null],
])('a level %s', (_what, low, high, inMs) => {
  const approach = nearestApproach(policies, bench(low, high));
  expect(approach === null ? null : Math.round(approach.inMs)).toBe(inMs);
});
