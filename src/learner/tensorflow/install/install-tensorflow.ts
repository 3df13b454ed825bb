/** `operant install-tensorflow`: TensorFlow's libraries from its Python wheel, and the stock binding built against them. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../../errors.ts';
import { findBindingPackage } from '../native-binding.ts';
import { checkBinding } from './check-binding.ts';
import { compileBinding, findCompiler } from './compile-binding.ts';
import {
  BINDING_PACKAGE,
  BINDING_PACKAGE_VERSION,
  bindingPathOf,
  type FoundInstallation,
  type Installation,
  type InstalledFile,
  installationFolder,
  packageCopyFolder,
  readInstallation,
  tensorFlowHome,
} from './location.ts';
import { lastErrorLine, runCommand } from './run-command.ts';
import {
  copyTensorFlow,
  cudaRequirements,
  downloadWheel,
  extractCudaLibraries,
  extractTensorFlow,
  type InstallOutput,
} from './wheel.ts';

export const DEFAULT_TENSORFLOW_VERSION = '2.21.0';

export interface InstallOptions {
  /** `auto`: gpu when an NVIDIA driver is there, else cpu. */
  readonly variant: 'auto' | 'cpu' | 'gpu';
  readonly version: string;
  /** A wheel, or the folder of an unpacked or installed TensorFlow; null = download with pip. */
  readonly from: string | null;
  /** Cache folder; default see `tensorFlowHome`. */
  readonly home?: string;
}

export interface InstallReport {
  readonly folder: string;
  readonly tensorflowVersion: string;
  readonly variant: 'cpu' | 'gpu';
  readonly gpu: boolean;
  /** True when nothing had to be done. */
  readonly already: boolean;
}

/**
 * Installs TensorFlow for the native binding into the user's cache.
 *
 * Everything is built in a folder beside the final one and renamed into place when it has been checked, so a kill at any
 * moment leaves either the old state or the new one; downloads are kept until then, so a second try goes on from there.
 *
 * @throws EngineError `ENGINE_INSTALL_...` with one line that says what is missing and what to do.
 * Cost: about a minute, a download of 270 MB (cpu) or 3 GB (gpu), 0.9 GB or 6 GB on disk.
 */
export async function installTensorFlow(
  options: InstallOptions,
  output: InstallOutput,
): Promise<InstallReport> {
  const home = options.home ?? tensorFlowHome();
  const variant = options.variant === 'auto' ? (hasNvidiaDriver() ? 'gpu' : 'cpu') : options.variant;
  const folder = installationFolder(home, options.version, variant);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const unlock = await lock(home);
  try {
    await removeLeftovers(home);
    const packageFolder = await providePackage(home, output);
    const existing = readInstallation(folder);
    if (existing !== null && options.from === null && isWhole(existing)) {
      await makeCurrent(home, folder);
      const { tensorflowVersion, gpu } = await checkBinding(candidateOf(packageFolder, folder));
      output.line(`TensorFlow ${tensorflowVersion} (${variant}) is installed in ${folder}.`);
      return { folder, tensorflowVersion, variant, gpu, already: true };
    }
    const compiler = await findCompiler();
    const building = await mkdtemp(path.join(home, '.building-'));
    const { tensorflowVersion, gpu } = await build(building, variant, options, {
      home,
      packageFolder,
      compiler,
      output,
    }).catch(async (error) => {
      await remove(building);
      throw error;
    });
    if (existsSync(folder)) await rename(folder, await mkdtemp(path.join(home, '.replaced-')));
    await rename(building, folder);
    await makeCurrent(home, folder);
    await removeLeftovers(home);
    await remove(path.join(home, 'downloads'));
    output.line(`Installed TensorFlow ${tensorflowVersion} (${variant}) in ${folder}.`);
    return { folder, tensorflowVersion, variant, gpu, already: false };
  } finally {
    await unlock();
  }
}

interface BuildTools {
  readonly home: string;
  readonly packageFolder: string;
  readonly compiler: string;
  readonly output: InstallOutput;
}

/** Makes a whole installation in `building`, checked and described. */
async function build(
  building: string,
  variant: 'cpu' | 'gpu',
  options: InstallOptions,
  { home, packageFolder, compiler, output }: BuildTools,
): Promise<{ tensorflowVersion: string; gpu: boolean }> {
  await provideLibraries(building, variant, options, home, output);
  await compileBinding(building, packageFolder, compiler, output);
  const { tensorflowVersion, gpu } = await checkBinding(candidateOf(packageFolder, building));
  output.line(
    `Checked: TensorFlow ${tensorflowVersion} on ${gpu ? 'GPU' : 'CPU'}, a matrix product and a gradient.`,
  );
  const buildOnly = ['headers', path.join('deps', 'include')];
  await Promise.all(buildOnly.map((name) => remove(path.join(building, name))));
  const installation: Installation = {
    format: 1,
    tensorflowVersion,
    variant,
    platform: `${process.platform}-${process.arch}`,
    files: await describeFiles(building),
  };
  await writeFile(path.join(building, 'installation.json'), `${JSON.stringify(installation, null, 2)}\n`);
  return { tensorflowVersion, gpu };
}

