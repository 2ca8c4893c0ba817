import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { display } from '../../../src/alerts/compose/display.ts';
import { toPlainSlack, toSlack } from '../../../src/alerts/compose/slack.ts';
import type { SlackPayload } from '../../../src/alerts/compose/slack.ts';
import type { Message } from '../../../src/alerts/compose/message.ts';
import { meterText } from '../../../src/alerts/compose/slack-meter.ts';
import { asSent, slackLimits } from '../../../src/alerts/compose/slack-text.ts';
import type { SlackBlock } from '../../../src/alerts/compose/slack-text.ts';
import { sampleCaseAlerts, sampleSystemAlert } from '../../../src/alerts/samples.ts';
import type { Alert, CaseAlert } from '../../../src/core/alert.ts';
import { refusalOf } from '../../../src/sandbox/slack-limits.ts';
import { at, caseAlert, day, hostileNames, named, systemAlert } from '../build.ts';
import { anyCase, anyWords } from './arbitraries.ts';

function slackOf(alerts: readonly Alert[], remark: string | null = null): SlackPayload {
  return toSlack(
    compose(
      alerts.map((alert) => ({ alert, remark })),
      { id: 'msg_1', now: at },
    ),
  ).payload;
}

const samples = { at, timeZone: 'Europe/Berlin', channels: ['ops'] } as const;

/** Every text object of a block, as Slack would read them. */
function texts(block: SlackBlock): readonly { readonly type: string; readonly text: string }[] {
  if (block.type === 'context') return block.elements;
  return 'fields' in block ? block.fields : [block.text];
}

/** All that the blocks say, as sent. */
function shownWords({ blocks = [] }: SlackPayload): string {
  return blocks
    .flatMap(texts)
    .map(({ text }) => text)
    .join('\n');
}

