import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CliError } from '../../src/cli/errors.ts';
import {
  readSettings,
  settingTable,
  withEnvFile,
  type Given,
  type SettingName,
} from '../../src/cli/settings.ts';

const all = Object.keys(settingTable) as SettingName[];

const read = (given: Partial<Given>) =>
  readSettings({ flags: {}, env: {}, terminal: false, needs: all, ...given });

function faultOf(given: Partial<Given>): CliError {
  try {
    read(given);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

const file = (text: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'keywarden-settings-')), 'file');
  writeFileSync(path, text);
  return path;
};

describe('settings', () => {
  test('have defaults', () => {
    const settings = read({});
    expect({ ...settings, apiUrl: settings.apiUrl.href }).toEqual({
      policyPath: 'policies.yaml',
      apiUrl: 'https://api.tinfoil.sh/',
      adminKey: null,
      state: 'keywarden.db',
      intervalMs: 60_000,
      minIntervalMs: 5000,
      maxCallsPerMinute: 60,
      usageLagMs: 120_000,
      listen: { host: '127.0.0.1', port: 8080 },
      token: null,
      dryRun: false,
      logLevel: 'info',
      logFormat: 'json',
      output: 'table',
      clock: null,
    });
  });

  test('log prettily on a terminal, unless told otherwise', () => {
    expect(read({ terminal: true }).logFormat).toBe('pretty');
    expect(read({ terminal: true, env: { KEYWARDEN_LOG_FORMAT: 'json' } }).logFormat).toBe('json');
  });

  test('a flag wins over the environment, that over the file, that over the default', () => {
    const path = file('KEYWARDEN_INTERVAL=10s\nKEYWARDEN_USAGE_LAG=20s\nKEYWARDEN_STATE=from-file.db\n');
    const env = withEnvFile({ KEYWARDEN_INTERVAL: '30s', KEYWARDEN_STATE: 'from-env.db' }, path);
    const settings = read({ env, flags: { state: 'from-flag.db' } });
    expect(settings).toMatchObject({ state: 'from-flag.db', intervalMs: 30_000, usageLagMs: 20_000 });
  });

  test('an empty variable is one that is not set, and so the file’s counts', () => {
    const path = file('KEYWARDEN_DRY_RUN=true\nKEYWARDEN_STATE=from-file.db\nTINFOIL_ADMIN_KEY=admin_x\n');
    const env = withEnvFile({ KEYWARDEN_DRY_RUN: '', KEYWARDEN_STATE: '', TINFOIL_ADMIN_KEY: '' }, path);
    const settings = read({ env });
    expect(settings).toMatchObject({ dryRun: true, state: 'from-file.db' });
    expect(settings.adminKey?.reveal()).toBe('admin_x');
  });

  test.each([
    ['KEYWARDEN_STATE', 'x.db', { state: 'x.db' }],
    ['KEYWARDEN_POLICY', 'p.yaml', { policyPath: 'p.yaml' }],
    ['KEYWARDEN_INTERVAL', '2m', { intervalMs: 120_000 }],
    ['KEYWARDEN_MIN_INTERVAL', '500ms', { minIntervalMs: 500 }],
    ['KEYWARDEN_MAX_CALLS_PER_MINUTE', '5', { maxCallsPerMinute: 5 }],
    ['KEYWARDEN_USAGE_LAG', '0s', { usageLagMs: 0 }],
    ['KEYWARDEN_LISTEN', 'off', { listen: null }],
    ['KEYWARDEN_LISTEN', '[::1]:0', { listen: { host: '::1', port: 0 } }],
    ['KEYWARDEN_LISTEN', 'localhost:9000', { listen: { host: 'localhost', port: 9000 } }],
    ['KEYWARDEN_DRY_RUN', '1', { dryRun: true }],
    ['KEYWARDEN_OUTPUT', 'json', { output: 'json' }],
    ['KEYWARDEN_LOG_LEVEL', 'debug', { logLevel: 'debug' }],
    ['KEYWARDEN_STATE', '', { state: 'keywarden.db' }],
  ])('%s=%s', (name, text, expected) => {
    expect(read({ env: { [name]: text } })).toMatchObject(expected);
  });

  test.each([
    ['https://api.example.com/base', 'https://api.example.com/base'],
    ['http://localhost:4000', 'http://localhost:4000/'],
    ['http://127.8.9.1:4000', 'http://127.8.9.1:4000/'],
    ['http://[::1]:4000', 'http://[::1]:4000/'],
  ])('the API may be %s', (text, href) => {
    expect(read({ flags: { apiUrl: text } }).apiUrl.href).toBe(href);
  });

  test.each([
    'http://api.tinfoil.sh',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://[::ffff:10.0.0.1]',
    'ftp://localhost',
    'https://user:hunter2@api.tinfoil.sh',
    'https://api.tinfoil.sh/?token=hunter2',
    'not a url hunter2',
  ])('the API may not be %s', (text) => {
    const fault = faultOf({ flags: { apiUrl: text } });
    expect(fault.exitCode).toBe(2);
    expect(fault.message).toMatch(/^--api-url must /);
    expect(fault.message).not.toContain('hunter2');
  });

  test.each([
    [{ KEYWARDEN_INTERVAL: '60' }, 'KEYWARDEN_INTERVAL must be a duration such as 60s, 2m or 1h'],
    [{ KEYWARDEN_INTERVAL: '0s' }, 'KEYWARDEN_INTERVAL must be a duration such as 60s, 2m or 1h'],
    [{ KEYWARDEN_INTERVAL: '1s' }, '--min-interval must not be longer than --interval'],
    [
      { KEYWARDEN_MAX_CALLS_PER_MINUTE: '-1' },
      'KEYWARDEN_MAX_CALLS_PER_MINUTE must be a whole number from 1',
    ],
    [{ KEYWARDEN_LISTEN: '8080' }, 'KEYWARDEN_LISTEN must be HOST:PORT or off'],
    [{ KEYWARDEN_LISTEN: 'localhost:70000' }, 'KEYWARDEN_LISTEN must be HOST:PORT or off'],
    [{ KEYWARDEN_OUTPUT: 'xml' }, 'KEYWARDEN_OUTPUT must be one of table, json'],
    [{ KEYWARDEN_DRY_RUN: 'maybe' }, 'KEYWARDEN_DRY_RUN must be true or false'],
    [
      { KEYWARDEN_LISTEN: '0.0.0.0:80' },
      '--listen off loopback needs KEYWARDEN_TOKEN, which callers then have to send',
    ],
    [{ KEYWARDEN_CLOCK: '1,2,3' }, 'KEYWARDEN_CLOCK is only for an Admin API on loopback'],
  ])('%j is wrong', (env, message) => {
    const fault = faultOf({ env });
    expect(fault.message).toBe(message);
    expect(fault.exitCode).toBe(2);
  });

  test('every fault is told at once', () => {
    const { message } = faultOf({ env: { KEYWARDEN_INTERVAL: 'x', KEYWARDEN_OUTPUT: 'y' } });
    expect(message.split('\n')).toHaveLength(2);
  });

  test('a variable that the command does not need is not read', () => {
    expect(read({ env: { KEYWARDEN_INTERVAL: 'x' }, needs: ['state'] }).intervalMs).toBe(60_000);
  });

  test('listening off loopback is allowed with a token', () => {
    const settings = read({ env: { KEYWARDEN_LISTEN: '0.0.0.0:80', KEYWARDEN_TOKEN: 't0ken' } });
    expect(settings.listen).toEqual({ host: '0.0.0.0', port: 80 });
    expect(settings.token?.reveal()).toBe('t0ken');
  });

  test('PostgreSQL is not there yet, which is an error but no wrong usage', () => {
    const fault = faultOf({ flags: { state: 'postgres://user:hunter2@db/x' } });
    expect(fault.exitCode).toBe(1);
    expect(fault.message).toContain('not supported yet');
    expect(fault.message).not.toContain('hunter2');
  });

  test('a simulated account sets the clock', () => {
    const env = { TINFOIL_API_URL: 'http://127.0.0.1:4000', KEYWARDEN_CLOCK: '1000,2000.5,86400' };
    expect(read({ env }).clock).toEqual({ realStart: 1000, start: 2000.5, speed: 86_400 });
    for (const bad of ['1,2', '1,2,0', '1,2,x', '1,,2', '1,2,Infinity']) {
      expect(faultOf({ env: { ...env, KEYWARDEN_CLOCK: bad } }).message).toMatch(/^KEYWARDEN_CLOCK must be/);
    }
  });
});

