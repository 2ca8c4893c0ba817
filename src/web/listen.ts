/** Binds an app to an address. */
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

/** Rejects with a clear message when the address cannot be had. */
export async function serveOn(
  app: Hono,
  host: string,
  port: number,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (address) => {
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      resolve({
        url: `http://${name}:${String(address.port)}`,
        close: () =>
          new Promise((done) => {
            server.close(() => {
              done();
            });
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      });
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'another program listens there' : (error.code ?? 'unknown error');
      reject(
        new Error(
          `cannot listen on ${host}:${String(port)}: ${why}. Choose another with --listen, or --listen off`,
        ),
      );
    });
  });
}
