/** Runs the sources of a clone: `node --import ./.ci/typescript.mjs src/cli/main.ts`. It is tsx, with a cache that nobody else writes. */
import './compile-cache.mjs';

await import('tsx');
