/** The whole command line: argv in, exit code out. Nothing here touches the process. */
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { redact } from '../scrub.ts';
import { packageVersion } from '../version.ts';
import type { Outcome } from './command.ts';
import { addCommands } from './commands.ts';
import { explain } from './explain-error.ts';
import { helpText } from './help.ts';
import { visible } from './terminal.ts';
import { Interrupted, type World } from './world.ts';

/** Runs one command. Never rejects. */
export async function runProgram(argv: readonly string[], world: World): Promise<number> {
  const outcome: Outcome = { exitCode: 0, session: null };
  try {
    await createProgram(world, outcome).parseAsync(argv, { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    return exitCodeOf(error, argv, world, outcome);
  }
}

function createProgram(world: World, outcome: Outcome): Command {
  const program = new Command('keywarden')
    .description(
      'Spend caps, expiry rules and clean-up for Tinfoil API keys, by policy and after fair notice.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .usage('COMMAND [OPTIONS]')
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({
      styleTitle: (title) => pc.createColors(true).bold(title),
      // Every command has options; that is not worth a word on each line.
      subcommandTerm: (command) => `${command.name()} ${argumentsOf(command)}`.trim(),
    })
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(text),
      // What was typed may hold a secret.
      outputError: (text, write) =>
        write(
          redact(text)
            .split('\n')
            .map((line) => visible(line))
            .join('\n'),
        ),
      getOutHelpWidth: () => world.stdout.columns ?? 100,
      getErrHelpWidth: () => world.stderr.columns ?? 100,
      getOutHasColors: () => world.stdout.colour,
      getErrHasColors: () => world.stderr.colour,
    });
  program.addHelpCommand(
    new Command('help').argument('[command]').description('show help for a command').helpGroup('Help:'),
  );
  addCommands({ program, world, outcome });
  return program.addHelpText('after', helpText());
}

function exitCodeOf(error: unknown, argv: readonly string[], world: World, outcome: Outcome): number {
  const reason: unknown = world.signal.reason;
  if (world.signal.aborted && reason instanceof Interrupted) return reason.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageCode(argv);
  const { message, exitCode } = explain(error, outcome.session?.settings ?? null);
  world.stderr.write(`error: ${message}\n`);
  return exitCode === 2 ? usageCode(argv) : exitCode;
}

/** Where 2 means "there is something to do", wrong usage is an error like any other. */
const usageCode = (argv: readonly string[]): 1 | 2 => (argv.includes('--detailed-exitcode') ? 1 : 2);

function argumentsOf(command: Command): string {
  return command.usage().replace('[options]', '').trim();
}
