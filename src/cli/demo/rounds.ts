/** Keywarden at work on the simulated account: a pass, what it sends, and on to the next. */
import type { App, AppOptions } from '../../app.ts';
import type { Alert } from '../../core/alert.ts';
import type { EpochMs } from '../../core/key.ts';
import { nextPassAt } from '../../core/schedule.ts';
import type { Pace } from '../../core/schedule.ts';
import { dueTimes } from '../../daemon.ts';
import type { PassReport } from '../../pass.ts';
import type { OutboxEntry } from '../../ports.ts';
import type { SteppedClock } from './clock.ts';

/** The deliverer's word on one message. */
export type Delivery = Parameters<NonNullable<AppOptions['onDelivery']>>[0];

/** One message that its receiver took. */
export interface Letter {
  readonly channel: string;
  /** E-mail: the addresses; otherwise ''. */
  readonly recipient: string;
  readonly alerts: readonly Alert[];
  /** What quiet hours had held back. */
  readonly digest: boolean;
}

export interface Round {
  readonly at: EpochMs;
  readonly report: PassReport;
  readonly letters: readonly Letter[];
  /** Decided, and to be sent later: what quiet hours hold back. */
  readonly waiting: readonly OutboxEntry[];
}

const farMs = 7 * 86_400_000;
const tidyEveryMs = 86_400_000;

/**
 * One round after another, each as soon as it is asked for, up to an instant. `deliveries` is where the
 * deliverer notes what became of each message. A round is never cut short: nothing in it waits.
 */
export async function* rounds(
  app: App,
  clock: SteppedClock,
  deliveries: Delivery[],
  pace: Pace,
  until: EpochMs,
): AsyncGenerator<Round, void> {
  const stop = new AbortController().signal;
  let tidiedAt = clock.now();
  for (let at = clock.now(); at < until; at = clock.now()) {
    const report = await app.pass([], stop);
    const due = await app.store.outbox.pending(at);
    deliveries.length = 0;
    await app.deliverOnce(stop);
    const letters = deliveries.filter((one) => one.result === 'delivered').map((one) => letterOf(one, due));
    yield { at, report, letters, waiting: await app.store.outbox.pending(at + farMs) };
    if (at - tidiedAt >= tidyEveryMs) {
      tidiedAt = at;
      await app.tidy();
    }
    clock.stepTo(nextPassAt(at, app.policy(), dueTimes(app, at, report.court.acceptances), pace));
  }
}

function letterOf({ channel, alertIds }: Delivery, due: readonly OutboxEntry[]): Letter {
  const entries = due.filter((entry) => entry.channel === channel && alertIds.includes(entry.alert.id));
  return {
    channel,
    recipient: entries[0]?.recipient ?? '',
    alerts: entries.map((entry) => entry.alert),
    digest: entries[0]?.batch.startsWith('quiet:') ?? false,
  };
}
