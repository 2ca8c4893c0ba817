/**
 * Flags and environment → `Settings`. A flag wins over the environment, that over the --env-file,
 * that over the default. Whatever is wrong is told at once, by the flag's or variable's name, and
 * without its value.
 */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Secret } from '../core/secret.ts';
import type { LogLevel, Settings } from '../settings.ts';
import { failure, usageError } from './errors.ts';
import {
  isLoopback,
  parseApiUrl,
  parseChoice,
  parseClock,
  parseCount,
  parseDuration,
  parseDurationOrZero,
  parseListen,
  parsePath,
  parseSwitch,
} from './parse.ts';

export type Env = Readonly<Record<string, string | undefined>>;

interface Setting<T> {
  /** As commander takes it. */
  readonly flag: string;
  readonly env: string;
  readonly about: string;
  /** As a person would write it; null: as the terminal suggests. */
  readonly fallback: string | null;
  readonly parse: (text: string) => T;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What a command may need, each with its flag, variable and default. */
export const settingTable = {
  policyPath: {
    flag: '--policy <file>',
    env: 'KEYWARDEN_POLICY',
    about: 'policy file',
    fallback: 'policies.yaml',
    parse: parsePath,
  },
  apiUrl: {
    flag: '--api-url <url>',
    env: 'TINFOIL_API_URL',
    about: 'the Admin API; https, or http on loopback',
    fallback: 'https://api.tinfoil.sh',
    parse: parseApiUrl,
  },
  state: {
    flag: '--state <file>',
    env: 'KEYWARDEN_STATE',
    about: 'where it is remembered what was seen and done',
    fallback: 'keywarden.db',
    parse: parsePath,
  },
  intervalMs: {
    flag: '--interval <duration>',
    env: 'KEYWARDEN_INTERVAL',
    about: 'longest pause between passes',
    fallback: '60s',
    parse: parseDuration,
  },
  minIntervalMs: {
    flag: '--min-interval <duration>',
    env: 'KEYWARDEN_MIN_INTERVAL',
    about: 'shortest pause between passes',
    fallback: '5s',
    parse: parseDuration,
  },
  maxCallsPerMinute: {
    flag: '--max-calls-per-minute <n>',
    env: 'KEYWARDEN_MAX_CALLS_PER_MINUTE',
    about: 'calls to the Admin API',
    fallback: '60',
    parse: parseCount,
  },
  usageLagMs: {
    flag: '--usage-lag <duration>',
    env: 'KEYWARDEN_USAGE_LAG',
    about: 'how late usage may be reported',
    fallback: '2m',
    parse: parseDurationOrZero,
  },
  listen: {
    flag: '--listen <host:port>',
    env: 'KEYWARDEN_LISTEN',
    about: 'health, metrics and pages; or off',
    fallback: '127.0.0.1:8080',
    parse: parseListen,
  },
  dryRun: {
    flag: '--dry-run',
    env: 'KEYWARDEN_DRY_RUN',
    about: 'show what would be done, change and send nothing',
    fallback: 'false',
    parse: parseSwitch,
  },
  output: {
    flag: '--output <format>',
    env: 'KEYWARDEN_OUTPUT',
    about: 'table or json',
    fallback: 'table',
    parse: parseChoice('table', 'json'),
  },
  logLevel: {
    flag: '--log-level <level>',
    env: 'KEYWARDEN_LOG_LEVEL',
    about: logLevels.join(', '),
    fallback: 'info',
    parse: parseChoice<LogLevel>(...logLevels),
  },
  logFormat: {
    flag: '--log-format <format>',
    env: 'KEYWARDEN_LOG_FORMAT',
    about: 'json, or pretty as on a terminal',
    fallback: null,
    parse: parseChoice('json', 'pretty'),
  },
} satisfies { [Name in Exclude<keyof Settings, 'adminKey' | 'token' | 'clock'>]: Setting<Settings[Name]> };

export type SettingName = keyof typeof settingTable;

export interface Given {
  /** By the name of the setting: the text of its flag; `true` for --dry-run. Absent: not given. */
  readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>;
  readonly env: Env;
  /** Whether logs go to a terminal. */
  readonly terminal: boolean;
  /** What the command needs; the others are left at their defaults, however wrong their variables are. */
  readonly needs: readonly SettingName[];
}

/** Throws a CliError naming every flag or variable that is wrong. */
export function readSettings(given: Given): Settings {
  const { env } = given;
  const faults: string[] = [];
  const attempt = <T>(source: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      faults.push(`${source} ${error instanceof Error ? error.message : 'is invalid'}`);
      return undefined;
    }
  };
  const value = <Name extends SettingName>(name: Name): Settings[Name] => {
    const setting: Setting<Settings[Name]> = settingTable[name] as unknown as Setting<Settings[Name]>;
    const [source, text] = textOf(name, given, env);
    const parsed = attempt(source, () => setting.parse(text));
    return parsed === undefined ? setting.parse(fallbackOf(name, given)) : parsed;
  };
  const settings: Settings = {
    policyPath: value('policyPath'),
    apiUrl: value('apiUrl'),
    state: value('state'),
    intervalMs: value('intervalMs'),
    minIntervalMs: value('minIntervalMs'),
    maxCallsPerMinute: value('maxCallsPerMinute'),
    usageLagMs: value('usageLagMs'),
    listen: value('listen'),
    dryRun: value('dryRun'),
    output: value('output'),
    logLevel: value('logLevel'),
    logFormat: value('logFormat'),
    adminKey: attempt('', () => readAdminKey(env)) ?? null,
    token: present(env, 'KEYWARDEN_TOKEN') ? new Secret(env['KEYWARDEN_TOKEN'] ?? '') : null,
    clock: present(env, 'KEYWARDEN_CLOCK')
      ? (attempt('KEYWARDEN_CLOCK', () => parseClock(env['KEYWARDEN_CLOCK'] ?? '')) ?? null)
      : null,
  };
  faults.push(...together(settings, given.needs));
  if (faults.length > 0) throw usageError(faults.map((fault) => fault.trim()).join('\n'));
  if (/^postgres(ql)?:/i.test(settings.state)) {
    throw failure('--state: PostgreSQL is not supported yet; name a file for SQLite');
  }
  return settings;
}

