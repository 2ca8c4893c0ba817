import { Option } from 'commander';
import { addCommand, type Context } from './command.ts';

const policing = ['policyPath', 'apiUrl', 'state', 'usageLagMs', 'maxCallsPerMinute', 'dryRun'] as const;

/** What the program is for. */
export function addPolicing(context: Context): void {
  addCommand(
    context,
    {
      usage: 'run',
      about: 'police the account: a pass, a pause, again, until stopped',
      needs: [...policing, 'intervalMs', 'minIntervalMs', 'listen', 'logFormat'],
      examples: ['keywarden run', 'keywarden run --once   # from cron'],
    },
    async (session, { once = false }: { once?: boolean }) => {
      const { run } = await import('./run.ts');
      return run(session, { once });
    },
    [new Option('--once', 'one pass, then exit')],
  );
  addCommand(
    context,
    {
      usage: 'plan',
      about: 'what a pass would do now, and why; reads only',
      needs: [...policing, 'output'],
      examples: ['keywarden plan', 'keywarden plan --output json --detailed-exitcode'],
    },
    async (session, { detailedExitcode = false }: { detailedExitcode?: boolean }) => {
      const { plan } = await import('./plan.ts');
      return plan(session, { detailedExitcode });
    },
    [new Option('--detailed-exitcode', '0 nothing to do, 1 error, 2 something to do')],
  );
  addCommand(
    context,
    {
      usage: 'explain <key>',
      about: 'everything known about one key (k_… or its exact name)',
      needs: [...policing, 'output'],
    },
    async (session, key: string) => {
      const { explain } = await import('./explain.ts');
      return explain(session, key);
    },
  );
}
