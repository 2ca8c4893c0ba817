/** One attempt to send one message: composed, bounded in time, and in plain words when composing fails. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs } from '../core/key.ts';
import type { Channel, Smtp } from '../core/policy.ts';
import type { Clock, DailyUseOf, SendOutcome } from '../ports.ts';
import { sendEmail } from './channels/email.ts';
import { tryAgain } from './channels/outcome.ts';
import { sendSlack } from './channels/slack.ts';
import { sendWebhook } from './channels/webhook.ts';
import { chartable, compose } from './compose/compose.ts';
import type { Entry } from './compose/compose.ts';
import type { Chart, Line, Message } from './compose/message.ts';
import { plural } from './compose/words.ts';
import { withoutOvertaken } from './overtaken.ts';

export interface Route {
  readonly channel: Channel;
  readonly smtp: Smtp | null;
  /** E-mail only. */
  readonly recipient: string;
  readonly cc: string;
  /** Waits until the receiver may be sent another message; rejects with the signal's reason. Left out: it always may. */
  readonly nextTurn?: (signal: AbortSignal) => Promise<void>;
}

/** To whichever kind of channel it is. Rejects only when the message cannot be put into the channel's format. */
export type Send = (route: Route, message: Message, signal: AbortSignal) => Promise<SendOutcome>;

export const send: Send = async ({ channel, smtp, recipient, cc, nextTurn }, message, signal) => {
  switch (channel.kind) {
    case 'slack':
      return sendSlack(channel, message, signal, nextTurn);
    case 'webhook':
      return sendWebhook(channel, message, signal);
    case 'email':
      if (smtp === null) return tryAgain('no mail server is configured');
      return sendEmail(smtp, { recipient, cc }, message, signal);
    default:
      return channel satisfies never;
  }
};

const attemptMs = 30_000;

/**
 * How long a receiver may take to answer runs in the machine's own time: the network keeps to that
 * one, also while a simulated account's clock runs faster.
 */
export const machineSleep: Clock['sleep'] = (ms, signal) =>
  delay(ms, undefined, { ref: false, ...(signal && { signal }) });

export interface Attempt {
  readonly by: Send;
  readonly route: Route;
  readonly id: string;
  readonly entries: readonly Entry[];
  readonly now: EpochMs;
  /** What a mail about one case draws; left out: nothing. */
  readonly dailyUse?: DailyUseOf;
  /** Measures the receiver's time to answer. */
  readonly sleep?: Clock['sleep'];
}

type Timed = Attempt & Required<Pick<Attempt, 'sleep'>>;

/** Sends once, again in plain words if the message cannot be composed, and gives up after 30 s. */
export async function transmit(
  { sleep = machineSleep, ...one }: Attempt,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const late = sleep(attemptMs, both).then(
    () => tryAgain(`no answer within ${String(attemptMs / 1000)} s`),
    () => tryAgain('stopped'),
  );
  try {
    return await Promise.race([attempt({ ...one, sleep }, both), late]);
  } finally {
    stop.abort();
  }
}

async function attempt(one: Timed, signal: AbortSignal): Promise<SendOutcome> {
  const { by, route, id, entries, now } = one;
  const chart = await chartFor(one, signal);
  try {
    return await by(route, compose(entries, { id, now, chart }), signal);
  } catch {
    try {
      return await by(route, plainMessage(id, entries, now), signal);
    } catch {
      return tryAgain('the message could not be put together');
    }
  }
}

/** Nothing waits longer for a picture. */
const chartMs = 2000;

/** Of the only case of a mail. Whatever goes wrong with it, the alert goes without. */
async function chartFor(
  { route, entries, now, dailyUse, sleep }: Timed,
  signal: AbortSignal,
): Promise<Chart | null> {
  const alert = chartable(withoutOvertaken(entries).map((entry) => entry.alert));
  if (route.channel.kind !== 'email' || dailyUse === undefined || alert === null) return null;
  const enough = new AbortController();
  try {
    const nothing = (): null => null;
    const tooLate = sleep(chartMs, AbortSignal.any([signal, enough.signal])).then(nothing, nothing);
    const days = await Promise.race([dailyUse(alert, now), tooLate]);
    if (days === null) return null;
    const { chartOf } = await import('./compose/chart.ts');
    return chartOf(days, alert.figures.measure);
  } catch {
    return null;
  } finally {
    enough.abort();
  }
}

/** What is certain to be said: which alerts there are. */
function plainMessage(id: string, entries: readonly Entry[], at: EpochMs): Message {
  const told = withoutOvertaken(entries);
  const lines = told.map(({ alert }): Line => {
    const { id: alertId } = alert;
    const text =
      alert.topic === 'case'
        ? `${alert.event.kind}: ${alert.policy}, finding ${alert.findingId}`
        : alert.title;
    return { alertId, text: text.replace(/[^\x20-\x7E]/g, '?').slice(0, 300) };
  });
  return {
    id,
    at,
    headline: `Keywarden: ${plural(told.length, 'alert')} that could not be formatted`,
    parts: [{ kind: 'list', lines }],
    thread: null,
    alerts: [],
    overtaken: [],
    remarks: [],
  };
}
