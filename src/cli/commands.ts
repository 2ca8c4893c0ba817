/**
 * Every command: its place in the help, its arguments and flags, and the file that does it, which is
 * loaded only when it is called.
 */
import { InvalidArgumentError, Option } from 'commander';
import { windows, type Window } from '../core/key.ts';
import type { SeriesWindow } from '../ports.ts';
import { addCommand, type Context } from './command.ts';
import { parseCount } from './parse.ts';
import { openByHand, openGuarded, openReading } from './session.ts';

export function addCommands(context: Context): void {
  const { program } = context;
  program.commandsGroup('Look:');
  addLooking(context);
  program.commandsGroup('Change by hand:');
  addChanging(context);
}

const looking = ['apiUrl', 'output'] as const;

function addLooking(context: Context): void {
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

const changing = ['policyPath', 'state', 'apiUrl', 'dryRun', 'output'] as const;

function addChanging(context: Context): void {
  addCommand(
    context,
    {
      usage: 'create <name>',
      about: 'create a key; its secret goes to standard output, this once',
      needs: ['apiUrl', 'dryRun', 'output'],
      examples: [
        'keywarden create "User 7" --expires-at 2027-01-31T00:00:00Z --metadata plan=free email=user@example.com',
      ],
    },
    async (session, name: string, options: CreateFlags) => {
      const { create } = await import('./create.ts');
      return create(await openByHand(session), { name, ...options });
    },
    [
      new Option('--expires-at <time>', 'RFC 3339, such as 2027-01-31T00:00:00Z'),
      new Option('--max-tokens <n>', 'lifetime cap in tokens').argParser(positive),
      new Option('--metadata <name=value...>', 'metadata, any number of them'),
    ],
  );
  addCommand(
    context,
    {
      usage: 'rename <key> <name>',
      about: 'rename a key (k_… or its exact name)',
      needs: changing,
      examples: ['keywarden rename k_0123456789abcdef "User 7"'],
    },
    async (session, key: string, name: string) => {
      const { rename } = await import('./rename.ts');
      return rename(await openGuarded(session), { key, name });
    },
  );
  addCommand(
    context,
    {
      usage: 'delete <key>',
      about: 'delete a key (k_… or its exact name) for good; asks first',
      needs: changing,
    },
    async (session, key: string, { yes = false }: { yes?: boolean }) => {
      const { deleteKey } = await import('./delete.ts');
      return deleteKey(await openGuarded(session), { key, yes });
    },
    [new Option('-y, --yes', 'do not ask')],
  );
}

interface CreateFlags {
  readonly expiresAt?: string;
  readonly maxTokens?: number;
  readonly metadata?: readonly string[];
}

function positive(text: string): number {
  try {
    return parseCount(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : '');
  }
}
