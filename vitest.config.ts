import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Many tests wait for processes and servers; the default leaves a core idle.
    maxWorkers: '100%',
    testTimeout: 90_000,
    hookTimeout: 90_000,
  },
});