/** What only shows when settings are seen side by side. */
function together(settings: Settings, needs: readonly SettingName[]): string[] {
  const faults: string[] = [];
  if (settings.minIntervalMs > settings.intervalMs) {
    faults.push('--min-interval must not be longer than --interval');
  }
  if (settings.listen !== null && !isLoopback(settings.listen.host) && settings.token === null) {
    faults.push('--listen off loopback needs KEYWARDEN_TOKEN, which callers then have to send');
  }
  if (settings.clock !== null && needs.includes('apiUrl') && !isLoopback(settings.apiUrl.hostname)) {
    faults.push('KEYWARDEN_CLOCK is only for an Admin API on loopback');
  }
  return faults;
}

/** Where a setting's text comes from, and the text. */
function textOf(name: SettingName, given: Given, env: Env): [source: string, text: string] {
  const { flag, env: variable } = settingTable[name];
  const fromFlag = given.flags[name];
  if (fromFlag !== undefined) return [flag.split(' ')[0] ?? flag, String(fromFlag)];
  if (given.needs.includes(name) && present(env, variable)) return [variable, env[variable] ?? ''];
  return [variable, fallbackOf(name, given)];
}

function fallbackOf(name: SettingName, given: Given): string {
  return settingTable[name].fallback ?? (given.terminal ? 'pretty' : 'json');
}

/** An empty variable is one that is not set: compose files write them so. */
const present = (env: Env, name: string): boolean => (env[name] ?? '') !== '';

/** The environment with what the file adds to it; a variable that is set already, and not empty, stays. */
export function withEnvFile(env: Env, path: string | undefined): Env {
  if (path === undefined) return env;
  const set = Object.fromEntries(Object.entries(env).filter(([name]) => present(env, name)));
  try {
    return { ...env, ...parseEnv(readText(path, '--env-file')), ...set };
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : '--env-file cannot be read');
  }
}

/** The admin key comes from the environment only: a flag would show in the process list. */
function readAdminKey(env: Env): Secret | null {
  const path = env['TINFOIL_ADMIN_KEY_FILE'] ?? '';
  if (path !== '' && present(env, 'TINFOIL_ADMIN_KEY')) {
    throw new Error('TINFOIL_ADMIN_KEY and TINFOIL_ADMIN_KEY_FILE are both set; keep one');
  }
  const text = path === '' ? (env['TINFOIL_ADMIN_KEY'] ?? '') : readText(path, 'TINFOIL_ADMIN_KEY_FILE');
  const key = text.trim();
  if (/[^\x21-\x7e]/.test(key)) {
    throw new Error('TINFOIL_ADMIN_KEY holds characters that no key has (a blank or a line break?)');
  }
  return key === '' ? null : new Secret(key);
}

/** The path stays out of the message: it is where people paste the key itself by mistake. */
function readText(path: string, source: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`${source} cannot be read: ${code === 'ENOENT' ? 'no such file' : code}`, {
      cause: error,
    });
  }
}
