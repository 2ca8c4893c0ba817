import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { webhookSchemaText } from '../../src/alerts/compose/webhook-schema.ts';
import { schema } from '../../src/cli/schema.ts';
import { validate } from '../../src/cli/validate.ts';
import { schemaText } from '../../src/policy/schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'keywarden-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function run(text: string | Buffer | null, env: Record<string, string> = {}) {
  const file = join(folder, 'policies.yaml');
  if (text === null) rmSync(file, { force: true });
  else writeFileSync(file, text);
  const written = { out: '', err: '' };
  const code = await validate(file, {
    stdout: { write: (chunk) => (written.out += chunk) },
    stderr: { write: (chunk) => (written.err += chunk) },
    env,
    now: Date.parse('2026-11-23T10:00:00Z'),
  });
  return { code, out: written.out.replaceAll(folder, '.'), err: written.err.replaceAll(folder, '.') };
}

const policy = 'policies: [{ name: p, select: all, expiry: {}, steps: [{ alert: ops }] }]\n';
const channels = 'channels: { ops: { slack: { webhook_url: "${SLACK}" } } }\n';

it('counts what a valid file holds', async () => {
  const text = `version: 1\nmode: alert\n${channels}${policy}`;
  expect(await run(text, { SLACK: 'https://h/' })).toEqual({
    code: 0,
    out: './policies.yaml is valid: 1 policy, 1 channel, mode alert\n',
    err: '',
  });
});

it('prints warnings beside the result', async () => {
  const { code, out, err } = await run(
    'version: 1\npolicies: []\nsilences: [{ select: all, until: 2020-01-01T00:00:00Z }]\n',
  );
  expect([code, out]).toEqual([0, './policies.yaml is valid: 0 policies, 0 channels, mode dry-run\n']);
  expect(err).toContain('./policies.yaml:3:34: warning: this silence is over');
});

it('prints every fault with its place and its lines', async () => {
  expect(await run(`version: 1\n${channels}${policy}mode: enforced\n`)).toEqual({
    code: 1,
    out: '',
    err: `./policies.yaml:2:43: the environment variable SLACK is missing: neither SLACK nor SLACK_FILE is set
  1 | version: 1
> 2 | channels: { ops: { slack: { webhook_url: "\${SLACK}" } } }
    |                                           ^
  3 | policies: [{ name: p, select: all, expiry: {}, steps: [{ alert: ops }] }]

./policies.yaml:4:7: \`mode\` must be dry-run, alert or enforce
  2 | channels: { ops: { slack: { webhook_url: "\${SLACK}" } } }
  3 | policies: [{ name: p, select: all, expiry: {}, steps: [{ alert: ops }] }]
> 4 | mode: enforced
    |       ^
  5 |
  = did you mean \`enforce\`?

./policies.yaml: 2 faults
`,
  });
});

it('says why a file cannot be read', async () => {
  expect(await run(null)).toEqual({
    code: 1,
    out: '',
    err: './policies.yaml: cannot be read: there is no such file\n',
  });
  const { code, err } = await run(Buffer.from([0xff, 0xfe, 0x00, 0x01]));
  expect([code, err.split('\n')[0]]).toEqual([
    1,
    './policies.yaml:1:1: the file is not text in UTF-8: is it the right one?',
  ]);
});

it.each([
  [false, schemaText()],
  [true, webhookSchemaText()],
])('prints the schema; of webhooks: %j', async (webhook, text) => {
  let printed = '';
  expect(await schema({ webhook }, { stdout: { write: (chunk) => (printed += chunk) } })).toBe(0);
  expect(printed).toBe(text);
});
