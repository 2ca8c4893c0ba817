/** The program as people start it: a process of its own against an account on loopback. */
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/serve.ts';
import { openSqlite } from '../../src/store/sqlite.ts';

const bin = fileURLToPath(new URL('../../bin/keywarden.js', import.meta.url));
const adminKey = 'admin_verySecretIndeed';

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

interface Start {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Called with all output so far; what it returns is sent as a signal. */
  readonly on?: (out: string) => NodeJS.Signals | null;
  /** Standard output is closed at once. */
  readonly deaf?: boolean;
}

const folder = () => mkdtempSync(join(tmpdir(), 'keywarden-cli-'));

function keywarden(
  args: readonly string[],
  { env = {}, cwd = folder(), on, deaf = false }: Start = {},
): Promise<Ended> {
  // `--`: Node.js takes an --env-file for its own wherever it stands.
  const child = spawn(process.execPath, ['--', bin, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  });
  let [out, err] = ['', ''];
  const heard = () => {
    const signal = on?.(out + err) ?? null;
    if (signal !== null) child.kill(signal);
  };
  if (deaf) child.stdout.destroy();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    heard();
  });
  child.stdin.end();
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

test.each([
  [['kyes'], 2, "unknown command 'kyes'\n(Did you mean keys?)"],
  [['keys', '--output', 'xml'], 2, '--output must be one of table, json'],
  [['keys', '--env-file', 'nowhere.env'], 2, '--env-file cannot be read: no such file'],
  [['rename', 'k_0', 'x', '--state', 'postgres://u:p@h/d'], 1, 'PostgreSQL is not supported yet'],
])('%j exits with %i and says why on standard error', async (args, code, message) => {
  const ended = await keywarden(args);
  expect(ended.err).toContain(message);
  expect(ended).toMatchObject({ code, out: '' });
});

