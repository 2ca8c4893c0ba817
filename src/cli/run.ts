/** `keywarden run`: the daemon, or with `--once` one pass. */
import { setTimeout as after } from 'node:timers/promises';
import { openApp } from '../app.ts';
import type { App } from '../app.ts';
import { createDaemon, logPass } from '../daemon.ts';
import type { Daemon, DaemonObserver } from '../daemon.ts';
import { createLogger } from '../log.ts';
import type { Logger } from '../log.ts';
import { hashRead, readPolicyFile, watchPolicyFile } from '../policy-file.ts';
import { garbageCollector } from '../rest.ts';
import type { Metrics } from '../web/metrics.ts';
import { isLoopback } from './parse.ts';
import { requirePolicy } from './policy-file.ts';
import { requireAdminKey } from './session.ts';
import type { Session } from './session.ts';

/** Sends of a last pass are given this long before a single run ends; the rest go with the next one. */
const lastDeliveryMs = 30_000;
/** After a signal, what is under way is given this long. */
const graceMs = 8000;

export async function run(session: Session, { once }: { once: boolean }): Promise<number> {
  const { settings, world } = session;
  const adminKey = requireAdminKey(settings);
  const log = await createLogger(settings, world.stderr);
  const policy = await requirePolicy(session, (warnings) => {
    log.warn({ warnings }, 'the policy file has warnings');
  });
  const metrics = once ? null : await openMetrics(() => app);
  const app = await openApp({
    settings,
    adminKey,
    policy,
    onDelivery: (delivery) => {
      metrics?.delivered(delivery.kind ?? 'none', delivery.result);
      const why = delivery.error === null ? {} : { why: delivery.error };
      const facts = { channel: delivery.channel, alerts: delivery.alertIds.length, ...why };
      if (delivery.result === 'delivered') log.info(facts, 'alert delivered');
      else
        log.warn(
          facts,
          delivery.result === 'dead' ? 'alert could not be delivered' : 'alert not delivered yet',
        );
    },
    ...(metrics === null
      ? {}
      : {
          onCall: (call) => {
            metrics.called(call);
          },
        }),
  });
  try {
    const mode = settings.dryRun ? 'dry-run' : policy.mode;
    log.info(
      { policy_hash: policy.hash, mode, state: settings.state },
      mode === 'dry-run' ? 'started; in dry-run nothing is sent and nothing is changed' : 'started',
    );
    return once ? await runOnce(app, log, world.signal) : await runDaemon(session, app, log, metrics);
  } finally {
    await app[Symbol.asyncDispose]();
    log.info('stopped');
  }
}

async function runOnce(app: App, log: Logger, stop: AbortSignal): Promise<number> {
  const started = performance.now();
  // Nothing is kept of them from run to run, so they are read when a decision needs them.
  if (app.forecastsBySeries()) await app.readBooks(stop);
  const report = await app.pass([], stop);
  await app.deliverOnce(AbortSignal.any([stop, AbortSignal.timeout(lastDeliveryMs)]));
  await app.tidy();
  logPass(log, report, (performance.now() - started) / 1000);
  return report.outcomes.some((one) => one.result === 'failed') ? 1 : 0;
}

async function openMetrics(app: () => App): Promise<Metrics> {
  const { createMetrics } = await import('../web/metrics.ts');
  return createMetrics({
    outbox: async () => {
      const { pending, dead, oldestPendingAt } = await app().store.outboxSummary();
      const age = oldestPendingAt === null ? 0 : (app().clock.now() - oldestPendingAt) / 1000;
      return { pending, dead: dead.length, oldestAgeSeconds: Math.max(0, age) };
    },
    stateBytes: () => app().store.size(),
  });
}

async function runDaemon(session: Session, app: App, log: Logger, metrics: Metrics | null): Promise<number> {
  const { settings, world } = session;
  /** What was last read of the policy file, good or bad; it may have been changed since, before it is watched. */
  let lastRead: string | null = app.policy().hash;
  const daemon = createDaemon({
    app,
    log,
    pace: settings,
    readPolicy: async () => {
      const read = await readPolicyFile(settings.policyPath, world.env, app.clock.now());
      lastRead = hashRead(read);
      return read.ok ? read : { ok: false, message: read.message };
    },
    observer: observerOf(metrics, app),
    monotonic: () => performance.now(),
    rest: garbageCollector(),
  });
  metrics?.reloaded(true, app.policy(), app.clock.now() / 1000);
  const web = await listen(session, daemon, metrics, log);
  const reload = (): void => void daemon.reload();
  process.on('SIGHUP', reload);
  const watching = watchPolicyFile(settings.policyPath, () => lastRead, reload, world.signal);
  const hurry = hurryAfter(world.signal, log);
  try {
    await Promise.race([daemon.run(world.signal), hurry]);
    await watching;
    return 0;
  } finally {
    process.off('SIGHUP', reload);
    await web?.close();
  }
}

/** Resolves some time after the signal: what has not finished by then is found out at the next start. */
async function hurryAfter(stop: AbortSignal, log: Logger): Promise<void> {
  await new Promise((resolve) => {
    stop.addEventListener('abort', resolve, { once: true });
  });
  log.info('stopping');
  await after(graceMs, undefined, { ref: false });
}

function observerOf(metrics: Metrics | null, app: App): DaemonObserver {
  const now = (): number => app.clock.now() / 1000;
  return {
    passed: (report, seconds) => metrics?.passed(report, seconds, now()),
    failed: (_error, seconds) => metrics?.failed(seconds),
    reloaded: (ok, policy) => metrics?.reloaded(ok, policy, now()),
    waits: (overshoot) => metrics?.waits(overshoot),
  };
}

async function listen(
  { settings }: Session,
  daemon: Daemon,
  metrics: Metrics | null,
  log: Logger,
): Promise<{ close(): Promise<void> } | null> {
  if (settings.listen === null || metrics === null) return null;
  const [{ createWeb }, { serveOn }] = await Promise.all([
    import('../web/web.ts'),
    import('../web/listen.ts'),
  ]);
  const web = createWeb({
    health: () => daemon.health(),
    metrics: () => metrics.text(),
    reload: () => daemon.reload(),
    token: isLoopback(settings.listen.host) ? null : settings.token,
  });
  const server = await serveOn(web, settings.listen.host, settings.listen.port);
  log.info({ url: server.url }, 'listening');
  return server;
}
