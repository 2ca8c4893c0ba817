/** `keywarden sandbox`: a simulated account on loopback, for as long as it is wanted. */
import { once } from 'node:events';
import { scaledClock, systemClock } from '../clock.ts';
import { startSandbox, type Sandbox } from '../sandbox/serve.ts';
import { parseVariants } from '../sandbox/variants.ts';
import type { WorldEvent } from '../sandbox/world.ts';
import { usageError } from './errors.ts';
import { minute, strange } from './output.ts';
import type { World as Io } from './world.ts';

export interface SandboxFlags {
  /** The same seed gives the same account. Default `sandbox`. */
  readonly seed?: string;
  /** How many times as fast as real time. Default 1. */
  readonly speed?: number;
  /** An account of so many ordinary keys. Left out: the cast of the demo. */
  readonly keys?: number;
  /** Default: any free port. */
  readonly apiPort?: number;
  readonly slackPort?: number;
  readonly webhookPort?: number;
  readonly smtpPort?: number;
  /** `renameHistory=splits` and so on. */
  readonly variant?: readonly string[];
}

/** Serves until the signal is raised, then resolves to the exit code. */
export async function sandbox(
  flags: SandboxFlags,
  io: Pick<Io, 'stdout' | 'stderr'>,
  signal: AbortSignal,
): Promise<number> {
  const { speed = 1 } = flags;
  const realStart = Date.now();
  const clock = speed === 1 ? systemClock() : scaledClock({ realStart, start: realStart, speed });
  await using running = await startSandbox({
    seed: flags.seed ?? 'sandbox',
    clock,
    start: realStart,
    speed,
    ...(flags.keys === undefined
      ? { population: 'demo' }
      : { population: 'plain', keys: flags.keys, people: true }),
    variants: readVariants(flags.variant ?? [], realStart),
    ports: {
      api: flags.apiPort ?? 0,
      slack: flags.slackPort ?? 0,
      webhook: flags.webhookPort ?? 0,
      smtp: flags.smtpPort ?? 0,
    },
  });
  io.stdout.write(environmentOf(running, speed === 1 ? null : `${realStart},${realStart},${speed}`));
  io.stderr.write('The account is there until you press Ctrl-C. What arrives:\n');
  tell(running, (line) => io.stderr.write(`${minute(clock.now())}  ${line}\n`));
  if (!signal.aborted) await once(signal, 'abort');
  return 0;
}

function readVariants(texts: readonly string[], start: number): ReturnType<typeof parseVariants> {
  try {
    return parseVariants(texts, start);
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** What to set so that `keywarden run` works against it, as a shell takes it. */
function environmentOf(running: Sandbox, clock: string | null): string {
  const variables = {
    TINFOIL_API_URL: running.apiUrl,
    TINFOIL_ADMIN_KEY: running.adminKey,
    SLACK_WEBHOOK_URL: running.slackUrl,
    SMTP_URL: running.smtpUrl,
    PAGER_URL: running.webhookUrl,
    PAGER_SECRET: running.webhookSecret,
    ...(clock !== null && { KEYWARDEN_CLOCK: clock }),
  };
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}

/** One line for everything that arrives. Names and texts are strangers'. */
function tell(running: Sandbox, line: (text: string) => void): void {
  running.world.log.subscribe((event) => line(changeLine(event)));
  running.slack.received.subscribe(({ body }) => line(`slack    ${textOf(body, 'text')}`));
  running.webhook.received.subscribe(({ body }) => line(`webhook  ${textOf(body, 'type')}`));
  running.inbox.mails.subscribe(({ to, subject }) =>
    line(`mail     ${strange(`${to.join(', ')}: ${subject}`)}`),
  );
}

function changeLine({ kind, by, from, to }: WorldEvent): string {
  const names = [from, to].filter((name) => name !== null).map((name) => JSON.stringify(name));
  const who = by === 'api' ? 'through the API' : 'by a person';
  return `${kind.padEnd(8)} ${strange(names.join(' → '))} ${who}`;
}

function textOf(body: unknown, field: string): string {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[field] : null;
  return strange(typeof value === 'string' ? value : '(a message of another form)');
}
