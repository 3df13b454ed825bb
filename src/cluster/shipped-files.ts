/** What a folder for another machine is put together from: Operant as it runs here, a project, and the packages that both depend on. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { ClusterError } from '../errors.ts';
import { packageRoot } from '../machine/operant-version.ts';

/** Whether this is a clone, whose sources run, or the package. */
const IS_SOURCE = import.meta.url.endsWith('.ts');
/** Of a clone: what a rollout process loads. */
const SOURCE_FOLDERS = ['src', 'envs', 'algorithms', '.ci'];
/** Of a project: what it makes rather than what it is made of. */
const NEVER = new Set(['node_modules', 'runs', 'coverage', '__pycache__']);

/** Where Operant lies in the folder. */
export const OPERANT_FOLDER = IS_SOURCE ? 'operant' : join('node_modules', 'operant');

/** Node's arguments that run one of Operant's modules (`src/cli/main`), relative to the folder. */
export function argumentsFor(module: string): string[] {
  return IS_SOURCE
    ? ['--import', './operant/.ci/own-typescript.mjs', `operant/${module}.ts`]
    : [`node_modules/operant/dist/${module}.js`];
}

/** Copies Operant, and adds the packages that it needs. */
export function shipOperant(folder: string, packages: Set<string>): void {
  const root = packageRoot();
  const target = join(folder, OPERANT_FOLDER);
  mkdirSync(target, { recursive: true });
  cpSync(join(root, 'package.json'), join(target, 'package.json'));
  addDependencies(root, root, packages);
  if (!IS_SOURCE) {
    copyTree(join(root, 'dist'), join(target, 'dist'));
    return;
  }
  for (const name of SOURCE_FOLDERS) copyTree(join(root, name), join(target, name));
  // Compiled kernels without their sources are what an installed package has: nobody tries to compile there.
  rmSync(join(target, 'src/simd/assembly'), { recursive: true, force: true });
  const compiled = join(root, 'build/kernels');
  copyTree(existsSync(compiled) ? compiled : join(root, 'kernels'), join(target, 'kernels'));
}

/** Copies packages; those that are nested in others come with them. */
export function shipPackages(folder: string, packages: ReadonlySet<string>): void {
  for (const path of packages) {
    const name = path.slice(path.lastIndexOf(`node_modules${sep}`) + 13);
    if (name !== 'operant') copyTree(path, join(folder, 'node_modules', name), true);
  }
}

/** Symbolic links are followed; a `.gitignore` would make Ray leave things out. */
export function copyTree(from: string, to: string, withPackages = false): void {
  const filter = (path: string) => {
    const name = basename(path);
    if (path === from) return true;
    return name !== '.gitignore' && name !== '.git' && (withPackages || !NEVER.has(name));
  };
  cpSync(from, to, { recursive: true, dereference: true, filter });
}

/** The nearest folder with a package.json, or the one that was given. */
export function projectRoot(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(join(path, 'package.json'))) return path;
    if (dirname(path) === path) return folder;
  }
}

/** Below it, and not in one of its packages. */
export function isInside(file: string, folder: string): boolean {
  const path = relative(folder, file);
  return !path.startsWith('..') && !isAbsolute(path) && !path.split(sep).includes('node_modules');
}

/** Adds the folders of the packages that the one in `folder` depends on, and of those that these do. */
export function addDependencies(folder: string, from: string, packages: Set<string>): void {
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
export function addPackage(name: string, from: string, packages: Set<string>): void {
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

/** Files below a folder, relative to it, in order. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
}

/** The largest parts of a folder that was put together, for people. */
export function largestParts(folder: string): string {
  const entries = ['project', 'node_modules', 'operant']
    .filter((name) => existsSync(join(folder, name)))
    .flatMap((name) => readdirSync(join(folder, name)).map((entry) => join(name, entry)))
    .map((path) => ({ path, bytes: bytesIn(join(folder, path)) }))
    .sort((a, b) => b.bytes - a.bytes);
  const largest = entries.slice(0, 3).map((entry) => `${entry.path} ${mebibytes(entry.bytes)}`);
  return largest.join(', ');
}

/** @param who does not need what is too much: hosts, trials. @returns bytes. @throws ClusterError `CLUSTER_PACKAGE_SIZE` naming the largest parts. */
export function requirePackageSize(folder: string, maxMegabytes: number, who: string): number {
  const bytes = bytesIn(folder);
  if (bytes <= maxMegabytes * 2 ** 20) return bytes;
  throw new ClusterError(
    'CLUSTER_PACKAGE_SIZE',
    `What would be sent to the hosts has ${mebibytes(bytes)}, and \`rayPackageMb\` is ${maxMegabytes}. The largest parts: ${largestParts(folder)}. Move what ${who} do not need out of the project, or raise \`rayPackageMb\` (Ray's own limit is 500).`,
  );
}

export const mebibytes = (count: number) => `${(count / 2 ** 20).toFixed(1)} MiB`;
