/** The policies under which an account is watched: every kind of period, several zones, all three measures. */
import { environmentOf } from '../../src/policy/environment.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { EpochMs } from '../../src/core/key.ts';
import type { Policy, PolicyFile, SpendRule } from '../../src/core/policy.ts';

export type Way = 'alert' | 'enforce';

const rules: readonly (readonly [name: string, spend: string, renames: boolean])[] = [
  ['day', 'cost: 15, per: day', true],
  ['day-kathmandu', 'tokens: 30000000, per: day, timezone: Asia/Kathmandu', false],
  ['week-new-york', 'requests: 50000, per: week, timezone: America/New_York', false],
  ['month', 'cost: 150, per: month', true],
  ['quarter', 'cost: 600, per: quarter', false],
  ['last-24h', 'requests: 12000, per: 24h', false],
  ['last-7d', 'tokens: 90000000, per: 7d', false],
  ['last-30d', 'cost: 200, per: 30d', false],
  ['lifetime', 'cost: 1500, per: lifetime', false],
];

const limits = '{ rename: { per_run: 100, per_day: 1000 } }';

/** In `enforce`, some keys are renamed at their limit, and get their name back when the period ends. */
export function rulesFor(way: Way, now: EpochMs): PolicyFile {
  const lines = rules.map(([name, spend, renames]) => {
    const rename = way === 'enforce' && renames ? ', rename: "OVER {{ name }}"' : '';
    return `  - { name: ${name}, select: all, spend: { ${spend} }, steps: [{ at: 80%, alert: ops }, { at: 100%, alert: ops${rename} }] }`;
  });
  const text = `version: 1
mode: ${way}
channels:
  ops: { slack: { webhook_url: "https://hooks.slack.com/services/T0/B0/nobody" } }
protect: []
limits: ${limits}
policies:
${lines.join('\n')}
`;
  const loaded = loadPolicy(text, 'truth', environmentOf({}), now);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.policy;
}

/** A policy that measures each key by itself against a fixed limit. */
export interface KeyBudget {
  readonly policy: Policy;
  readonly rule: SpendRule & { readonly limit: number };
}

export function keyBudgets({ policies }: PolicyFile): KeyBudget[] {
  return policies.flatMap((policy) => {
    const { rule } = policy;
    if (rule.kind !== 'spend' || rule.across.kind !== 'key' || rule.limit === 'max_tokens') return [];
    return [{ policy, rule: { ...rule, limit: rule.limit } }];
  });
}
