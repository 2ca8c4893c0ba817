/**
 * The program over a simulated account, without a socket: the real pass, state and client, on a clock
 * that goes on only where somebody lets it. A request takes some of its time.
 */
import { DatabaseSync } from 'node:sqlite';
import { createCallMeter } from '../../src/call-meter.ts';
import type { EpochMs } from '../../src/core/key.ts';
import type { PolicyFile } from '../../src/core/policy.ts';
import type { Pace } from '../../src/core/schedule.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Finding } from '../../src/core/state.ts';
import { recall } from '../../src/memory.ts';
import { pass } from '../../src/pass.ts';
import type { PassReport } from '../../src/pass.ts';
import type { PassPorts } from '../../src/pass/ports.ts';
import type { Clock, SteadyClock } from '../../src/ports.ts';
import { route } from '../../src/alerts/route.ts';
import { createAdminApi } from '../../src/sandbox/api.ts';
import type { Random } from '../../src/sandbox/random.ts';
import type { Variants } from '../../src/sandbox/variants.ts';
import type { World } from '../../src/sandbox/world.ts';
import { migrate } from '../../src/store/migrations.ts';
import { storeOver } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { createAdminClient } from '../../src/tinfoil/client.ts';
import type { Fetch } from '../../src/tinfoil/transport.ts';

export const usageLagMs = 120_000;

export interface VirtualClock extends SteadyClock {
  advanceTo(at: EpochMs): void;
}

export function virtualClock(start: EpochMs): VirtualClock {
  let now = start;
  const advanceTo = (at: EpochMs): void => void (now = Math.max(now, at));
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => advanceTo(now + ms),
    advanceTo,
  };
}

/** What there is outside of the program: it stays when the program is started anew. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly fetch: Fetch;
  /** The state's file. */
  readonly state: string;
  readonly policy: PolicyFile;
  readonly pace: Pace;
}

const adminKey = 'admin-of-the-simulated-account';

/** Each request is a while under way before it is answered, and its answer before it is read; rarely for long. */
export function inProcess(world: World, variants: Variants, clock: VirtualClock, random: Random): Fetch {
  const api = createAdminApi(world, { clock, adminKey, variants });
  const travel = (longestMs: number): Promise<void> =>
    clock.sleep(random.chance(0.003) ? 20_000 : random.integer(5, longestMs));
  return async (url, { method, headers, body, signal }) => {
    await travel(400);
    const answer = await api.request(url, { method, headers, body, signal });
    await travel(100);
    return answer;
  };
}

export interface Program extends AsyncDisposable {
  pass(): Promise<PassReport>;
  findings(): readonly Finding[];
  /** Drops what the ledger does not keep. */
  tidy(): Promise<void>;
}

/** The program as started anew: it knows what its state holds. */
export async function openProgram(surroundings: Surroundings): Promise<Program> {
  const { clock, fetch, state, policy, pace } = surroundings;
  const meter = createCallMeter(clock);
  const client = createAdminClient({
    baseUrl: new URL('http://account.test'),
    adminKey: new Secret(adminKey),
    clock,
    fetch,
    onCall: () => {
      meter.count();
    },
    // Of the machine's time, which is not what is measured here.
    timeoutMs: 3_600_000,
  });
  const store = openStore(state, clock);
  const memory = await recall(store, clock.now());
  const ports: PassPorts = {
    ...client,
    clock,
    store,
    pace,
    callBudget: () => meter.left(pace.maxCallsPerMinute),
    mode: null,
    superseded: () => false,
    closing: new AbortController().signal,
    route: (alerts, { channels, smtp }, passId) => route(alerts, channels, { at: clock.now(), passId, smtp }),
  };
  return {
    pass: () => pass(ports, memory, policy, [], new AbortController().signal),
    findings: () => [...memory.findings.values()],
    tidy: async () =>
      void (await store.thin(
        clock.now(),
        [...memory.marks.keys()].filter((key) => typeof key === 'number'),
        usageLagMs,
      )),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** As the program's own, but that no power cut is to be survived: a pass need not wait for the disk. */
function openStore(path: string, clock: Clock): Store {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  migrate(db, path);
  return storeOver({ db, path, close: () => db.close() }, clock);
}
