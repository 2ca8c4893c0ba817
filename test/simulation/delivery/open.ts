/** The receivers of all channels, each with a server of its own, and the way to them. */
import { send as sendForReal } from '../../../src/alerts/transmit.ts';
import type { Send } from '../../../src/alerts/transmit.ts';
import type { EpochMs } from '../../../src/core/key.ts';
import type { Channel, Smtp } from '../../../src/core/policy.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import { channelMap, email, slack, webhook } from '../../alerts/build.ts';
import type { Scheduler } from '../daemon/scheduler.ts';
import { hourMs } from '../daemon/units.ts';
import { createLine } from './line.ts';
import { httpReceiver, mailReceiver } from './receivers.ts';
import type { Acceptance, Receiver, Surroundings } from './receivers.ts';

export interface Receivers extends AsyncDisposable {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly smtp: Smtp;
  readonly send: Send;
  readonly accepted: readonly Acceptance[];
  /** By channel, since the beginning. */
  readonly attemptedAt: Readonly<Record<string, readonly number[]>>;
}

const kinds = { ops: httpReceiver, pager: httpReceiver, mail: mailReceiver, owner: mailReceiver } as const;

export async function openReceivers(
  {
    failing,
    away,
  }: { readonly failing: number; readonly away: { readonly from: number; readonly to: number } },
  scheduler: Scheduler,
  now: () => EpochMs,
  random: Random,
): Promise<Receivers> {
  const accepted: Acceptance[] = [];
  const attemptedAt: Record<string, number[]> = {};
  const open = async (channel: keyof typeof kinds) => {
    const attempts = (attemptedAt[channel] = [] as number[]);
    const line = createLine(scheduler);
    const here: Surroundings = {
      ...{ channel, now, failing, line, random: random.fork(channel) },
      isAway: () => scheduler.now() >= away.from * hourMs && scheduler.now() < away.to * hourMs,
      accepted: (one) => accepted.push(one),
      attempted: () => attempts.push(scheduler.now()),
    };
    return { line, receiver: await kinds[channel](here) };
  };
  const [ops, pager, mail, owner] = [
    await open('ops'),
    await open('pager'),
    await open('mail'),
    await open('owner'),
  ];
  const lines = new Map(Object.entries({ ops, pager, mail, owner }));
  const send: Send = (way, message, signal) => {
    const end = lines.get(way.channel.name);
    if (end === undefined) throw new Error(`no way to ${way.channel.name}`);
    // Mail channels share a server in a policy file; here each has its own, as time stands still by channel.
    const smtp = way.channel.kind === 'email' ? smtpOf(end.receiver) : way.smtp;
    return end.line.call(signal, () => sendForReal({ ...way, smtp }, message, signal));
  };
  return {
    ...{ send, accepted, attemptedAt, smtp: smtpOf(mail.receiver) },
    channels: channelMap(
      slack('ops', urlOf(ops.receiver)),
      webhook('pager', urlOf(pager.receiver)),
      email('mail', ['finance@example.com']),
      email('owner', ['{{ metadata.email }}']),
    ),
    [Symbol.asyncDispose]: async () => {
      for (const { receiver } of lines.values()) await receiver[Symbol.asyncDispose]();
    },
  };
}

const urlOf = ({ port }: Receiver): string => `http://127.0.0.1:${String(port)}/`;

function smtpOf({ port }: Receiver): Smtp {
  return { url: new Secret(`smtp://127.0.0.1:${String(port)}`), from: 'keywarden@example.com' };
}
