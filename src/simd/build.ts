/**
 * Compiles the kernels: AssemblyScript to four WebAssembly modules, `{strict,relaxed}[-unshared].wasm`.
 *
 * Run as a script (`npm run build:kernels`) or by the loader on first use from a clone. A key file holds a hash of the
 * sources, so a second run does nothing. The module must carry no state of its own: many threads instantiate
 * it over one memory, and a data segment or an allocator would run again in each of them; {@link checkStateless}.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { argv, pid, stderr as standardError } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EngineError } from '../errors.ts';

export function kernelFile(relaxed: boolean, shared: boolean): string {
  return `${buildName(relaxed)}${shared ? '' : '-unshared'}.wasm`;
}

const SOURCES = new URL('./assembly/', import.meta.url);
export const BUILD_FOLDER = new URL('../../build/kernels/', import.meta.url);
const MAX_PAGES = 65536;
const ID_IMPORT = 2;
const ID_GLOBAL = 6;
const KIND_MEMORY = 2;
const LIMITS_MAXIMUM = 1;
const LIMITS_SHARED = 3;
const FORBIDDEN_SECTIONS = new Map([
  [8, 'a start function'],
  [11, 'a data segment'],
  [12, 'a data count'],
]);

function compilerFlags(relaxed: boolean): string[] {
  const features = ['simd', 'threads', ...(relaxed ? ['relaxed-simd'] : [])];
  return [
    'index.ts',
    '--outFile=kernels.wasm',
    '--runtime=stub',
    '--importMemory',
    '--noExportMemory',
    '--noAssert',
    '--optimizeLevel=3',
    '--shrinkLevel=0',
    '--initialMemory=1',
    '--sharedMemory',
    `--maximumMemory=${MAX_PAGES}`,
    ...features.flatMap((feature) => ['--enable', feature]),
  ];
}

/** Reads a LEB128 integer; [value, next position]. */
function readInteger(bytes: Uint8Array, start: number): [number, number] {
  let value = 0;
  let position = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[position++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, position];
  }
}

/**
 * @throws EngineError `ENGINE_KERNELS_STATEFUL` for a module with a data segment, a start function or a global
 * (AssemblyScript's allocator keeps its position in one).
 */
export function checkStateless(bytes: Uint8Array, name: string): void {
  let position = 8;
  while (position < bytes.length) {
    const id = bytes[position];
    const [length, body] = readInteger(bytes, position + 1);
    const found =
      FORBIDDEN_SECTIONS.get(id) ??
      (id === ID_GLOBAL && readInteger(bytes, body)[0] > 0 ? 'a global' : undefined);
    if (found !== undefined) {
      throw new EngineError(
        'ENGINE_KERNELS_STATEFUL',
        `Kernel module \`${name}\` has ${found}: every thread's instance would have, or overwrite, its own. Pass addresses in instead.`,
      );
    }
    position = body + length;
  }
}

const buildName = (relaxed: boolean) => (relaxed ? 'relaxed' : 'strict');

/**
 * The same module for a memory that is not shared (a page without cross-origin isolation). The kernels use no atomic
 * instruction, so the two differ in one byte: the limits flag of the imported memory.
 */
export function unsharedCopy(module: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(module);
  let position = 8;
  while (position < bytes.length) {
    const [length, body] = readInteger(bytes, position + 1);
    if (bytes[position] === ID_IMPORT) {
      let cursor = readInteger(bytes, body)[1]; // one import: two names, the kind, the limits
      for (let names = 0; names < 2; names++) {
        const [nameLength, text] = readInteger(bytes, cursor);
        cursor = text + nameLength;
      }
      if (bytes[cursor] === KIND_MEMORY && bytes[cursor + 1] === LIMITS_SHARED) {
        bytes[cursor + 1] = LIMITS_MAXIMUM;
        return bytes;
      }
    }
    position = body + length;
  }
  throw new EngineError('ENGINE_KERNELS_COMPILE', 'Expected the kernels to import one shared memory.');
}

async function readSources(): Promise<Map<string, string>> {
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.ts')).sort();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, SOURCES), 'utf8')));
  return new Map(names.map((name, k) => [name, texts[k].replaceAll('\r\n', '\n')]));
}

function sourceKey(sources: Map<string, string>): string {
  const hash = createHash('sha256').update(JSON.stringify([compilerFlags(false), compilerFlags(true)]));
  for (const [name, text] of sources) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex');
}

async function compile(relaxed: boolean, sources: Map<string, string>): Promise<Uint8Array> {
  const { default: asc } = await import('assemblyscript/asc');
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(compilerFlags(relaxed), {
    readFile: (name: string) => sources.get(name) ?? null,
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === null) {
    const text = `Cannot compile the ${buildName(relaxed)} kernels: ${stderr.toString() || error?.message}`;
    throw new EngineError('ENGINE_KERNELS_COMPILE', text, { cause: error });
  }
  checkStateless(binary, buildName(relaxed));
  return binary;
}

/** Writes beside and renames, so that processes that build at once never see half a file. */
async function writeWhole(url: URL, contents: Uint8Array | string): Promise<void> {
  const partial = new URL(`${url.href}.${pid}`);
  await writeFile(partial, contents);
  await rename(partial, url);
}

/** True when the built kernels are there and belong to the sources as they are now. */
export async function kernelsAreCurrent(folder: URL = BUILD_FOLDER): Promise<boolean> {
  try {
    const [key, sources] = await Promise.all([readFile(new URL('key.txt', folder), 'utf8'), readSources()]);
    return key === sourceKey(sources);
  } catch {
    return false;
  }
}

/**
 * Compiles all variants into `folder` unless they are current; about 10 s when they are not.
 *
 * @throws EngineError `ENGINE_KERNELS_COMPILE` with the compiler's words.
 */
export async function buildKernels(folder: URL = BUILD_FOLDER): Promise<'built' | 'current'> {
  if (await kernelsAreCurrent(folder)) return 'current';
  const sources = await readSources();
  await mkdir(folder, { recursive: true });
  for (const relaxed of [false, true]) {
    const module = await compile(relaxed, sources);
    await writeWhole(new URL(kernelFile(relaxed, true), folder), module);
    await writeWhole(new URL(kernelFile(relaxed, false), folder), unsharedCopy(module));
  }
  await writeWhole(new URL('key.txt', folder), sourceKey(sources));
  return 'built';
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const { buildNative } = await import('./build-native.ts');
  const folder = fileURLToPath(BUILD_FOLDER);
  const [, { problem }] = await Promise.all([buildKernels(), buildNative(folder, true)]);
  standardError.write(`kernels: ${folder}${problem === null ? '' : `, WebAssembly alone: ${problem}`}\n`);
}
