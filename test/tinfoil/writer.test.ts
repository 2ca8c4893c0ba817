import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import {
  adminKey,
  apiKey,
  broken,
  errorOf,
  list,
  listed,
  never,
  refused,
  row,
  scriptedClient,
} from './harness.ts';
import type { Step } from './harness.ts';

const done = () => Response.json({ message: 'done' });
const { key, secret } = listed;
const cut = broken('ECONNRESET');
const others = () => list(row({ key: 'tk_other' }));
const still = () => list(row({ key: 'tk_other' }), row());
const named = (name: string) => () => list(row({ name }));

/** What was asked for, in short. */
function asked(seen: readonly { method: string; url: string }[]): string[] {
  return seen.map(({ method, url }) => `${method} ${url.slice('http://api.test/api/keys'.length) || '/'}`);
}

const path = `/${encodeURIComponent(apiKey)}`;

describe('deleting', () => {
  const remove = (steps: readonly Step[], signal = never) => {
    const client = scriptedClient(steps);
    return { ...client, result: client.writer.deleteKey(key, secret, signal) };
  };

  test('is done when the list no longer has the key', async () => {
    const { result, seen } = remove([done(), others()]);
    await result;
    expect(asked(seen)).toEqual([`DELETE ${path}`, 'GET /']);
  });

  test.each<[string, Step[]]>([
    ['200 though the key was not there', [done(), list()]],
    ['404', [refused(404), others()]],
    ['500 though it was deleted', [refused(500), others(), others()]],
    ['500 before it was deleted, then 404', [refused(500), still(), refused(404), others()]],
    ['a connection cut after the deletion', [cut, others(), others()]],
    ['a look that fails, and one that does not', [cut, refused(503), still(), done(), others()]],
    ['429, then 200', [refused(429, { 'retry-after': '3' }), still(), done(), others()]],
    [
      '500 four times',
      [refused(500), still(), refused(500), still(), refused(500), still(), refused(500), others()],
    ],
    ['a timeout, then 401', [broken('UND_ERR_HEADERS_TIMEOUT'), still(), refused(401), others()]],
    ['a list that shows it late', [done(), still(), still(), others()]],
    ['a list that fails first', [done(), refused(500), cut, others()]],
    ['a list with another key of that secret', [done(), list(row({ created_at: '2026-11-01T00:00:00Z' }))]],
  ])('resolves when the key is gone after %s', async (_, steps) => {
    const { result, seen } = remove(steps);
    await expect(result).resolves.toBeUndefined();
    expect(seen).toHaveLength(steps.length);
  });

  test.each<[string, Step[], 'none' | 'unknown']>([
    ['429', [refused(429, { 'retry-after': '3' })], 'none'],
    ['an attempt of which it is not known what came of it', [cut], 'unknown'],
  ])('after %s a key that a person has renamed is not asked for again', async (_, first, outcome) => {
    const { result, seen } = remove([...first, named('Mine')()]);
    expect(await errorOf(result)).toMatchObject({ kind: 'overtaken', outcome, retryable: false });
    expect(asked(seen)).toEqual([`DELETE ${path}`, 'GET /']);
  });

  test.each<[string, Step[], 'none' | 'unknown']>([
    ['429', [refused(429, { 'retry-after': '3' })], 'none'],
    ['an attempt of which it is not known what came of it', [cut], 'unknown'],
  ])('after %s a key is not asked for again that is not to go any more', async (_, first, outcome) => {
    const { writer, seen } = scriptedClient([...first, list(row({ metadata: { keep: 'yes' } }))]);
    const result = writer.deleteKey(key, secret, never, [], ({ metadata }) =>
      metadata['keep'] === 'yes' ? 'it is to stay' : null,
    );
    expect(await errorOf(result)).toMatchObject({ kind: 'aborted', outcome, detail: 'it is to stay' });
    expect(asked(seen)).toEqual([`DELETE ${path}`, 'GET /']);
  });

  describe('among other keys', () => {
    const rows = ['a', 'b', 'c', 'd'].map((letter) => row({ key: `tk_${letter}` }));
    const among = async () => {
      const { reader } = scriptedClient([list(row(), ...rows)]);
      return (await reader.listKeys(never)).keys;
    };
    const remove = async (steps: readonly Step[]) => {
      const client = scriptedClient(steps);
      const result = client.writer.deleteKey(key, secret, never, await among());
      return { ...client, result };
    };

    test('it is gone when the others are there without it', async () => {
      const { result } = await remove([done(), list(...rows)]);
      await expect(result).resolves.toBeUndefined();
    });

    test.each([
      ['an empty list', () => list(), 'the list of keys is empty; the pass before it had 4'],
      ['a list cut short', () => list(...rows.slice(1)), 'the list of keys shrank from 4 to 3 at once'],
      [
        'another account’s list',
        () => list(...['w', 'x', 'y', 'z'].map((letter) => row({ key: `tk_${letter}` }))),
        'the list lacks 4 of the 4 keys that there were',
      ],
    ])('%s proves nothing', async (_, wrong, doubt) => {
      const { result, seen } = await remove([done(), wrong, wrong, wrong]);
      expect(await errorOf(result)).toMatchObject({ outcome: 'unknown', detail: `sent, but ${doubt}` });
      expect(seen).toHaveLength(4);
    });

    test('nor does it before the next attempt', async () => {
      const { result, seen } = await remove([
        refused(429),
        list(),
        list(row(), ...rows),
        done(),
        list(...rows),
      ]);
      await expect(result).resolves.toBeUndefined();
      expect(asked(seen)).toEqual([`DELETE ${path}`, 'GET /', 'GET /', `DELETE ${path}`, 'GET /']);
    });
  });

  test('an accepted deletion that does not show is told apart', async () => {
    const { result, seen, clock } = remove([done(), still, still, still]);
    expect(await errorOf(result)).toMatchObject({
      endpoint: 'DELETE /api/keys/:key',
      kind: 'server',
      unconfirmed: true,
      outcome: 'unknown',
    });
    expect(seen).toHaveLength(4);
    expect(clock.sleeps).toEqual([100, 200]);
  });

  test('404 for a key that is listed is an error', async () => {
    const { result } = remove([refused(404), still, still, still]);
    expect(await errorOf(result)).toMatchObject({ kind: 'not-found', outcome: 'none', unconfirmed: false });
  });

  test('an unclear deletion of a key that is still listed stays unclear', async () => {
    const { result } = remove([cut, cut, cut, cut, still, still, still]);
    expect(await errorOf(result)).toMatchObject({ kind: 'network', outcome: 'unknown' });
  });

  test('a clear refusal after an unclear attempt leaves the whole unclear', async () => {
    const { result } = remove([refused(502), refused(403), still, still, still]);
    expect(await errorOf(result)).toMatchObject({ kind: 'forbidden', outcome: 'unknown' });
  });

  test.each([400, 401, 403, 409])('%d is final, without a look', async (status) => {
    const { result, seen } = remove([refused(status)]);
    expect(await errorOf(result)).toMatchObject({ status, outcome: 'none' });
    expect(seen).toHaveLength(1);
  });

  test('a list that cannot be read leaves it unclear', async () => {
    const { result } = remove([done(), Response.json({ keys: [] })]);
    expect(await errorOf(result)).toMatchObject({
      endpoint: 'DELETE /api/keys/:key',
      kind: 'malformed',
      outcome: 'unknown',
    });
  });

  test('a signal after the request leaves it unclear', async () => {
    const stop = new AbortController();
    const stopping = () => {
      stop.abort();
      return Promise.reject(new Error('stopped'));
    };
    const { result, seen } = remove([stopping], stop.signal);
    expect(await errorOf(result)).toMatchObject({ kind: 'aborted', outcome: 'unknown' });
    expect(seen).toHaveLength(1);
  });

  test('a connection that never stood has had no effect', async () => {
    const refusing = broken('ECONNREFUSED');
    const { result, seen } = remove([refusing, refusing, refusing, refusing]);
    expect(await errorOf(result)).toMatchObject({ kind: 'network', outcome: 'none' });
    expect(seen).toHaveLength(4);
  });
});

