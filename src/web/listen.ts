/** Binds a web to an address. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Web, WebAnswer } from './web.ts';

/** Nothing that is asked here is long. */
const limits = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 5000,
};

/** Rejects with a clear message when the address cannot be had. */
export async function serveOn(
  web: Web,
  host: string,
  port: number,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  // Asked for by name, since an `import` of it reads its `WebSocket`, and with it loads `fetch`, 10 MB and more.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer(limits, (request, response) => void respond(web, request, response));
  await listening(server, host, port);
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${String(bound)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function respond(web: Web, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await answerTo(web, request);
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.byteLength,
    // No body is asked for here; one that goes on is not waited for.
    ...(request.complete ? {} : { connection: 'close' }),
    ...answer.headers,
  });
  response.end(body); // of the answer to a HEAD, Node.js sends the headers alone
}

async function answerTo(web: Web, { method = '', url = '', headers }: IncomingMessage): Promise<WebAnswer> {
  try {
    return await web({ method, path: url.split('?', 1)[0] ?? '', headers });
  } catch {
    return { status: 500, body: 'internal error\n' };
  }
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.on('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'another program listens there' : (error.code ?? 'unknown error');
      reject(
        new Error(
          `cannot listen on ${host}:${String(port)}: ${why}. Choose another with --listen, or --listen off`,
        ),
      );
    });
    server.listen(port, host);
  });
}
