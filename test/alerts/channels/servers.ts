/** Real servers on loopback for tests of the channels. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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

export interface SmtpReceiver extends AsyncDisposable {
  readonly port: number;
  /** What was accepted, as sent. */
  readonly mails: readonly {
    readonly raw: string;
    readonly to: readonly string[];
    readonly secure: boolean;
    readonly user: string | undefined;
  }[];
}

export async function smtpReceiver(options: SMTPServerOptions = {}): Promise<SmtpReceiver> {
  const mails: SmtpReceiver['mails'][number][] = [];
  const server = new SMTPServer({
    authOptional: true,
    closeTimeout: 50,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      if (password === 'hunter2') done(null, { user: username });
      else
        done(
          Object.assign(new Error(`no such login ${String(username)} ${String(password)}`), {
            responseCode: 535,
          }),
        );
    },
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
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
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    mails,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}
