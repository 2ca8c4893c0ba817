/**
 * The composition root: settings in, a program out. The command line, the daemon, the demo and the
 * tests all run this one; here, once, a dry run gets nothing to change anything with.
 */
import { openAdmin, openClock, openState } from './adapters.ts';
import type { Network } from './adapters.ts';
import type { Alert } from './core/alert.ts';
import type { Question } from './core/evidence.ts';
import type { EpochMs, KeyId } from './core/key.ts';
import type { Books } from './core/books.ts';
import type { Call, Trouble } from './core/plan.ts';
import type { PolicyFile } from './core/policy.ts';
import type { Secret } from './core/secret.ts';
import { createCallMeter } from './call-meter.ts';
import { deliberate, forecastsBySeries, usesModels } from './deliberate.ts';
import type { Deliberation } from './deliberate.ts';
import { booksCalls, readBooks } from './ledger/books.ts';
import { dailyUse } from './ledger/daily.ts';
import { look } from './ledger/look.ts';
import { mostCautious } from './core/court.ts';
import { callsAPass } from './core/schedule.ts';
import { acceptedSince } from './ledger/notices.ts';
import { knowAccepted, recall, remember } from './memory.ts';
import type { Memory } from './memory.ts';
import { booksIn, pass } from './pass.ts';
import type { PassReport } from './pass.ts';
import { before } from './pass/before.ts';
import { commitTroubles, committer, needsJudging } from './pass/commit.ts';
import type { PassPorts } from './pass/ports.ts';
import { postClock } from './post-clock.ts';
import type { PostClock } from './post-clock.ts';
import { isApiFailure } from './ports.ts';
import type { AdminReader, AdminWriter, CallObserver, DailyUseOf, Listing, SteadyClock } from './ports.ts';
import type { Delivery, Deliverer, DelivererOptions } from './alerts/deliver.ts';
import { hide } from './scrub.ts';
import type { Settings } from './settings.ts';
import type { DeadChannel, Store } from './store/store.ts';

export interface AppOptions {
  readonly settings: Settings;
  readonly adminKey: Secret;
  readonly policy: PolicyFile;
  /** Left out: made from the settings. */
  readonly clock?: SteadyClock;
  readonly onCall?: CallObserver;
  readonly onDelivery?: (delivery: Delivery) => void;
  /** True: nothing is written, neither to the API nor to the state. */
  readonly readOnly?: boolean;
  /** What of the machine is another than this one's. */
  readonly machine?: Partial<Machine>;
}

/** What the program runs on, besides the clock. */
export interface Machine {
  readonly network: Network;
  readonly receivers: Pick<DelivererOptions, 'send' | 'sleep' | 'receiverSleep' | 'jitter'>;
  readonly openState: typeof openState;
}

export interface App extends AsyncDisposable {
  readonly clock: SteadyClock;
  readonly reader: AdminReader;
  readonly store: Store;
  readonly memory: Memory;
  readonly deliverer: Deliverer;
  policy(): PolicyFile;
  /** Takes effect with the next pass; the pass under way makes no further change. */
  setPolicy(policy: PolicyFile): void;
  /**
   * What a pass would decide now; reads only. `also`: what to ask the API for besides; `beside`: what is
   * read meanwhile, and to be there before anything is judged.
   */
  consider(
    signal: AbortSignal,
    also?: (listing: Listing) => readonly Question[],
    beside?: Promise<unknown>,
  ): Promise<Deliberation>;
  /** Reads the account's transactions and time series, for what is decided and told next. Never rejects. */
  readBooks(stop: AbortSignal): Promise<readonly Call[]>;
  /** The account's books as of `found`. */
  booksOf(found: Deliberation): Books;
  /** A forecast of the policy file's goes by the time series. */
  forecastsBySeries(): boolean;
  /** How many more calls this minute may have. */
  callsLeft(): number;
  /** When there are calls again for two passes that ask for no more than every pass does. */
  callsFreeAt(): EpochMs;
  /** One pass. Rejects when the list cannot be read or the state cannot be written. */
  pass(troubles: readonly Trouble[], stop: AbortSignal): Promise<PassReport>;
  /** A pass that failed: what people are told of it. */
  tell(troubles: readonly Trouble[]): Promise<void>;
  /** Delivers what is due, once, after a pass; what is accepted is known for the next. Rejects as the outbox does. */
  deliverOnce(signal: AbortSignal): Promise<void>;
  /** Drops samples finer than the ledger keeps. */
  tidy(): Promise<void>;
}

