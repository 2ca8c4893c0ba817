import { Option } from 'commander';
import { windows, type Window } from '../core/key.ts';
import type { SeriesWindow } from '../ports.ts';
import { addCommand, type Context } from './command.ts';
import { openReading } from './session.ts';

const looking = ['apiUrl', 'output'] as const;

/** The Admin API's read side. */
export function addLooking(context: Context): void {
  addCommand(
    context,
    { usage: 'keys', about: 'the account’s keys, without their secrets', needs: looking },
    async (session, options: { name?: string }) => {
      const { keys } = await import('./keys.ts');
      return keys(await openReading(session), { pattern: options.name });
    },
    [new Option('--name <pattern>', 'only names that match; * and ? are wildcards')],
  );
  addCommand(
    context,
    { usage: 'usage [key]', about: 'cost, tokens and requests by name, or of one key', needs: looking },
    async (session, key: string | undefined, { time }: { time?: Window }) => {
      const { usage } = await import('./usage.ts');
      return usage(await openReading(session), { key, window: time ?? null });
    },
    [new Option('--time <window>', 'the last 1h … 90d; all time without it').choices(windows)],
  );
  addCommand(
    context,
    { usage: 'series', about: 'tokens and requests of the account over time', needs: looking },
    async (session, { time }: { time: SeriesWindow }) => {
      const { series } = await import('./series.ts');
      return series(await openReading(session), { window: time });
    },
    [new Option('--time <window>', 'how far back').choices(['5m', '15m', '30m', ...windows]).default('24h')],
  );
  addCommand(
    context,
    { usage: 'transactions', about: 'invoices and charges', needs: looking },
    async (session) => {
      const { transactions } = await import('./transactions.ts');
      return transactions(await openReading(session));
    },
  );
}
