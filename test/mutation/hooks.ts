/** `--import` of the processes that run the tests: they get `vitest-on-mocha.ts` for vitest, `few.ts` for fast-check. */
import { registerHooks } from 'node:module';

const here = (file: string): string => new URL(file, import.meta.url).href;
const standIns = new Map([
  ['vitest', here('vitest-on-mocha.ts')],
  ['fast-check', here('few.ts')],
]);

registerHooks({
  resolve(specifier, context, next) {
    const url = standIns.get(specifier);
    return url === undefined || url === context.parentURL
      ? next(specifier, context)
      : { url, shortCircuit: true };
  },
});
