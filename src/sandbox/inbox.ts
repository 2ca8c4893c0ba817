/** A mail server on loopback that keeps what it accepts, and can be told to behave badly. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Address } from 'postal-mime';
import { SMTPServer, type SMTPServerError, type SMTPServerSession } from 'smtp-server';
import type { EpochMs } from '../core/key.ts';
import type { Clock } from '../ports.ts';
import { createFeed, type Feed } from './feed.ts';

export interface Mail {
  readonly at: EpochMs;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Bare addresses, of the header. */
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** In order, names in lower case, unfolded. */
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  /** As it came over the wire. */
  readonly raw: string;
}

/** Where in the conversation: `kept` is after the mail was kept and before the client hears of it. */
export type SmtpStage = 'connect' | 'auth' | 'mail' | 'rcpt' | 'data' | 'kept';

/** `delay` goes by the injected clock; the conversation then goes on. */
export type SmtpFault = { readonly stage: SmtpStage; readonly times?: number } & (
  | { readonly kind: 'reject'; readonly code: number; readonly message?: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'delay'; readonly ms: number }
);

export interface InboxOptions {
  readonly clock: Clock;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Left out: no authentication is offered. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** Default `none`. */
  readonly tls?: 'none' | 'starttls' | 'implicit';
  /** As PEM. Left out: the mail server library's own, which nobody trusts. */
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** Larger mails are refused with 552. */
  readonly maxBytes?: number;
}

export interface Inbox extends AsyncDisposable {
  /** With the user and password, when there are. */
  readonly url: string;
  readonly port: number;
  readonly mails: Feed<Mail>;
  /** Strikes the next `times` conversations that reach the stage; without `times`, all. Returns how to take it back. */
  disturb(fault: SmtpFault): () => void;
}

export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const { clock, auth, tls = 'none', certificate, maxBytes } = options;
  const mails = createFeed<Mail>();
  const faults = createSmtpFaults(clock);
  const sockets = new Map<number, Socket>();

  /** Lets faults have their say at a stage of a conversation; what is left goes on in `proceed`. */
  const at = (stage: SmtpStage, session: SMTPServerSession, done: Done, proceed: () => void): void => {
    const drop = () => sockets.get(session.remotePort)?.destroy();
    faults.at(stage, drop).then((refusal) => (refusal === null ? proceed() : done(refusal)), done);
  };

  const server = new SMTPServer({
    // The built-in certificate's warning is for servers that others can reach.
    logger: false,
    secure: tls === 'implicit',
    disabledCommands: [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(auth === undefined ? ['AUTH'] : [])],
    authOptional: auth === undefined,
    allowInsecureAuth: tls === 'none',
    disableReverseLookup: true,
    closeTimeout: 50,
    ...certificate,
    ...(maxBytes !== undefined && { size: maxBytes, rejectOversized: true }),
    onConnect: (session, done) => at('connect', session, done, () => done()),
    onMailFrom: (_address, session, done) => at('mail', session, done, () => done()),
    onRcptTo: (_address, session, done) => at('rcpt', session, done, () => done()),
    onAuth: ({ username, password }, session, done) =>
      at('auth', session, done, () => {
        const right = username === auth?.user && password === auth?.password;
        if (right) done(null, { user: username });
        else done(smtpError(535, 'Authentication failed'));
      }),
    onData: (stream, session, done) => {
      const keep = async (bytes: Buffer): Promise<void> => {
        // What is too large the server refuses by itself, but only after this.
        if (!stream.sizeExceeded) mails.push(await parse(bytes, session, clock.now()));
        at('kept', session, done, () => done());
      };
      buffer(stream)
        .then((bytes) => at('data', session, done, () => void keep(bytes).catch(done)))
        .catch(done);
    },
  });
  // A client that hangs up is no fault of the server.
  server.on('error', () => undefined);
  server.server.on('connection', (socket) => {
    const port = socket.remotePort;
    if (port === undefined) return;
    sockets.set(port, socket);
    socket.on('close', () => sockets.delete(port));
  });
  await once(server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    url: urlOf(port, tls, auth),
    port,
    mails,
    disturb: faults.add,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}

type Done = (error?: Error | null) => void;

function smtpError(code: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode: code });
}

function urlOf(port: number, tls: InboxOptions['tls'], auth: InboxOptions['auth']): string {
  const login =
    auth === undefined ? '' : `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.password)}@`;
  return `${tls === 'implicit' ? 'smtps' : 'smtp'}://${login}127.0.0.1:${port}`;
}

function createSmtpFaults(clock: Clock) {
  let orders: { readonly fault: SmtpFault; times: number }[] = [];

  /** Resolves to how the server refuses; null: it does not. A dropped conversation never goes on. */
  async function at(stage: SmtpStage, drop: () => void): Promise<SMTPServerError | null> {
    const struck = orders.filter(({ fault }) => fault.stage === stage);
    for (const order of struck) order.times--;
    orders = orders.filter(({ times }) => times > 0);
    for (const { fault } of struck) if (fault.kind === 'delay') await clock.sleep(fault.ms);
    const fault = struck.map((order) => order.fault).find(({ kind }) => kind !== 'delay');
    if (fault === undefined || fault.kind === 'delay') return null;
    if (fault.kind === 'reject') return smtpError(fault.code, fault.message ?? 'Refused');
    drop();
    return new Promise<never>(() => undefined);
  }

  return {
    at,
    add: (fault: SmtpFault) => {
      const order = { fault, times: fault.times ?? Infinity };
      orders.push(order);
      return () => {
        orders = orders.filter((other) => other !== order);
      };
    },
  };
}

async function parse(raw: Buffer, session: SMTPServerSession, at: EpochMs): Promise<Mail> {
  const mail = await PostalMime.parse(raw);
  const { mailFrom, rcptTo } = session.envelope;
  return {
    at,
    envelope: {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
    },
    from: addresses(mail.from === undefined ? [] : [mail.from])[0] ?? '',
    to: addresses(mail.to ?? []),
    cc: addresses(mail.cc ?? []),
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html ?? '',
    headers: mail.headers.map(({ key, value }) => ({ key, value })),
    raw: raw.toString('utf8'),
  };
}

function addresses(list: readonly Address[]): string[] {
  return list.flatMap((entry) => (entry.group === undefined ? [entry.address] : addresses(entry.group)));
}