const candidateOf = (packageFolder: string, folder: string) => ({
  packageEntry: path.join(packageFolder, 'dist', 'index.js'),
  bindingPath: bindingPathOf(folder),
  source: 'operant install-tensorflow' as const,
});

/** Fills `deps/lib` and `deps/include`. */
async function provideLibraries(
  building: string,
  variant: 'cpu' | 'gpu',
  { from, version }: InstallOptions,
  home: string,
  output: InstallOutput,
): Promise<void> {
  if (from !== null && !existsSync(from)) {
    throw new EngineError(
      'ENGINE_INSTALL_FROM',
      `Expected --from to be a wheel or a folder, got ${from}, which does not exist.`,
    );
  }
  if (from !== null && statSync(from).isDirectory()) {
    output.line(`Copying libraries and headers from ${from} ...`);
    await copyTensorFlow(from, building);
    return;
  }
  const downloads = path.join(home, 'downloads');
  const project = variant === 'gpu' ? 'tensorflow' : cpuProject();
  const wheel = from ?? (await downloadWheel(`${project}==${version}`, downloads, output));
  await extractTensorFlow(wheel, building, output);
  if (variant === 'cpu') return;
  for (const requirement of await cudaRequirements(wheel)) {
    const cudaWheel = await downloadWheel(requirement, downloads, output);
    await extractCudaLibraries(cudaWheel, building, output);
  }
}

/** There is a `tensorflow-cpu` wheel for x86-64 Linux alone; elsewhere `tensorflow` is built without CUDA. */
function cpuProject(): string {
  return process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
}

/** The project's copy of the npm package, else one in the cache, fetched without its install script. */
async function providePackage(home: string, output: InstallOutput): Promise<string> {
  const found = findBindingPackage(home);
  if (found !== null) return found;
  output.line(`Fetching ${BINDING_PACKAGE} ${BINDING_PACKAGE_VERSION}, which npm has left out ...`);
  const building = await mkdtemp(path.join(home, '.building-'));
  await writeFile(path.join(building, 'package.json'), '{ "private": true }\n');
  const name = `${BINDING_PACKAGE}@${BINDING_PACKAGE_VERSION}`;
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--prefix',
    building,
    name,
  ];
  const result = await runCommand('npm', args);
  if (result.exitCode !== 0) {
    throw new EngineError('ENGINE_INSTALL_PACKAGE', `npm could not fetch ${name}: ${lastErrorLine(result)}`);
  }
  await remove(packageCopyFolder(home));
  await rename(building, packageCopyFolder(home));
  const copy = findBindingPackage(home);
  if (copy === null)
    throw new EngineError('ENGINE_INSTALL_PACKAGE', `npm did not bring ${name} into ${home}.`);
  return copy;
}

/** Every file there and of its size; hashing a gigabyte at every call would take longer than it helps. */
function isWhole({ folder, files }: FoundInstallation): boolean {
  return Object.entries(files).every(
    ([name, { bytes }]) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size === bytes,
  );
}

async function describeFiles(folder: string): Promise<Record<string, InstalledFile>> {
  const libraries = (await readdir(path.join(folder, 'deps', 'lib'))).map((name) => `deps/lib/${name}`);
  const files: Record<string, InstalledFile> = {};
  for (const name of [...libraries.sort(), 'lib/napi-v8/tfjs_binding.node']) {
    const file = path.join(folder, name);
    const hash = createHash('sha256');
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
    files[name] = { sha256: hash.digest('hex'), bytes: statSync(file).size };
  }
  return files;
}

async function makeCurrent(home: string, folder: string): Promise<void> {
  const temporary = path.join(home, `.current-${process.pid}.json`);
  await writeFile(temporary, `${JSON.stringify({ folder: path.basename(folder) })}\n`);
  await rename(temporary, path.join(home, 'current.json'));
}

/** Folders of killed installs; the lock is held, so nobody is working in them. */
async function removeLeftovers(home: string): Promise<void> {
  const names = await readdir(home);
  const leftovers = names.filter((name) => name.startsWith('.building-') || name.startsWith('.replaced-'));
  await Promise.all(leftovers.map((name) => remove(path.join(home, name))));
}

const remove = (target: string) => rm(target, { recursive: true, force: true });

/** One install at a time per cache folder; the lock of a process that is gone does not count. */
async function lock(home: string): Promise<() => Promise<void>> {
  const file = path.join(home, 'install.lock');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return () => remove(file);
    } catch {
      const owner = Number(await readFile(file, 'utf8').catch(() => ''));
      if (isAlive(owner)) {
        throw new EngineError(
          'ENGINE_INSTALL_LOCKED',
          `Another install-tensorflow is running (process ${owner}); wait for it.`,
        );
      }
      await remove(file);
    }
  }
  throw new EngineError('ENGINE_INSTALL_LOCKED', `Cannot write ${file}; check that the folder is writable.`);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function hasNvidiaDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
}
