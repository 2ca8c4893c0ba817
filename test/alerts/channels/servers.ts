/** Real servers on loopback for tests of the channels. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';

export interface HttpRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly HttpRequest[];
}

/** Answers each request as `answer` does. */
export async function httpReceiver(
  answer: (response: ServerResponse, count: number) => void,
): Promise<HttpReceiver> {
  const requests: HttpRequest[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      answer(response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/services/T000/B000/SECRETSECRET`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function respond(status: number, body = '', headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };
}

/** An error that the mail server answers with this code. */
export function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

export interface SmtpReceiver extends AsyncDisposable {
  readonly port: number;
  /** What was accepted, as sent. */
  readonly mails: readonly {
    readonly raw: string;
    readonly to: readonly string[];
    readonly secure: boolean;
    readonly user: string | undefined;
  }[];
  /** All that clients said without encryption. */
  readonly overheard: () => string;
}

export interface SmtpReceiverOptions extends SMTPServerOptions {
  /** By command, what is answered in place of the server's own reply, such as `451 Busy`. */
  readonly answers?: Readonly<Record<string, string>>;
}

export async function smtpReceiver({
  answers = {},
  ...options
}: SmtpReceiverOptions = {}): Promise<SmtpReceiver> {
  const mails: SmtpReceiver['mails'][number][] = [];
  const overheard: Buffer[] = [];
  const server = new SMTPServer({
    authOptional: true,
    closeTimeout: 50,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      if (password === 'hunter2') done(null, { user: username });
      else done(refusal(535, `no such login ${String(username)} ${String(password)}`));
    },
    onConnect: (session, done) => {
      for (const connection of server.connections as Iterable<Conversation>)
        if (connection.session === session) answerWith(connection, answers);
      done();
    },
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
        // What is too large the server refuses by itself, but only after this.
        if (stream.sizeExceeded) return done();
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({
          raw,
          to,
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    socket.on('data', (bytes: Buffer) => overheard.push(bytes));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    mails,
    overheard: () => Buffer.concat(overheard).toString('latin1'),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** What the mail server library keeps of a connection; it has no hook for every command. */
interface Conversation {
  readonly session: unknown;
  send(code: number, text: string, context: false): void;
  [handler: `handler_${string}`]: (command: unknown, done: () => void) => void;
}

function answerWith(connection: Conversation, answers: Readonly<Record<string, string>>): void {
  for (const [command, answer] of Object.entries(answers))
    connection[`handler_${command}`] = (_command, done) => {
      connection.send(Number(answer.slice(0, 3)), answer.slice(4), false);
      done();
    };
}
