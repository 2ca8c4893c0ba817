/**
 * Every command, in the order of the help. Each names its arguments and flags, and loads the file that
 * does it only when it is called.
 */
import type { Context } from './command.ts';
import { addChanging } from './commands-change.ts';
import { addChecking } from './commands-check.ts';
import { addLooking } from './commands-look.ts';
import { addPolicing } from './commands-police.ts';
import { addTrying } from './commands-try.ts';

export function addCommands(context: Context): void {
  const { program } = context;
  program.commandsGroup('Police:');
  addPolicing(context);
  program.commandsGroup('Check:');
  addChecking(context);
  program.commandsGroup('Look at the account:');
  addLooking(context);
  program.commandsGroup('Change it by hand:');
  addChanging(context);
  program.commandsGroup('Try it out:');
  addTrying(context);
}
