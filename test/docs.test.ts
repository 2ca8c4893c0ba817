/** What README and docs/ say is there, and what is there is said. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { runProgram } from '../src/cli/program.ts';
import { settingTable } from '../src/cli/settings.ts';
import { formatFaults, loadPolicy } from '../src/policy/load.ts';
import { AdminApiError } from '../src/tinfoil/errors.ts';
import type { AdminErrorKind } from '../src/tinfoil/errors.ts';
import { createMetrics } from '../src/web/metrics.ts';
import { screen } from './cli/account.ts';

const root = join(import.meta.dirname, '..');
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const operations = read('docs/operations.md');

/** Words that stand as code in a page. */
const codeIn = (page: string): string[] => read(page).match(/(?<=`)[^`\n]+(?=`)/g) ?? [];

async function help(...argv: string[]): Promise<string> {
  const [stdout, stderr] = [screen(null), screen(null)];
  const { signal } = new AbortController();
  await runProgram([...argv, '--help'], { env: {}, stdout, stderr, ask: null, signal });
  return stdout.text();
}

describe('the policy language', () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, unknown>>;
  }

  function* fieldsOf(schema: unknown): Generator<string> {
    if (typeof schema !== 'object' || schema === null) return;
    yield* Object.keys((schema as Schema).properties ?? {});
    for (const value of Object.values(schema)) yield* fieldsOf(value);
  }

  test('every field of the schema is in docs/policies.md', () => {
    const fields = [...new Set(fieldsOf(JSON.parse(read('policies.schema.json'))))];
    const said = new Set(codeIn('docs/policies.md'));
    expect(fields.length).toBeGreaterThan(50);
    expect(fields.filter((field) => !said.has(field))).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  test('has every setting with its flag, variable and default', () => {
    const missing = Object.values(settingTable).filter(
      ({ flag, env, fallback }) =>
        !operations
          .split('\n')
          .some((line) => [flag, env, fallback ?? 'pretty'].every((word) => line.includes(`\`${word}\``))),
    );
    expect(missing.map(({ flag }) => flag)).toEqual([]);
  });

  test('has every variable that the sources read', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(`src/${name}`));
    const variables = new Set(
      sources.flatMap((text) => text.match(/\b(KEYWARDEN|TINFOIL)_[A-Z_]+\b|\bNO_COLOR\b/g) ?? []),
    );
    expect(variables.size).toBeGreaterThan(10);
    expect([...variables].filter((name) => !operations.includes(`\`${name}\``))).toEqual([]);
  });

  test('has every command and every flag', async () => {
    const commands = [...(await help()).matchAll(/^ {2}([a-z-]+)(?: [<[].*?)? {2,}\S/gm)].map(
      ([, name = '']) => name,
    );
    const known = commands.filter((name) => new RegExp(`\`${name}[ \`]`).test(operations));
    expect(commands).toContain('transactions');
    expect(known).toEqual(commands);
    for (const command of commands) {
      const flags = (await help(command)).match(/(?<=^ +(?:-\w, )?)--[a-z-]+/gm) ?? [];
      const unsaid = flags.filter((flag) => flag !== '--help' && !operations.includes(flag));
      expect({ command, unsaid }).toEqual({ command, unsaid: [] });
    }
  });

  test('explains every failure of the Admin API', () => {
    const unsaid = Object.keys(errorKinds).filter((kind) => {
      const error = new AdminApiError({ endpoint: 'GET /api/keys', kind: kind as AdminErrorKind });
      return !operations.includes(`\`${error.message.replace('GET /api/keys: ', '')}\``);
    });
    expect(unsaid).toEqual([]);
  });

  test('has every metric', async () => {
    const metrics = createMetrics({
      outbox: async () => ({ pending: 0, dead: 0, oldestAgeSeconds: 0 }),
      stateBytes: async () => 0,
    });
    const names = [...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !operations.includes(`\`${name}\``))).toEqual([]);
  });
});