describe('renaming', () => {
  const rename = (steps: readonly Step[], signal = never) => {
    const client = scriptedClient(steps);
    return { ...client, result: client.writer.renameKey(key, secret, 'IDLE User 7', signal) };
  };

  test('is one request when all is well', async () => {
    const { result, seen } = rename([done()]);
    await result;
    expect(asked(seen)).toEqual(['POST /rename']);
    expect(seen[0]?.body).toEqual({ key: apiKey, name: 'IDLE User 7' });
  });

  test('is not sent again when the list has the new name', async () => {
    const { result, seen } = rename([cut, named('IDLE User 7')]);
    await result;
    expect(asked(seen)).toEqual(['POST /rename', 'GET /']);
  });

  test('is sent again when the list has the old name', async () => {
    const { result, seen } = rename([refused(500), named('User 7'), done()]);
    await result;
    expect(asked(seen)).toEqual(['POST /rename', 'GET /', 'POST /rename']);
  });

  test('that a page answers is settled by the list', async () => {
    const page = new Response('<!doctype html><title>Welcome</title>');
    const { result, seen } = rename([page, named('User 7'), done(), named('User 7')]);
    await result;
    expect(asked(seen)).toEqual(['POST /rename', 'GET /', 'POST /rename']);
  });

  test('never overwrites a third name', async () => {
    const { result, seen } = rename([refused(500), named('by hand')]);
    expect(await errorOf(result)).toMatchObject({ kind: 'overtaken', outcome: 'unknown' });
    expect(seen).toHaveLength(2);
  });

  test('is not sent again when it is not wanted any more; what it came to before counts all the same', async () => {
    const unwanted = () => 'it is not wanted';
    const refusedOnce = scriptedClient([refused(429), named('User 7')]);
    const result = refusedOnce.writer.renameKey(key, secret, 'IDLE User 7', never, unwanted);
    expect(await errorOf(result)).toMatchObject({ kind: 'aborted', outcome: 'none' });
    expect(asked(refusedOnce.seen)).toEqual(['POST /rename', 'GET /']);
    const done = scriptedClient([cut, named('IDLE User 7')]);
    await expect(done.writer.renameKey(key, secret, 'IDLE User 7', never, unwanted)).resolves.toBeUndefined();
  });

  test('of a key that is gone meanwhile ends', async () => {
    const { result, seen } = rename([refused(429), others()]);
    expect(await errorOf(result)).toMatchObject({ kind: 'not-found', outcome: 'none' });
    expect(seen).toHaveLength(2);
  });

  test('whose last attempt was unclear is settled by the list', async () => {
    const old = named('User 7');
    const steps = [cut, old, cut, old, cut, old, cut];
    await expect(rename([...steps, named('IDLE User 7')]).result).resolves.toBeUndefined();
    expect(await errorOf(rename([...steps, old]).result)).toMatchObject({
      kind: 'network',
      outcome: 'unknown',
    });
    expect(await errorOf(rename([...steps, refused(401)]).result)).toMatchObject({
      kind: 'network',
      outcome: 'unknown',
    });
  });

  test('looks again when the list fails between', async () => {
    const { result, seen } = rename([cut, refused(500), named('IDLE User 7')]);
    await result;
    expect(asked(seen)).toEqual(['POST /rename', 'GET /', 'GET /']);
  });

  test.each([
    [400, 'bad-request'],
    [401, 'unauthorized'],
    [404, 'not-found'],
    [409, 'conflict'],
  ])('%d is final', async (status, kind) => {
    const { result, seen } = rename([refused(status)]);
    expect(await errorOf(result)).toMatchObject({ endpoint: 'POST /api/keys/rename', kind, outcome: 'none' });
    expect(seen).toHaveLength(1);
  });
});

