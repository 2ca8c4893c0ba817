/** The loop: a pass, a pause, again. Reload takes effect between passes; a failing pass is told and tried again. */
import type { Logger } from 'pino';
import { apiTrouble } from './app.ts';
import type { App } from './app.ts';
import type { BooksReading } from './core/books.ts';
import { firstAccepted } from './core/court.ts';
import type { Court } from './core/court.ts';
import type { EpochMs } from './core/key.ts';
import type { Trouble } from './core/plan.ts';
import type { PolicyFile } from './core/policy.ts';
import { nextPassAt, overshootOf } from './core/schedule.ts';
import type { Outlook, Overshoot, Pace } from './core/schedule.ts';
import { deletionDueAt, noticeChannels } from './core/deletions.ts';
import type { PassReport } from './pass.ts';

export interface DaemonPorts {
  readonly app: App;
  readonly log: Logger;
  readonly pace: Pace;
  /** Reads the policy file again. A fault's text is told; secrets are not in it. */
  readPolicy(): Promise<{ ok: true; policy: PolicyFile } | { ok: false; message: string }>;
  readonly observer: DaemonObserver;
  /** Wall-clock milliseconds that only grow: for "is the loop stuck?", whatever the clock does. */
  readonly monotonic: () => number;
  /** Called before each pause. */
  readonly rest: () => void;
}

/** What metrics and pages are told. */
export interface DaemonObserver {
  passed(report: PassReport, seconds: number): void;
  failed(error: unknown, seconds: number): void;
  reloaded(ok: boolean, policy: PolicyFile): void;
  /** How far past its threshold the fastest level may get in the pause that begins now. */
  waits(overshoot: Overshoot): void;
}

export interface Daemon {
  /** Until aborted. Rejects only when the first pass says that the admin key is refused. */
  run(stop: AbortSignal): Promise<void>;
  /** Reads the policy file before the next pass, which comes at once. Resolves to what it found. */
  reload(): Promise<{ ok: true } | { ok: false; message: string }>;
  health(): Health;
}

export interface Health {
  /** False when the loop has not come round for too long. */
  readonly alive: boolean;
  /** The first pass has succeeded. */
  readonly ready: boolean;
}

/** An API that fails for a moment is nobody's business; one that fails for this long is. */
const apiPatienceMs = 5 * 60_000;
const tidyEveryMs = 3_600_000;
const booksEveryMs = 3_600_000;
/** The transactions and the time series. */
const booksCalls = 2;
const deliveryRetryMs = 5000;
/** A pass may wait for a slow API, but not for ever. */
const passLimitMs = 10 * 60_000;

