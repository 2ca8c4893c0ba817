import { defineConfig } from 'vitest/config';

/** The quick tests of the rooms that decide, measure and change: each runs very often. */
export default defineConfig({
  test: {
    include: [
      'test/{core,policy,ledger,act}/**/*.test.ts',
      'test/{deliberate,pass,recheck,clock-steps}.test.ts',
    ],
    exclude: ['test/**/fuzz.test.ts', 'test/core/periods-zones.test.ts', 'test/act/crash-points.test.ts'],
    setupFiles: ['test/mutation/setup.ts'],
    testTimeout: 30_000,
  },
});
