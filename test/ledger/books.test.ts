/** Reading the account's books never fails whoever asked for them. */
import { expect, test } from 'vitest';
import { readBooks } from '../../src/ledger/books.ts';
import type { AdminReader } from '../../src/ports.ts';

const never = (): Promise<never> => Promise.reject(new Error('not asked for here'));
const clock = { now: () => 7, sleep: never };
const reader = (more: Partial<AdminReader>): AdminReader => ({
  ...{ listKeys: never, usage: never, keyUsage: never, series: never, transactions: never },
  ...more,
});
const stop = (): AbortSignal => new AbortController().signal;

test('asks for the transactions and for the last day’s series', async () => {
  const one = { interval: '1h0m0s', points: [] };
  const asked: string[] = [];
  const series: AdminReader['series'] = async (window) => {
    asked.push(window);
    return Promise.resolve(one);
  };
  const found = await readBooks(
    reader({ series, transactions: () => Promise.resolve([]) }),
    clock,
    1e6,
    stop(),
  );
  expect(found).toEqual({ at: 7, entries: { known: true, value: [] }, series: { known: true, value: one } });
  expect(asked).toEqual(['24h']);
});

test('what fails is unknown, and the other is not', async () => {
  const series = () => Promise.reject(new Error('the server failed'));
  const found = await readBooks(
    reader({ series, transactions: () => Promise.resolve([]) }),
    clock,
    1e6,
    stop(),
  );
  expect(found).toMatchObject({
    entries: { known: true },
    series: { known: false, because: 'the time series could not be read: the server failed' },
  });
});

test('what is stopped is unknown', async () => {
  const hangs = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const stopping = new AbortController();
  const hanging = reader({ series: (_, signal) => hangs(signal), transactions: hangs });
  const found = readBooks(hanging, clock, 1e6, stopping.signal);
  stopping.abort();
  expect(await found).toMatchObject({
    entries: { known: false, because: 'the transactions could not be read: no answer in time' },
    series: { known: false },
  });
});
