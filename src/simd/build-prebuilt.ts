/**
 * Compiles the native kernels for all machines that have some, with Zig's C compiler: what the published package carries.
 *
 *     OPERANT_ZIG="python3 -m ziglang" npm run build:prebuilt
 *
 * Each addon goes to build/kernels beside the WebAssembly modules, from where `npm run build` takes them where OPERANT_ZIG is set. Those of
 * other machines are not run here; `test/simd/native-arm64.long.test.ts` runs ARM's in an emulator.
 */
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process, { env, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BUILD_FOLDER } from './build.ts';
import { buildNative, compileAddon } from './build-native.ts';
import { NATIVE_TARGETS, type NativeTarget, targetFile } from './native-targets.ts';

/** Windows resolves an addon's symbols by a library of what node.exe has, made from the list that Node's headers come with. */
async function importLibrary(zig: readonly string[], folder: string): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve('node-api-headers/package.json');
  const library = join(folder, 'node.lib');
  const list = join(dirname(manifest), 'def', 'node_api.def');
  const args = ['dlltool', '-d', list, '-l', library, '-m', 'i386:x86-64', '-D', 'node.exe'];
  await promisify(execFile)(zig[0], [...zig.slice(1), ...args]);
  return library;
}

/** Zig first compiles what it links with for each system, which beside other work takes minutes. */
const DEADLINE_MS = 15 * 60_000;

async function build(target: NativeTarget, zig: readonly string[], folder: string): Promise<string | null> {
  const isWindows = target.platform === 'win32';
  const toolchain = {
    command: [...zig, 'cc', '-target', target.triple],
    compile: ['-g0', ...(isWindows ? [] : ['-fPIC'])],
    link: ['-s', ...(isWindows ? [await importLibrary(zig, folder)] : [])],
  };
  return compileAddon(target, join(folder, targetFile(target)), toolchain, DEADLINE_MS);
}

const zig = (env.OPERANT_ZIG ?? 'python3 -m ziglang').split(' ');
const folder = fileURLToPath(BUILD_FOLDER);
await mkdir(folder, { recursive: true });
const own = await buildNative(folder);
for (const target of NATIVE_TARGETS) {
  // what this machine's own compiler made is what was measured
  const isMade = own.problem === null && target.platform === process.platform && target.arch === process.arch;
  const problem = isMade ? null : await build(target, zig, folder);
  if (problem === null) {
    stdout.write(`${targetFile(target)}\n`);
    continue;
  }
  stderr.write(`${targetFile(target)}: ${problem}\n`);
  process.exitCode = 1;
}
await rm(join(folder, 'node.lib'), { force: true });
