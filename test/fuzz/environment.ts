/** Values of environment variables, through the real parser and through the program. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CliError } from '../../src/cli/errors.ts';
import { runProgram } from '../../src/cli/program.ts';
import { readSettings, settingTable, type SettingName } from '../../src/cli/settings.ts';
import { screen } from '../cli/account.ts';
import { must, subject, type Subject } from './subject.ts';
import { hostileText } from './texts.ts';

const secretNames = ['TINFOIL_ADMIN_KEY', 'KEYWARDEN_TOKEN', 'TINFOIL_ADMIN_KEY_FILE'] as const;
const names = [
  ...Object.values(settingTable).map(({ env }) => env),
  ...secretNames,
  'KEYWARDEN_CLOCK',
] as readonly string[];

const nearlyRight = fc.constantFrom(
  '60s', '0s', '-1s', '1e9d', '99999999999999999999s', '1ms', '366d', 'off', '127.0.0.1:0', '127.0.0.1:99999', '[::1]:8080', '[::]:80', '0.0.0.0:80', ':80',
  'http://127.0.0.1:1', 'http://example.com', 'https://user:pass@example.com', 'https://example.com?x#y', 'https://', 'javascript:alert(1)', 'file:///etc/passwd',
  'postgres://u:p@h/db', 'POSTGRES://h', 'json', 'JSON', 'table', 'true', 'TRUE', 'yes', 'maybe', '0', '1', '1e3', '0x10', 'Infinity', 'NaN', '-0', 'info', 'trace',
  '/', '.', '/dev/null', '/proc/self/mem', '/nowhere/at/all', '0,0,1', '0,0,0', '1e999,0,1', ',,', '0,0,1,1', ' ', '\n', '__proto__', '${HOME}', '$(reboot)',
); // prettier-ignore

const value = fc.oneof(nearlyRight, hostileText);
const environment = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 });
const needs = Object.keys(settingTable) as SettingName[];

/** Long enough that it is not part of the message by chance, and nothing that the parser itself says. */
const recognizable = (text: string): boolean =>
  text.trim().length >= 12 && !/^(https?|postgres):/i.test(text);

type Environment = Readonly<Record<string, string>>;

function inParser(env: Environment): void {
  try {
    readSettings({ flags: {}, env, terminal: false, needs });
  } catch (error) {
    must(error instanceof CliError, 'another error', error instanceof Error ? error.stack : error);
    must(error.exitCode === 2 || error.exitCode === 1, 'another exit code', error.exitCode);
    says(error.message, env);
  }
}

/** It names what is wrong, and holds no value: a person may have pasted the key anywhere. */
function says(message: string, env: Environment): void {
  must(/(KEYWARDEN|TINFOIL)_[A-Z_]+|--[a-z-]+/.test(message), 'no variable is named', message);
  must(message.length < 3000, 'an error of great length', message.length);
  for (const [name, text] of Object.entries(env)) {
    if (recognizable(text)) must(!message.includes(text.trim()), `the value of ${name} is told`, message);
  }
  must(!/\n\s+at /.test(message), 'a stack trace', message);
}

const policyFile = join(mkdtempSync(join(tmpdir(), 'keywarden-fuzz-')), 'policies.yaml');
writeFileSync(policyFile, 'version: 1\npolicies: []\n');

/** A command that reads settings and asks a server that is not there. */
async function inProgram(env: Environment): Promise<void> {
  const [stdout, stderr] = [screen(), screen()];
  const safe = { KEYWARDEN_POLICY: policyFile, ...env, TINFOIL_API_URL: ownServer(env['TINFOIL_API_URL']) };
  const signal = AbortSignal.abort(new Error('stopped'));
  const code = await runProgram(['keys'], { env: safe, stdout, stderr, ask: null, signal });
  const said = stderr.text();
  must(code === 1 || code === 2, `it ended with ${String(code)}`, said);
  // At these levels a stack is what was asked for.
  const bare = ['debug', 'trace'].includes(env['KEYWARDEN_LOG_LEVEL'] ?? '')
    ? said.replaceAll(/\n\s+at .*/g, '')
    : said;
  must(bare !== '' && !/\n\s+at |unexpected: (?!stopped)/.test(bare), 'an unexpected error', said);
  must(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(said.replaceAll('\n', '')), 'control characters', said);
  for (const name of secretNames) {
    const text = env[name] ?? '';
    if (recognizable(text)) must(!said.includes(text.trim()), `the value of ${name} is told`, said);
  }
}

/** Nothing is to be asked of a real server. */
const ownServer = (text: string | undefined): string =>
  text === undefined || /^https?:\/\/[^/]/.test(text) ? 'http://127.0.0.1:1' : text;

export const environmentSubjects: readonly Subject[] = [
  subject('environment: the parser of settings', environment, inParser),
  subject('environment: a command', environment, inProgram, 0.3),
];
