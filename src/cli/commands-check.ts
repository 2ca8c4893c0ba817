import { existsSync } from 'node:fs';
import { Option } from 'commander';
import { openClock, openState } from '../adapters.ts';
import { addCommand, numberOf, type Context } from './command.ts';
import { failure } from './errors.ts';
import { parseCount } from './parse.ts';
import { policyIfAny } from './policy-file.ts';
import { visible } from './terminal.ts';

/** Whether the policy file, the channels and the record are as they should be. */
export function addChecking(context: Context): void {
  addCommand(
    context,
    { usage: 'validate [file]', about: 'check a policy file, without any network', needs: ['policyPath'] },
    async ({ settings, world }, file: string | undefined) => {
      const { validate } = await import('./validate.ts');
      return validate(file ?? settings.policyPath, world);
    },
  );
  addCommand(
    context,
    { usage: 'schema', about: 'the JSON Schema of the policy file', needs: [] },
    async ({ world }, { webhook = false }: { webhook?: boolean }) => {
      const { schema } = await import('./schema.ts');
      return schema({ webhook }, world);
    },
    [new Option('--webhook', 'that of what a webhook channel posts instead')],
  );
  addCommand(
    context,
    {
      usage: 'notify-test [channel...]',
      about: 'send a test alert to these channels, or all',
      needs: ['policyPath'],
    },
    async ({ settings, world }, channels: string[], { preview }: { preview?: string }) => {
      const clock = openClock(settings);
      const policy = await policyIfAny(settings.policyPath, world.env, clock.now());
      if (policy === null) throw failure(`there is no policy file ${settings.policyPath}`);
      const { notifyTest } = await import('./notify-test.ts');
      return notifyTest(preview === undefined ? { channels } : { channels, preview }, {
        policy,
        clock,
        signal: world.signal,
        out: (line) => world.stdout.write(`${line}\n`),
        err: (line) => world.stderr.write(`${line}\n`),
      });
    },
    [new Option('--preview <folder>', 'write the messages there instead of sending them')],
  );
  addCommand(
    context,
    { usage: 'audit', about: 'the record of what was done and why', needs: ['state', 'output'] },
    async ({ settings, world }, { verify = false, limit }: { verify?: boolean; limit: number }) => {
      // To other commands no state is an empty one; here it would be a record that somebody took away.
      if (!existsSync(settings.state))
        throw failure(`there is no state ${visible(settings.state)}, and so no record`);
      const { audit } = await import('./audit.ts');
      await using store = await openState(settings, { readOnly: true });
      return await audit({ verify, limit, output: settings.output }, { store, ...world });
    },
    [
      new Option('--verify', 'check the chain of hashes instead'),
      new Option('--limit <n>', 'so many entries, the newest').argParser(numberOf(parseCount)).default(100),
    ],
  );
}
