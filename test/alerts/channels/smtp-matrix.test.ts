/**
 * A real mail server that does everything a mail server may do, at each stage of the conversation: what is
 * tried again and what is final (RFC 5321, 4.2.1 and 4.5.4.1), and what is never said in clear.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { sendEmail } from '../../../src/alerts/channels/email.ts';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { createDeliverer } from '../../../src/alerts/deliver.ts';
import type { Delivery } from '../../../src/alerts/deliver.ts';
import { route } from '../../../src/alerts/route.ts';
import { send, transmit } from '../../../src/alerts/transmit.ts';
import type { Smtp } from '../../../src/core/policy.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SendOutcome } from '../../../src/ports.ts';
import { certificate } from '../../e2e/certificate.ts';
import { at, caseAlert, channelMap, email, memoryOutbox, variables, virtualClock } from '../build.ts';
import { refusal, smtpReceiver } from './servers.ts';
import type { SmtpReceiver, SmtpReceiverOptions } from './servers.ts';

const entries = [{ alert: caseAlert(), remark: null }];
const message = compose(entries, { id: 'msg_1', now: at });
const envelope = { recipient: 'ops@example.com', cc: '' };
const live = new AbortController().signal;
const trusting = `tls.ca=${encodeURIComponent(certificate.cert)}`;

interface Way {
  readonly scheme?: string;
  readonly login?: string;
  readonly query?: string;
  readonly host?: string;
}

function serverAt(
  port: number,
  { scheme = 'smtp', login = '', query = '', host = '127.0.0.1' }: Way = {},
): Smtp {
  const url = new Secret(`${scheme}://${login}${host}:${String(port)}/?${query}`);
  return { url, from: 'Keywarden <keywarden@example.com>' };
}

async function sendTo(port: number, way: Way = {}): Promise<SendOutcome> {
  return sendEmail(serverAt(port, way), envelope, message, live);
}

/** One attempt at a server of this kind. */
async function attempt(
  options: SmtpReceiverOptions,
  way: Way = {},
): Promise<{ readonly outcome: SendOutcome; readonly server: SmtpReceiver }> {
  await using server = await smtpReceiver(options);
  return { outcome: await sendTo(server.port, way), server };
}

const words = (outcome: SendOutcome): string => (outcome.ok ? '' : outcome.error);

