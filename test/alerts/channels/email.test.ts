import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { sendEmail } from '../../../src/alerts/channels/email.ts';
import { compose } from '../../../src/alerts/compose/compose.ts';
import type { Smtp } from '../../../src/core/policy.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SendOutcome } from '../../../src/ports.ts';
import { at, caseAlert } from '../build.ts';
import { refusal, smtpReceiver } from './servers.ts';

const message = compose([{ alert: caseAlert(), remark: null }], { id: 'msg_1', now: at });
const envelope = { recipient: 'ops@example.com,second@example.com', cc: 'copy@example.com' };
const from = 'Keywarden <keywarden@example.com>';

function smtp(port: number, login = '', query = ''): Smtp {
  return { url: new Secret(`smtp://${login}127.0.0.1:${String(port)}/${query}`), from };
}

async function sendTo(server: Smtp, signal = new AbortController().signal): Promise<SendOutcome> {
  return sendEmail(server, envelope, message, signal);
}

describe('a mail arrives', () => {
  test('once for all its recipients', async () => {
    await using server = await smtpReceiver();
    expect(await sendTo(smtp(server.port))).toEqual({ ok: true });
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]?.to).toEqual(['ops@example.com', 'second@example.com', 'copy@example.com']);
    const mail = await PostalMime.parse(server.mails[0]?.raw ?? '');
    expect(mail.subject).toBe('“User 7” has used 107% of its $20 budget');
    expect(mail.text).toContain('Spent: $21.40 of $20.00 (107%)');
  });

  test('after a login', async () => {
    await using server = await smtpReceiver({ authOptional: false });
    expect(await sendTo(smtp(server.port, 'keywarden:hunter2@'))).toEqual({ ok: true });
    expect(server.mails[0]?.user).toBe('keywarden');
  });

  test('over STARTTLS where it is offered', async () => {
    await using server = await smtpReceiver({ disabledCommands: [] });
    expect(await sendTo(smtp(server.port, '', '?tls.rejectUnauthorized=false'))).toEqual({ ok: true });
    expect(server.mails[0]?.secure).toBe(true);
  });
});

describe('a mail does not arrive', () => {
  test('at a server whose certificate nobody vouches for', async () => {
    await using server = await smtpReceiver({ disabledCommands: [] });
    expect(await sendTo(smtp(server.port))).toMatchObject({
      ok: false,
      retryable: true,
      error: expect.stringContaining('its certificate could not be verified') as string,
    });
    expect(server.mails).toEqual([]);
  });

  test('without encryption where it is insisted on', async () => {
    await using server = await smtpReceiver();
    expect(await sendTo(smtp(server.port, '', '?requireTLS=true'))).toMatchObject({ ok: false });
    expect(server.mails).toEqual([]);
  });

  test.each([
    ['RCPT', 451, 'Greylisted, come back later', true],
    ['RCPT', 550, 'No such user here', false],
    ['DATA', 452, 'Mailbox full', true],
    ['DATA', 554, 'Looks like spam', false],
  ] as const)('when %s is answered with %d', async (stage, code, text, retryable) => {
    const refuse = refusal(code, text);
    await using server = await smtpReceiver(
      stage === 'RCPT'
        ? {
            onRcptTo: (_address, _session, done) => {
              done(refuse);
            },
          }
        : {
            onData: (stream, _session, done) => {
              stream.resume().on('end', () => {
                done(refuse);
              });
            },
          },
    );
    const outcome = await sendTo(smtp(server.port));
    expect(outcome).toMatchObject({ ok: false, retryable, retryAfterMs: null });
    expect(outcome).toHaveProperty('error', expect.stringContaining(`refused with ${String(code)}: ${text}`));
  });

  test('with a wrong password, which is worth another try and told without it', async () => {
    await using server = await smtpReceiver({ authOptional: false });
    const outcome = await sendTo(smtp(server.port, 'keywarden:wrong%20one@'));
    expect(outcome).toEqual({
      ok: false,
      error: 'the login was refused with 535',
      retryable: true,
      retryAfterMs: null,
    });
  });

  test('when the connection is cut', async () => {
    const server = createServer((socket) => {
      socket.write('220 here\r\n');
      socket.once('data', () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await sendTo(smtp(port));
    await new Promise((resolve) => server.close(resolve));
    expect(outcome).toMatchObject({ ok: false, retryable: true });
  });

  test('when nobody listens', async () => {
    const server = await smtpReceiver();
    await server[Symbol.asyncDispose]();
    expect(await sendTo(smtp(server.port))).toMatchObject({ ok: false, retryable: true });
  });

  test('when it is stopped while the server is silent', async () => {
    const stop = new AbortController();
    await using server = await smtpReceiver({
      onMailFrom: () => {
        stop.abort();
      },
    });
    expect(await sendTo(smtp(server.port), stop.signal)).toMatchObject({ ok: false });
    expect(server.mails).toEqual([]);
  });
});

test('what a server repeats of the login is not told', async () => {
  const echo = refusal(550, 'keywarden/hunter2 aHVudGVyMg== may not\r\n550 \u001B[31msend');
  await using server = await smtpReceiver({
    onRcptTo: (_address, _session, done) => {
      done(echo);
    },
  });
  const outcome = await sendTo(smtp(server.port, 'keywarden:hunter2@'));
  expect(JSON.stringify(outcome)).not.toMatch(/hunter2|aHVudGVyMg|keywarden|\\u001b/);
  expect(outcome).toMatchObject({ error: expect.stringContaining('refused with 550') as string });
});
