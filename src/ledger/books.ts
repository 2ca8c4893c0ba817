/** Reading the account's transactions and time series: two calls, and never a reason for anything else to fail. */
import type { BooksReading } from '../core/books.ts';
import type { Known } from '../core/key.ts';
import type { Call } from '../core/plan.ts';
import type { AdminReader, Clock } from '../ports.ts';

const why = 'the account’s books';

/** What `readBooks` asks. */
export const booksCalls: readonly Call[] = [
  { what: 'transactions', why },
  { what: 'time series, last 24h', why },
];

/** Never rejects: what could not be had within `limitMs` is unknown, with the reason. */
export async function readBooks(
  reader: AdminReader,
  clock: Clock,
  limitMs: number,
  stop: AbortSignal,
): Promise<BooksReading> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(limitMs)]);
  const [entries, series] = await Promise.all([
    orWhyNot('the transactions', reader.transactions(signal), signal),
    orWhyNot('the time series', reader.series('24h', signal), signal),
  ]);
  return { at: clock.now(), entries, series };
}

async function orWhyNot<T>(what: string, answer: Promise<T>, signal: AbortSignal): Promise<Known<T>> {
  try {
    return { known: true, value: await answer };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const because = signal.aborted ? 'no answer in time' : said;
    return { known: false, because: `${what} could not be read: ${because}` };
  }
}
