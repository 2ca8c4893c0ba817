/** The same rules as conditions of json-rules-engine, judged key by key. */
import { Engine } from 'json-rules-engine';
import type { TopLevelCondition } from 'json-rules-engine';
import { expiryDeadline } from '../src/core/deadlines.ts';
import type { Court } from '../src/core/court.ts';
import { measured } from '../src/core/evidence.ts';
import type { KeyEvidence } from '../src/core/evidence.ts';
import { threshold } from '../src/core/spend-case.ts';
import type { Policy } from '../src/core/policy.ts';
import type { KeyRecord } from '../src/core/state.ts';

/** An engine with a rule for each policy and step: selected, and at or over the threshold. */
export function rivalEngine(court: Court): Engine {
  const engine = new Engine([], { allowUndefinedFacts: true });
  for (const policy of court.policy.policies) {
    for (const [index, step] of policy.steps.entries()) {
      engine.addRule({
        conditions: conditionsOf(policy, step.atPercent),
        event: { type: `${policy.name}/${String(index)}` },
      });
    }
  }
  return engine;
}

function conditionsOf(policy: Policy, atPercent: number | null): TopLevelCondition {
  const selected = { fact: `selected:${policy.name}`, operator: 'equal', value: true };
  const { rule } = policy;
  if (rule.kind !== 'spend') {
    return { all: [selected, { fact: `due:${policy.name}`, operator: 'equal', value: true }] };
  }
  const period = rule.period.kind === 'rolling' ? rule.period.window : 'lifetime';
  const limit = rule.limit === 'max_tokens' ? Infinity : rule.limit;
  const value = threshold(limit, atPercent ?? 0);
  return { all: [selected, { fact: `${rule.measure}:${period}`, operator: 'greaterThanInclusive', value }] };
}

/** One key's facts, plain values, as a caller of the engine would prepare them. */
export function rivalFacts(court: Court, record: KeyRecord): Record<string, unknown> {
  const known = court.bench.evidence.keys.get(record.id);
  const facts: Record<string, unknown> = {};
  for (const measure of ['cost', 'tokens', 'requests'] as const) {
    facts[`${measure}:lifetime`] = known === undefined ? 0 : measured(known.lifetime.low, measure);
    for (const [window, bounds] of known?.windows ?? [])
      facts[`${measure}:${window}`] = measured(bounds.low, measure);
  }
  for (const policy of court.policy.policies) {
    facts[`selected:${policy.name}`] = policy.select(
      { key: record.facts, originalName: record.originalName },
      court.now,
    );
    facts[`due:${policy.name}`] = isDue(court, policy, record, known);
  }
  return facts;
}

function isDue(court: Court, policy: Policy, record: KeyRecord, known: KeyEvidence | undefined): boolean {
  const { rule } = policy;
  switch (rule.kind) {
    case 'spend':
      return false;
    case 'expiry':
      return (expiryDeadline(rule, record)?.at ?? Infinity) <= court.now;
    case 'idle': {
      const window = known?.windows.get(rule.forMs === 30 * 86_400_000 ? '30d' : '60d');
      return record.createdAt + rule.forMs <= court.now && window?.low.requests === 0;
    }
    default:
      return rule satisfies never;
  }
}
