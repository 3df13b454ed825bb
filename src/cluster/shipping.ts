/**
 * The folder that hosts get as Ray's `runtime_env.working_dir`: Operant, the packages it needs, and the environment with its project.
 *
 *     operant/ or node_modules/operant/   as it runs here: sources of a clone, or the package
 *     node_modules/                       what Operant, the project and the environment's package depend on
 *     project/                            the project's files, when the environment is one of them
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EnvModuleSource } from '../env/env-source.ts';
import { listEnvs } from '../env/registry.ts';
import { ClusterError } from '../errors.ts';
import { packageRoot } from '../machine/operant-version.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
/** Of a clone: what a rollout process loads. */
const SOURCE_FOLDERS = ['src', 'envs', 'algorithms', '.ci'];
/** Of a project: what it makes rather than what it is made of. */
const NEVER = new Set(['node_modules', 'runs', 'coverage', '__pycache__']);

export interface Shipment {
  /** Absolute path; delete it with `remove`. */
  readonly folder: string;
  readonly bytes: number;
  /** Node's arguments there, up to the entry of the rollout process. */
  readonly arguments: readonly string[];
  /** The environment's module, relative to the folder. */
  readonly module: string;
  remove(): void;
}

export interface ShippingOptions {
  readonly source: EnvModuleSource;
  /** null = the folder of the nearest package.json above the working directory. */
  readonly workingDir: string | null;
  readonly maxMegabytes: number;
}

/**
 * Puts the folder together. Cost: copies some 25 MB. Thread: any.
 *
 * @throws ClusterError `CLUSTER_NOT_SHIPPED` when the environment's file lies outside of the project, `CLUSTER_PACKAGE_SIZE`.
 */
export function prepareShipment(options: ShippingOptions): Shipment {
  const folder = mkdtempSync(join(tmpdir(), 'operant-ship-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const module = copyAll(folder, options);
    const sizes = readdirSync(folder).map((name) => ({ name, bytes: bytesIn(join(folder, name)) }));
    const bytes = sizes.reduce((sum, entry) => sum + entry.bytes, 0);
    checkSize(bytes, folder, options);
    return { folder, bytes, arguments: entryArguments(), module, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function entryArguments(): string[] {
  return IS_SOURCE
    ? ['--import', './operant/.ci/typescript.mjs', 'operant/src/cluster/host-process.ts']
    : ['node_modules/operant/dist/src/cluster/host-process.js'];
}

/** Copies what is needed; returns the environment's module. */
function copyAll(folder: string, { source, workingDir }: ShippingOptions): string {
  const root = packageRoot();
  const own = IS_SOURCE ? 'operant' : join('node_modules', 'operant');
  const packages = new Set<string>();
  copyOperant(root, join(folder, own));
  addDependencies(root, root, packages);
  const peer = listEnvs().find(({ module }) => module === source.module)?.peer?.name;
  if (peer !== undefined) addPackage(peer, root, packages);
  const file = fileURLToPath(source.module);
  const project = workingDir ?? projectRoot(process.cwd());
  let module: string;
  if (isInside(file, root)) {
    const path = relative(root, file);
    const [top] = path.split(sep);
    if (!existsSync(join(folder, own, path))) copyTree(join(root, top), join(folder, own, top));
    module = join(own, path);
  } else if (isInside(file, project)) {
    copyTree(project, join(folder, 'project'));
    addDependencies(project, project, packages);
    module = join('project', relative(project, file));
  } else if (isPackage(file, project)) {
    module = file.slice(file.lastIndexOf(`${sep}node_modules${sep}`) + 1);
    addDependencies(project, project, packages);
    addPackage(packageName(module), project, packages);
  } else {
    throw new ClusterError(
      'CLUSTER_NOT_SHIPPED',
      `The environment's file ${file} lies outside of ${project}, the folder that is sent to the hosts. Move it there, or set \`rayWorkingDir\` to a folder that holds it.`,
    );
  }
  for (const path of packages) {
    const name = path.slice(path.lastIndexOf(`node_modules${sep}`) + 13);
    if (name !== 'operant') copyTree(path, join(folder, 'node_modules', name), true);
  }
  return module;
}

function copyOperant(root: string, target: string): void {
  mkdirSync(target, { recursive: true });
  cpSync(join(root, 'package.json'), join(target, 'package.json'));
  if (!IS_SOURCE) {
    copyTree(join(root, 'dist'), join(target, 'dist'));
    return;
  }
  for (const name of SOURCE_FOLDERS) copyTree(join(root, name), join(target, name));
  // Compiled kernels without their sources are what an installed package has: nobody tries to compile there.
  rmSync(join(target, 'src/simd/assembly'), { recursive: true });
  copyTree(join(root, 'build/kernels'), join(target, 'kernels'));
}

/** Symbolic links are followed; a `.gitignore` would make Ray leave things out. */
function copyTree(from: string, to: string, withPackages = false): void {
  const filter = (path: string) => {
    const name = basename(path);
    if (path === from) return true;
    return name !== '.gitignore' && name !== '.git' && (withPackages || !NEVER.has(name));
  };
  cpSync(from, to, { recursive: true, dereference: true, filter });
}

/** The nearest folder with a package.json, or the one that was given. */
function projectRoot(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(join(path, 'package.json'))) return path;
    if (dirname(path) === path) return folder;
  }
}

function isInside(file: string, folder: string): boolean {
  const path = relative(folder, file);
  return !path.startsWith('..') && !isAbsolute(path) && !path.split(sep).includes('node_modules');
}

/** A file of a package that the project could import. */
function isPackage(file: string, project: string): boolean {
  const path = relative(join(project, 'node_modules'), file);
  return !path.startsWith('..') && !path.split(sep).includes('node_modules');
}

/** `node_modules/@scope/name/lib/file.js` -> `@scope/name`. */
function packageName(path: string): string {
  const [, first, second] = path.split(sep);
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** Adds the folders of the packages that the one in `folder` depends on, and of those that these do. */
function addDependencies(folder: string, from: string, packages: Set<string>): void {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return;
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly dependencies?: object;
    readonly optionalDependencies?: object;
  };
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
    addPackage(name, from, packages);
}

/** One that is nested in another package travels with that. */
function addPackage(name: string, from: string, packages: Set<string>): void {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(path)) {
      if (packages.has(path)) return;
      if (path.split(`node_modules${sep}`).length === 2) packages.add(path);
      addDependencies(path, path, packages);
      return;
    }
    if (dirname(folder) === folder) return; // optional, or of another platform
  }
}

function bytesIn(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
}

function checkSize(bytes: number, folder: string, { maxMegabytes }: ShippingOptions): void {
  if (bytes <= maxMegabytes * 2 ** 20) return;
  const entries = ['project', 'node_modules', 'operant']
    .filter((name) => existsSync(join(folder, name)))
    .flatMap((name) => readdirSync(join(folder, name)).map((entry) => join(name, entry)))
    .map((path) => ({ path, bytes: bytesIn(join(folder, path)) }))
    .sort((a, b) => b.bytes - a.bytes);
  const megabytes = (count: number) => `${(count / 2 ** 20).toFixed(1)} MiB`;
  const largest = entries.slice(0, 3).map((entry) => `${entry.path} ${megabytes(entry.bytes)}`);
  throw new ClusterError(
    'CLUSTER_PACKAGE_SIZE',
    `What would be sent to the hosts has ${megabytes(bytes)}, and \`rayPackageMb\` is ${maxMegabytes}. The largest parts: ${largest.join(', ')}. Move what hosts do not need out of the project, or raise \`rayPackageMb\` (Ray's own limit is 500).`,
  );
}
