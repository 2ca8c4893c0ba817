/**
 * Receivers that fail three times in ten, are slow, hang up amid a message, lose their answer, and are away
 * for hours; and a program that is started anew meanwhile. `npm run bench` has the same for longer.
 */
import { describe, expect, test } from 'vitest';
import type { Send } from '../../src/alerts/transmit.ts';
import { runDelivery } from './delivery/run.ts';

const minuteMs = 60_000;
const quiet = {
  hours: 1,
  passMs: 20 * minuteMs,
  failing: 0,
  away: { from: 0, to: 0 },
  restartEveryMs: Infinity,
};

test.concurrent(
  'every alert arrives, and again only where the answer to it was lost',
  { timeout: 120_000 },
  async () => {
    const figures = await runDelivery({
      ...{ seed: 2, hours: 4, passMs: 20 * minuteMs, failing: 0.3 },
      ...{ away: { from: 1, to: 2.5 }, restartEveryMs: 47 * minuteMs },
    });
    expect(figures).toMatchObject({ lost: [], unexplained: [] });
    expect(figures.alerts).toBeGreaterThan(50);
    expect(figures.duplicates).toBeGreaterThan(0);
    expect(figures.given).toMatchObject({ dead: 0 });
    expect(figures.slackPaceMs).toBeGreaterThanOrEqual(1000);
    // They were away for an hour and a half; then a retry is an hour away at most, and may fail as well.
    expect(figures.arrivalMs.at(-1)).toBeLessThan(5 * 3_600_000);
  },
);

describe('with a fault planted, this finds', () => {
  test.concurrent('a message that is said to be sent and is not', async () => {
    let count = 0;
    const plant = (send: Send): Send => {
      return async (...given) => ((count += 1) === 2 ? { ok: true } : send(...given));
    };
    const { lost, unexplained } = await runDelivery({ ...quiet, seed: 3, plant });
    expect([lost.length > 0, unexplained]).toEqual([true, []]);
  });

  test.concurrent('a message that is sent again although it was taken', async () => {
    let count = 0;
    const plant = (send: Send): Send => {
      return async (...given) => {
        const outcome = await send(...given);
        return (count += 1) === 2
          ? { ok: false, error: 'lost', retryable: true, retryAfterMs: null }
          : outcome;
      };
    };
    const { lost, unexplained } = await runDelivery({ ...quiet, seed: 3, plant });
    expect([lost, unexplained.length > 0]).toEqual([[], true]);
  });

  test.concurrent('a message that goes to somebody else', async () => {
    const plant = (send: Send): Send => {
      return (one, ...given) => {
        const astray = one.recipient.startsWith('owner-1');
        return send(astray ? { ...one, recipient: 'owner-2@example.com' } : one, ...given);
      };
    };
    const { lost, unexplained } = await runDelivery({ ...quiet, hours: 2, seed: 3, plant });
    expect([lost.length > 0, unexplained.length > 0]).toEqual([true, true]);
  });
});
