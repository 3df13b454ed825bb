import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['.ci/compile-cache.mjs'],
    setupFiles: ['test/fuzz-seed.ts'],
    exclude: ['dist/**', 'node_modules/**', 'test/package/fixtures/**'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