describe('STARTTLS', () => {
  const offering: SmtpReceiverOptions = { disabledCommands: [], ...certificate };

  test.each([
    ['', 'offered'],
    ['&requireTLS=true', 'offered and insisted on'],
  ])('with %j: %s, it is taken', async (query) => {
    const { outcome, server } = await attempt(offering, { query: `${trusting}${query}` });
    expect(outcome).toEqual({ ok: true });
    expect(server.mails).toMatchObject([{ secure: true }]);
    expect(server.overheard()).toMatch(/^EHLO \S+\r\nSTARTTLS\r\n/);
    expect(server.overheard()).not.toMatch(/MAIL FROM|AUTH|User 7/);
  });

  test('neither offered nor insisted on: the mail goes without', async () => {
    const { outcome, server } = await attempt({});
    expect(outcome).toEqual({ ok: true });
    expect(server.mails).toMatchObject([{ secure: false }]);
  });

  test.each<[string, SmtpReceiverOptions]>([
    ['not offered', { disabledCommands: ['STARTTLS'] }],
    [
      'refused for now',
      { ...offering, answers: { STARTTLS: '454 TLS not available due to temporary reason' } },
    ],
    ['refused', { ...offering, answers: { STARTTLS: '502 Not implemented' } }],
    ['offered, then not spoken', { ...offering, answers: { STARTTLS: '220 Go ahead' } }],
    ['hidden by somebody in between', { ...offering, answers: { EHLO: '500 What?' } }],
  ])('insisted on and %s: another try, and not a word of it in clear', async (_, options) => {
    const way = { login: 'keywarden:hunter2@', query: `requireTLS=true&${trusting}` };
    const { outcome, server } = await attempt(options, way);
    expect(outcome).toMatchObject({ ok: false, retryable: true });
    expect(server.mails).toEqual([]);
    expect(server.overheard()).not.toMatch(/MAIL FROM|AUTH|User 7|hunter2/);
  });

  test.each([
    ['nobody vouches for', {}, offering],
    ['is another host’s', { host: 'localhost', query: trusting }, offering],
    ['nobody vouches for, over TLS from the start', { scheme: 'smtps' }, { ...certificate, secure: true }],
    [
      'is another host’s, over TLS from the start',
      { scheme: 'smtps', host: 'localhost', query: trusting },
      { ...certificate, secure: true },
    ],
  ] as const)('with a certificate that %s: another try, nothing said', async (_, way, options) => {
    const { outcome, server } = await attempt(
      { ...options, disabledCommands: [] },
      { ...way, login: 'keywarden:hunter2@' },
    );
    expect(outcome).toMatchObject({ ok: false, retryable: true });
    expect(words(outcome)).toMatch(/^its certificate could not be verified \(/);
    expect(server.mails).toEqual([]);
    expect(server.overheard()).not.toMatch(/MAIL FROM|AUTH|User 7|hunter2/);
  });
});

describe('TLS from the start', () => {
  test('carries the mail and the login', async () => {
    const { outcome, server } = await attempt(
      { ...certificate, secure: true, authOptional: false },
      { scheme: 'smtps', login: 'keywarden:hunter2@', query: trusting },
    );
    expect(outcome).toEqual({ ok: true });
    expect(server.mails).toMatchObject([{ secure: true, user: 'keywarden' }]);
  });

  test('is not spoken by a server without it: another try', async () => {
    const { outcome, server } = await attempt({}, { scheme: 'smtps', query: trusting });
    expect(outcome).toMatchObject({ ok: false, retryable: true });
    expect(server.mails).toEqual([]);
  });
});

describe('a login', () => {
  const plain = Buffer.from('\0keywarden\0wr0ng pass').toString('base64');
  const secrets = ['wr0ng', plain, Buffer.from('wr0ng pass').toString('base64'), 'keywarden'];

  test.each(['PLAIN', 'LOGIN'])('by AUTH %s is taken', async (method) => {
    const { outcome, server } = await attempt(
      { authOptional: false, authMethods: [method] },
      { login: 'keywarden:hunter2@' },
    );
    expect(outcome).toEqual({ ok: true });
    expect(server.mails).toMatchObject([{ user: 'keywarden' }]);
  });

  test.each(['PLAIN', 'LOGIN'])(
    'by AUTH %s that is wrong is tried again, and told without it',
    async (method) => {
      const { outcome, server } = await attempt(
        { authOptional: false, authMethods: [method] },
        { login: 'keywarden:wr0ng%20pass@' },
      );
      expect(outcome).toMatchObject({ ok: false, retryable: true, error: 'the login was refused with 535' });
      for (const secret of secrets) expect(words(outcome)).not.toContain(secret);
      expect(server.mails).toEqual([]);
    },
  );

  test('cannot be checked at the moment', async () => {
    const { outcome } = await attempt(
      {
        authOptional: false,
        onAuth: (_auth, _session, done) => {
          done(refusal(454, 'Temporary authentication failure'));
        },
      },
      { login: 'keywarden:hunter2@' },
    );
    expect(outcome).toMatchObject({ ok: false, retryable: true, error: 'the login was refused with 454' });
  });

  test('is asked for, and the address of the server has none', async () => {
    const { outcome } = await attempt({ authOptional: false });
    expect(outcome).toMatchObject({ ok: false, retryable: true, error: 'the login was refused with 530' });
  });
});

describe('a refusal', () => {
  /** How a server comes to give `answer` at each stage. */
  const stages: Readonly<Record<string, (answer: string) => SmtpReceiverOptions>> = {
    'the greeting': (answer) => ({
      onConnect: (_session, done) => {
        done(refusal(Number(answer.slice(0, 3)), answer.slice(4)));
      },
    }),
    'EHLO and HELO': (answer) => ({ answers: { EHLO: answer, HELO: answer } }),
    MAIL: (answer) => ({ answers: { MAIL: answer } }),
    RCPT: (answer) => ({ answers: { RCPT: answer } }),
    DATA: (answer) => ({ answers: { DATA: answer } }),
    'the end of the data': (answer) => ({
      onData: (stream, _session, done) => {
        stream.resume().on('end', () => {
          done(refusal(Number(answer.slice(0, 3)), answer.slice(4)));
        });
      },
    }),
  };
  const ofTheMessage = ['MAIL', 'RCPT', 'DATA', 'the end of the data'];

  test.concurrent.each(
    Object.entries(stages).flatMap(([stage, options]) =>
      ['421 Closing', '451 Try again later', '550 Not here', '554 No'].map((answer) => ({
        stage,
        options,
        answer,
      })),
    ),
  )('at $stage with $answer', async ({ stage, options, answer }) => {
    for (const hidePIPELINING of [false, true]) {
      const { outcome, server } = await attempt({ ...options(answer), hidePIPELINING });
      const final = answer.startsWith('5') && ofTheMessage.includes(stage);
      expect(outcome).toMatchObject({ ok: false, retryable: !final, retryAfterMs: null });
      expect(words(outcome)).toContain(`refused with ${answer.slice(0, 3)}`);
      expect(words(outcome)).toContain(answer.slice(4));
      expect(server.mails).toEqual([]);
    }
  });

  test.each([
    ['RCPT', '552 Too many recipients', true],
    ['RCPT', '556 This domain takes no mail', false],
    ['MAIL', '530 Must issue a STARTTLS command first', true],
    ['MAIL', '552 Too large', false],
    ['RCPT', '452 Mailbox full', true],
  ] as const)('at %s with %s: another try is %s', async (command, answer, retryable) => {
    const { outcome } = await attempt({ answers: { [command]: answer } });
    expect(outcome).toMatchObject({ ok: false, retryable });
  });

  test('of EHLO alone is none: HELO does', async () => {
    const { outcome, server } = await attempt({ answers: { EHLO: '502 Not implemented' } });
    expect(outcome).toEqual({ ok: true });
    expect(server.mails).toHaveLength(1);
  });
});

describe('a size limit', () => {
  test('that is kept to is nobody’s business', async () => {
    const { outcome } = await attempt({ size: 1_000_000 });
    expect(outcome).toEqual({ ok: true });
  });

  test('that the mail is too large for is final: only less of it could be taken', async () => {
    const { outcome, server } = await attempt({
      size: 500,
      rejectOversized: true,
    });
    expect(outcome).toMatchObject({ ok: false, retryable: false, isTooLarge: true });
    expect(words(outcome)).toMatch(/^the message was refused with 552: /);
    expect(server.mails).toEqual([]);
  });
});

test('a full mailbox is not a size limit, though it has the same code', async () => {
  const { outcome } = await attempt({ answers: { DATA: '552 5.2.2 Mailbox full' } });
  expect(outcome).toMatchObject({ ok: false, retryable: false });
  expect(outcome).not.toHaveProperty('isTooLarge');
});

test('greylisting: refused at first, taken at the next try, as the same mail', async () => {
  const seen: string[] = [];
  await using server = await smtpReceiver({
    onRcptTo: ({ address }, _session, done) => {
      seen.push(address);
      done(seen.length === 1 ? refusal(451, '4.7.1 Greylisted, come back in five minutes') : null);
    },
  });
  const ids: string[] = [];
  const { deliverer, outbox, clock, ids: items } = post(server, (id) => ids.push(id));
  expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 1 });
  await clock.advance(29_999);
  expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 0 });
  await clock.advance(1);
  expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
  expect(new Set(ids)).toEqual(new Set([ids[0]]));
  expect(ids).toHaveLength(2);
  expect(server.mails).toHaveLength(1);
  expect(items.map((id) => outbox.entry(id).state)).toEqual(['delivered']);
});

