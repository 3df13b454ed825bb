/** The folder with which any command of Operant runs on another machine as it would here: Operant, the project that one stands in, and the packages of both. */
import { join, relative } from 'node:path';
import { listEnvs } from '../env/registry.ts';
import { ConfigError } from '../errors.ts';
import { packageRoot } from '../machine/operant-version.ts';
import {
  addDependencies,
  addPackage,
  copyTree,
  isInside,
  OPERANT_FOLDER,
  shipOperant,
  shipPackages,
} from './shipped-files.ts';

/**
 * Copies it all. Cost: some 25 MB. Thread: any.
 *
 * @param named what the project is called where it is given: an option, a flag.
 * @returns where `cwd` lies there, relative to `folder`. @throws ConfigError `CONFIG_RAY_WORKING_DIR` when it is not in the project.
 */
export function shipProject(folder: string, project: string, cwd: string, named: string): string {
  const root = packageRoot();
  const packages = new Set<string>();
  shipOperant(folder, packages);
  for (const { peer } of listEnvs()) if (peer !== undefined) addPackage(peer.name, root, packages);
  if (!isInside(cwd, project))
    throw new ConfigError(
      'CONFIG_RAY_WORKING_DIR',
      `Expected the folder that one stands in (${cwd}) to lie in ${named} (${project}), so that paths mean the same there.`,
    );
  if (project !== root) {
    copyTree(project, join(folder, 'project'));
    addDependencies(project, project, packages);
  }
  shipPackages(folder, packages);
  return join(project === root ? OPERANT_FOLDER : 'project', relative(project, cwd));
}