describe('the admin key', () => {
  test('comes from the variable or the file, without the line break', () => {
    expect(read({ env: { TINFOIL_ADMIN_KEY: 'admin_abc' } }).adminKey?.reveal()).toBe('admin_abc');
    const env = { TINFOIL_ADMIN_KEY_FILE: file('admin_def\r\n') };
    expect(read({ env }).adminKey?.reveal()).toBe('admin_def');
  });

  test.each([
    { TINFOIL_ADMIN_KEY: '' },
    { TINFOIL_ADMIN_KEY: ' \n' },
    { TINFOIL_ADMIN_KEY_FILE: file('\n') },
    {},
  ])('is missing when empty: %j', (env) => {
    expect(read({ env }).adminKey).toBeNull();
  });

  test.each([
    [{ TINFOIL_ADMIN_KEY: 'admin_s3cret', TINFOIL_ADMIN_KEY_FILE: file('admin_s3cret') }, 'are both set'],
    [{ TINFOIL_ADMIN_KEY_FILE: 'admin_s3cret' }, 'TINFOIL_ADMIN_KEY_FILE cannot be read: no such file'],
    [{ TINFOIL_ADMIN_KEY: 'admin_s3cret\nadmin_s3cret' }, 'characters that no key has'],
  ])('is refused without being told: %#', (env, message) => {
    const fault = faultOf({ env });
    expect(fault.exitCode).toBe(2);
    expect(fault.message).toContain(message);
    expect(fault.message).not.toContain('s3cret');
  });

  test('an env file that is not there is an error', () => {
    expect(() => withEnvFile({}, '/nowhere/at/all')).toThrow(/^--env-file cannot be read: no such file$/);
  });
});
