/** HTTP: health, readiness, metrics, reload. An app is a function from Request to Response. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import type { Secret } from '../core/secret.ts';

export interface WebPorts {
  health(): { readonly alive: boolean; readonly ready: boolean };
  metrics(): Promise<string>;
  reload(): Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }>;
  /** Null on loopback: no token is asked for. */
  readonly token: Secret | null;
}

export function createWeb(ports: WebPorts): Hono {
  const app = new Hono();
  app.onError((_error, c) => c.text('internal error\n', 500));
  app.notFound((c) => c.text('not found\n', 404));
  app.get('/healthz', (c) => (ports.health().alive ? c.text('ok\n') : c.text('the loop is stuck\n', 503)));
  app.get('/readyz', (c) =>
    ports.health().ready ? c.text('ready\n') : c.text('the first pass has not succeeded yet\n', 503),
  );
  app.use('*', async (c, next) => {
    if (ports.token === null || bears(c.req.header('authorization'), ports.token)) return next();
    return c.text('unauthorized\n', 401, { 'WWW-Authenticate': 'Bearer' });
  });
  app.get('/metrics', async (c) =>
    c.body(await ports.metrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  app.post('/-/reload', async (c) => {
    // A page of another origin must not be able to make a browser on this machine reload.
    if (c.req.header('origin') !== undefined) return c.text('cross-origin requests are refused\n', 403);
    const result = await ports.reload();
    return result.ok ? c.text('reloaded\n') : c.text(`${result.message}\n`, 422);
  });
  return app;
}

/** Compared by hash, so that neither length nor content shows in the time it takes. */
function bears(header: string | undefined, token: Secret): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token.reveal()}`));
}
