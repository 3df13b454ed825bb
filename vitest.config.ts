import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const numCores = availableParallelism();
const NEVER = ['dist/**', 'node_modules/**', 'test/package/fixtures/**'];

export default defineConfig({
  test: {
    globalSetup: ['.ci/compile-cache.mjs'],
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'short',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, 'test/**/*.long.test.ts'],
          // Two at a time even on two cores: a fifth less, though both are busy (bench/NOTES.md).
          maxWorkers: Math.max(2, numCores - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/**/*.long.test.ts'],
          exclude: NEVER,
          // Clusters, kills and soaks load the machine by themselves.
          maxWorkers: Math.max(1, numCores - 1),
          sequence: { groupOrder: 1 },
        },
      },
    ],
    setupFiles: ['test/fuzz-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
