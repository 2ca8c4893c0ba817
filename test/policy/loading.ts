/** What the tests of this room share. */
import { describe, expect, it } from 'vitest';
import { formatFaults, loadPolicy, type Environment, type Fault } from '../../src/policy/load.ts';
import type { PolicyFile } from '../../src/core/policy.ts';

export const now = Date.parse('2026-11-23T10:00:00Z');

/** Every variable has a value; those called MISSING have none. */
export const environment: Environment = (name) =>
  name.startsWith('MISSING')
    ? { missing: `neither ${name} nor ${name}_FILE is set` }
    : { value: name === 'SMTP_URL' ? 'smtps://u:p@mail.example.com:465' : `https://x.example/${name}` };

export function load(text: string, environmentOfTest: Environment = environment) {
  return loadPolicy(text, 'policies.yaml', environmentOfTest, now);
}

/** The compiled file, or a failure that shows its faults. */
export function valid(text: string): PolicyFile {
  const loaded = load(text);
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
  return loaded.policy;
}

export function faultsIn(text: string, environmentOfTest: Environment = environment): readonly Fault[] {
  const loaded = load(text, environmentOfTest);
  return loaded.ok ? [] : loaded.faults;
}

const mark = '▸';

/** The text without its marks, and where they stood, as `line:column`. */
export function marked(text: string): { text: string; places: string[] } {
  const pieces = text.split(mark);
  const places = pieces.slice(1).map((_, index) => {
    const before = pieces.slice(0, index + 1).join('');
    const lineStart = before.lastIndexOf('\n') + 1;
    return `${String(before.split('\n').length)}:${String(before.length - lineStart + 1)}`;
  });
  return { text: pieces.join(''), places };
}

/** A file with this policy in it, and channels `ops`, `owner` and `mail`. */
export function around(policy: string, top = 'protect: []'): string {
  return `version: 1
${top}
smtp: { url: "\${SMTP_URL}", from: keywarden@example.com }
channels:
  ops: { slack: { webhook_url: "\${SLACK}" } }
  owner: { email: { to: "{{ metadata.email }}" } }
  mail: { email: { to: ops@example.com } }
policies:
${policy.replace(/^\n|\n\s*$/g, '')}
`;
}

/** As `around`, with these steps of a policy with this rule. */
export function withSteps(rule: string, ...steps: string[]): string {
  const lines = steps.map((step) => `      - ${step}`).join('\n');
  return around(`  - name: p\n    select: all\n    ${rule}\n    steps:\n${lines}`);
}

export const monthly = 'spend: { cost: 20, per: month }';

/** A file with these lines and no policies. */
export const top = (lines: string) => `version: 1\npolicies: []\n${lines}\n`;

/** `▸` marks where each fault must be; the messages come in the order of the marks. */
type FaultCase = readonly [what: string, text: string, ...messages: string[]];

/** Exactly these faults, at exactly these places. */
export function expectFaults(tables: Readonly<Record<string, readonly FaultCase[]>>): void {
  describe.each(Object.entries(tables))('faults of %s', (_, table) => {
    it.each(table)('%s', (_what, withMarks, ...messages) => {
      const { text, places } = marked(withMarks);
      const found = faultsIn(text).map(
        ({ line, column, message }) => `${String(line)}:${String(column)} ${message}`,
      );
      expect(found).toEqual(messages.map((message, index) => `${places[index] ?? '?'} ${message}`));
    });
  });
}
