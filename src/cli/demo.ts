/** `keywarden demo`: a simulated account and the program itself, sixty days of their life in a minute. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openApp, type App } from '../app.ts';
import { Secret } from '../core/secret.ts';
import type { PolicyFile } from '../core/policy.ts';
import { readPolicyFile } from '../policy-file.ts';
import { demoStart } from '../sandbox/demo-population.ts';
import { startSandbox, type Sandbox } from '../sandbox/serve.ts';
import { steppedClock, type SteppedClock } from './demo/clock.ts';
import { createPage } from './demo/page.ts';
import { rounds, type Delivery } from './demo/rounds.ts';
import { createTeller } from './demo/story.ts';
import { opening, summary, type Ending } from './demo/summary.ts';
import { createTally } from './demo/tally.ts';
import { createWeeks } from './demo/weeks.ts';
import { failure } from './errors.ts';
import type { Session } from './session.ts';

export interface DemoFlags {
  /** The same seed tells the same story. Default `demo`. */
  readonly seed?: string;
  /** Simulated seconds in a real one, as far as the machine keeps up. Default: a day. */
  readonly speed?: number;
  /** Default 60. */
  readonly days?: number;
  readonly keepRunning?: boolean;
}

const dayMs = 86_400_000;
/** How often Keywarden looks here; in earnest it is every minute. */
const intervalMs = 2 * 3_600_000;

const examplePolicies = fileURLToPath(new URL('../../policies.example.yaml', import.meta.url));

/**
 * Resolves to the exit code; rejects with the signal's reason when it is stopped before the end.
 * `atEnd`: called with everything as it is when the story is over.
 */
export async function demo(
  { seed = 'demo', speed = 86_400, days = 60, keepRunning = false }: DemoFlags,
  session: Session,
  atEnd: (ending: Ending) => void = () => undefined,
): Promise<number> {
  const { world: io } = session;
  const clock = steppedClock(demoStart);
  await using sandbox = await startSandbox({ seed, clock, speed, population: 'demo' });
  const policy = await readPolicies(sandbox);
  const deliveries: Delivery[] = [];
  const tally = createTally();
  await using app = await openProgram(session, sandbox, policy, clock, {
    onDelivery: (delivery) => deliveries.push(delivery),
    onCall: tally.call,
  });
  const page = createPage(io.stdout, policy.timeZone);
  const teller = createTeller(policy, app.memory.findings);
  const weeks = createWeeks(sandbox.world, policy.timeZone);
  opening(page, sandbox, policy, { days: keepRunning ? null : days, speed, intervalMs });

  sandbox.world.log.subscribe((event) => {
    if (event.by === 'person') page.event(teller.person(event));
  });
  const pace = pacer(speed, io.signal);
  const end = keepRunning ? Infinity : demoStart + days * dayMs;
  const settings = { ...session.settings, intervalMs };
  try {
    for await (const round of rounds(app, clock, deliveries, settings, end)) {
      weeks.begin(round.at, page);
      for (const event of teller.round(round)) page.event(event);
      tally.round(round);
      await pace(clock.now() - demoStart);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
  const ending: Ending = { app, sandbox, policy, tally, until: clock.now() };
  await summary(page, ending);
  atEnd(ending);
  if (io.signal.aborted && !keepRunning) throw io.signal.reason;
  return 0;
}

async function readPolicies(sandbox: Sandbox): Promise<PolicyFile> {
  const variables = {
    SMTP_URL: sandbox.smtpUrl,
    SLACK_WEBHOOK_URL: sandbox.slackUrl,
    PAGER_URL: sandbox.webhookUrl,
    PAGER_SECRET: sandbox.webhookSecret,
  };
  const read = await readPolicyFile(examplePolicies, variables, demoStart);
  if (!read.ok) throw failure(`the example policies cannot be used\n${read.message}`);
  return read.policy;
}

/** The program as `keywarden run` has it, with a state of its own that is gone afterwards. */
async function openProgram(
  { settings }: Session,
  sandbox: Sandbox,
  policy: PolicyFile,
  clock: SteppedClock,
  observers: Pick<Parameters<typeof openApp>[0], 'onDelivery' | 'onCall'>,
): Promise<App> {
  await using preparing = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-demo-'));
  preparing.defer(() => rm(folder, { recursive: true, force: true }));
  const app = preparing.use(
    await openApp({
      settings: {
        ...settings,
        apiUrl: new URL(sandbox.apiUrl),
        state: join(folder, 'state.db'),
        dryRun: false,
      },
      adminKey: new Secret(sandbox.adminKey),
      policy,
      clock,
      ...observers,
    }),
  );
  const closing = preparing.move();
  return { ...app, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Waits until as much real time has passed as belongs to the simulated; never when the machine is behind. */
function pacer(speed: number, signal: AbortSignal): (elapsedMs: number) => Promise<void> {
  const began = performance.now();
  return async (elapsedMs) => {
    signal.throwIfAborted();
    const ahead = elapsedMs / speed - (performance.now() - began);
    if (ahead > 0) await delay(ahead, undefined, { signal });
  };
}
