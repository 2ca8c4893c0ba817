import { createTransport, type SendMailOptions } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../src/sandbox/clock.ts';
import { startInbox, type Inbox, type InboxOptions, type SmtpStage } from '../../src/sandbox/inbox.ts';

const at = Date.UTC(2026, 9, 5);
const login = { user: 'keywarden@example.com', password: 'p@ss:word/1' };

const openInbox = (options: Partial<InboxOptions> = {}) =>
  startInbox({ clock: virtualClock(at), ...options });

async function send(inbox: Inbox, options: object = {}, mail: SendMailOptions = {}): Promise<void> {
  const transport = createTransport({ url: inbox.url, tls: { rejectUnauthorized: false }, ...options });
  try {
    await transport.sendMail({
      from: 'Keywarden <keywarden@example.com>',
      to: ['Ana <ana@example.com>', 'ben@example.com'],
      cc: 'carol@example.com',
      subject: 'Grüße from “Keywarden”',
      text: 'plain ü',
      html: '<p>rich ü</p>',
      headers: { 'X-Alert': 'a1' },
      ...mail,
    });
  } finally {
    transport.close();
  }
}

describe('the inbox', () => {
  it('keeps a mail, read', async () => {
    await using inbox = await openInbox();
    await send(inbox);
    const [mail] = await inbox.mails.atLeast(1);
    expect(mail).toMatchObject({
      at,
      envelope: {
        from: 'keywarden@example.com',
        to: ['ana@example.com', 'ben@example.com', 'carol@example.com'],
      },
      from: 'keywarden@example.com',
      to: ['ana@example.com', 'ben@example.com'],
      cc: ['carol@example.com'],
      subject: 'Grüße from “Keywarden”',
      text: expect.stringContaining('plain ü') as string,
      html: expect.stringContaining('<p>rich ü</p>') as string,
    });
    expect(mail?.headers).toContainEqual({ key: 'x-alert', value: 'a1' });
    expect(mail?.raw).toContain('X-Alert: a1\r\n');
  });

  it.each(['none', 'starttls', 'implicit'] as const)('authenticates with tls %s', async (tls) => {
    await using inbox = await openInbox({ auth: login, tls });
    await send(inbox, tls === 'starttls' ? { requireTLS: true } : {});
    expect(inbox.mails.items).toHaveLength(1);
  });

  it('refuses a wrong password, and mail without one', async () => {
    await using inbox = await openInbox({ auth: login, tls: 'starttls' });
    const wrong = inbox.url.replace(/:[^:]*@/, ':wrong@');
    await expect(send(inbox, { url: wrong })).rejects.toMatchObject({
      responseCode: 535,
    });
    const url = inbox.url.replace(/\/\/.*@/, '//');
    await expect(send(inbox, { url })).rejects.toMatchObject({ responseCode: 530 });
    expect(inbox.mails.items).toEqual([]);
  });

  it('offers no TLS unless told to', async () => {
    await using inbox = await openInbox();
    await expect(send(inbox, { requireTLS: true })).rejects.toThrow(/STARTTLS/);
  });

  it.each([
    ['connect', 421],
    ['auth', 454],
    ['mail', 451],
    ['rcpt', 550],
    ['data', 552],
    ['kept', 451],
  ] as const)('refuses at %s with %i, as often as it is told to', async (stage, code) => {
    await using inbox = await openInbox({ auth: login });
    inbox.disturb({ stage, kind: 'reject', code, message: 'Not today', times: 1 });
    const single = { to: 'ana@example.com', cc: [] };
    await expect(send(inbox, {}, single)).rejects.toMatchObject({
      responseCode: code,
      response: expect.stringContaining('Not today') as string,
    });
    expect(inbox.mails.items).toHaveLength(stage === 'kept' ? 1 : 0);
    await send(inbox, {}, single);
    expect(inbox.mails.items).toHaveLength(stage === 'kept' ? 2 : 1);
  });

  it.each(['connect', 'rcpt', 'data', 'kept'] as const satisfies readonly SmtpStage[])(
    'hangs up at %s',
    async (stage) => {
      await using inbox = await openInbox();
      const stop = inbox.disturb({ stage, kind: 'drop' });
      await expect(send(inbox)).rejects.toThrow();
      expect(inbox.mails.items).toHaveLength(stage === 'kept' ? 1 : 0);
      stop();
      await send(inbox);
    },
  );

  it('is slow by the injected clock', async () => {
    const clock = virtualClock(at);
    await using inbox = await openInbox({ clock });
    inbox.disturb({ stage: 'data', kind: 'delay', ms: 60_000 });
    const sent = send(inbox);
    await clock.asleep(1);
    expect(inbox.mails.items).toEqual([]);
    await clock.advance(60_000);
    await sent;
    expect(inbox.mails.items).toMatchObject([{ at: at + 60_000 }]);
  });

  it('refuses what is too large', async () => {
    await using inbox = await openInbox({ maxBytes: 2_000 });
    await expect(send(inbox, {}, { text: 'x'.repeat(5_000) })).rejects.toMatchObject({ responseCode: 552 });
    await send(inbox);
    expect(inbox.mails.items).toHaveLength(1);
  });
});
