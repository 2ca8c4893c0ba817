/** `--import` of the processes that run the tests: they get `vitest-on-mocha.ts` for vitest. */
import { registerHooks } from 'node:module';

const standIn = new URL('vitest-on-mocha.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'vitest' ? { url: standIn, shortCircuit: true } : next(specifier, context),
});
