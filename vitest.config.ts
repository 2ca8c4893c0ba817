import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** These put all cores to work by themselves. */
const histories = ['daemon', 'planted', 'sweep'].map((name) => `test/simulation/${name}.test.ts`);

/** Rooms whose tests leave nothing behind: one process takes file after file, and loads the program once. */
const rooms = [
  'test/*.test.ts',
  'test/{core,policy,ledger,act,alerts,store,tinfoil,sandbox,web}/**/*.test.ts',
];

export default defineConfig({
  test: {
    // Many tests wait for processes and servers; with as many as there are cores, one would often be idle.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 90_000,
    hookTimeout: 90_000,
    projects: [
      {
        extends: true,
        test: { name: 'histories', include: histories, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'others',
          include: ['test/**/*.test.ts'],
          exclude: [...histories, ...rooms],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: 'rooms', include: rooms, isolate: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
