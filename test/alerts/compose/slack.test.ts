import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { display } from '../../../src/alerts/compose/display.ts';
import { slackLimits, toPlainSlack, toSlack } from '../../../src/alerts/compose/slack.ts';
import type { SlackBlock, SlackPayload } from '../../../src/alerts/compose/slack.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { at, caseAlert, day, hostileNames, named, systemAlert } from '../build.ts';

function slackOf(alerts: readonly Alert[], remark: string | null = null): SlackPayload {
  return toSlack(
    compose(
      alerts.map((alert) => ({ alert, remark })),
      { id: 'msg_1', now: at },
    ),
  );
}

/** Every text object of a block, as Slack would read them. */
function texts(block: SlackBlock): readonly { readonly type: string; readonly text: string }[] {
  if (block.type === 'divider') return [];
  if (block.type === 'context') return block.elements;
  return 'fields' in block ? block.fields : [block.text];
}

/** What Slack shows of an escaped text. */
function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function expectWithinLimits(payload: SlackPayload): void {
  const blocks = payload.blocks ?? [];
  expect(blocks.length).toBeLessThanOrEqual(slackLimits.blocks);
  expect(payload.text.length).toBeLessThanOrEqual(slackLimits.text + 1);
  expect(JSON.stringify(blocks).length).toBeLessThanOrEqual(13_000);
  for (const block of blocks) {
    const max =
      block.type === 'header'
        ? slackLimits.header
        : block.type === 'section' && !('fields' in block)
          ? slackLimits.text
          : slackLimits.field;
    for (const { text } of texts(block)) {
      expect(text.length).toBeGreaterThan(0);
      expect(text.length).toBeLessThanOrEqual(max);
    }
    if ('fields' in block) expect(block.fields.length).toBeLessThanOrEqual(slackLimits.fields);
  }
}

/** No control sequence of Slack's, no half entity; markup only in this program's own labels. */
function expectInert(payload: SlackPayload): void {
  const blocks = payload.blocks ?? [];
  for (const { type, text } of [...blocks.flatMap(texts), { type: 'plain_text', text: payload.text }]) {
    expect(text).not.toMatch(/[<>]/);
    expect(text).not.toMatch(/&(?!(amp|lt|gt);)/);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
    if (type === 'mrkdwn') expect(text).toMatch(/^\*[A-Z][a-z ]+\*$/);
  }
  expect(payload).toMatchObject({ mrkdwn: false, link_names: false, unfurl_links: false, parse: 'none' });
}

describe('a single case', () => {
  const notice = caseAlert({ event: { kind: 'notice', step: 3, of: 3, noticeMs: day } });

  test('reads in order: what, numbers, next, how to stop it, context', () => {
    const shown = (slackOf([notice]).blocks ?? []).map((block) =>
      texts(block)
        .map(({ text }) => text)
        .join(' | '),
    );
    expect(shown).toMatchInlineSnapshot(`
      [
        "“User 7” will be deleted in 24 hours",
        "Policy free-tier-spend, step 3 of 3: Free users may spend 20 dollars a month.",
        "*Spent* | $21.40 of $20.00 (107%) | *Period* | November 2026, until Tue 1 Dec 2026, 00:00 CET",
        "It will be deleted on Tue 24 Nov 2026, 10:00 CET, in 24 hours, unless it is back within its limit or someone stops it before then.",
        "To stop the deletion, any one of these is enough:
      • Rename the key by hand in the Tinfoil dashboard while this notice runs.
      • Silence or protect the key in the policy file.
      • Raise the limit.",
        "Key k_0123456789abcdef “User 7” · finding free-tier-spend/k_0123456789abcdef/2026-11-01",
      ]
    `);
  });

  test('labels are bold and values plain', () => {
    const fields = (slackOf([notice]).blocks ?? []).flatMap((block) =>
      'fields' in block ? block.fields : [],
    );
    expect(fields.map(({ type }) => type)).toEqual(['mrkdwn', 'plain_text', 'mrkdwn', 'plain_text']);
  });

  test('the fallback holds the whole message', () => {
    expect(slackOf([notice]).text).toMatch(/^“User 7” will be deleted in 24 hours\n[^]*finding free-tier/);
  });

  test('about Keywarden itself', () => {
    const payload = slackOf([systemAlert()]);
    expect((payload.blocks ?? []).map((block) => texts(block)[0]?.text)).toEqual([
      'The policy file is invalid',
      'The last good one stays in force.\npolicies.yaml:3:1: unknown field.',
    ]);
  });
});

describe('hostile names are shown as themselves', () => {
  test.each(Object.entries(hostileNames))('%s', (_kind, name) => {
    const alert = named(name, {
      next: [{ kind: 'rename', to: name }],
      event: { kind: 'step', step: 1, of: 2, repeated: false },
    });
    const payload = slackOf([alert], `could not be sent to ${name}: metadata.email is missing`);
    expectInert(payload);
    expectWithinLimits(payload);
    const whole = (payload.blocks ?? [])
      .flatMap(texts)
      .map(({ text }) => unescape(text))
      .join('\n');
    expect(whole).toContain(display(name));
    expectInert(slackOf([alert, named(name, { id: 'two' })]));
  });

  test('whatever else is written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.array(fc.constantFrom('<', '&', '>', '*', '@', 'x'), { maxLength: 400 }),
        (a, b) => {
          const payload = slackOf([
            named(a + b.join('')),
            systemAlert({ title: b.join('') || 'x', text: a || 'x' }),
          ]);
          expectInert(payload);
          expectWithinLimits(payload);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('limits', () => {
  const crowd = Array.from({ length: 10_000 }, (_, index) =>
    named(`<${'&'.repeat(60)} ${String(index)}`, {
      id: `alert-${String(index)}`,
      policy: `policy-${String(index % 70)}`,
    }),
  );

  test('ten thousand alerts of seventy policies', () => {
    const payload = slackOf(crowd, 'could not be sent to owner: metadata.email is missing');
    expectWithinLimits(payload);
    expectInert(payload);
    const words = JSON.stringify(payload.blocks);
    expect(words).toContain('10,000 alerts: 10,000 at a step');
    expect(words).toMatch(/… and [\d,]+ more, not shown here/);
    expect(words).toContain('10,000 of these could not be sent to owner');
  });

  test('what is shown and what is said to be missing add up', () => {
    const few = crowd
      .slice(0, 200)
      .map((alert) => ({ ...alert, policy: 'one', subject: { ...alert.subject, name: 'short' } as const }));
    const all = (slackOf(few).blocks ?? [])
      .flatMap(texts)
      .map(({ text }) => text)
      .join('\n');
    const shown = all.match(/short/g)?.length ?? 0;
    const missing = Number(/… and (\d+) more/.exec(all)?.[1]);
    // Each of the ten told in full is named twice.
    expect(shown - 10 + missing).toBe(200);
  });
});

test('without blocks only the words remain', () => {
  const payload = toPlainSlack(compose([{ alert: caseAlert(), remark: null }], { id: 'msg_1', now: at }));
  expect(payload.blocks).toBeUndefined();
  expect(payload.text).toContain('$21.40 of $20.00 (107%)');
});
