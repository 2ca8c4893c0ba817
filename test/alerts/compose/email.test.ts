import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import type { Email } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { mailOf } from '../../../src/alerts/channels/email.ts';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { display, shorten } from '../../../src/alerts/compose/display.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { at, caseAlert, hostileNames, named, systemAlert } from '../build.ts';

const from = 'Keywarden <keywarden@example.com>';

async function rawMail(alerts: readonly Alert[], id = 'msg_1'): Promise<string> {
  const message = compose(
    alerts.map((alert) => ({ alert, remark: null })),
    { id, now: at },
  );
  const envelope = { recipient: 'ops@example.com,second@example.com', cc: 'copy@example.com' };
  const transport = createTransport({ streamTransport: true, buffer: true });
  const { message: raw } = await transport.sendMail(mailOf(from, envelope, message));
  return (raw as Buffer).toString('utf8');
}

async function mailFor(alerts: readonly Alert[], id?: string): Promise<Email> {
  return PostalMime.parse(await rawMail(alerts, id));
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** The text of the HTML part. */
function shownText(html: string): string {
  return html.replace(/<[^>]*>/g, '').replace(/&([a-z]+|#39);/g, (_, name: string) => entities[name] ?? '?');
}

function tags(html: string | undefined): string[] {
  return html?.match(/<[^>]*>/g) ?? [];
}

describe('a mail', () => {
  test('has a subject, a text and the same as HTML', async () => {
    const mail = await mailFor([caseAlert()]);
    expect(mail.subject).toBe('“User 7” has used 107% of its $20 budget');
    expect(mail.text).toContain('Spent: $21.40 of $20.00 (107%)');
    expect(shownText(mail.html ?? '')).toContain('$21.40 of $20.00 (107%)');
    expect(mail.to).toEqual([
      { name: '', address: 'ops@example.com' },
      { name: '', address: 'second@example.com' },
    ]);
    expect(mail.cc).toEqual([{ name: '', address: 'copy@example.com' }]);
    expect(mail.from).toEqual({ name: 'Keywarden', address: 'keywarden@example.com' });
    expect(mail.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated');
  });

  test('fetches nothing from anywhere', async () => {
    const { html } = await mailFor([caseAlert(), systemAlert()]);
    expect(html).not.toMatch(/<(img|link|script|iframe)\b|https?:|url\(/i);
  });

  test('has the same Message-ID whenever it is sent again, and its case is one thread', async () => {
    const [first, again] = [await mailFor([caseAlert()]), await mailFor([caseAlert()])];
    const later = await mailFor(
      [caseAlert({ event: { kind: 'resolved', because: 'the period ended' } })],
      'msg_2',
    );
    expect(first.messageId).toMatch(/^<[0-9a-f]{32}@example\.com>$/);
    expect(again.messageId).toBe(first.messageId);
    expect(later.messageId).not.toBe(first.messageId);
    expect(later.references).toBe(first.references);
    expect(later.inReplyTo).toMatch(/^<finding\.[0-9a-f]{32}@example\.com>$/);
  });

  test('a digest belongs to no thread', async () => {
    const mail = await mailFor([caseAlert(), caseAlert({ id: 'two' })]);
    expect(mail.references).toBeUndefined();
    expect(mail.inReplyTo).toBeUndefined();
  });
});

describe('hostile names are shown as themselves', () => {
  test.each(Object.entries(hostileNames))('%s', async (_kind, name) => {
    const raw = await rawMail([named(name, { next: [{ kind: 'rename', to: name }] })]);
    const mail = await PostalMime.parse(raw);
    const benign = await mailFor([named('x', { next: [{ kind: 'rename', to: 'x' }] })]);
    expect(mail.subject).toBe(`“${shorten(display(name, 60), 60, 60)}” has used 107% of its $20 budget`);
    expect(mail.text).toContain(`“${display(name)}”`);
    expect(shownText(mail.html ?? '')).toContain(`“${display(name)}”`);
    expect(tags(mail.html)).toEqual(tags(benign.html));
    expect(mail.bcc).toBeUndefined();
    expect(raw).not.toMatch(/^bcc:/im);
    expect(mail.headers.map(({ key }) => key).toSorted()).toEqual([
      'auto-submitted',
      'cc',
      'content-type',
      'date',
      'from',
      'in-reply-to',
      'message-id',
      'mime-version',
      'references',
      'subject',
      'to',
    ]);
  });
});

test('a digest of ten thousand names all of them', async () => {
  const crowd = Array.from({ length: 10_000 }, (_, index) =>
    named(`Key ${String(index)}.`, { id: `alert-${String(index)}` }),
  );
  const { text, html } = await mailFor(crowd);
  for (const index of [0, 4321, 9999]) {
    expect(text).toContain(`“Key ${String(index)}.”`);
    expect(html).toContain(`“Key ${String(index)}.”`);
  }
});

test('a name written from right to left leaves what stands around it where it is', async () => {
  const resolved = named('שלום', { event: { kind: 'resolved', because: 'the period ended' } });
  const { html } = await mailFor([resolved]);
  expect(html).toContain('Resolved: <bdi>“שלום”</bdi> ($20 budget)</h1>');
});

test('a list of mails shows what comes next beside the subject, and when', async () => {
  const dueAt = at + 24 * 3_600_000;
  const notice = { kind: 'notice', step: 3, of: 3, noticeMs: dueAt - at } as const;
  const { html } = await mailFor([caseAlert({ event: notice })]);
  expect(shownText((html ?? '').replace(/^[\s\S]*<body[^>]*>/, '')).trim()).toMatch(
    /^It will be deleted on Tue 24 Nov 2026, 10:00 CET, in 24 hours/,
  );
});
