import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import type { Send } from '../../src/alerts/transmit.ts';
import { notifyTest } from '../../src/cli/notify-test.ts';
import type { Channel } from '../../src/core/policy.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SendOutcome } from '../../src/ports.ts';
import { at, channelMap, email, slack, webhook } from '../alerts/build.ts';

const all = [slack('ops'), email('owner', ['{{ metadata.email }}']), webhook('pager', 'https://example.com')];

interface Tested {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly sent: readonly {
    readonly channel: string;
    readonly recipient: string;
    readonly alerts: readonly string[];
  }[];
}

async function run(
  names: readonly string[],
  options: { channels?: readonly Channel[]; answer?: SendOutcome; preview?: string } = {},
): Promise<Tested> {
  const out: string[] = [];
  const err: string[] = [];
  const sent: Tested['sent'][number][] = [];
  const send: Send = async ({ channel, recipient }, message) => {
    sent.push({ channel: channel.name, recipient, alerts: message.alerts.map(({ id }) => id) });
    return options.answer ?? { ok: true };
  };
  const smtp = { url: new Secret('smtp://localhost'), from: 'Keywarden <keywarden@example.com>' };
  const preview = options.preview === undefined ? {} : { preview: options.preview };
  const code = await notifyTest(
    { channels: names, ...preview },
    {
      policy: { channels: channelMap(...(options.channels ?? all)), smtp, timeZone: 'Europe/Berlin' },
      clock: { now: () => at, sleep: () => Promise.resolve() },
      signal: new AbortController().signal,
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      send,
    },
  );
  return { code, out, err, sent };
}

describe('sending', () => {
  test('news of Keywarden and a case of every kind to every channel', async () => {
    const { code, out, err, sent } = await run([]);
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(sent.map(({ channel, alerts }) => [channel, alerts.length])).toEqual([
      ['ops', 1],
      ['ops', 1],
      ['ops', 28],
      ['owner', 1],
      ['owner', 1],
      ['owner', 28],
      ['pager', 1],
      ['pager', 1],
      ['pager', 28],
    ]);
    expect(sent[1]?.alerts).toEqual(['sample/notice']);
    expect(out.at(-1)).toBe('pager (webhook): sent 3 messages');
  });

  test('only to the channels that are named', async () => {
    const { sent } = await run(['pager', 'pager']);
    expect(sent.map(({ channel }) => channel)).toEqual(['pager', 'pager', 'pager']);
  });

  test('and says for whom a mail was not taken', async () => {
    const unserved = [{ recipient: 'b@example.com', cc: '', error: 'to b@example.com: no', retryable: true }];
    const { code, err } = await run(['owner'], { answer: { ok: true, unserved } });
    expect({ code, err }).toEqual({ code: 1, err: ['owner (email): to b@example.com: no'] });
  });

  test('to the sender where the address would come from a key', async () => {
    const { sent, out } = await run(['owner']);
    expect(sent.map(({ recipient }) => recipient)).toEqual(Array(3).fill('keywarden@example.com'));
    expect(out[0]).toContain('the test goes to the address in smtp.from instead');
  });

  test('at once, also in quiet hours', async () => {
    const quiet = { fromMinute: 0, toMinute: 0, days: [1, 2, 3, 4, 5, 6, 7], except: [], timeZone: 'UTC' };
    const { code, sent } = await run([], { channels: [slack('ops', undefined, quiet)] });
    expect(code).toBe(0);
    expect(sent).toHaveLength(3);
  });
});

describe('what goes wrong', () => {
  test('a channel that does not answer, without hiding the others', async () => {
    const answer = {
      ok: false,
      error: 'answered 404 (no_service)',
      retryable: false,
      retryAfterMs: null,
    } as const;
    const { code, err } = await run(['ops', 'pager'], { answer });
    expect(code).toBe(1);
    expect(err).toEqual([
      'ops (slack): answered 404 (no_service)',
      'pager (webhook): answered 404 (no_service)',
    ]);
  });

  test('an unknown channel, with the one that was meant', async () => {
    const { code, err, sent } = await run(['ops', 'ownr']);
    expect({ code, sent }).toEqual({ code: 2, sent: [] });
    expect(err).toEqual(['there is no channel "ownr"; did you mean owner?']);
  });

  test('a policy file without channels', async () => {
    expect(await run([], { channels: [] })).toMatchObject({
      code: 1,
      err: ['the policy file has no channels'],
    });
  });
});

test('a preview writes every sample in every format and sends nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-'));
  try {
    const { code, out, sent } = await run([], { preview: join(folder, 'samples') });
    expect({ code, sent }).toEqual({ code: 0, sent: [] });
    const files = await readdir(join(folder, 'samples'));
    expect(files).toHaveLength(31 * 5);
    expect(out).toEqual([`wrote 31 samples to ${join(folder, 'samples')}`]);
    const text = await readFile(join(folder, 'samples', 'notice.txt'), 'utf8');
    expect(text).toContain('will be deleted on Tue 24 Nov 2026, 10:00 CET, in 24 hours');
    const json = await readFile(join(folder, 'samples', 'digest.slack.json'), 'utf8');
    expect(JSON.parse(json)).toHaveProperty('blocks');
    const html = await readFile(join(folder, 'samples', 'notice.html'), 'utf8');
    expect(html).toContain('<img src="data:image/png;base64,');
    const { from, subject, attachments } = await PostalMime.parse(
      await readFile(join(folder, 'samples', 'notice.eml')),
    );
    expect(from).toMatchObject({ address: 'keywarden@example.com' });
    expect(subject).toBe('“Sample key” will be deleted in 24 hours');
    expect(attachments).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