describe('a mail that is taken for some of its recipients', () => {
  const to = ['ops@example.com', 'late@example.com', 'gone@example.com'];

  test('is tried again for the one that is refused for now, given up for the one that is not there, and sent nobody twice', async () => {
    let grey = true;
    await using server = await smtpReceiver({
      onRcptTo: ({ address }, _session, done) => {
        if (address === 'gone@example.com') return done(refusal(550, 'No such user'));
        done(address === 'late@example.com' && grey ? refusal(451, 'Come back later') : null);
      },
    });
    const { deliverer, outbox, clock, ids, told } = post(
      server,
      () => (grey = server.mails.length === 0),
      to,
    );
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
    expect(server.mails.map((mail) => mail.to)).toEqual([['ops@example.com']]);
    expect(ids.map((id) => outbox.entry(id).state)).toEqual(['delivered']);
    await clock.advance(30_000);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 1, failed: 0 });
    await clock.advance(3_600_000);
    expect(await deliverer.deliverDue(live)).toEqual({ delivered: 0, failed: 0 });
    expect(server.mails.map((mail) => mail.to)).toEqual([['ops@example.com'], ['late@example.com']]);
    expect(told.map(({ result, error }) => [result, error])).toEqual([
      ['delivered', null],
      ['retry', 'to late@example.com: the message was refused with 451: Come back later'],
      ['dead', 'to gone@example.com: the message was refused with 550: No such user'],
      ['delivered', null],
    ]);
  });

  test('keeps a copy a copy', async () => {
    await using server = await smtpReceiver({
      onRcptTo: ({ address }, _session, done) => {
        done(address === 'copy@example.com' ? refusal(452, 'Mailbox full') : null);
      },
    });
    const copied = { recipient: 'ops@example.com', cc: 'other@example.com,copy@example.com' };
    expect(await sendEmail(serverAt(server.port), copied, message, live)).toMatchObject({
      ok: true,
      unserved: [{ recipient: '', cc: 'copy@example.com', retryable: true }],
    });
  });
});

