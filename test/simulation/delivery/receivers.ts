/** A mail server and HTTP receivers on loopback that cannot be relied on, by chance that a seed decides. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerSession } from 'smtp-server';
import type { EpochMs } from '../../../src/core/key.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import type { Line } from './line.ts';

/** What becomes of one attempt. The last two are taken in, and the sender does not hear of it. */
const troubles = ['refuses', 'hangs up', 'hangs up amid', 'loses the answer', 'is too slow'] as const;
type Fate = (typeof troubles)[number] | 'takes';

export interface Acceptance {
  readonly at: EpochMs;
  readonly channel: string;
  /** E-mail only. */
  readonly recipient: string;
  /** Of the alerts in it, the names of their keys. */
  readonly names: readonly string[];
  /** The sender had the answer. */
  readonly heard: boolean;
}

export interface Surroundings {
  readonly channel: string;
  readonly random: Random;
  readonly line: Line;
  readonly now: () => EpochMs;
  readonly isAway: () => boolean;
  /** Of failing in one of the ways. */
  readonly failing: number;
  readonly accepted: (acceptance: Acceptance) => void;
  readonly attempted: () => void;
}

export interface Receiver extends AsyncDisposable {
  readonly port: number;
}

function fateOf({ random, failing, isAway }: Surroundings): Fate {
  const fate = random.chance(failing) ? random.pick(troubles) : 'takes';
  return isAway() ? 'hangs up' : fate;
}

/** Takes the message in. Resolves to whether the sender is there to be answered. */
async function takeIn(here: Surroundings, fate: Fate, recipient: string, said: string): Promise<boolean> {
  const { channel, random, line, now, accepted } = here;
  const slowly = random.chance(1 / 3) ? random.integer(1_000, 25_000) : random.integer(5, 900);
  const there = await line.wait(fate === 'is too slow' ? random.integer(31_000, 59_000) : slowly);
  const heard = there && fate !== 'loses the answer';
  accepted({ at: now(), channel, recipient, names: namesIn(said), heard });
  return heard;
}

const namesIn = (said: string): string[] => [...new Set(said.match(/key-\d{6}/g))];

export async function httpReceiver(here: Surroundings): Promise<Receiver> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    here.attempted();
    const fate = fateOf(here);
    if (fate === 'hangs up') return void request.socket.destroy();
    if (fate === 'hangs up amid') return void request.once('data', () => request.socket.destroy());
    const body = await text(request);
    if (fate === 'refuses') return void refuse(here.random, response);
    if (await takeIn(here, fate, '', body)) response.writeHead(200).end('ok');
    else request.socket.destroy();
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => undefined));
  return listening(server, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}

function refuse(random: Random, response: ServerResponse): void {
  const seconds = random.integer(10, 90);
  if (random.chance(0.5)) response.writeHead(429, { 'retry-after': String(seconds) }).end();
  else response.writeHead(random.pick([500, 502, 503])).end();
}

export async function mailReceiver(here: Surroundings): Promise<Receiver> {
  const sockets = new Map<number, Socket>();
  const fates = new Map<string, Fate>();
  const cut = (session: SMTPServerSession): void => void sockets.get(session.remotePort)?.destroy();
  const fateOfSession = ({ id }: SMTPServerSession): Fate => fates.get(id) ?? 'takes';
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ['STARTTLS'], disableReverseLookup: true, closeTimeout: 50 },
    onConnect: (session, done) => {
      here.attempted();
      fates.set(session.id, fateOf(here));
      if (fateOfSession(session) === 'hangs up') cut(session);
      else done();
    },
    onRcptTo: (_address, session, done) => {
      const grey = Object.assign(new Error('Greylisted'), { responseCode: 451 });
      done(fateOfSession(session) === 'refuses' ? grey : null);
    },
    onData: (stream, session, done) => {
      const fate = fateOfSession(session);
      if (fate === 'hangs up amid') return void stream.once('data', () => cut(session));
      const [to] = session.envelope.rcptTo;
      readable(stream)
        .then((said) => takeIn(here, fate, to?.address ?? '', said))
        .then((heard) => (heard ? done() : cut(session)), done);
    },
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => void sockets.set(socket.remotePort ?? 0, socket));
  return listening(server.server, () => new Promise((resolve) => server.close(resolve)));
}

async function readable(stream: Readable): Promise<string> {
  return (await PostalMime.parse(await text(stream))).text ?? '';
}

async function listening(server: Server, close: () => Promise<void>): Promise<Receiver> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}
