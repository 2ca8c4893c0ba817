import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { Interrupted, type World } from '../../src/cli/world.ts';
import { screen } from './account.ts';

async function run(argv: string[], given: Partial<World> & { colour?: boolean } = {}) {
  const [stdout, stderr] = [screen(null, given.colour), screen(null, given.colour)];
  const signal = new AbortController().signal;
  const world: World = { env: {}, stdout, stderr, ask: null, signal, ...given };
  const code = await runProgram(argv, world);
  return { code, out: stdout.text(), err: stderr.text() };
}

describe('wrong usage', () => {
  test.each([
    [['kyes'], "unknown command 'kyes'\n(Did you mean keys?)"],
    [['keys', '--outptu', 'json'], "unknown option '--outptu'\n(Did you mean --output?)"],
    [['keys', 'extra'], 'too many arguments'],
    [['rename', 'k_0'], "missing required argument 'name'"],
    [['series', '--time', '2h'], 'Allowed choices are 5m, 15m, 30m, 1h'],
    [['create', 'x', '--max-tokens', '0'], 'It must be a whole number from 1.'],
    [['sandbox', '--api-port', '65536'], 'It must be a port'],
    [['sandbox', '--speed', '0'], 'It must be a number above 0.'],
    [['keys', '--api-url', 'http://example.com'], '--api-url must be https://'],
    [[], 'Usage: keywarden COMMAND'],
  ])('%j exits with 2 and says why on standard error', async (argv, message) => {
    const { code, out, err } = await run(argv);
    expect(err).toContain(message);
    expect([code, out]).toEqual([2, '']);
  });

  test('a missing admin key is an error, not wrong usage', async () => {
    const { code, out, err } = await run(['keys']);
    expect(err).toContain('no admin key: set TINFOIL_ADMIN_KEY, or TINFOIL_ADMIN_KEY_FILE');
    expect([code, out]).toEqual([1, '']);
  });

  test('is an ordinary error where 2 means that there is something to do', async () => {
    expect((await run(['plan', '--detailed-exitcode', '--no-such-flag'])).code).toBe(1);
  });

  test('repeats neither a secret nor what a terminal would obey', async () => {
    const { code, err } = await run(['keys', '--admin-key=admin_verySecretIndeed\u001b[2J']);
    expect(code).toBe(2);
    expect(err).toContain('--admin-key=[secret]');
    expect(err).not.toContain('\u001b');
  });
});

test('help is coloured on a terminal only', async () => {
  expect((await run(['--help'])).out).not.toContain('\u001b');
  expect((await run(['--help'], { colour: true })).out).toContain('\u001b[1m');
});

test.each(['keys', 'usage', 'series', 'transactions', 'create', 'rename', 'delete', 'audit', 'validate'])(
  'help for %s names the variables of its flags',
  async (name) => {
    const { code, out } = await run([name, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/KEYWARDEN_/);
    expect(out).toContain(`Usage: keywarden ${name}`);
  },
);

test('a command that was stopped has the exit code of what stopped it', async () => {
  const env = { TINFOIL_ADMIN_KEY: 'admin_x', TINFOIL_API_URL: 'http://127.0.0.1:9' };
  const signal = AbortSignal.abort(new Interrupted('stopped', 143));
  expect(await run(['keys'], { env, signal })).toEqual({ code: 143, out: '', err: '' });
});