test('help and version go to standard output and exit 0', async () => {
  const help = await keywarden(['--help']);
  expect([help.code, help.err]).toEqual([0, '']);
  expect(help.out).toContain('TINFOIL_ADMIN_KEY_FILE');
  expect(help.out).toContain('Exit codes:');
  const version = await keywarden(['--version']);
  expect(version).toMatchObject({ code: 0, err: '' });
  expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('a record that is not there is neither empty nor whole', async () => {
  for (const args of [['audit'], ['audit', '--verify'], ['audit', '--verify', '--output', 'json']]) {
    const { code, out, err } = await keywarden([...args, '--state', 'nowhere.db']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe('error: there is no state nowhere.db, and so no record\n');
  }
});

describe('an API that does not work', () => {
  let answer: (path: string) => { status: number; type: string; body: string };
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { status, type, body } = answer(request.url ?? '');
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const run = (args: string[]) => {
    // Pauses between attempts pass a thousand times as fast.
    const KEYWARDEN_CLOCK = `${Date.now()},${Date.now()},1000`;
    return keywarden(args, { env: { TINFOIL_API_URL: url, TINFOIL_ADMIN_KEY: adminKey, KEYWARDEN_CLOCK } });
  };

  test('a refused admin key is one clear line', async () => {
    answer = () => ({ status: 401, type: 'application/json', body: `{"message":"Invalid ${adminKey}"}` });
    const { code, out, err } = await run(['keys']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^error: .*the admin key was refused.*\n$/);
    expect(err).not.toContain(adminKey);
  });

  test('a page of HTML is one clear line', async () => {
    answer = () => ({ status: 200, type: 'text/html', body: '<html>\u001b[2JWelcome' });
    const { code, out, err } = await run(['keys', '--output', 'json']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^error: .*the answer cannot be understood.*\n$/);
  });

  test('a stack is shown for debugging only', async () => {
    answer = () => ({ status: 403, type: 'text/plain', body: 'no' });
    expect((await run(['keys'])).err).not.toMatch(/^\s+at /m);
    expect((await run(['keys', '--log-level', 'debug'])).err).toMatch(/^\s+at /m);
  });

  test('an invalid policy file holds a change back before anything is sent', async () => {
    const asked: string[] = [];
    answer = (path) => (asked.push(path), { status: 500, type: 'text/plain', body: '' });
    const cwd = folder();
    writeFileSync(join(cwd, 'policies.yaml'), 'version: 1\npolicys: []\n');
    const env = { TINFOIL_API_URL: url, TINFOIL_ADMIN_KEY: adminKey };
    const { code, err } = await keywarden(['delete', 'k_0', '--yes'], { cwd, env });
    expect(code).toBe(1);
    expect(err).toContain('policies.yaml:2:1');
    expect(asked).toEqual([]);
    const named = await keywarden(['rename', 'k_0', 'x', '--policy', 'other.yaml'], { cwd, env });
    expect(named.err).toContain('other.yaml: there is no such policy file');
    expect([named.code, asked]).toEqual([1, []]);
  });
});

describe('an account', () => {
  let sandbox: Sandbox;
  let env: Record<string, string>;

  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 'cli', clock: systemClock(), population: 'plain', keys: 30 });
    env = { TINFOIL_API_URL: sandbox.apiUrl, TINFOIL_ADMIN_KEY: sandbox.adminKey };
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  const run = (args: string[], cwd = folder()) => keywarden(args, { env, cwd });
  const json = async (args: string[]) => {
    const { code, out, err } = await run([...args, '--output', 'json']);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as unknown;
  };

  test('is looked at by every command, without colour or a secret', async () => {
    const listed = (await json(['keys'])) as { id: string; name: string }[];
    expect(listed).toHaveLength(30);
    expect(await json(['usage', listed[0]?.id ?? ''])).toMatchObject({ id: listed[0]?.id, time: 'all' });
    expect(await json(['usage', '--time', '30d'])).toMatchObject({ time: '30d' });
    expect(await json(['series'])).toMatchObject({ time: '24h' });
    expect(Array.isArray(await json(['transactions']))).toBe(true);
    for (const args of [['keys'], ['usage'], ['series'], ['transactions']]) {
      const { code, out, err } = await run(args);
      expect(code).toBe(0);
      expect(out + err).not.toMatch(/tk_|admin_/);
      expect(out + err).not.toContain('\u001b');
    }
  });

  test('is changed by create, rename and delete', async () => {
    const created = await run([
      'create',
      'By hand',
      '--max-tokens',
      '1000',
      '--metadata',
      'plan=free',
      'n=7',
    ]);
    expect(created.code).toBe(0);
    expect(created.out).toMatch(/^tk_\S+\n$/);
    expect(created.err).not.toContain(created.out.trim());
    const id = /k_[0-9a-f]{16}/.exec(created.err)?.[0] ?? '';

    const renamed = await run(['rename', 'By hand', 'By hand 2']);
    expect(renamed).toMatchObject({ code: 0, out: `Renamed ${id} from By hand to By hand 2.\n` });
    expect(renamed.err).toContain('There is no policy file');

    expect(await run(['delete', 'By hand 2'])).toMatchObject({ code: 2, out: '' });
    expect(await run(['delete', 'By hand 2', '--dry-run'])).toMatchObject({ code: 0 });
    expect(await json(['keys', '--name', 'By hand*'])).toMatchObject([
      { id, name: 'By hand 2', max_tokens: 1000, metadata: { plan: 'free', n: '7' } },
    ]);
    const deleted = await run(['delete', id, '--yes']);
    expect(deleted).toMatchObject({ code: 0, out: `Deleted ${id} (By hand 2).\n` });
    expect(await json(['keys', '--name', 'By hand*'])).toEqual([]);
  });

  test('keeps its protected keys', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'policies.yaml'), 'version: 1\nprotect: [{ name: "Kept *" }]\npolicies: []\n');
    expect((await run(['create', 'Kept safe'], cwd)).code).toBe(0);
    for (const args of [
      ['rename', 'Kept safe', 'Lost'],
      ['delete', 'Kept safe', '--yes'],
    ]) {
      const { code, out, err } = await run(args, cwd);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain('is protected by the policy file');
    }
    expect(await json(['keys', '--name', 'Kept*'])).toHaveLength(1);
  });

  test('has all that is done by hand on the record of the state that was named, and on no other', async () => {
    const [cwd, state] = [folder(), join(folder(), 'state.db')];
    for (const path of [state, join(cwd, 'keywarden.db')])
      await (await openSqlite(path))[Symbol.asyncDispose]();
    const named = { env: { ...env, KEYWARDEN_STATE: state }, cwd };
    expect((await keywarden(['create', 'On record'], named)).code).toBe(0);
    expect((await keywarden(['create', 'On record 2', '--state', state], { env, cwd })).code).toBe(0);
    expect((await keywarden(['rename', 'On record', 'On record 3'], named)).code).toBe(0);
    const recordIn = async (path: string) => {
      await using store = await openSqlite(path, { readOnly: true });
      return (await store.recorded({ limit: 9 })).map(({ facts }) => [facts['change'], facts['to']]);
    };
    expect(await recordIn(state)).toEqual([
      ['create', 'On record'],
      ['create', 'On record 2'],
      ['rename', 'On record 3'],
    ]);
    expect(await recordIn(join(cwd, 'keywarden.db'))).toEqual([]);
  });

  test('ends quietly when nobody reads the result', async () => {
    const { code, signal, err } = await keywarden(['keys'], { env, deaf: true });
    expect([code, signal, err]).toEqual([0, null, '']);
  });
});

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops a command that waits', async (signal, code) => {
    let kill: (() => void) | null = null;
    const silent = createServer(() => kill?.());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const child = spawn(process.execPath, [bin, 'keys'], {
      env: {
        PATH: process.env['PATH'],
        TINFOIL_API_URL: `http://127.0.0.1:${port}`,
        TINFOIL_ADMIN_KEY: adminKey,
      },
    });
    kill = () => child.kill(signal);
    const ended = await new Promise((resolve) => child.once('close', resolve));
    silent.closeAllConnections();
    silent.close();
    expect(ended).toBe(code);
  });

  test('ends the sandbox in order', async () => {
    const { code, out } = await keywarden(['sandbox', '--keys', '3'], {
      on: (text) => (text.includes('Ctrl-C') ? 'SIGTERM' : null),
    });
    expect(out).toContain("export TINFOIL_API_URL='http://");
    expect(code).toBe(0);
  });
});
