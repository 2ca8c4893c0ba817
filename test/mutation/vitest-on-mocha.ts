/**
 * What the tests of these rooms use of vitest, on mocha: Stryker's runner for it loads the tests once and runs those
 * that cover a change, thousands of times, in one process. That takes a tenth of a second; vitest, which loads
 * everything anew each time, needs several.
 */
import { format } from 'node:util';
import { expect } from 'expect';
import { describe as suite, it as spec } from 'mocha';

type Body = (...values: unknown[]) => unknown;
type Define = (name: string, body: () => unknown) => unknown;

/** Properties that are slow even with few inputs: a change that only they notice counts as missed. */
const slow = [
  'are legal, whatever strangers write',
  'decisions are the same with what was known kept from pass to pass',
  'protected keys stay, limits hold, notices come first, a person’s hand wins, and nothing is said twice',
  'the same account gives the same plan, byte for byte, in any order of the list and after any restart',
];

const defined = (define: Define) =>
  Object.assign(
    (name: string, body: () => unknown): void => {
      if (!slow.includes(name)) define(name, () => body());
    },
    {
      each: (table: readonly unknown[]) => (name: string, body: Body) => {
        if (slow.includes(name)) return;
        for (const [index, row] of table.entries()) {
          const values: readonly unknown[] = Array.isArray(row) ? row : [row];
          // Only what the name has places for: Stryker looks for tests by their names, thousands of times. The
          // number keeps rows apart that read the same.
          const shown = values.slice(0, name.match(/%\w/g)?.length ?? 0);
          define(`${format(name, ...shown)} (${String(index)})`, () => body(...values));
        }
      },
    },
  );

export const describe = defined(suite);
export const test = defined(spec);
export const it = test;
/** Not done: the tests run again and again, and would miss what is tidied away. */
export const afterAll = (): void => undefined;
export { expect };
