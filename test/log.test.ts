import { describe, expect, test } from 'vitest';
import { Secret } from '../src/core/secret.ts';
import { createLogger } from '../src/log.ts';
import type { Settings } from '../src/settings.ts';

async function logging(logFormat: Settings['logFormat'], logLevel: Settings['logLevel'] = 'info') {
  let text = '';
  const write = (more: string) => void (text += more);
  const log = await createLogger({ logLevel, logFormat }, { write, colour: false });
  return { log, text: () => text };
}

class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind = 'unauthorized';
  readonly status = 401;
  readonly request = { authorization: 'hunter2' };
}

const hostile = 'x\u001b[2J\u202e\u009b1m\r\nlevel: fatal';
// eslint-disable-next-line no-control-regex -- exactly these must not be there
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('JSON', () => {
  test('is one line an event with the time and the level by name', async () => {
    const { log, text } = await logging('json');
    log.info({ keys: 3 }, 'pass done');
    const { time, ...rest } = JSON.parse(text()) as Record<string, unknown>;
    expect(rest).toEqual({ level: 'info', keys: 3, msg: 'pass done' });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(text().endsWith('\n')).toBe(true);
  });

  test('keeps strangers’ text as it is, and harmless', async () => {
    const { log, text } = await logging('json');
    log.info({ name: hostile }, hostile);
    expect(text()).not.toMatch(obeyed);
    expect(text().split('\n')).toHaveLength(2);
    expect(JSON.parse(text())).toMatchObject({ name: hostile, msg: hostile });
  });

  test('tells the facts of an error and no others', async () => {
    const { log, text } = await logging('json');
    log.error({ err: new ApiError('refused', { cause: new Error('why') }) }, 'failed');
    expect((JSON.parse(text()) as { err: unknown }).err).toEqual({
      type: 'ApiError',
      message: 'refused',
      kind: 'unauthorized',
      status: 401,
      cause: { type: 'Error', message: 'why' },
    });
  });

  test('has stacks for debugging only, without the message', async () => {
    const { log, text } = await logging('json', 'debug');
    log.error({ err: new Error('message\n    at somewhere') });
    const { err } = JSON.parse(text()) as { err: { stack: string[] } };
    expect(err.stack[0]).toContain('log.test.ts');
  });
});

describe.each(['json', 'pretty'] as const)('%s', (format) => {
  test('holds no secret, wherever it comes from', async () => {
    const { log, text } = await logging(format, 'trace');
    const said = [
      'tk_secretNumberOne',
      'DELETE /api/keys/tk_secretNumberOne',
      'admin_secretNumberOne',
      'https://hooks.slack.com/services/T0/B0/secretNumberOne',
      'smtps://user:secretNumberOne@mail.example.com:465',
      'postgres://user:secretNumberOne@db/keywarden',
      'Authorization: Bearer secretNumberOne',
      'whsec_secretNumberOne',
    ];
    for (const line of said) log.error({ err: new Error(line), url: line, quoted: `"${line}"` }, line);
    log.info({ key: new Secret('secretNumberOne') }, String(new Secret('secretNumberOne')));
    expect(text()).not.toContain('secretNumberOne');
    expect(text()).toContain('mail.example.com:465');
  });

  test('leaves out what is below the level', async () => {
    const { log, text } = await logging(format, 'warn');
    log.info('not this');
    log.warn('but this');
    expect(text()).not.toContain('not this');
    expect(text()).toContain('but this');
  });
});

describe('pretty', () => {
  test('is one line a person can read, however hostile', async () => {
    const { log, text } = await logging('pretty');
    log.warn({ name: hostile, [hostile]: 1, err: new Error(hostile) }, hostile);
    expect(text()).not.toMatch(obeyed);
    expect(text().trimEnd().split('\n')).toHaveLength(1);
    expect(text()).toContain('WARN');
  });
});
