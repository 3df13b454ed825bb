/** Where a study's trainings run: processes of this machine, or a Ray cluster for as long as the study lasts. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isInside, projectRoot } from '../../cluster/shipped-files.ts';
import { conflict, throwProblems } from '../../config/problems.ts';
import type { ConfigLayer } from '../../config/resolve.ts';
import { ClusterError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { isAbsolutePath, isModuleReference, splitExport } from '../../modules/module-text.ts';
import type { StudySettings } from '../settings.ts';
import { type Train, trainFolder } from '../train-process.ts';
import { completeRayPlace, type RayPlaceOptions } from './ray-place.ts';

/**
 * @param ray null = this machine. @returns what `work` makes of it.
 * @throws ConfigError, ClusterError before `work` begins where the cluster cannot be joined or a trial could not run there.
 */
export async function withPlace<T>(
  { algorithm, layers }: Pick<StudySettings, 'algorithm' | 'layers'>,
  ray: Partial<RayPlaceOptions> | null,
  work: (train: Train) => Promise<T>,
): Promise<T> {
  if (ray === null) return work(trainFolder);
  const options = completeRayPlace(ray);
  throwProblems(layers.flatMap(({ values }) => hasOwnHosts(values as JsonObject)));
  checkModules(algorithm, layers, options.rayWorkingDir);
  const { joinCluster } = await import('./train-on-ray.ts'); // on use: studies without a cluster load none of it
  const place = await joinCluster(options, isDeterministic(layers));
  try {
    return await work(place.train);
  } finally {
    await place.stop();
  }
}

function hasOwnHosts({ envRunners }: JsonObject) {
  const { runners } = (envRunners ?? {}) as JsonObject;
  if (runners !== 'ray') return [];
  const message =
    'A trial on Ray is one process on one host, so `runners` ray does not go with --on ray: leave one of them out.';
  return [conflict(message)];
}

const isDeterministic = (layers: readonly ConfigLayer[]) =>
  layers.some(
    ({ values }) => ((values as JsonObject).debugging as JsonObject | undefined)?.deterministic === true,
  );

/** Files of one's own travel with the project, and mean there what they mean here only by a relative path. */
function checkModules(algorithm: string, layers: readonly ConfigLayer[], workingDir: string | null): void {
  const project = workingDir ?? projectRoot(process.cwd());
  const named = layers.flatMap(({ values }) => {
    const { environment, evaluation, training } = values as Partial<Record<string, JsonObject>>;
    return [environment?.env, evaluation?.evaluationEnv, training?.network];
  });
  for (const name of [algorithm, ...named]) {
    if (typeof name !== 'string') continue;
    const reference = name.replace(/^python:/, '');
    const { specifier } = splitExport(reference);
    if (!isModuleReference(reference) || !(isAbsolutePath(specifier) || existsSync(resolve(specifier))))
      continue;
    if (!isAbsolutePath(specifier) && isInside(resolve(specifier), project)) continue;
    throw new ClusterError(
      'CLUSTER_NOT_SHIPPED',
      `\`${name}\` would not be found on the hosts: they get the files of ${project}, under paths relative to the folder that one stands in. Move it there and name it by a relative path, or set \`rayWorkingDir\` to a folder that holds it.`,
    );
  }
}
