/** The run that nobody kills, and what of a run is compared with it. */
import type { TrainResult } from '../../src/algorithm/algorithm.ts';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { hashJson } from '../../src/checkpoint/exact-json.ts';
import { encodeSafetensors } from '../../src/checkpoint/safetensors.ts';
import type { JsonObject } from '../../src/index.ts';
import { buildTask, type TaskName } from './kill-tasks.ts';
import type { Subject } from './subject.ts';

export interface Reference {
  /** Hash of the checkpoint after an iteration. */
  hashAt(iteration: number): Promise<string>;
  rowAt(iteration: number): object;
  stop(): Promise<void>;
}

/** The undisturbed run, trained as far as it is asked for. */
export async function createReference(subject: Subject, task: TaskName): Promise<Reference> {
  const algorithm = await buildTask(task, subject);
  const hashes = [hashOf(await algorithm.getState())];
  const rows: object[] = [{}];
  return {
    async hashAt(iteration) {
      while (hashes.length <= iteration) {
        rows.push(untimed({ ...(await algorithm.train()) }));
        hashes.push(hashOf(await algorithm.getState()));
      }
      return hashes[iteration];
    },
    rowAt: (iteration) => rows[iteration],
    stop: () => algorithm.stop(),
  };
}

/** Everything that the run is, without the clock and the options that only say how to run. */
export function hashOf({ tensors, json, segments = {} }: CheckpointContent): string {
  const { 'run.json': _run, 'config.json': _config, ...state } = json;
  const bytes = Object.entries(tensors).map(([path, named]) => [
    path,
    Buffer.concat(encodeSafetensors(named)).toString('base64'),
  ]);
  // Segments of a replay buffer are named by their content.
  const names = Object.keys(segments).sort();
  return hashJson({ ...state, names, tensors: Object.fromEntries(bytes) } as JsonObject);
}

export function untimed({
  iteration,
  numEnvSteps,
  numEpisodes,
  metrics,
}: Pick<TrainResult, 'iteration' | 'numEnvSteps' | 'numEpisodes' | 'metrics'>): object {
  const kept = Object.entries(metrics).filter(([key]) => !key.startsWith('time/'));
  return { iteration, numEnvSteps, numEpisodes, ...Object.fromEntries(kept) };
}
