/** Slack takes about one message a second on one webhook, which channels may share. */
import { createHash } from 'node:crypto';
import type { SteadyClock } from '../ports.ts';

const paceMs = 1000;

/** Resolves when it is the webhook's turn; rejects with the signal's reason. */
export function createSlackPace(clock: SteadyClock): (url: string, signal: AbortSignal) => Promise<void> {
  /** By the monotonic count of milliseconds: the clock may be set. */
  const freeAt = new Map<string, number>();
  return async (url, signal) => {
    const webhook = createHash('sha256').update(url).digest('hex');
    const now = clock.monotonic();
    const turn = Math.max(now, freeAt.get(webhook) ?? 0);
    freeAt.set(webhook, turn + paceMs);
    if (turn > now) await clock.sleep(turn - now, signal);
  };
}
