/** What `keywarden --help` says below its commands. */
import { settingTable } from './settings.ts';

const examples: readonly (readonly [string, string])[] = [
  ['keywarden demo', 'see it work on a simulated account, no key needed'],
  ['keywarden validate policies.yaml', 'check a policy file, without any network'],
  ['keywarden plan', 'what a pass would do now, and why'],
  ['keywarden run --dry-run', 'watch; alert and change nothing'],
  ['keywarden keys --output json', 'the keys, for a program'],
];

const ownVariables: readonly (readonly [string, string])[] = [
  ['TINFOIL_ADMIN_KEY', 'the admin key; there is no flag for it'],
  ['TINFOIL_ADMIN_KEY_FILE', 'or a file that holds it'],
  ['KEYWARDEN_TOKEN', 'what callers must send when --listen is not on loopback'],
  ['NO_COLOR', 'no colours'],
];

const exitCodes: readonly (readonly [string, string])[] = [
  ['0', 'fine'],
  ['1', 'an error'],
  ['2', 'wrong usage; plan --detailed-exitcode: something to do'],
];

export function helpText(): string {
  const flags = Object.values(settingTable).map(({ env, flag }): [string, string] => [
    env,
    flag.replace(/ .*/, ''),
  ]);
  return [
    section('Examples:', examples),
    section('Environment (a flag wins over it, and it over --env-file FILE):', [...ownVariables, ...flags]),
    section('Exit codes:', exitCodes),
  ].join('');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return `\n${title}\n${rows.map(([term, about]) => `  ${term.padEnd(width)}  ${about}\n`).join('')}`;
}