/** Nobody waits longer for the account's books. */
const booksLimitMs = 30_000;

/** Rejects with a `StoreError` when the state cannot be opened. */
export async function openApp(options: AppOptions): Promise<App> {
  const { settings, machine = {} } = options;
  hide(options.adminKey);
  if (settings.token !== null) hide(settings.token);
  const clock = options.clock ?? openClock(settings);
  const meter = createCallMeter(clock);
  const onCall: CallObserver = (call) => {
    meter.count();
    options.onCall?.(call);
  };
  let policy = options.policy;
  const admin = await openAdmin(
    settings,
    options.adminKey,
    onCall,
    clock,
    () => usesModels(policy),
    machine.network,
  );
  const open = machine.openState ?? openState;
  const store = await open(settings, { readOnly: options.readOnly ?? false }, clock);
  const memory = await recall(store, clock.now());
  const closing = new AbortController();
  const posting = postClock(clock, memory);
  const ports: PassPorts = {
    reader: admin.reader,
    writer: settings.dryRun || options.readOnly ? refusingWriter : admin.writer,
    clock,
    store,
    pace: settings,
    // Less what a pass takes in any case: one may be due at an instant within the minute.
    callBudget: () => meter.left(settings.maxCallsPerMinute - callsAPass),
    mode: settings.dryRun ? 'dry-run' : null,
    route: await router(posting),
    superseded: () => false,
    closing: closing.signal,
  };
  const isOpen = (batch: string): boolean => batch === memory.openBatch;
  const used: DailyUseOf = (alert, now) =>
    dailyUse(alert, now, { store, records: memory.records, policies: policy.policies });
  const deliverer = await openDeliverer(store, isOpen, posting, () => policy, used, options);
  return {
    clock,
    reader: admin.reader,
    store,
    memory,
    deliverer,
    policy: () => policy,
    setPolicy: (next) => {
      policy = next;
    },
    consider: async (signal, also = () => [], beside = Promise.resolve()) => {
      await knowAccepted(store, memory);
      const sight = await look(ports.reader, clock, before(memory), ports.pace, signal);
      await beside;
      const inquiry = { questions: also(sight.listing), alone: new Set<KeyId>(), spare: Infinity };
      return deliberate(ports, memory, policy, sight, inquiry, signal);
    },
    readBooks: async (stop) => {
      memory.books = await readBooks(admin.reader, clock, booksLimitMs, stop);
      return booksCalls;
    },
    booksOf: (found) => booksIn(found, memory, policy),
    forecastsBySeries: () => forecastsBySeries(policy),
    callsLeft: ports.callBudget,
    callsFreeAt: () => meter.freeAt(2 * callsAPass, settings.maxCallsPerMinute),
    pass: async (troubles, stop) => {
      const inForce = policy;
      const superseded = (): boolean => policy !== inForce;
      const dead = await store.deadChannels(posting.now() - deadTroubleMs);
      // Of a channel that the file has no more, nobody waits for anything.
      const missed = dead.filter(({ channel }) => inForce.channels.has(channel));
      const all = [...troubles, ...missed.map(deadTrouble)];
      return pass({ ...ports, superseded }, memory, inForce, all, stop);
    },
    tell: async (troubles) => {
      const now = clock.now();
      const commit = committer(ports, memory, policy, `trouble-${String(now)}`);
      const context = { now, policy, mode: mostCautious(policy.mode, ports.mode) };
      // Why it failed is not told at once; that the API can be read again is what another pass has to show.
      const undecided = (code: string): boolean => code === 'api' || needsJudging(code);
      await commitTroubles(memory, context, troubles, undecided, commit);
    },
    deliverOnce: async (signal) => {
      await deliverer.deliverDue(signal);
      const last = before(memory).lastClock;
      if (last === null || last.monotonicMs === null) return;
      await knowAccepted(store, memory);
      const sinceMs = Math.max(clock.monotonic() - last.monotonicMs, clock.now() - last.at);
      await remember(store, memory, { meta: acceptedSince(memory, sinceMs) });
    },
    tidy: async () => {
      const boundaries = [...memory.marks.keys()].filter((key) => typeof key === 'number');
      // By a clock that was trusted: what is over is dropped for good.
      const now = before(memory).lastClock?.at;
      if (now !== undefined) await store.thin(now, boundaries, settings.usageLagMs);
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort(new Error('the state is being closed'));
      await store[Symbol.asyncDispose]();
    },
  };
}

