/**
 * Compiles `native/` to a Node addon, where a C compiler is there: in a clone on Linux. `build-prebuilt.ts` does it for other machines.
 *
 * The addon needs nothing but Node's own symbols, so the one in the packed tarball depends on no version of a C library. For x86-64 it
 * holds builds for AVX2 and AVX-512 and says when it is loaded which of them the processor runs; for ARM one for NEON. What came of the last attempt is kept beside it with a hash of the
 * sources, so that a machine without a compiler is not asked at every start.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  COMPILE_FLAGS,
  NATIVE_TARGETS,
  type NativeTarget,
  nativeTarget,
  targetFile,
} from './native-targets.ts';

const SOURCES = fileURLToPath(new URL('./native/', import.meta.url));
export interface NativeOutcome {
  /** Hash of the sources that were compiled. */
  readonly key: string;
  /** Why there is no addon; null = it was built. */
  readonly problem: string | null;
}

/** Why it is not compiled on this kind of machine. */
function unsupportedPlatform(): string {
  return `native kernels are compiled in a clone on x86-64 and ARM64 Linux, and this is ${process.platform}-${process.arch}`;
}

/** What came of the last attempt: one a machine, since a folder may be seen by several. */
const recordFile = () => `native-${process.platform}-${process.arch}.json`;

/** A hash of the sources and of how they are compiled. */
export async function sourceKey(): Promise<string> {
  const names = (await readdir(SOURCES)).filter((name) => /\.[ch]$/.test(name)).sort();
  const hash = createHash('sha256').update(JSON.stringify([COMPILE_FLAGS, NATIVE_TARGETS]));
  for (const name of names) hash.update(`${name}\0${await readFile(join(SOURCES, name), 'utf8')}\0`);
  return hash.digest('hex');
}

async function readOutcome(folder: string): Promise<NativeOutcome | null> {
  try {
    return JSON.parse(await readFile(join(folder, recordFile()), 'utf8'));
  } catch {
    return null;
  }
}

/** A build takes 3 s; a compiler that waits for a licence server, or for nothing, is not waited for. */
const DEADLINE_MS = 120_000;

/** Runs the compiler; what it complains of, or null. At the deadline it is ended with everything that it started. */
function compile(compiler: string, args: readonly string[], deadlineMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    // A group of its own, which can be ended as a whole.
    const child = spawn(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    let text = '';
    const timer = setTimeout(() => {
      endGroup(child.pid);
      child.stderr.destroy();
      resolve(`${compiler} did not end within ${deadlineMs / 1000} s`);
    }, deadlineMs);
    child.once('exit', () => clearTimeout(timer));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('error', () => {
      clearTimeout(timer);
      resolve(`no C compiler was found (tried ${compiler}; CC names another)`);
    });
    child.once('close', (status) => {
      const line = text.split('\n').find((candidate) => candidate.includes('error')) ?? text.split('\n')[0];
      resolve(status === 0 ? null : `${compiler} failed: ${line}`);
    });
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended by itself just now
  }
}

function headersFolder(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-api-headers/package.json');
    return join(dirname(manifest), 'include');
  } catch {
    return null;
  }
}

/** What compiles and links, with what it is told besides. */
export interface Toolchain {
  readonly command: readonly string[];
  readonly compile: readonly string[];
  readonly link: readonly string[];
}

/**
 * Compiles every width, fused and not, at once; then links.
 *
 * @param path gets the addon, whole or not at all, whoever builds beside us.
 * @returns null = it was made, else why not.
 */
export async function compileAddon(
  { widths, link }: NativeTarget,
  path: string,
  toolchain: Toolchain,
  deadlineMs = DEADLINE_MS,
): Promise<string | null> {
  const headers = headersFolder();
  if (headers === null) return 'node-api-headers is not installed (--omit=dev)';
  const [compiler, ...before] = toolchain.command;
  const scratch = await mkdtemp(`${path}.`);
  const object = (name: string) => join(scratch, `${name}.o`);
  const shared = [...before, ...COMPILE_FLAGS, ...toolchain.compile];
  const builds = widths.flatMap(({ name, lanes, flags }) =>
    ['strict', 'fused'].map((kind, isFused) => {
      const table = `${kind}_${name}`;
      const defines = [`-DLANES=${lanes}`, `-DFUSED=${isFused}`, `-DNAME=${table}`];
      return { table, args: [...flags, ...defines, join(SOURCES, 'kernels.c')] };
    }),
  );
  const units = [...builds, { table: 'module', args: ['-I', headers, join(SOURCES, 'module.c')] }];
  try {
    const problems = await Promise.all(
      units.map(({ table, args }) =>
        compile(compiler, [...shared, ...args, '-c', '-o', object(table)], deadlineMs),
      ),
    );
    const problem = problems.find((found) => found !== null);
    if (problem !== undefined) return problem;
    const linked = join(scratch, 'addon.node');
    const objects = units.map(({ table }) => object(table));
    const last = [...before, ...link, '-o', linked, ...objects, ...toolchain.link];
    const trouble = await compile(compiler, last, deadlineMs);
    if (trouble === null) await rename(linked, path);
    return trouble;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Builds the addon into `folder` unless it, or the failure to build it, is as new as the sources.
 *
 * Never throws for want of a compiler, or of one that ends: WebAssembly does without. Cost: 3 s on two cores, when there is something to do.
 *
 * @param retry try again what failed before.
 * @param deadlineMs for one call of the compiler.
 */
export async function buildNative(
  folder: string,
  retry = false,
  deadlineMs = DEADLINE_MS,
): Promise<NativeOutcome> {
  const key = await sourceKey();
  const last = await readOutcome(folder);
  const target = process.platform === 'linux' ? nativeTarget(process.platform, process.arch) : null;
  const path = target === null ? null : join(folder, targetFile(target));
  if (last?.key === key && (last.problem === null ? path !== null && existsSync(path) : !retry)) return last;
  await mkdir(folder, { recursive: true });
  const toolchain = { command: [process.env.CC ?? 'cc'], compile: ['-fPIC'], link: ['-lgcc'] };
  const problem =
    target === null || path === null
      ? unsupportedPlatform()
      : await compileAddon(target, path, toolchain, deadlineMs);
  if (problem !== null && path !== null) await rm(path, { force: true });
  const outcome = { key, problem };
  await writeFile(join(folder, recordFile()), `${JSON.stringify(outcome)}\n`);
  return outcome;
}