/** A deliverer of one alert to that server. */
function post(
  server: SmtpReceiver,
  onMessage: (id: string) => void,
  to: readonly string[] = ['ops@example.com'],
) {
  const smtp = serverAt(server.port);
  const channels = channelMap(email('mail', to));
  const { items } = route([caseAlert({ channels: ['mail'] })], channels, { at, passId: 'pass-1', smtp });
  const outbox = memoryOutbox(...items);
  const clock = virtualClock();
  const told: Delivery[] = [];
  const deliverer = createDeliverer({
    outbox,
    onOutcome: (delivery) => told.push(delivery),
    channels: () => ({ channels, smtp }),
    clock,
    jitter: () => 0,
    send: (way, one, signal) => {
      onMessage(one.id);
      return send(way, one, signal);
    },
  });
  return { deliverer, outbox, clock, told, ids: items.map(({ id }) => id) };
}

describe('a connection that is dropped', () => {
  /** A server that speaks by hand: `hears` gets all that was said, and what it returns is answered; null: it hangs up. */
  async function byHand(hears: (said: string, socket: Socket) => string | null): Promise<SendOutcome> {
    const server = createServer((socket) => {
      let said = '';
      socket.on('error', () => undefined);
      socket.write('220 here\r\n');
      socket.on('data', (bytes) => {
        said += bytes.toString();
        const answer = hears(said, socket);
        if (answer === null) socket.destroy();
        else socket.write(answer);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const outcome = await sendTo((server.address() as AddressInfo).port);
    server.close();
    return outcome;
  }

  /** Takes everything, until this is said. */
  const upTo = (command: string) => (said: string) => {
    if (said.includes(command)) return null;
    const [talk = '', data] = said.split('\r\nDATA\r\n');
    if (data === undefined) return talk.endsWith('\r\n') ? '250 OK\r\n' : '';
    return data === '' ? '354 Go ahead\r\n' : '';
  };

  test.each(['EHLO', 'MAIL FROM', 'RCPT TO', 'DATA', 'Message-ID', '\r\n.\r\n'])(
    'at %j is worth another try: whether the mail was taken is not known',
    async (command) => {
      expect(await byHand(upTo(command))).toMatchObject({
        ok: false,
        retryable: true,
        error: 'the connection was cut',
      });
    },
  );

  test('after the answer to the mail does not matter: it was taken', async () => {
    const outcome = await byHand((said, socket) => {
      if (!said.includes('\r\n.\r\n')) return upTo('\r\n.\r\n')(said);
      socket.end('250 Taken\r\n');
      return '';
    });
    expect(outcome).toEqual({ ok: true });
  });

  test('in the middle of an answer is no answer', async () => {
    const outcome = await byHand((said, socket) => {
      if (!said.includes('\r\n.\r\n')) return upTo('\r\n.\r\n')(said);
      socket.end('250');
      return '';
    });
    expect(outcome).toMatchObject({ ok: false, retryable: true });
  });
});

describe('a server that is silent for longer than half a minute is left', () => {
  /** Patience ends as soon as the server has been reached as far as `silentAt`. */
  async function tryWith(options: (reached: () => void) => SmtpReceiverOptions) {
    const reached = Promise.withResolvers<undefined>();
    await using server = await smtpReceiver(
      options(() => {
        reached.resolve(undefined);
      }),
    );
    const channel = email('mail', ['ops@example.com']);
    const one = { channel, smtp: serverAt(server.port), recipient: 'ops@example.com', cc: '' };
    const outcome = await transmit(
      { by: send, route: one, id: 'msg_1', entries, now: at, sleep: () => reached.promise },
      live,
    );
    return { outcome, mails: server.mails };
  }

  test.each([
    ['before its greeting', (reached: () => void) => ({ onConnect: reached })],
    ['after the sender', (reached: () => void) => ({ onMailFrom: reached })],
    ['after the recipient', (reached: () => void) => ({ onRcptTo: reached })],
    ['after the data', (reached: () => void) => ({ onData: reached })],
  ] as const)('%s', async (_, options) => {
    const { outcome, mails } = await tryWith(options);
    expect(outcome).toEqual({
      ok: false,
      retryable: true,
      error: 'no answer within 30 s',
      retryAfterMs: null,
    });
    expect(mails).toEqual([]);
  });

  test('one that is only slow is waited for', async () => {
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    const slowly = (_given: unknown, _session: unknown, done: () => void): void => void turns().then(done);
    await using server = await smtpReceiver({
      onConnect: (_session, done) =>
        void turns().then(() => {
          done();
        }),
      onMailFrom: slowly,
      onRcptTo: slowly,
    });
    expect(await sendTo(server.port)).toEqual({ ok: true });
    expect(server.mails).toHaveLength(1);
  });
});

describe('addresses beyond ASCII', () => {
  const route1 = (address: string) =>
    route(
      [caseAlert({ channels: ['owner'], variables: variables({ metadata: { email: address } }) })],
      channelMap(email('owner', ['{{ metadata.email }}'])),
      { at, passId: 'pass-1' },
    );

  test('a domain is sent to by its ASCII name', async () => {
    await using server = await smtpReceiver();
    const [item] = route1('ana@bücher.example').items;
    const to = { recipient: item?.recipient ?? '', cc: '' };
    expect(await sendEmail(serverAt(server.port), to, message, live)).toEqual({ ok: true });
    expect(server.overheard()).toContain('RCPT TO:<ana@xn--bcher-kva.example>\r\n');
    expect(server.mails[0]?.raw).toMatch(/^To: ana@xn--bcher-kva\.example\r$/m);
  });

  test('a local part is not written to, and said to be no address', () => {
    expect(route1('jürgen@example.com')).toMatchObject({
      items: [],
      undeliverable: [{ because: 'metadata.email is not one valid e-mail address' }],
    });
  });
});