/** A channel that nothing was sent to since is no trouble any more after this long. */
const deadTroubleMs = 7 * 86_400_000;

function deadTrouble({ channel, alerts, lastError }: DeadChannel): Trouble {
  const many = alerts === 1 ? '1 alert was' : `${alerts.toLocaleString('en-US')} alerts were`;
  return {
    code: `undelivered:${channel}`,
    severity: 'critical',
    title: `Alerts do not reach the channel ${channel}`,
    text: `${many} given up on; at the last attempt ${lastError}. \`keywarden audit\` lists them. This is over when the channel takes an alert again.`,
    notBy: channel,
  };
}

async function router(clock: PostClock): Promise<PassPorts['route']> {
  const { route } = await import('./alerts/route.ts');
  return (alerts: readonly Alert[], { channels, smtp }, passId) =>
    route(alerts, channels, { at: clock.now(), timeOfDay: clock.timeOfDay(), passId, smtp });
}

async function openDeliverer(
  store: Store,
  /** More may be added to the batch. */
  isOpen: (batch: string) => boolean,
  clock: PostClock,
  policy: () => PolicyFile,
  used: DailyUseOf,
  { settings, onDelivery: onOutcome, machine = {} }: AppOptions,
): Promise<Deliverer> {
  const { createDeliverer } = await import('./alerts/deliver.ts');
  const dry = (): boolean => settings.dryRun || policy().mode === 'dry-run';
  const { outbox } = store;
  return createDeliverer({
    outbox: {
      pending: async (now) => (await outbox.pending(now)).filter(({ batch }) => !isOpen(batch)),
      delivered: (ids, at, unserved) => outbox.delivered(ids, at, unserved),
      failed: (ids, failure) => outbox.failed(ids, failure),
    },
    channels: policy,
    // What was queued before a dry run began stays queued until it is over.
    isDry: dry,
    clock,
    timeOfDay: clock.timeOfDay,
    dailyUse: used,
    ...machine.receivers,
    ...(onOutcome === undefined ? {} : { onOutcome }),
  });
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('a dry run changes nothing'));
}

const refusingWriter: AdminWriter = { createKey: refuse, renameKey: refuse, deleteKey: refuse };

/** What is told when a pass fails because of the API; null: it failed for another reason. */
export function apiTrouble(error: unknown): Trouble | null {
  if (!isApiFailure(error)) return null;
  const refused = error.kind === 'unauthorized' || error.kind === 'forbidden';
  return {
    code: 'api',
    severity: 'critical',
    title: refused ? 'The Admin API refuses the admin key' : 'The Admin API cannot be read',
    text: `${error.message}. Nothing is judged and nothing is changed until this is over.`,
  };
}
