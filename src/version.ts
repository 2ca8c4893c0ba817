import { readFileSync } from 'node:fs';

/** As package.json has it, which stands one folder above the sources and above the compiled program. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