/** What Slack shows of an escaped text. */
function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** What Slack documents, by the receiver that refuses what it does, and this program's own bounds. */
function expectWithinLimits(payload: SlackPayload): void {
  expect(refusalOf(payload)).toBeNull();
  expect(payload.text.length).toBeLessThanOrEqual(slackLimits.text);
  expect(JSON.stringify(payload.blocks).length).toBeLessThanOrEqual(12_000);
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

  test('reads in order: what, how far, next, numbers, how to stop it, context', () => {
    const shown = (slackOf([notice]).blocks ?? []).map((block) =>
      texts(block)
        .map(({ text }) => text)
        .join(' | '),
    );
    expect(shown).toMatchInlineSnapshot(`
      [
        "🟥 Critical: “User 7” will be deleted in 24 hours",
        "▓▓▓▓▓▓▓▓▓▓» 107%",
        "Policy free-tier-spend, step 3 of 3: Free users may spend 20 dollars a month.",
        "It will be deleted on Tue 24 Nov 2026, 10:00 CET, in 24 hours, unless it is back within its limit or someone stops it before then.",
        "*Spent* | $21.40 of $20.00 (107%) | *Period* | November 2026, until Tue 1 Dec 2026, 00:00 CET",
        "To stop the deletion, any one of these is enough:
      • Rename the key by hand in the Tinfoil dashboard while this notice runs.
      • Silence or protect the key in the policy file.
      • Raise the limit.",
        "Key k_0123456789abcdef · finding free-tier-spend/k_0123456789abcdef/2026-11-01 · “User 7”",
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
    expect(slackOf([notice]).text).toMatch(
      /^🟥 Critical: “User 7” will be deleted in 24 hours\n[^]*finding free-tier/u,
    );
  });

  test('about Keywarden itself', () => {
    const payload = slackOf([systemAlert()]);
    expect((payload.blocks ?? []).map((block) => texts(block)[0]?.text)).toEqual([
      '🟥 Critical: The policy file is invalid',
      'The last good one stays in force.\npolicies.yaml:3:1: unknown field.',
    ]);
  });
});

describe('a lock screen shows what, how bad, what next and when', () => {
  const tellTale = (alerts: readonly Alert[]): string =>
    slackOf(alerts).text.replaceAll(/\n+/g, ' | ').slice(0, 150);

  test.each([sampleSystemAlert(samples), ...sampleCaseAlerts(samples)].map((alert) => [alert.id, alert]))(
    '%s',
    (_id, alert) => {
      expect(tellTale([alert])).toMatchSnapshot();
    },
  );

  test('of several the gravest', () => {
    expect(tellTale(sampleCaseAlerts(samples))).toMatchSnapshot();
  });
});

test('an end alone is green; of several the gravest gives the colour', () => {
  const ended = caseAlert({ event: { kind: 'resolved', because: 'the period ended' } });
  const stopped = caseAlert({ id: 'b', event: { kind: 'vetoed', by: 'a person' } });
  const heads = [[ended], [ended, { ...ended, id: 'c' }], [ended, stopped], [ended, systemAlert()]].map(
    (alerts) => shownWords(slackOf(alerts)).split('\n')[0],
  );
  expect(heads).toEqual([
    '🟩 Resolved: “User 7” ($20 budget)',
    '🟩 2 alerts: 2 resolved',
    '🟦 Info: 2 alerts: 1 stopped by a person, 1 resolved',
    '🟥 Critical: 2 alerts: 1 resolved, 1 about Keywarden itself',
  ]);
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

  test.each([
    ['emoji', '👩‍💻'.repeat(500)],
    ['escaped characters', '&'.repeat(200)],
    ['characters that are spelled out', '\u202E'.repeat(200)],
    ['quotation marks', '”&'.repeat(200)],
  ])('a name of %s leaves what happened on the screen', (_kind, name) => {
    const { text, blocks } = slackOf([named(name, { event: { kind: 'vetoed', by: 'a person' } })]);
    const words = '…” will not be deleted: a person stopped it';
    expect(unescape(text).slice(0, 150)).toContain(words);
    const [head] = (blocks ?? []).flatMap(texts);
    expect(unescape(head?.text ?? '')).toContain(words);
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

  test('of two hundred ordinary ones the ten in full and more than forty in a line', () => {
    const alerts = Array.from({ length: 200 }, (_, index) =>
      named(`Team research, notebook ${String(index)}`, {
        id: String(index),
        policy: `policy-${String(index % 3)}`,
        next: [{ kind: 'rename', to: `OVER BUDGET Team research, notebook ${String(index)}` }],
      }),
    );
    const shown = shownWords(slackOf(alerts));
    const full = shown.match(/^Key k_/gm)?.length ?? 0;
    const lines = shown.match(/^• .*\(k_/gm)?.length ?? 0;
    expect(full).toBe(10);
    expect(lines).toBeGreaterThan(40);
    expect(shown).toContain(`… and ${String(190 - lines)} more, not shown here`);
  });

  test('a hundred reasons for standing in', () => {
    const entries = crowd
      .slice(0, 100)
      .map((alert, index) => ({ alert, remark: `could not be sent to ${String(index)}` }));
    const { payload } = toSlack(compose(entries, { id: 'msg_1', now: at }));
    expectWithinLimits(payload);
    expect(JSON.stringify(payload.blocks)).toContain('… and 95 more such remarks');
  });

  test('every fault of a long policy file', () => {
    const text = Array.from({ length: 500 }, (_, index) => `policies.yaml:${String(index)}:1: <&>`).join(
      '\n',
    );
    const payload = slackOf([systemAlert({ text })]);
    expectWithinLimits(payload);
    const words = shownWords(payload);
    const shown = words.match(/^policies\.yaml/gm)?.length ?? 0;
    expect(words).toContain(`\n… and ${String(500 - shown)} more lines`);
  });
});

describe('whatever is written and however much of it', () => {
  test('a single case is whole', () => {
    fc.assert(
      fc.property(anyCase, fc.option(anyWords), (alert, remark) => {
        const message = compose([{ alert, remark }], { id: 'msg_1', now: at });
        const { payload, told } = toSlack(message);
        expect(told).toEqual([alert.id]);
        expectWithinLimits(payload);
        expectInert(payload);
        const shown = shownWords(payload);
        const lines = message.parts.flatMap((part) =>
          part.kind === 'case'
            ? [...part.lead, ...part.next, ...part.facts.map(({ value }) => value || '–')]
            : part.kind === 'small' || part.kind === 'remark'
              ? [part.text]
              : [],
        );
        expect(lines.filter((line) => !shown.includes(asSent(line)))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('of several each is whole or counted as not shown', () => {
    const many = fc.array(fc.tuple(anyCase, fc.nat(5)), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(many, fc.integer({ min: 1, max: 30 }), (kinds, times) => {
        const alerts = Array.from({ length: kinds.length * times }, (_, index): CaseAlert => {
          const [kind, policy] = kinds[index % kinds.length] ?? [caseAlert(), 0];
          const id = `k_${String(index).padStart(16, '0')}`;
          const subject = { ...kind.subject, kind: 'key', id } as CaseAlert['subject'];
          return { ...kind, id, policy: `policy-${String(policy)}`, subject };
        });
        const message = compose(
          alerts.map((alert) => ({ alert, remark: null })),
          { id: 'msg_1', now: at },
        );
        const { payload, told } = toSlack(message);
        expectWithinLimits(payload);
        const shown = shownWords(payload);
        const whole = entriesOf(message).filter((entry) => shown.includes(entry));
        const missing = Number(
          /… and ([\d,]+) more, not shown here/.exec(shown)?.[1]?.replaceAll(',', '') ?? 0,
        );
        expect(whole.length + missing).toBe(alerts.length);
        // Nothing of those that are missing is there.
        const ids = new Set(shown.match(/k_\d{16}/g));
        expect(ids.size).toBe(whole.length);
        expect(ids).toEqual(new Set(told));
        expect(told).not.toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

/** What Slack shows of each case of a digest when it shows all of it. */
function entriesOf({ parts }: Message): string[] {
  return parts.flatMap((part, index) => {
    const small = parts[index + 1];
    if (part.kind === 'list') return part.lines.map(({ text }) => asSent(`• ${text}`));
    if (part.kind !== 'case' || small?.kind !== 'small') return [];
    const { title, meter, lead, facts, next: nextLines } = part;
    const lines = [
      title ?? '',
      ...(meter === null ? [] : [meterText(meter)]),
      ...lead,
      ...facts.map(({ label, value }) => `${label}: ${value}`),
      ...nextLines,
      small.text,
    ];
    return [lines.map(asSent).join('\n')];
  });
}

test.each([
  [{ lowShare: 0, highShare: 0 }, '░░░░░░░░░░ 0%'],
  [{ lowShare: 0.29, highShare: 0.29 }, '▓▓░░░░░░░░ 29%'],
  [{ lowShare: 0.82, highShare: 0.82 }, '▓▓▓▓▓▓▓▓░░ 82%'],
  [{ lowShare: 0.9999, highShare: 0.9999 }, '▓▓▓▓▓▓▓▓▓░ 99%'],
  [{ lowShare: 1, highShare: 1 }, '▓▓▓▓▓▓▓▓▓▓ 100%'],
  [{ lowShare: 1.07, highShare: 1.07 }, '▓▓▓▓▓▓▓▓▓▓» 107%'],
  [{ lowShare: 0.5, highShare: 0.72 }, '▓▓▓▓▓▒▒▒░░ 50% to 72%'],
  [{ lowShare: 0.91, highShare: 1.07 }, '▓▓▓▓▓▓▓▓▓▒ 91% to 107%'],
  [{ lowShare: 0.6, highShare: null }, '▓▓▓▓▓▓▒▒▒▒ 60% or more'],
  [{ lowShare: 1500, highShare: null }, '▓▓▓▓▓▓▓▓▓▓» 150,000% or more'],
])('the bar of %j', (meter, bar) => {
  expect(meterText(meter)).toBe(bar);
});

test('without blocks only the words remain', () => {
  const { payload } = toPlainSlack(compose([{ alert: caseAlert(), remark: null }], { id: 'msg_1', now: at }));
  expect(payload.blocks).toBeUndefined();
  expect(payload.text).toContain('$21.40 of $20.00 (107%)');
});

test('without blocks of many cases those are told that stand before the cut, the gravest in any case', () => {
  const many = Array.from({ length: 60 }, (_, index) => {
    const id = `k_${String(index).padStart(16, '0')}`;
    const alert = caseAlert();
    return { ...alert, id, subject: { ...alert.subject, kind: 'key', id } as CaseAlert['subject'] };
  });
  const toldOf = (alerts: readonly CaseAlert[]) => {
    const entries = alerts.map((alert) => ({ alert, remark: null }));
    const { payload, told } = toPlainSlack(compose(entries, { id: 'msg_1', now: at }));
    const shown = new Set(payload.text.match(/k_\d{16}/g));
    return { told: new Set(told), shown };
  };
  expect(toldOf(many.slice(0, 3)).told.size).toBe(3);
  const { told, shown } = toldOf(many);
  expect(told.size).toBeGreaterThan(0);
  expect(told.size).toBeLessThan(60);
  expect([...told].filter((id) => !shown.has(id))).toEqual([]);
  const long = many.map((alert) => ({ ...alert, description: 'long '.repeat(500) }));
  expect(toldOf(long).told.size).toBeGreaterThan(0);
});
