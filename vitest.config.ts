import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { longestFirst } from './.ci/longest-first.ts';
import { sharedForks } from './.ci/shared-forks.ts';
import { watchedForks } from './.ci/watched-forks.ts';

const numCores = availableParallelism();
const NEVER = ['dist/**', 'node_modules/**', 'test/package/fixtures/**'];
/** Of Ray: much of what they take is waiting, so they are beside each other, and not beside what needs the processor. */
const CLUSTERS = ['test/cluster/**/*.long.test.ts', 'test/tune/*ray*.long.test.ts'];
/** Ray refuses to begin a batch job on a machine where it runs already. */
const NO_OTHER_RAY = ['test/cluster/launch-files.long.test.ts'];
/** Two at a time even on two cores: a fifth less, though both are busy (bench/NOTES.md). */
const maxWorkers = Math.max(2, numCores - 1);

/** Of a minute and more on two cores. */
const LONGEST = [
  'package/packed-install',
  'tune/draws',
  'package/projects',
  'simd/native-arm64',
  'env/python/python-runs',
  'invariants/endless-evaluation',
  'house/commands',
  'invariants/resume-every-env',
  'tune/on-ray',
  'cluster/ray-runs',
].map((name) => `test/${name}.long.test.ts`);

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
    sequence: { sequencer: longestFirst(LONGEST) },
    pool: watchedForks(),
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
          exclude: [...NEVER, ...NO_OTHER_RAY],
          maxWorkers,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'batch-job',
          include: NO_OTHER_RAY,
          sequence: { groupOrder: 3 },
        },
      },
    ],
    setupFiles: ['test/each-file.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
