import { Option } from 'commander';
import { addCommand, numberOf, type Context } from './command.ts';
import { parseCount } from './parse.ts';
import { openByHand, openGuarded } from './session.ts';

const changing = ['policyPath', 'state', 'apiUrl', 'dryRun', 'output'] as const;

/** The Admin API's write side, by hand. */
export function addChanging(context: Context): void {
  addCommand(
    context,
    {
      usage: 'create <name>',
      about: 'create a key; its secret goes to standard output, this once',
      needs: ['state', 'apiUrl', 'dryRun', 'output'],
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
      new Option('--max-tokens <n>', 'lifetime cap in tokens').argParser(numberOf(parseCount)),
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