describe('creating', () => {
  const create = (steps: readonly Step[], signal = never) => {
    const client = scriptedClient(steps);
    const spec = { name: 'New', expiresAt: Date.UTC(2027, 0, 1), maxTokens: 5, metadata: { team: 'ml' } };
    return { ...client, result: client.writer.createKey(spec, signal) };
  };

  test('sends what is given and returns the key and its secret', async () => {
    const { result, seen } = create([Response.json(row({ name: 'New', max_tokens: 5 }))]);
    const made = await result;
    expect(made.key).toMatchObject({ id: key.id, name: 'New', maxTokens: 5 });
    expect(made.secret.reveal()).toBe(apiKey);
    expect(asked(seen)).toEqual(['POST /']);
    expect(seen[0]?.body).toEqual({
      name: 'New',
      expires_at: '2027-01-01T00:00:00Z',
      max_tokens: 5,
      metadata: { team: 'ml' },
    });
  });

  test('leaves out what is not given', async () => {
    const { writer, seen } = scriptedClient([Response.json(row())]);
    await writer.createKey({ name: 'New' }, never);
    expect(seen[0]?.body).toEqual({ name: 'New' });
  });

  test.each<[string, Step]>([
    ['500', refused(500)],
    ['a cut connection', cut],
    ['a timeout', broken('UND_ERR_HEADERS_TIMEOUT')],
    ['half an answer', new Response('{"key":"tk_')],
    ['an answer without a key', Response.json({ message: 'created' })],
    ['a redirect', refused(303)],
  ])('is never repeated after %s, which leaves it unclear', async (_, step) => {
    const { result, seen } = create([step, Response.json(row())]);
    expect(await errorOf(result)).toMatchObject({ endpoint: 'POST /api/keys', outcome: 'unknown' });
    expect(seen).toHaveLength(1);
  });

  test.each([400, 401, 403, 409])('%d has made no key', async (status) => {
    expect(await errorOf(create([refused(status)]).result)).toMatchObject({ status, outcome: 'none' });
  });

  test('is repeated after 429, which has made none either', async () => {
    const { result, clock } = create([refused(429, { 'retry-after': '2' }), Response.json(row())]);
    expect((await result).key.id).toBe(key.id);
    expect(clock.sleeps).toEqual([2000]);
  });
});

test('a change with another key’s secret is not sent', async () => {
  const { writer, seen } = scriptedClient([]);
  const wrong = new Secret('tk_wrong');
  expect(await errorOf(writer.deleteKey(key, wrong, never))).toMatchObject({
    kind: 'conflict',
    outcome: 'none',
  });
  expect(await errorOf(writer.renameKey(key, wrong, 'x', never))).toMatchObject({
    kind: 'conflict',
    outcome: 'none',
  });
  expect(await errorOf(writer.deleteKey(key, new Secret(adminKey), never))).toMatchObject({
    kind: 'conflict',
  });
  expect(seen).toHaveLength(0);
});
