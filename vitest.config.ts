import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { sharedForks } from './.ci/shared-forks.ts';

const numCores = availableParallelism();
const NEVER = ['dist/**', 'node_modules/**', 'test/package/fixtures/**'];
/** Of Ray, which has many processes itself, and loses nodes that answer late. */
const CLUSTERS = ['test/cluster/**/*.long.test.ts', 'test/tune/*ray*.long.test.ts'];
/** Two at a time even on two cores: a fifth less, though both are busy (bench/NOTES.md). */
const maxWorkers = Math.max(2, numCores - 1);

/** Files, and folders, that share no process with others. */
const ALONE = [
  // They count threads, handles, memory or calls of their process.
  'test/algorithm/failed-start.test.ts',
  'test/cli/train-command.test.ts',
  'test/invariants/',
  'test/learner/simd/threads.test.ts',
  'test/rollout/idle-threads.test.ts',
  'test/rollout/standby.test.ts',
  'test/rollout/thread-pool.test.ts',
  'test/rollout/worker-team.test.ts',
  // Not tried beside others yet.
  ...['algorithm', 'algorithms', 'conformance', 'learner', 'learning', 'replay', 'simd'].map(
    (name) => `test/${name}/`,
  ),
];

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
          pool: sharedForks({ filesPerProcess: 40, alone: ALONE }),
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/**/*.long.test.ts'],
          exclude: [...NEVER, ...CLUSTERS],
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'clusters',
          include: CLUSTERS,
          exclude: NEVER,
          maxWorkers: Math.max(1, numCores - 1),
          sequence: { groupOrder: 2 },
        },
      },
    ],
    setupFiles: ['test/each-file.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