const errorKinds: Readonly<Record<AdminErrorKind, true>> = {
  unauthorized: true,
  forbidden: true,
  'not-found': true,
  conflict: true,
  overtaken: true,
  'bad-request': true,
  'rate-limited': true,
  server: true,
  network: true,
  tls: true,
  timeout: true,
  aborted: true,
  malformed: true,
  'too-large': true,
  redirect: true,
};

test('the settings that README.md names have the same variables and defaults', () => {
  const rows = read('README.md').split('\n');
  const named = Object.values(settingTable).flatMap(({ flag, env, fallback }) => {
    const row = rows.find((line) => line.startsWith(`| \`${flag.replace(/ .*/, '')}\``));
    return row === undefined ? [] : [{ row, words: [env, fallback ?? 'pretty'] }];
  });
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(({ row, words }) => !words.every((word) => row.includes(`\`${word}\``)))).toEqual([]);
});

describe.each(pages)('%s', (page) => {
  test('links to what is there', () => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((target) => !/^https?:/.test(target) && !leadsSomewhere(page, target));
    expect(broken).toEqual([]);
  });

  test('names files that are there', () => {
    const files = codeIn(page).filter((code) => /^(src|test|docs)\/[\w./-]+$/.test(code));
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test('has YAML that is valid, and whole as a policy file where it is one', () => {
    const blocks = [...read(page).matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(
      ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    );
    for (const block of blocks) expect(faultsOf(block)).toBe('');
  });
});

describe('docs/security.md', () => {
  /** `file`: “name”, “another name” */
  const shown = (text: string): (readonly [file: string, name: string])[] =>
    [...text.matchAll(/`(test\/[\w./-]+\.ts)`:((?:[ ,]+“[^”]+”)+)/g)].flatMap(([, file = '', names = '']) =>
      [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => [file, name] as const),
    );
  const lines = read('docs/security.md').split('\n');

  test('names tests that are there', () => {
    const named = lines.flatMap(shown);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(([file, name]) => !read(file).includes(`'${name}'`))).toEqual([]);
  });

  test('names a test for everything that it says cannot be done', () => {
    const from = lines.flatMap((line, index) => (/^\| cannot +\|/.test(line) ? [index + 2] : []));
    expect(from).toHaveLength(5);
    const rows = from.flatMap((index) => lines.slice(index, lines.indexOf('', index)));
    expect(rows.length).toBeGreaterThan(25);
    expect(rows.filter((row) => shown(row).length === 0)).toEqual([]);
  });
});

/** A file of the repository, and a heading in it. */
function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || headings(read(target)).includes(anchor);
}

/** As GitHub makes them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

const channels = ['ops', 'finance', 'owner'].map(
  (name) => `  ${name}: { email: { to: ${name}@example.com } }`,
);
const mail = 'smtp: { url: smtp://localhost, from: keywarden@example.com }';

/** A part of a policy file becomes a whole one by what it leaves out. */
function faultsOf(block: string): string {
  const indented = block.replaceAll(/^/gm, '  ');
  if (/^version: 1$/m.test(block)) return policyFaults(block);
  if (block.startsWith('- name:'))
    return policyFaults(
      ['version: 1', mail, 'channels:', ...channels, 'protect: []', 'policies:', indented].join('\n'),
    );
  if (/^(channels|limits|silences):/.test(block))
    return policyFaults(['version: 1', mail, block, 'policies: []'].join('\n'));
  return parseAllDocuments(block)
    .flatMap(({ errors }) => errors.map(({ message }) => message))
    .join('\n');
}

function policyFaults(text: string): string {
  const urls: Readonly<Record<string, string>> = { SMTP_URL: 'smtp://localhost' };
  const environment = (name: string) => ({ value: urls[name] ?? 'https://example.com/hook' });
  const loaded = loadPolicy(text, 'example.yaml', environment, Date.parse('2026-11-23T10:00:00Z'));
  return loaded.ok ? formatFaults(loaded.warnings) : formatFaults(loaded.faults);
}
