/** The tests of the native kernels on ARM, in an emulator: the kernels are compiled for NEON, and have the bits of WebAssembly there. */
import { type ExecFileException, execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';

/** A command that is Node for ARM64, `qemu-aarch64-static -L SYSROOT NODE`, of a version that runs TypeScript. */
const node = process.env.OPERANT_ARM64_NODE?.split(' ');
const zig = process.env.OPERANT_ZIG;
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Of one file: the longest takes one, and four on a machine that is busy with seven times what it can do. */
const MAX_MINUTES = 6;

interface Emulated {
  readonly stdout: string;
  readonly stderr: string;
  /** It came to its end, however. */
  readonly hasEnded: boolean;
}

function emulate(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Emulated> {
  const [command, ...before] = node as string[];
  const options = {
    ...{ cwd: root, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
    ...{ timeout: MAX_MINUTES * 60_000, killSignal: 'SIGKILL' as const },
  };
  return new Promise((resolve) => {
    execFile(command, [...before, ...args], options, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ stdout, stderr, hasEnded: error?.killed !== true }),
    );
  });
}

it('is tried where it is said to be', () => {
  if (process.env.OPERANT_REQUIRE_ARM64 === '1') expect([node, zig]).not.toContain(undefined);
});

it
  .runIf(node !== undefined && zig !== undefined)
  .each(['native-kernels', 'quantile-huber', 'squashed-gaussian', 'recurrent-kernels'])(
  '%s',
  async (name) => {
    const compiler = join(temporaryFolder(), 'cc');
    writeFileSync(compiler, `#!/bin/sh\nexec ${zig} cc -target aarch64-linux-gnu "$@"\n`);
    chmodSync(compiler, 0o755);
    const own = [
      // guard regions around every memory: the emulator would keep a record of each of their pages, gigabytes in all
      '--disable-wasm-trap-handler',
      ...['--import', './test/simd/fixtures/vitest-on-node.mjs', `test/simd/${name}.test.ts`],
    ];
    let run = await emulate(own, { CC: compiler });
    // once in many checks the emulator stands still; what it says when it ends is the kernels'
    if (!run.hasEnded) run = await emulate(own, { CC: compiler });
    const lastLine = run.stdout.trimEnd().split('\n').at(-1) ?? '';
    expect(lastLine, `${run.stdout}${run.stderr}`).toMatch(/^\{/);
    expect(JSON.parse(lastLine).numFailed, run.stdout).toBe(0);
    expect(run.stdout).toMatch(/^passed .*\b4\b/m); // with NEON's four lanes among them
  },
  1_200_000,
);
