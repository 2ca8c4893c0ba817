/** Where `${NAME}` in a policy file comes from. The only file of this room that touches the world. */
import { readFileSync } from 'node:fs';

/** Looks a variable up; `missing` says in words why there is no value. */
export type Environment = (name: string) => { readonly value: string } | { readonly missing: string };

/**
 * The variable NAME of `variables`, or else the content of the file that NAME_FILE names, without
 * the line break at its end. An empty variable counts as missing, and so do the program's own secrets: whoever
 * writes policies is not to be able to send them to a channel.
 */
export function environmentOf(variables: Readonly<Record<string, string | undefined>>): Environment {
  return (name) => {
    if (ownSecrets.has(name))
      return { missing: `${name} is Keywarden’s own secret and cannot be used in a policy file` };
    const value = ownValue(variables, name);
    if (value !== undefined && value !== '') return { value };
    const file = ownValue(variables, `${name}_FILE`);
    if (file !== undefined && file !== '') return fromFile(name, file);
    return { missing: `neither ${name} nor ${name}_FILE is set${value === '' ? ` (${name} is empty)` : ''}` };
  };
}

const ownSecrets: ReadonlySet<string> = new Set(['TINFOIL_ADMIN_KEY', 'KEYWARDEN_TOKEN']);

function fromFile(name: string, file: string): ReturnType<Environment> {
  try {
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return value === '' ? { missing: `the file that ${name}_FILE names is empty` } : { value };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { missing: `the file that ${name}_FILE names cannot be read (${code})` };
  }
}

function ownValue(variables: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}
