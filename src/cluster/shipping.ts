/**
 * The folder that hosts get as Ray's `runtime_env.working_dir`: Operant, the packages it needs, and the environment with its project.
 *
 *     operant/ or node_modules/operant/   as it runs here: sources of a clone, or the package
 *     node_modules/                       what Operant, the project and the environment's package depend on
 *     project/                            the project's files, when the environment is one of them, in Python or not
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EnvModuleSource } from '../env/env-source.ts';
import { listEnvs } from '../env/registry.ts';
import { ClusterError } from '../errors.ts';
import { packageRoot } from '../machine/operant-version.ts';
import { type FileHashes, hashFiles } from './file-hashes.ts';
import { pythonFileOf, withPythonFile } from './python-file.ts';
import {
  addDependencies,
  addPackage,
  argumentsFor,
  copyTree,
  filesIn,
  isInside,
  OPERANT_FOLDER,
  projectRoot,
  requirePackageSize,
  shipOperant,
  shipPackages,
} from './shipped-files.ts';

export interface Shipment {
  /** Absolute path; delete it with `remove`. */
  readonly folder: string;
  readonly bytes: number;
  /** Node's arguments there, up to the entry of the rollout process. */
  readonly arguments: readonly string[];
  /** The environment there: its module, and the file that a `python:` id names, relative to the folder. */
  readonly source: EnvModuleSource;
  /** The environment's module and all files of its project, as they were sent. */
  readonly files: FileHashes;
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
 * @throws ClusterError `CLUSTER_NOT_SHIPPED` when a file of the environment lies outside of the project, `CLUSTER_PACKAGE_SIZE`.
 */
export function prepareShipment(options: ShippingOptions): Shipment {
  const folder = mkdtempSync(join(tmpdir(), 'operant-ship-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const source = copyAll(folder, options);
    const bytes = requirePackageSize(folder, options.maxMegabytes, 'hosts');
    const files = hashFiles(folder, environmentFiles(folder, source));
    return { folder, bytes, arguments: argumentsFor('src/cluster/host-process'), source, files, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Copies what is needed; returns the environment as it lies there. */
function copyAll(folder: string, { source, workingDir }: ShippingOptions): EnvModuleSource {
  const packages = new Set<string>();
  shipOperant(folder, packages);
  const peer = listEnvs().find(({ module }) => module === source.module)?.peer?.name;
  if (peer !== undefined) addPackage(peer, packageRoot(), packages);
  const project = workingDir ?? projectRoot(process.cwd());
  const python = pythonFileOf(source);
  const module = shipFile(folder, fileURLToPath(source.module), project, packages);
  const shipped = { ...source, module };
  const located =
    python === null ? shipped : withPythonFile(shipped, shipFile(folder, python, project, packages));
  shipPackages(folder, packages);
  return located;
}

/** Sends what a file of the environment belongs to: Operant, the project, or a package. Returns the file's place. */
function shipFile(folder: string, file: string, project: string, packages: Set<string>): string {
  const root = packageRoot();
  if (isInside(file, root)) {
    const path = relative(root, file);
    const [top] = path.split(sep);
    if (!existsSync(join(folder, OPERANT_FOLDER, path)))
      copyTree(join(root, top), join(folder, OPERANT_FOLDER, top));
    return join(OPERANT_FOLDER, path);
  }
  if (isInside(file, project)) {
    copyTree(project, join(folder, 'project'));
    addDependencies(project, project, packages);
    return join('project', relative(project, file));
  }
  if (!isPackage(file, project))
    throw new ClusterError(
      'CLUSTER_NOT_SHIPPED',
      `The environment's file ${file} lies outside of ${project}, the folder that is sent to the hosts. Move it there, or set \`rayWorkingDir\` to a folder that holds it.`,
    );
  const path = file.slice(file.lastIndexOf(`${sep}node_modules${sep}`) + 1);
  addDependencies(project, project, packages);
  addPackage(packageName(path), project, packages);
  return path;
}

/** A file of a package that the project could import. */
function isPackage(file: string, project: string): boolean {
  const path = relative(join(project, 'node_modules'), file);
  return !path.startsWith('..') && !isAbsolute(path) && !path.split(sep).includes('node_modules');
}

/** `node_modules/@scope/name/lib/file.js` -> `@scope/name`. */
function packageName(path: string): string {
  const [, first, second] = path.split(sep);
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function environmentFiles(folder: string, source: EnvModuleSource): string[] {
  const own = [source.module, pythonFileOf(source) ?? source.module];
  const project = join(folder, 'project');
  const files = existsSync(project) ? filesIn(project).map((path) => join('project', path)) : [];
  return [...new Set([...own, ...files])];
}
