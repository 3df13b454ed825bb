/** Limits of the system are named when they are met, at once. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkOpenFiles, openFilesHint, openFilesLimit } from '../../src/files/open-files.ts';

const isLinux = process.platform === 'linux';
const src = (name: string) => fileURLToPath(new URL(`../../src/${name}`, import.meta.url));

/** Runs a module's code with a limit of the shell's `ulimit`. */
function under(limit: string, code: string, flags: readonly string[] = []): string {
  const node = [process.execPath, ...flags, '--import', 'tsx', '--input-type=module', '-e', code];
  const { stdout } = spawnSync('bash', ['-c', `ulimit ${limit}; exec "$@"`, '-', ...node], {
    encoding: 'utf8',
  });
  return stdout;
}

describe.skipIf(!isLinux)('open files', () => {
  test('as many threads as they allow, and no more', () => {
    const limit = openFilesLimit() as number;
    expect(limit).toBeGreaterThan(100);
    checkOpenFiles(2);
    expect(() => checkOpenFiles(limit / 4)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_OPEN_FILES',
        message: expect.stringMatching(new RegExp(`may have ${limit} files open .*ulimit -n.*numEnvRunners`)),
      }),
    );
  });

  test('a process that may open few is told before threads are started', () => {
    // so many that the limit is too low for them whatever Node itself and the loader have open
    const code = `import { takeThreads } from ${JSON.stringify(src('rollout/thread-pool.ts'))};
      try { takeThreads({ numThreads: 20, memoryMb: null }); } catch (error) { console.log(error.code); }`;
    expect(under('-n 60', code)).toBe('CONFIG_OPEN_FILES\n');
  });

  test('errors of the system that mean this say so', () => {
    expect(openFilesHint('EMFILE')).toMatch(/ulimit -n/);
    expect(openFilesHint('ENOSPC')).toBeNull();
  });
});

describe.skipIf(!isLinux)('address space', () => {
  // As much as Node itself and the loader of TypeScript take, and less than another WebAssembly memory reserves.
  const code = `const { createArena, createArenaPlanner } = await import(${JSON.stringify(src('memory/arena.ts'))});
    const fill = [];
    try { for (let k = 0; k < 8; k++) fill.push(createArena(createArenaPlanner())); console.log('enough'); }
    catch (error) { console.log(error.code, error.message.includes('--disable-wasm-trap-handler')); }`;

  test('a limit on it is named, with what can be done', () => {
    expect(under('-v 60000000', code)).toBe('CONFIG_MEMORY true\n');
  });

  test.skipIf(!process.allowedNodeEnvironmentFlags.has('--disable-wasm-trap-handler'))(
    'and that helps',
    () => {
      expect(under('-v 60000000', code, ['--disable-wasm-trap-handler'])).toBe('enough\n');
    },
  );
});
