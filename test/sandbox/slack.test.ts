import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../src/sandbox/clock.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import { createSlack, type SlackOptions } from '../../src/sandbox/slack.ts';

function openSlack(options: Partial<SlackOptions> = {}) {
  const clock = virtualClock(0);
  const slack = createSlack({ clock, rateLimit: false, ...options });
  const post = async (body: unknown, path = slack.path, type = 'application/json') => {
    const answer = await slack.app.request(path, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  return { clock, post, slack };
}

const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

describe('a Slack webhook', () => {
  it('answers ok and keeps what came', async () => {
    const { post, slack, clock } = openSlack();
    await clock.advance(5);
    expect(await post({ text: 'hello' })).toMatchObject({ status: 200, text: 'ok' });
    expect(slack.received.items).toMatchObject([{ at: 5, body: { text: 'hello' } }]);
  });

  it.each([
    ['fifty', times(50, { type: 'divider' })],
    ['section', [{ type: 'section', text: mrkdwn(3_000), block_id: 'b'.repeat(255) }]],
    ['fields', [{ type: 'section', fields: [mrkdwn(2_000), ...times(9, mrkdwn(1))] }]],
    ['texts with all they may have', [{ type: 'section', text: { ...plain(1), emoji: false } }]],
    ['header', [{ type: 'header', text: plain(150) }]],
    ['context', [{ type: 'context', elements: times(10, mrkdwn(10)) }]],
    [
      'picture',
      [{ type: 'context', elements: [{ type: 'image', alt_text: 'a', image_url: 'https://x.example' }] }],
    ],
    ['divider', [{ type: 'divider' }]],
  ])('takes blocks: %s', async (_, blocks) => {
    expect(await openSlack().post({ blocks })).toMatchObject({ status: 200, text: 'ok' });
  });

  it.each([
    ['51 blocks', times(51, { type: 'divider' })],
    ['a long section', [{ type: 'section', text: mrkdwn(3_001) }]],
    ['an empty section', [{ type: 'section', text: mrkdwn(0) }]],
    ['a section of nothing', [{ type: 'section' }]],
    ['eleven fields', [{ type: 'section', fields: times(11, mrkdwn(1)) }]],
    ['a long field', [{ type: 'section', fields: [mrkdwn(2_001)] }]],
    ['a long header', [{ type: 'header', text: plain(151) }]],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn(10) }]],
    ['eleven elements', [{ type: 'context', elements: times(11, mrkdwn(1)) }]],
    ['no elements', [{ type: 'context', elements: [] }]],
    ['an unknown type', [{ type: 'paragraph', text: mrkdwn(1) }]],
    ['a type of the prototype', [{ type: 'constructor' }]],
    ['an unknown text', [{ type: 'section', text: { type: 'html', text: 'x' } }]],
    ['a field that a block does not know', [{ type: 'divider', text: plain(1) }]],
    ['a field that a text does not know', [{ type: 'header', text: { ...plain(1), verbatim: true } }]],
    ['emoji in mrkdwn', [{ type: 'section', text: { ...mrkdwn(1), emoji: true } }]],
    ['a long id', [{ type: 'divider', block_id: 'b'.repeat(256) }]],
    ['an id twice', times(2, { type: 'divider', block_id: 'b' })],
    ['no object', ['divider']],
    ['no list', { type: 'divider' }],
  ])('refuses invalid blocks: %s', async (_, blocks) => {
    const { post, slack } = openSlack();
    expect(await post({ text: 'x', blocks })).toMatchObject({ status: 400, text: 'invalid_blocks' });
    expect(slack.received.items).toEqual([]);
  });

  it.each([
    [{}, 'no_text'],
    [{ text: '' }, 'no_text'],
    [{ blocks: [] }, 'no_text'],
    [{ text: 1 }, 'invalid_payload'],
    [[], 'invalid_payload'],
    ['{"text": "x"', 'invalid_payload'],
    [{ text: 'x'.repeat(40_001) }, 'msg_too_long'],
    [{ text: 'x', blocks: times(5, { type: 'section', text: mrkdwn(2_700) }) }, 'msg_blocks_too_long'],
  ])('refuses %.40j', async (body, text) => {
    expect(await openSlack().post(body)).toMatchObject({ status: 400, text });
  });

  it('takes only JSON, and only at its own address', async () => {
    const { post } = openSlack();
    expect(await post({ text: 'x' }, undefined, 'text/plain')).toMatchObject({ text: 'invalid_payload' });
    expect(await post({ text: 'x' }, '/services/T1/B1/other')).toMatchObject({
      status: 404,
      text: 'no_service',
    });
  });

  it('takes one message a second', async () => {
    const { post, clock } = openSlack({ rateLimit: true });
    expect((await post({ text: 'x' })).status).toBe(200);
    const refused = await post({ text: 'x' });
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '1']);
    await clock.advance(1_000);
    expect((await post({ text: 'x' })).status).toBe(200);
  });

  it('can fail as everything can', async () => {
    const faults = createFaults();
    faults.add({ endpoint: 'slack', fault: { kind: 'status', status: 500, after: true }, times: 1 });
    const { post, slack } = openSlack({ faults });
    expect((await post({ text: 'x' })).status).toBe(500);
    expect(slack.received.items).toHaveLength(1);
  });

  it('refuses in its own words', async () => {
    const faults = createFaults();
    const text = 'channel_is_archived';
    faults.add({ endpoint: 'slack', fault: { kind: 'status', status: 410, text } });
    expect(await openSlack({ faults }).post({ text: 'x' })).toMatchObject({ status: 410, text });
  });
});
