/** Twenty policies over every window, for all keys and for some, as a busy account might have them. */

const spend: readonly (readonly [select: string, spend: string])[] = [
  ['all', 'cost: 40, per: 24h'],
  ['all', 'cost: 400, per: 30d'],
  ['all', 'requests: 5000, per: 1h'],
  ['all', 'requests: 200000, per: 7d'],
  ['all', 'tokens: 900000000, per: 90d'],
  ['all', 'cost: 2000, per: lifetime'],
  ['{ metadata: { plan: free } }', 'cost: 20, per: 30d'],
  ['{ metadata: { plan: free } }', 'requests: 1000, per: 24h'],
  ['{ metadata: { plan: pro } }', 'cost: 200, per: 60d'],
  ['{ metadata: { plan: pro } }', 'tokens: 50000000, per: 7d'],
  ['{ name: "User *" }', 'cost: 90, per: 7d'],
  ['{ name: "*-batch" }', 'cost: 500, per: 30d'],
  ['{ name: ["svc-*", "dev-*"] }', 'requests: 20000, per: 24h'],
  ['{ older_than: 30d }', 'cost: 900, per: 90d'],
  ['{ not: { metadata: { plan: "*" } } }', 'cost: 300, per: 30d'],
  ['{ chat: false }', 'tokens: 400000000, per: 60d'],
];

const deadlines: readonly (readonly [select: string, rule: string])[] = [
  ['all', 'expiry: {}'],
  ['{ not: { name: "svc-*" } }', 'expiry: { max_age: 720d }'],
  ['{ not: { metadata: { keep: "*" } } }', 'idle: { for: 30d }'],
  ['{ metadata: { plan: free } }', 'idle: { for: 60d }'],
];

/** A policy file as text. Alerts go to a channel on loopback that the simulated account serves. */
export function policyText(mode: 'dry-run' | 'alert' | 'enforce'): string {
  const one = (select: string, rule: string, steps: string, index: number): string =>
    `  - { name: p${String(index)}, select: ${select}, ${rule}, steps: ${steps} }`;
  const lines = [
    ...spend.map(([select, rule], index) =>
      one(select, `spend: { ${rule} }`, '[{ at: 80%, alert: ops }, { at: 100%, alert: ops }]', index),
    ),
    ...deadlines.map(([select, rule], index) => one(select, rule, '[{ alert: ops }]', spend.length + index)),
  ];
  return `version: 1\nmode: ${mode}\nchannels:\n  ops: { slack: { webhook_url: "\${SLACK_WEBHOOK_URL}" } }\nprotect: []\npolicies:\n${lines.join('\n')}\n`;
}
