/** One command of the program: its flags from the table of settings, and how its action is run. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Session } from './session.ts';
import { readSettings, settingTable, withEnvFile, type SettingName } from './settings.ts';
import type { World } from './world.ts';

/** What a command leaves for the program to report. */
export interface Outcome {
  exitCode: number;
  /** Once its settings are read. */
  session: Session | null;
}

export interface Context {
  readonly program: Command;
  readonly world: World;
  readonly outcome: Outcome;
}

export interface Description {
  /** Name and arguments as commander takes them: `rename <key> <name>`. */
  readonly usage: string;
  readonly about: string;
  /** The settings it takes, besides --env-file and --log-level, which all do. */
  readonly needs: readonly SettingName[];
  readonly examples?: readonly string[];
}

/** Does the command; resolves to the exit code. `given`: its arguments, then its own flags. */
export type Action<Given extends unknown[]> = (session: Session, ...given: Given) => Promise<number>;

/**
 * Adds a command. Its own flags come with `flags`; the action's arguments are the command's, then an
 * object of all its flags.
 */
export function addCommand<Given extends unknown[]>(
  context: Context,
  description: Description,
  action: Action<Given>,
  flags: readonly Option[] = [],
): void {
  const needs: readonly SettingName[] = [...new Set([...description.needs, 'logLevel' as const])];
  const command = context.program.command(description.usage).description(description.about);
  flags.forEach((flag) => command.addOption(flag));
  needs.forEach((name) => command.addOption(settingOption(name)));
  command.addOption(new Option('--env-file <file>', 'variables that are not set otherwise'));
  const { examples = [] } = description;
  if (examples.length > 0)
    command.addHelpText('after', `\nExamples:\n${examples.map((one) => `  ${one}\n`).join('')}`);
  command.action(async (...given: unknown[]) => {
    const session = openSession(context.world, needs, command.opts());
    context.outcome.session = session;
    // Commander passes the arguments, the flags and then the command itself.
    context.outcome.exitCode = await action(session, ...(given.slice(0, -1) as Given));
  });
}

function settingOption(name: SettingName): Option {
  const { flag, about, env, fallback } = settingTable[name];
  const byDefault = name === 'dryRun' ? '' : `, default ${fallback ?? 'pretty on a terminal'}`;
  return new Option(flag, `${about} (${env}${byDefault})`);
}

function openSession(world: World, needs: readonly SettingName[], options: Record<string, unknown>): Session {
  const env = withEnvFile(world.env, options['envFile'] as string | undefined);
  const flags = needs.map((name) => [name, options[settingOption(name).attributeName()]] as const);
  const settings = readSettings({
    flags: Object.fromEntries(flags.filter(([, text]) => text !== undefined)),
    env,
    needs,
    terminal: world.stderr.columns !== null,
  });
  return { settings, world: { ...world, env } };
}

/** A parser of `parse.ts` as commander takes it, for a command's own flags. */
export const numberOf =
  (parse: (text: string) => number) =>
  (text: string): number => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? `It ${error.message}.` : '');
    }
  };