export function createDaemon(ports: DaemonPorts): Daemon {
  const { app, log, pace, observer } = ports;
  let alarm = new AbortController();
  let policyTrouble: Trouble | null = null;
  let ready = false;
  // These by the monotonic clock: were another set back, nothing would be due for long.
  let failingSince: number | null = null;
  let tidiedAt = -Infinity;
  let beatAt = ports.monotonic();
  let outlook: Partial<Outlook> = {};
  let acceptances: Court['acceptances'] = new Map();
  let booksAt = -Infinity;
  let booksReading: Promise<void> | null = null;
  let reloading: Promise<unknown> = Promise.resolve();

  const readAgain = async (): Promise<{ ok: true } | { ok: false; message: string }> => {
    const read = await ports.readPolicy();
    if (read.ok) {
      policyTrouble = null;
      app.setPolicy(read.policy);
      log.info(
        { policy_hash: read.policy.hash, policies: read.policy.policies.length },
        'policy file loaded',
      );
    } else {
      policyTrouble = invalidPolicy(read.message);
      log.error({ faults: read.message }, 'policy file is invalid; the last good one stays in force');
    }
    observer.reloaded(read.ok, app.policy());
    alarm.abort();
    return read.ok ? { ok: true } : read;
  };

  /** One after another, so that what was read last is what stays in force. */
  const reload = (): ReturnType<typeof readAgain> => {
    const mine = reloading.then(readAgain);
    reloading = mine.catch(() => undefined);
    return mine;
  };

  const onePass = async (stop: AbortSignal): Promise<void> => {
    const started = ports.monotonic();
    const seconds = (): number => (ports.monotonic() - started) / 1000;
    const current = policyTrouble === null ? [] : [policyTrouble];
    // Also of a pass that fails: what fell due before it is not due for ever.
    outlook = { ...outlook, at: app.clock.now() };
    try {
      const report = await app.pass(current, AbortSignal.any([stop, AbortSignal.timeout(passLimitMs)]));
      ready = true;
      failingSince = null;
      const { at, approach, unasked, rowless } = report;
      outlook = { at, approach, unasked, rowless };
      acceptances = report.court.acceptances;
      observer.passed(report, seconds());
      logPass(log, report, seconds());
    } catch (error) {
      if (stop.aborted) return;
      observer.failed(error, seconds());
      log.error({ err: error }, 'pass failed');
      const refused = apiTrouble(error)?.title.includes('refuses') ?? false;
      if (!ready && refused) throw error;
      await tellFailure(error, refused, current);
    }
  };

  const tellFailure = async (
    error: unknown,
    refused: boolean,
    current: readonly Trouble[],
  ): Promise<void> => {
    const now = app.clock.monotonic();
    failingSince ??= now;
    const api = apiTrouble(error);
    const known = api !== null && (refused || now - failingSince >= apiPatienceMs) ? [api] : [];
    await app.tell([...current, ...known]).catch((tellError: unknown) => {
      log.error({ err: tellError }, 'the failure could not be written down');
    });
  };

  const tidy = async (): Promise<void> => {
    const now = app.clock.monotonic();
    if (now - tidiedAt < tidyEveryMs) return;
    tidiedAt = now;
    await app.tidy().catch((error: unknown) => {
      log.warn({ err: error }, 'old samples could not be dropped');
    });
  };

  /** Beside the passes: none waits for it, and the next one after it tells what it found. */
  const keepBooks = (stop: AbortSignal): void => {
    const now = app.clock.monotonic();
    if (!ready || booksReading !== null || now - booksAt < booksEveryMs || app.callsLeft() < booksCalls)
      return;
    booksAt = now;
    booksReading = app.readBooks(stop).then(() => {
      booksReading = null;
      if (!stop.aborted) logBooks(log, app.memory.books);
    });
  };

  const pause = async (stop: AbortSignal): Promise<void> => {
    const now = app.clock.now();
    const { at = now, approach = null } = outlook;
    // People are told what became of a change once it is known.
    const isOpen = [...app.memory.changes.values()].some(({ settledAt }) => settledAt === null);
    const left = { ...outlook, unasked: outlook.unasked === true || isOpen, callsFreeAt: app.callsFreeAt() };
    const until = nextPassAt(now, app.policy(), dueTimes(app, at, acceptances), pace, left);
    const overshoot = overshootOf(approach, until - now);
    observer.waits(overshoot);
    log.debug(
      { next_pass_at: new Date(until).toISOString(), approach: approach?.policy, overshoot },
      'waiting',
    );
    await app.clock.sleep(until - now, AbortSignal.any([stop, alarm.signal])).catch(() => undefined);
    alarm = new AbortController();
  };

  /** An outbox that cannot be read for a moment (a full disk, say) must not end deliveries for good. */
  const deliver = async (stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) {
      await app.deliverer.run(stop).catch((error: unknown) => {
        log.error({ err: error }, 'deliveries failed; they are tried again');
      });
      await app.clock.sleep(deliveryRetryMs, stop).catch(() => undefined);
    }
  };

  return {
    reload,
    health: () => {
      const limit = pace.intervalMs + passLimitMs + 60_000;
      return { alive: ports.monotonic() - beatAt < limit, ready };
    },
    run: async (stop) => {
      const delivering = deliver(stop);
      try {
        while (!stop.aborted) {
          beatAt = ports.monotonic();
          await onePass(stop);
          app.deliverer.kick();
          if (stop.aborted) break;
          await tidy();
          keepBooks(stop);
          ports.rest();
          await pause(stop);
        }
      } finally {
        app.deliverer.kick();
        await booksReading;
        await Promise.race([delivering, stop.aborted ? delivering : Promise.resolve()]);
      }
    },
  };
}

function invalidPolicy(message: string): Trouble {
  return {
    code: 'policy-file',
    severity: 'critical',
    title: 'The policy file is invalid',
    text: `The last good one stays in force. ${message}`,
  };
}

function logBooks(log: Logger, books: BooksReading | null): void {
  for (const fact of [books?.entries, books?.series])
    if (fact?.known === false) log.warn({ why: fact.because }, 'the account’s books are incomplete');
}

/**
 * When each notice has run, so that a pass is there for it; those that had before `since` left out. `acceptances`:
 * as the last pass knew them.
 */
export function dueTimes(app: App, since: EpochMs, acceptances: Court['acceptances']): EpochMs[] {
  const policies = new Map(app.policy().policies.map((policy) => [policy.name, policy]));
  return [...app.memory.findings.values()].flatMap((finding) => {
    const policy = policies.get(finding.policy);
    if (finding.closedAt !== null || policy === undefined) return [];
    return finding.deletions
      .map((one) => {
        const acceptedAt = firstAccepted(acceptances, one.noticeAlertId, noticeChannels(policy, one));
        return deletionDueAt(one, acceptedAt ?? one.announcedAt, 0);
      })
      .filter((at) => at > since);
  });
}

/** One line for the pass, one for each change. */
export function logPass(log: Logger, report: PassReport, seconds: number): void {
  const { decision, outcomes, keys, calls, hold } = report;
  const facts = {
    keys,
    calls: calls.length,
    findings: decision.views.length,
    alerts: decision.alerts.length,
    changes: outcomes.filter((one) => one.result === 'done').length,
    held: decision.held.length,
    seconds: Number(seconds.toFixed(3)),
  };
  if (hold === null) log.info(facts, 'pass done');
  else log.warn({ ...facts, hold }, 'pass done; nothing was changed');
  for (const { change, result, detail } of outcomes) {
    const about = {
      kind: change.kind,
      key: change.keyId,
      policy: change.policy,
      from: change.from,
      to: change.to,
      detail,
    };
    if (result === 'done') log.warn(about, `${change.kind} done`);
    else log.error(about, `${change.kind} ${result}`);
  }
}
