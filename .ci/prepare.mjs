/**
 * Compiles the kernels after an install from a clone, so that the first run need not, and links the package's own bins.
 *
 * Quiet, and never the reason why an install fails: without the compiler (`--omit=dev`) there is nothing to do, and
 * whatever goes wrong here is said again, with its cause, by the first run, which builds what is missing.
 * `--force` (the build) turns trouble into an error.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { linkBins } from './link-bins.mjs';

const mustWork = process.argv.includes('--force');
const { resolve } = createRequire(import.meta.url);
const has = (name) => {
  try {
    return resolve(name) !== '';
  } catch {
    return false;
  }
};

if (mustWork || (has('assemblyscript/package.json') && has('tsx'))) {
  const script = fileURLToPath(new URL('../src/simd/build.ts', import.meta.url));
  const loader = new URL('./typescript.mjs', import.meta.url).href;
  // Longer than the build's own deadlines: whatever hangs, an install does not.
  const { status, stderr } = spawnSync(process.execPath, ['--import', loader, script], {
    encoding: 'utf8',
    timeout: 300_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0) {
    process.stderr.write(mustWork ? stderr : 'The kernels will be compiled by the first run.\n');
    process.exitCode = mustWork ? 1 : 0;
  }
}

if (has('tsx')) {
  try {
    linkBins(fileURLToPath(new URL('..', import.meta.url)));
  } catch {
    // `npm run operant` does without
  }
}
