/** The same rules as conditions of json-rules-engine, judged key by key. */
import { Engine } from 'json-rules-engine';
import type { TopLevelCondition } from 'json-rules-engine';
import { expiryDeadline, lastUse } from '../src/core/deadlines.ts';
import type { Court } from '../src/core/court.ts';
import type { KeyEvidence } from '../src/core/evidence.ts';
import { caseKey, keySubject } from '../src/core/judgement.ts';
import { keyLevel, spanOf } from '../src/core/levels.ts';
import { threshold } from '../src/core/spend-case.ts';
import type { Policy, SpendRule } from '../src/core/policy.ts';
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
  const limit = rule.limit === 'max_tokens' ? Infinity : rule.limit;
  const value = threshold(limit, atPercent ?? 0);
  return { all: [selected, { fact: levelName(rule), operator: 'greaterThanInclusive', value }] };
}

/** One key's facts, plain values, as a caller of the engine would prepare them. */
export function rivalFacts(court: Court, record: KeyRecord): Record<string, unknown> {
  const { evidence } = court.bench;
  const known = evidence.keys.get(record.id);
  const facts: Record<string, unknown> = {};
  for (const policy of court.policy.policies) {
    const { rule } = policy;
    facts[`selected:${policy.name}`] = policy.select(
      { key: record.facts, originalName: record.originalName },
      court.now,
    );
    if (known === undefined) continue;
    if (rule.kind !== 'spend') facts[`due:${policy.name}`] = isDue(court, policy, record, known);
    else
      facts[levelName(rule)] = keyLevel(
        rule,
        spanOf(rule.period, court.now, evidence),
        record,
        known,
        evidence,
      ).low;
  }
  return facts;
}

function levelName({ measure, period }: SpendRule): string {
  return `${measure}:${period.kind === 'rolling' ? period.window : 'lifetime'}`;
}

function isDue(court: Court, policy: Policy, record: KeyRecord, known: KeyEvidence): boolean {
  const { rule } = policy;
  switch (rule.kind) {
    case 'spend':
      return false;
    case 'expiry':
      return (expiryDeadline(rule, record)?.at ?? Infinity) <= court.now;
    case 'idle': {
      const existing = court.bench.open.get(caseKey(policy.name, keySubject(record)));
      const { latest } = lastUse(record, known, court.now, existing?.idle ?? null);
      return latest !== null && latest + rule.forMs <= court.now;
    }
    default:
      return rule satisfies never;
  }
}
